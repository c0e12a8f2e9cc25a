"""Constraints: what they are in the database, and what validate() says of objects that aren't saved."""

import warnings
from typing import Any

import pytest
import sqlalchemy as sa

from ormolu import (
    CharField,
    CheckConstraint,
    DateField,
    Deferrable,
    F,
    Index,
    IntegerField,
    IntegrityError,
    JSONField,
    Model,
    Q,
    RawSQL,
    UniqueConstraint,
    ValidationError,
    Value,
    atomic,
    connection,
    databases,
)
from ormolu.fields import BooleanField
from ormolu.models import BaseConstraint
from ormolu.models.tables import statements
from ormolu.query.functions import Lower
from support.backends import Backend


class Locker(Model):
    number = IntegerField(null=True)
    owner = CharField(max_length=20, db_index=True)
    size = IntegerField(default=1)
    notes = JSONField(null=True)

    class Meta:
        app_label = "lockers"


class Valued(Model):
    number = IntegerField()
    owner = CharField(max_length=20)
    size = IntegerField(null=True, blank=True)
    day = DateField(null=True, blank=True)
    notes = JSONField(null=True, blank=True)

    class Meta:
        app_label = "lockers"
        constraints = [
            CheckConstraint(condition=Q(number__gt=0), name="lockers_number"),
            CheckConstraint(condition=~Q(owner="bad"), name="lockers_owner"),
            CheckConstraint(condition=Q(notes__a__gt=3) | Q(notes__isnull=True), name="lockers_notes"),
            UniqueConstraint(F("size"), "owner", name="lockers_by_size"),
            UniqueConstraint(Lower("owner"), F("size").desc(), name="lockers_by_size_too"),
        ]


HIGH = CheckConstraint(condition=Q(number__gt=F("size")), name="high")
ALONE = UniqueConstraint(fields=["number", "size"], name="alone")
LOWER = UniqueConstraint(Lower("owner").desc(), name="lower")
SMALL = UniqueConstraint(fields=["owner"], condition=Q(size__lt=3), name="small", violation_error_code="s")
NULLS = UniqueConstraint(fields=["number"], nulls_distinct=False, name="nulls")


async def test_validation(db: Backend, world: Any) -> None:
    """The database says whether an object would break a constraint; the object's own row is no other row."""
    first = await world(Locker.objects.create, number=5, owner="Ann")
    fine = Locker(number=6, owner="Bob", size=3)
    for constraint in (HIGH, ALONE, LOWER, SMALL, NULLS):
        await world(constraint.validate, Locker, first)
        await world(constraint.validate, Locker, fine)
    wrong: list[tuple[Any, Any, set[str]]] = [
        (HIGH, Locker(number=1, owner="x"), {"number"}),
        (ALONE, Locker(number=5, owner="x"), {"size"}),
        (LOWER, Locker(number=9, owner="ANN"), {"owner"}),
        (SMALL, Locker(number=9, owner="Ann"), {"owner"}),
        (NULLS, Locker(number=5, owner="x"), {"number"}),
    ]
    for constraint, instance, exclude in wrong:
        with pytest.raises(ValidationError):
            await world(constraint.validate, Locker, instance)
        await world(constraint.validate, Locker, instance, exclude=exclude)
    await world(SMALL.validate, Locker, Locker(number=9, owner="Ann", size=4))
    await world(Locker.objects.create, number=None, owner="Cid")
    await world(ALONE.validate, Locker, Locker(number=None, owner="x"))
    with pytest.raises(ValidationError):
        await world(NULLS.validate, Locker, Locker(number=None, owner="x"))


async def test_values_that_are_wrong_are_left_out(db: Backend, world: Any) -> None:
    """full_clean() says what is wrong with a field; constraints about others are checked all the same."""
    with pytest.raises(ValidationError) as caught:
        await world(Valued(number="x", owner="bad", day="x").full_clean)
    assert caught.value.message_dict == {
        "number": ["“x” value must be an integer."],
        "day": ["“x” value has an invalid date format. It must be in YYYY-MM-DD format."],
        "__all__": ["Constraint “lockers_owner” is violated."],
    }
    await world(Valued(number="x", owner="a").full_clean, exclude=["number"])
    await world(Valued(number=Value(3), owner="a").validate_constraints)  # nobody knows it before it is there


async def test_null_is_not_another_null(db: Backend, world: Any) -> None:
    """An expression that is NULL equals no other; one of a JSON document's keys may be asked of NULL."""
    await world(Valued.objects.create, number=1, owner="a")
    other = Valued(number=2, owner="a")
    await world(other.full_clean)
    await world(other.save)
    await world(Valued.objects.create, number=3, owner="a", size=5, notes={"a": 4})
    with pytest.raises(ValidationError, match="lockers_by_size"):
        await world(Valued(number=4, owner="a", size=5).full_clean)
    with pytest.raises(ValidationError, match="lockers_notes"):
        await world(Valued(number=4, owner="b", notes={"a": 1}).full_clean)


def test_text_is_not_asked_about(db: Backend) -> None:
    """SQL text may name columns that nobody can see: it is taken to hold."""
    raw = CheckConstraint(condition=RawSQL("number < %s", (3,), output_field=BooleanField()), name="raw")
    raw.validate(Locker, Locker(number=99, owner="x"))


def test_constraints_of_ones_own(db: Backend) -> None:
    """A subclass says what it is in the table, and what it asks about an object."""

    class Even(BaseConstraint):
        def element(self, meta: Any, table: Any) -> Any:
            check = sa.CheckConstraint(table.c.number % 2 == 0, name=self.name)
            table.append_constraint(check)
            return check

    if db.vendor == "mysql":
        return  # its driver takes the percent sign for a placeholder of its own
    even = Even(name="even")
    with connection.schema_editor() as editor:
        editor.add_constraint(Locker, even)
        assert even.constraint_sql(Locker, editor) is not None
    with pytest.raises(IntegrityError), atomic():
        Locker.objects.create(number=5, owner="x")
    with connection.schema_editor() as editor:
        editor.remove_constraint(Locker, even)
    with pytest.raises(NotImplementedError):
        even.validate(Locker, Locker())
    with pytest.raises(NotImplementedError):
        BaseConstraint(name="none").create_sql(Locker, editor)


def test_sql(db: Backend) -> None:
    """create_sql() knows its table and columns; what a database has not, is None."""
    with connection.schema_editor(collect_sql=True) as editor:
        sql = Index(Lower("owner"), name="by_owner").create_sql(Locker, editor)
        deferred = UniqueConstraint(fields=["size"], name="d", deferrable=Deferrable.DEFERRED)
        assert (deferred.create_sql(Locker, editor) is None) == (db.vendor != "postgresql")
        assert (deferred.constraint_sql(Locker, editor) is None) == (db.vendor != "postgresql")
        assert (sql is None) == (db.vendor == "mysql")
        if sql is not None:
            assert sql.references_table("lockers_locker")
            assert sql.references_column("lockers_locker", "owner")
            assert not sql.references_column("lockers_locker", "size")
        ordered = Index(fields=["-owner", "size"], name="a", opclasses=["text_pattern_ops", "int4_ops"])
        text = str(ordered.create_sql(Locker, editor))
    quote = editor.quote_name
    if db.vendor == "postgresql":
        assert text.endswith(f"({quote('owner')} text_pattern_ops DESC, {quote('size')} int4_ops)")
    else:
        assert text.endswith(f"({quote('owner')} DESC, {quote('size')})")


@pytest.mark.backends("sqlite")
def test_json_is_json(db: Backend) -> None:
    """Where JSON is text, the table holds that it is JSON."""
    with pytest.raises(IntegrityError):
        databases.get().execute("INSERT INTO lockers_locker (owner, size, notes) VALUES ('a', 1, '{')")


def test_indexes_of_text_for_postgresql() -> None:
    """A second one finds beginnings, whatever the collation; other databases have the first alone."""
    from sqlalchemy.dialects import postgresql, sqlite

    made = statements(postgresql.dialect(), [Locker._meta.table])
    assert sum("varchar_pattern_ops" in sql for sql in made) == 1
    assert not any("_like" in sql for sql in statements(sqlite.dialect(), [Locker._meta.table]))


def test_old_names() -> None:
    """What Django deprecates still works, and warns."""
    with pytest.warns(DeprecationWarning, match="condition"):
        old = CheckConstraint(check=Q(size=1), name="old")
    with pytest.warns(DeprecationWarning, match="condition"):
        assert old.check == Q(size=1)
    with pytest.warns(DeprecationWarning, match="positional"):
        assert BaseConstraint("a", "told").violation_error_message == "told"
    with warnings.catch_warnings(action="error"), pytest.raises(TypeError, match="'name'"):
        BaseConstraint()


def test_tablespaces() -> None:
    """A table's and its indexes', as Meta and the index say. PostgreSQL."""
    from ormolu.models import Apps

    class Vault(Model):
        word = CharField(max_length=5)

        class Meta:
            apps = Apps()
            app_label = "lockers"
            db_tablespace = "slow"
            indexes = [Index(fields=["word"]), Index(fields=["-word"], name="v", db_tablespace="fast")]

    from sqlalchemy.dialects import postgresql

    made = "\n".join(statements(postgresql.dialect(), [Vault._meta.table]))
    assert ") TABLESPACE slow" in made.replace("\n", "")
    assert "(word) TABLESPACE slow" in made
    assert "(word DESC) TABLESPACE fast" in made
