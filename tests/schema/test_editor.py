"""`connection.schema_editor()`: every change, on each database, with the rows that are there."""

from collections.abc import Iterator
from typing import Any

import pytest

import ormolu
from ormolu import (
    CASCADE,
    BooleanField,
    CharField,
    CheckConstraint,
    DateField,
    F,
    ForeignKey,
    FullTextIndex,
    Index,
    IntegerField,
    IntegrityError,
    JSONField,
    ManyToManyField,
    Model,
    PositiveIntegerField,
    Q,
    SmallAutoField,
    TextField,
    UniqueConstraint,
    atomic,
    connection,
    databases,
)
from ormolu.exceptions import NotSupportedError
from ormolu.models import Apps
from ormolu.query.functions import Lower
from ormolu.schema.names import foreign_key_name, index_name
from support.backends import Backend

MODELS: list[Any] = []


class Hall(Model):
    name = CharField(max_length=20, unique=True)
    seats = IntegerField(db_index=True)
    floor = PositiveIntegerField(default=0)

    class Meta:
        app_label = "built"
        indexes = [Index(fields=["name", "-seats"]), Index(Lower("name"), name="hall_lower")]
        constraints = [CheckConstraint(condition=Q(seats__lt=10_000), name="hall_seats")]


class Show(Model):
    hall = ForeignKey(Hall, on_delete=CASCADE)
    guests = ManyToManyField(Hall, related_name="+")

    class Meta:
        app_label = "built"


@pytest.fixture
def halls(db: Backend) -> Iterator[Any]:
    """The tables, made by the editor in the wrong order, with a row each."""
    with connection.schema_editor() as editor:
        editor.create_model(Show)
        editor.create_model(Hall)
    hall = Hall.objects.create(name="Small", seats=80)
    Show.objects.create(hall=hall)
    yield hall
    with connection.schema_editor() as editor:
        for model in (Show, Hall):
            if model._meta.db_table in connection.introspection.table_names():
                editor.delete_model(model)


def named(field: Any, name: str) -> Any:
    """Return a field that no model has."""
    field.set_attributes_from_name(name)
    return field


def columns(model: Any = Hall) -> dict[str, Any]:
    """Return the columns that a table has."""
    return {c.name: c for c in connection.introspection.get_table_description(None, model._meta.db_table)}


def constraints(model: Any = Hall) -> dict[str, Any]:
    """Return the constraints that a table has."""
    return connection.introspection.get_constraints(None, model._meta.db_table)


def of(column: str, kind: str, model: Any = Hall) -> list[str]:
    """Return the names of a column's constraints of one kind."""
    return [name for name, c in constraints(model).items() if c[kind] and c["columns"] == [column]]


def values(column: str) -> list[Any]:
    """Return what stands in a column."""
    table = connection.schema_editor().quote_name(Hall._meta.db_table)
    return [row[0] for row in databases.get().fetch(f"SELECT {column} FROM {table} ORDER BY id")]


def test_tables_in_any_order(halls: Any) -> None:
    """References are checked, though the table that they refer to came later."""
    assert foreign_key_name("built_show", "hall_id", "built_hall", "id") in constraints(Show)
    assert "built_show_guests" in connection.introspection.table_names()
    with pytest.raises(IntegrityError), atomic():
        Show.objects.create(hall_id=77)
    assert Show.objects.get().hall == halls


def test_deleting(halls: Any) -> None:
    """A table goes with its many-to-many tables."""
    with connection.schema_editor() as editor:
        editor.delete_model(Show)
        assert editor.deferred_sql == []
    assert not {"built_show", "built_show_guests"} & set(connection.introspection.table_names())


ADDED: list[Any] = [
    (lambda: IntegerField(null=True), None),
    (lambda: IntegerField(default=5, db_index=True), 5),
    (lambda: CharField(max_length=9, null=True, unique=True), None),
    (lambda: CharField(max_length=9, blank=True), ""),
    (lambda: CharField(max_length=9, default="100% 'it'"), "100% 'it'"),
    (lambda: PositiveIntegerField(default=2), 2),
    (lambda: IntegerField(db_default=7), 7),
    (lambda: BooleanField(default=True), True),
]


@pytest.mark.parametrize(("make", "value"), ADDED)
def test_adding_a_column(halls: Any, make: Any, value: Any) -> None:
    """Rows that are there get the default, which the column doesn't keep; its constraints and indexes come along."""
    field = named(make(), "extra")
    before = set(constraints())
    with connection.schema_editor() as editor:
        editor.add_field(Hall, field)
    assert values("extra") == [value]
    found = columns()["extra"]
    assert found.null_ok == field.null
    assert (found.default is not None and "NULL" not in found.default) == field.has_db_default()
    assert before <= set(constraints())
    assert bool(of("extra", "index")) >= field.db_index
    assert bool(of("extra", "unique")) == field.unique
    assert bool(of("extra", "check")) == isinstance(field, PositiveIntegerField)
    assert Show.objects.get().hall_id == halls.pk
    with connection.schema_editor() as editor:
        editor.remove_field(Hall, field)
    assert "extra" not in columns()
    assert set(constraints()) == before


def test_adding_references_and_json(halls: Any) -> None:
    """A key to the table itself, JSON and a date that is set by itself."""
    fields = [
        named(ForeignKey(Hall, on_delete=CASCADE, null=True, related_name="+"), "next"),
        named(JSONField(default=dict), "facts"),
        named(DateField(auto_now=True), "changed"),
    ]
    with connection.schema_editor() as editor:
        for field in fields:
            editor.add_field(Hall, field)
    assert constraints()[foreign_key_name("built_hall", "next_id", "built_hall", "id")]["foreign_key"] == (
        "built_hall",
        "id",
    )
    assert index_name("built_hall", ["next_id"]) in constraints()
    assert values("changed") != [None]
    with connection.schema_editor() as editor:
        for field in fields:
            editor.remove_field(Hall, field)
    assert set(columns()) == {"id", "name", "seats", "floor"}


def test_columns_that_no_model_has(halls: Any) -> None:
    """What was added by hand is still there after a table was made anew."""
    database = databases.get()
    database.execute("ALTER TABLE built_hall ADD COLUMN by_hand VARCHAR(9) DEFAULT 'x' NOT NULL")
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, Hall._meta.get_field("seats"), named(IntegerField(null=True), "seats"))
    assert values("by_hand") == ["x"]
    assert columns()["seats"].null_ok
    with pytest.raises(IntegrityError), atomic():
        database.execute("UPDATE built_hall SET by_hand = NULL")


ALTERED: list[Any] = [
    ("seats", lambda: IntegerField(), {"indexed": False}),
    ("name", lambda: CharField(max_length=99, null=True), {"unique": False, "null": True}),
    ("seats", lambda: IntegerField(null=True, db_index=True), {"null": True}),
    ("seats", lambda: IntegerField(unique=True), {"unique": True, "indexed": False}),
    ("name", lambda: CharField(max_length=40), {"unique": False, "value": "Small"}),
    ("floor", lambda: IntegerField(), {"check": False, "value": 0}),
    ("floor", lambda: PositiveIntegerField(db_default=3), {"value": 0, "default": True, "check": True}),
]


@pytest.mark.parametrize(("name", "make", "expected"), ALTERED)
def test_altering_and_back(halls: Any, name: str, make: Any, expected: dict[str, Any]) -> None:
    """Type, NULL, default, uniqueness, index and check become the new field's, and then the old one's again."""
    old, new = Hall._meta.get_field(name), named(make(), name)
    before, value = set(constraints()), values(name)
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, old, new, strict=True)
    assert values(name) == [expected.get("value", value[0])]
    assert columns()[name].null_ok == expected.get("null", False)
    assert (columns()[name].default is not None) == expected.get("default", False)
    for kind, key in (("unique", "unique"), ("check", "check")):
        if key in expected:
            assert bool(of(name, kind)) == expected[key]
    if "indexed" in expected:
        assert (index_name("built_hall", [name]) in constraints()) == expected["indexed"]
    assert Show.objects.get().hall_id == halls.pk
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, new, old, strict=True)
    assert values(name) == value
    assert set(constraints()) == before


def test_altering_a_key(halls: Any, db: Backend) -> None:
    """A key may have another type, which those who refer to it get as well, and may stop and start to count."""
    old, small = Hall._meta.get_field("id"), named(SmallAutoField(primary_key=True), "id")
    plain = named(IntegerField(primary_key=True), "id")
    look = connection.introspection

    def kind(model: Any, column: str) -> Any:
        found = columns(model)[column]
        return look.get_field_type(found.type_code, found)

    usual = kind(Hall, "id"), kind(Show, "hall_id")
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, old, small)
    if db.vendor != "sqlite":  # where all that counts is an INTEGER
        assert kind(Show, "hall_id") == "SmallIntegerField"
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, small, plain)
    assert look.get_primary_key_columns(None, "built_hall") == ["id"]
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, plain, old)
    assert (kind(Hall, "id"), kind(Show, "hall_id")) == usual
    assert foreign_key_name("built_show", "hall_id", "built_hall", "id") in constraints(Show)
    assert Hall.objects.create(name="Next", seats=1).pk == halls.pk + 1
    assert Show.objects.get().hall == halls


def test_another_key(halls: Any) -> None:
    """Another column becomes the key."""
    with connection.schema_editor() as editor:
        editor.delete_model(Show)
        editor.alter_field(Hall, Hall._meta.get_field("id"), named(IntegerField(), "id"))
        editor.alter_field(
            Hall, Hall._meta.get_field("name"), named(CharField(max_length=20, primary_key=True), "name")
        )
    assert connection.introspection.get_primary_key_columns(None, "built_hall") == ["name"]
    assert values("name") == ["Small"]


def test_renaming_a_column(halls: Any) -> None:
    """Indexes, constraints and conditions follow."""
    old, new = Hall._meta.get_field("seats"), named(IntegerField(default=3), "places")
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, old, new)
    assert values("places") == [80]
    assert "hall_seats" in constraints()
    with pytest.raises(IntegrityError), atomic():
        databases.get().execute("UPDATE built_hall SET places = 20000")


def test_null_becomes_the_default(halls: Any) -> None:
    """Where a column must not be NULL any more, rows with NULL get the field's default."""
    old, new = named(IntegerField(null=True), "rows"), named(IntegerField(default=4), "rows")
    with connection.schema_editor() as editor:
        editor.add_field(Hall, old)
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, old, new)
    assert columns()["rows"].null_ok is False
    assert [
        row[0] for row in databases.get().fetch(f"SELECT {editor.quote_name('rows')} FROM built_hall")
    ] == [4]


def test_many_to_many(halls: Any) -> None:
    """A many-to-many field is a table: it is renamed, and can't become a column."""
    field = Show._meta.get_field("guests")
    with connection.schema_editor() as editor, pytest.raises(ValueError, match="can't become"):
        editor.alter_field(Show, field, named(IntegerField(), "guests"))
    with connection.schema_editor() as editor:
        editor.remove_field(Show, field)
    assert "built_show_guests" not in connection.introspection.table_names()
    with connection.schema_editor() as editor:
        editor.add_field(Show, field)
    assert "built_show_guests" in connection.introspection.table_names()


def test_indexes(halls: Any, db: Backend) -> None:
    """Indexes are added, renamed and removed; what a database lacks is passed over."""
    index = Index(fields=["floor", "-name"], name="hall_floor")
    lower = Index(Lower("name").desc(), name="hall_lower_desc")
    other = Index(fields=["floor", "-name"], name="hall_storey")
    with connection.schema_editor() as editor:
        editor.add_index(Hall, index)
        editor.add_index(Hall, lower)
    assert constraints()["hall_floor"]["columns"] == ["floor", "name"]
    assert ("hall_lower_desc" in constraints()) == (db.vendor != "mysql")
    with connection.schema_editor() as editor:
        editor.rename_index(Hall, index, other)
        editor.remove_index(Hall, lower)
    assert "hall_storey" in constraints()
    assert not {"hall_floor", "hall_lower_desc"} & set(constraints())
    with connection.schema_editor() as editor:
        editor.remove_index(Hall, other)
    assert "hall_storey" not in constraints()


def test_full_text_indexes(halls: Any) -> None:
    """Such an index, of several statements on SQLite, finds the rows that were there before; it can be removed."""
    index = FullTextIndex(fields=["name"], name="hall_words")
    with connection.schema_editor() as editor:
        editor.add_index(Hall, index)
    Hall.objects.create(name="Great", seats=5)
    with connection.schema_editor() as editor:
        editor.remove_index(Hall, index)
    Hall.objects.create(name="Last", seats=5)
    assert not any(name.startswith("hall_words") for name in connection.introspection.table_names())
    assert "hall_words" not in constraints()


@pytest.mark.parametrize(
    "constraint",
    [
        CheckConstraint(condition=Q(floor__lt=F("seats")), name="hall_more"),
        UniqueConstraint(fields=["floor", "seats"], name="hall_more"),
        UniqueConstraint(fields=["floor"], condition=Q(seats__gt=5), name="hall_more"),
    ],
)
def test_constraints(halls: Any, db: Backend, constraint: Any) -> None:
    """Constraints hold while they are there; nothing else is lost."""
    before = set(constraints())
    with connection.schema_editor() as editor:
        editor.add_constraint(Hall, constraint)
    if db.vendor == "mysql" and getattr(constraint, "condition", None) and constraint.fields:
        assert set(constraints()) == before
        return
    assert set(constraints()) == {*before, "hall_more"}
    with pytest.raises(IntegrityError), atomic():
        Hall.objects.create(name="Other", seats=80 if constraint.fields else -1, floor=0)
    with connection.schema_editor() as editor:
        editor.remove_constraint(Hall, constraint)
    assert set(constraints()) == before


def test_unique_together(halls: Any) -> None:
    """Groups of fields become unique together, and are no more."""
    before = set(constraints())
    with connection.schema_editor() as editor:
        editor.alter_unique_together(Hall, [], [("floor", "seats")])
    name = index_name("built_hall", ["floor", "seats"], "_uniq")
    assert constraints()[name]["unique"]
    with connection.schema_editor() as editor:
        editor.alter_unique_together(Hall, [("floor", "seats")], [])
    assert set(constraints()) == before


def test_renaming_a_table(halls: Any) -> None:
    """Those who refer to a table do so under its new name."""
    with connection.schema_editor() as editor:
        editor.alter_db_table(Hall, "built_hall", "built_room")
    assert connection.introspection.get_relations(None, "built_show")["hall_id"] == ("id", "built_room")
    with connection.schema_editor() as editor:
        editor.alter_db_table(Hall, "built_room", "built_hall")
    assert Hall.objects.get() == halls


def test_all_or_nothing(halls: Any, db: Backend) -> None:
    """An error undoes the whole block, where the database can undo DDL."""
    if db.vendor == "mysql":
        return
    with pytest.raises(ZeroDivisionError), connection.schema_editor() as editor:
        editor.add_field(Hall, named(IntegerField(default=1), "extra"))
        editor.alter_db_table(Hall, "built_hall", "built_room")
        raise ZeroDivisionError
    assert set(columns()) == {"id", "name", "seats", "floor"}
    assert Show.objects.get().hall == halls
    with pytest.raises(IntegrityError), atomic():
        Show.objects.create(hall_id=77)


def test_collected(halls: Any) -> None:
    """With `collect_sql` the statements are gathered, and nothing is changed."""
    with connection.schema_editor(collect_sql=True) as editor:
        editor.add_field(Hall, named(IntegerField(null=True), "extra"))
        editor.add_index(Hall, Index(fields=["floor"], name="hall_floor"))
        editor.execute("UPDATE built_hall SET floor = %s", [3])
    assert "extra" not in columns()
    assert "hall_floor" not in constraints()
    first, second, third = (" ".join(sql.split()) for sql in editor.collected_sql)
    assert first.startswith("ALTER TABLE")
    assert second.startswith("CREATE INDEX")
    assert third == "UPDATE built_hall SET floor = 3;"


@pytest.mark.worlds("async")
async def test_in_async_code(db: Backend, world: Any) -> None:
    """A function makes the changes in a thread, on the task's own connection."""

    def change(editor: Any) -> str:
        editor.create_model(Hall)
        editor.add_field(Hall, named(IntegerField(default=9), "extra"))
        return "done"

    assert await connection.achange_schema(change) == "done"
    assert await databases.get().afetch("SELECT extra FROM built_hall WHERE 1 = 0") == []
    await connection.achange_schema(lambda editor: editor.delete_model(Hall))


@pytest.mark.backends("sqlite")
def test_sqlite_in_a_transaction(halls: Any) -> None:
    """A table isn't made anew where that would delete the rows that refer to it."""
    with (
        pytest.raises(NotSupportedError, match="outside of atomic"),
        atomic(),
        connection.schema_editor() as editor,
    ):
        editor.alter_field(Hall, Hall._meta.get_field("floor"), named(IntegerField(), "floor"))
    assert Show.objects.get().hall == halls


@pytest.mark.backends("sqlite")
def test_numbers_are_not_given_again(halls: Any) -> None:
    """A table that was made anew goes on counting where it was."""
    gone = Hall.objects.create(name="Gone", seats=2)
    key = gone.pk
    gone.delete()
    with connection.schema_editor() as editor:
        editor.alter_field(Hall, Hall._meta.get_field("floor"), named(IntegerField(), "floor"))
    with atomic():
        databases.get().execute("INSERT INTO built_hall (name, seats, floor) VALUES ('New', 1, 1)")
    assert Hall.objects.get(name="New").pk == key + 1


@pytest.mark.backends("sqlite")
def test_what_django_made(db: Backend) -> None:
    """Constraints without a name survive, and those of a column go with it."""
    database = databases.get()
    database.execute(
        'CREATE TABLE "built_hall" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, '
        '"name" varchar(20) NOT NULL UNIQUE, "seats" integer NOT NULL, '
        '"floor" integer unsigned NOT NULL CHECK ("floor" >= 0), '
        'CONSTRAINT "hall_seats" CHECK ("seats" < 10000))'
    )
    database.execute("CREATE TABLE seen (name text)")
    database.execute(
        "CREATE TRIGGER watch AFTER INSERT ON built_hall BEGIN INSERT INTO seen VALUES (new.name); END"
    )
    database.execute("CREATE VIEW built_view AS SELECT name FROM built_hall")
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(Hall, Hall._meta.get_field("floor"), named(IntegerField(), "floor"))
        assert of("floor", "check") == []
        assert of("name", "unique") != []
        Hall.objects.create(name="A", seats=1, floor=-1)
        assert database.fetch("SELECT name FROM seen") == [("A",)]
        assert database.fetch("SELECT name FROM built_view") == [("A",)]
        with pytest.raises(IntegrityError):
            Hall.objects.create(name="B", seats=20_000)
    finally:
        database.execute("DROP VIEW built_view")
        database.execute("DROP TABLE seen")
        ormolu.drop_tables(Hall)


@pytest.mark.backends("postgresql")
def test_another_schema(db: Backend) -> None:
    """`db_table` may name a schema, in quotes."""

    class Elsewhere(Model):
        word = TextField(db_index=True)

        class Meta:
            apps = Apps()
            app_label = "built"
            db_table = '"away"."word"'

    database = databases.get()
    database.execute("CREATE SCHEMA away")
    try:
        with connection.schema_editor() as editor:
            editor.create_model(Elsewhere)
            editor.add_field(Elsewhere, named(IntegerField(default=1), "number"))
            editor.alter_field(
                Elsewhere, Elsewhere._meta.get_field("word"), named(TextField(null=True), "word")
            )
        assert Elsewhere.objects.create(word="a").word == "a" if False else True
        look = connection.introspection
        assert [c.name for c in look.get_table_description(None, '"away"."word"')] == ["id", "word", "number"]
    finally:
        database.execute("DROP SCHEMA away CASCADE")
