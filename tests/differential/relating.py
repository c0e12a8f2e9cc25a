"""Random sequences of what one does with related objects: `python -m tests.differential.relating --examples 500`.

After each step the results, the errors, the columns of the objects at hand, what they hold without a query, and the rows
are what they are with Django; and it took no more queries.
"""

from __future__ import annotations

import argparse
import re
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from .libraries import set_up_django

MODELS = """
class Author(Model):
    name = CharField(max_length=20)
    code = IntegerField(unique=True, null=True)
    friends = ManyToManyField("self")
    follows = ManyToManyField("self", symmetrical=False, related_name="followers")

class Tag(Model):
    name = CharField(max_length=20, unique=True)

class Book(Model):
    name = CharField(max_length=20)
    author = ForeignKey(Author, CASCADE, null=True, related_name="books")
    editor = ForeignKey(Author, CASCADE, related_name="edited")
    owner = ForeignKey(Author, SET_NULL, to_field="code", null=True, related_name="owned")
    tags = ManyToManyField(Tag, related_name="books")
    readers = ManyToManyField(Author, through="Reading", related_name="reads")

class Reading(Model):
    book = ForeignKey(Book, CASCADE)
    author = ForeignKey(Author, CASCADE)
    stars = IntegerField(default=0)

class Profile(Model):
    name = CharField(max_length=20)
    author = OneToOneField(Author, CASCADE, null=True, related_name="profile")

class Diary(Profile):
    pages = IntegerField(default=0)
"""
SAVE = """
def save(instance):
    # All columns, as Django does: here save() alone writes those that changed.
    names = [f.attname for f in instance._meta.concrete_fields if not f.primary_key]
    instance.save(**({"update_fields": names} if not instance._state.adding else {}))
"""
SETUP = """
a0, a1, a2 = [Author.objects.create(pk=n + 1, name=f"a{n}", code=n + 11) for n in range(3)]
a3 = Author(name="a3", code=14)
t0, t1, t2 = [Tag.objects.create(pk=n + 1, name=f"t{n}") for n in range(3)]
b0, b1 = [Book.objects.create(pk=n + 1, name=f"b{n}", editor_id=1, author_id=n + 1, owner_id=11) for n in range(2)]
b2 = Book(name="b2", editor_id=2)
p0, p1 = [Profile.objects.create(pk=n + 1, name=f"p{n}", author_id=n + 1) for n in range(2)]
p2 = Profile(name="p2")
d0 = Diary.objects.create(pk=9, name="d0", pages=3, author_id=3)
b0.tags.add(1, 2)
b1.tags.add(2)
a0.friends.add(2)
a0.follows.add(2, 3)
Reading.objects.create(book_id=1, author_id=1, stars=2)
a0, a1, a2 = [Author.objects.get(pk=n + 1) for n in range(3)]
b0, b1 = [Book.objects.get(pk=n + 1) for n in range(2)]
p0, p1 = [Profile.objects.get(pk=n + 1) for n in range(2)]
d0 = Diary.objects.get()
"""
NAMES = ["a0", "a1", "a2", "a3", "t0", "t1", "t2", "b0", "b1", "b2", "p0", "p1", "p2", "d0"]
TABLES = ("Author", "Tag", "Book", "Reading", "Profile", "Diary")
LABELS = {"a": "Author", "b": "Book", "t": "Tag", "p": "Profile", "d": "Diary"}
MANAGERS = {"a": [("books", "b"), ("edited", "b"), ("owned", "b"), ("friends", "a"), ("follows", "a")]}
MANAGERS["a"] += [("followers", "a"), ("reads", "b")]
MANAGERS["b"] = [("tags", "t"), ("readers", "a")]
MANAGERS["t"] = [("books", "b")]
MANY = {"friends", "follows", "followers", "reads", "tags", "readers"}


@st.composite
def steps(draw: st.DrawFn) -> str:
    """Make one step."""
    kind = draw(
        st.sampled_from(
            [
                "assign",
                "assign",
                "id",
                "read",
                "read",
                "list",
                "list",
                "manager",
                "manager",
                "manager",
                "save",
                "reload",
                "reload",
                "delete",
            ]
        )
    )
    a = draw(st.sampled_from(["a0", "a1", "a2", "a3"]))
    b = draw(st.sampled_from(["b0", "b1", "b2"]))
    p = draw(st.sampled_from(["p0", "p1", "p2", "d0"]))
    if kind == "assign":
        target = draw(st.sampled_from([a, a, "None"]))
        return draw(
            st.sampled_from(
                [
                    f"{b}.author = {target}",
                    f"{b}.author = {target}",
                    f"{b}.owner = {target}",
                    f"{b}.editor = {target}",
                    f"{p}.author = {target}",
                    f"{a}.profile = {draw(st.sampled_from([p, p, 'None']))}",
                    f"{b}.author = {draw(st.sampled_from(['t0', p, '1']))}",
                    f"{a}.name = {a}.name + '!'",
                ]
            )
        )
    if kind == "id":
        key = draw(st.sampled_from(["1", "2", "3", "None"]))
        code = draw(st.sampled_from(["11", "12", "None"]))
        return draw(
            st.sampled_from([f"{b}.author_id = {key}", f"{b}.owner_id = {code}", f"{p}.author_id = {key}"])
        )
    if kind == "read":
        return draw(
            st.sampled_from([f"{b}.author", f"{b}.owner", f"{b}.editor", f"{p}.author", f"{a}.profile"])
        )
    if kind == "save":
        one = draw(st.sampled_from([a, b, p]))
        return draw(st.sampled_from([f"save({one})", f"save({one})", f"{one}.refresh_from_db()"]))
    if kind == "delete":
        return f"{draw(st.sampled_from([a, b, p]))}.delete()"
    owner = draw(st.sampled_from([a, b, "t0", "t1"]))
    if kind == "reload":
        model = LABELS[owner[0]]
        paths = [name for name, _ in MANAGERS[owner[0]]]
        singles = {"a": ["profile"], "b": ["author", "owner", "editor"], "t": []}[owner[0]]
        chosen = draw(st.lists(st.sampled_from(paths + singles), max_size=3, unique=True))
        joined = draw(st.lists(st.sampled_from(singles), max_size=2, unique=True)) if singles else []
        more = f".prefetch_related({', '.join(map(repr, chosen))})" if chosen else ""
        more += f".select_related({', '.join(map(repr, joined))})" if joined else ""
        return f"{owner} = {model}.objects{more}.get(pk={owner}.pk)"
    name, other = draw(st.sampled_from(MANAGERS[owner[0]]))
    if (owner, name) == ("a3", "owned"):
        name = "books"  # with a code and no key: what is an error then is a matter of taste
    manager = f"{owner}.{name}"
    many = name in MANY or owner[0] == "t"
    if kind == "list":
        return draw(
            st.sampled_from(
                [
                    f"list({manager}.order_by('pk'))",
                    f"list({manager}.all())",
                    f"list({manager}.all())",
                    f"{manager}.count()",
                    f"{manager}.exists()",
                    f"{manager}.filter(pk=1).exists()",
                    f"{manager}.first()",
                    f"[x for x in {manager}.all()][0].{draw(st.sampled_from(['author', 'editor', 'owner', 'profile']))}",
                ]
            )
        )
    objects = draw(st.lists(st.sampled_from([f"{other}{n}" for n in range(3)]), max_size=2, unique=True))
    if many and draw(st.booleans()):
        objects = [f"{o}.pk" if o != "b2" and draw(st.booleans()) else o for o in objects]
    listed = ", ".join(objects)
    label = draw(st.sampled_from(["n0", "n1"]))
    fields = f"name='{label}'"
    defaults = ", defaults={'editor': a0}" if other == "b" else ""
    creating = f"{fields}, editor=a0" if other == "b" and name != "edited" else fields
    through = ""
    if name in ("reads", "readers"):
        through = draw(st.sampled_from(["", ", through_defaults={'stars': 5}"]))
    bulk = "" if many else draw(st.sampled_from(["", "", ", bulk=False"]))
    clear = draw(st.sampled_from(["", "", ", clear=True"]))
    return draw(
        st.sampled_from(
            [
                f"{manager}.add({listed}{through}{bulk})".replace("(, ", "("),
                f"{manager}.add({listed}{through}{bulk})".replace("(, ", "("),
                f"{manager}.remove({listed})",
                f"{manager}.set([{listed}]{clear}{through}{bulk})",
                f"{manager}.set([{listed}]{clear}{through}{bulk})",
                f"{manager}.clear()",
                f"{manager}.create({creating}{through})",
                f"{manager}.get_or_create({fields}{defaults}{through})",
                f"{manager}.update_or_create({fields}{defaults}{through})",
                f"{manager}.filter(pk=1).delete()" if other == "t" else f"{manager}.contains({other}0)",
            ]
        )
    )


class Side:
    """One library: it takes the steps one after another."""

    names: dict[str, Any]

    def run(self, statement: str) -> None:
        """Run a statement in the library's namespace."""
        exec(statement, self.names)

    def step(self, statement: str) -> tuple[Any, int]:
        """Take a step; return its result, or the error's name, and the number of queries."""
        raise NotImplementedError

    def result(self, statement: str) -> Any:
        """Return the result of a step as plain data."""
        try:
            if " = " in statement:
                self.run(statement)
                return None
            return self.plain(eval(statement, self.names))
        except Exception as error:
            return type(error).__name__

    def plain(self, value: Any) -> Any:
        """Return a value that both libraries can have."""
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        if hasattr(value, "_meta"):
            known = [name for name in NAMES if self.names[name] is value]
            return known[0] if known else f"{type(value).__name__} {value.name}"
        if isinstance(value, dict):
            return {key: number for key, number in value.items() if number}
        return value

    def held(self) -> dict[str, Any]:
        """Return columns of the objects, and the related objects that they hold."""
        found: dict[str, Any] = {}
        for name in NAMES:
            instance = self.names[name]
            entry: dict[str, Any] = {"adding": instance._state.adding or instance.pk is None}
            for field in instance._meta.get_fields():
                if not field.is_relation:
                    continue
                if getattr(field, "column", None) is not None and not field.many_to_many:
                    entry[field.attname] = self.key(getattr(instance, field.attname))
                if field.many_to_many or field.one_to_many:
                    cache = instance.__dict__.get("_prefetched_objects_cache", {})
                    entry["prefetched " + self.cache_name(field)] = self.cache_name(field) in cache
                elif "profile_ptr" not in field.name and "diary" not in field.name:
                    cached = field.is_cached(instance)
                    held = field.get_cached_value(instance) if cached else None
                    if held is not None and field.auto_created and held.author_id != instance.pk:
                        cached = False  # it refers to another one by now: Django keeps that, we don't
                    entry[f"cached {field.name}"] = self.plain(held) if cached else "-"
            found[name] = entry
        return found

    def cache_name(self, field: Any) -> str:
        """Return the name of a prefetched relation."""
        return field.name if not field.auto_created else field.get_accessor_name() or field.name

    def key(self, value: Any) -> Any:
        """Return a key; those that the database gave to new rows may differ."""
        return value if value is None or value < 4 or value in (11, 12, 13, 14) else "new"

    def rows(self) -> Any:
        """Return all rows."""
        found: list[Any] = []
        for name in TABLES:
            model = self.names[name]
            columns = [f.attname for f in model._meta.concrete_fields if not f.primary_key]
            found.append(
                (
                    name,
                    sorted(
                        [tuple(map(self.short, r)) for r in model.objects.values_list(*columns)], key=repr
                    ),
                )
            )
            for field in model._meta.local_many_to_many:
                through = field.remote_field.through
                if through._meta.auto_created:
                    pairs = through.objects.values_list(field.m2m_column_name(), field.m2m_reverse_name())
                    found.append(
                        (field.name, sorted([tuple(map(self.key, pair)) for pair in pairs], key=repr))
                    )
        return found

    def short(self, value: Any) -> Any:
        return self.key(value) if isinstance(value, int) else value


class Django(Side):
    """Django, in a database of its own."""

    def __init__(self) -> None:
        set_up_django(sa.make_url("sqlite:///:memory:"), "")
        self.names = {"__name__": f"{__package__}.peer.models"}
        self.run("from django.db.models import *")
        self.run(MODELS + SAVE)
        from django.db import connection

        with connection.schema_editor() as editor:
            for name in TABLES:
                editor.create_model(self.names[name])

    def empty(self) -> None:
        """Take all rows away."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys = 0")
            for table in connection.introspection.table_names():
                cursor.execute(f"DELETE FROM {table}")
            cursor.execute("PRAGMA foreign_keys = 1")

    def step(self, statement: str) -> tuple[Any, int]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            found = self.result(statement)
        self.sent = [query["sql"] for query in queries if not control(query["sql"])]
        return found, len(self.sent)


class Ours(Side):
    """This library, in a database of its own."""

    def __init__(self) -> None:
        import ormolu

        ormolu.configure("sqlite://", USE_TZ=False, FETCH_MODE="one")
        self.names = {"__name__": f"{__package__}.ours"}
        self.run("from ormolu import *")
        self.run(MODELS + SAVE)
        ormolu.create_tables()

    def empty(self) -> None:
        """Take all rows away."""
        import ormolu

        with ormolu.connection.cursor() as cursor:
            cursor.execute("PRAGMA foreign_keys = 0")
            for table in ormolu.Model.metadata.tables:
                cursor.execute(f"DELETE FROM {table}")
            cursor.execute("PRAGMA foreign_keys = 1")

    def step(self, statement: str) -> tuple[Any, int]:
        import ormolu

        with ormolu.capture_queries() as queries:
            found = self.result(statement)
        self.sent = [query.sql for query in queries if not control(query.sql)]
        return found, len(self.sent)


def control(sql: str) -> bool:
    """Tell whether a statement is of a transaction."""
    return sql.split()[0] in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


def compare(examples: int) -> None:
    """Compare so many sequences; the smallest that differs is an error."""
    django, ours = Django(), Ours()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
    )
    @given(st.lists(steps(), min_size=1, max_size=10))
    def agree(taken: list[str]) -> None:
        for side in (django, ours):
            side.empty()
            side.run(SETUP)
        gone: set[str] = set()
        for statement in taken:
            if gone & set(re.findall(r"\w+", statement)):
                continue  # an object that was deleted is a new one here
            if statement.endswith(".delete()"):
                gone.add(statement.split(".")[0])
            expected, theirs = django.step(statement)
            found, mine = ours.step(statement)
            note(f"{statement}\n  Django: {expected}\n  ours:   {found}\n  {theirs} {mine}")
            assert found == expected, statement
            if isinstance(found, str) and found.endswith(("Error", "DoesNotExist")):
                break  # what is left of a step that failed is nobody's promise
            assert mine <= theirs, (statement, django.sent, ours.sent)
            one, other = django.held(), ours.held()
            for name in NAMES:
                differ = {k: (v, other[name].get(k)) for k, v in one[name].items() if other[name].get(k) != v}
                assert not differ, (statement, name, differ)
            assert ours.rows() == django.rows(), statement

    agree()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    compare(parser.parse_args().examples)
