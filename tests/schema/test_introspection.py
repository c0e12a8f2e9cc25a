"""`connection.introspection`."""

from typing import Any

from ormolu import (
    CASCADE,
    BigIntegerField,
    BooleanField,
    CharField,
    CheckConstraint,
    DateField,
    DateTimeField,
    DecimalField,
    F,
    FloatField,
    ForeignKey,
    Index,
    IntegerField,
    Model,
    PositiveIntegerField,
    Q,
    SmallIntegerField,
    TextField,
    UniqueConstraint,
    connection,
    databases,
)
from ormolu.query.functions import Lower
from ormolu.schema.names import foreign_key_name, index_name
from support.backends import Backend


class Depot(Model):
    town = CharField(max_length=30, unique=True, db_comment="where it is")
    level = PositiveIntegerField()

    class Meta:
        app_label = "seen"
        db_table_comment = "places"


class Parcel(Model):
    depot = ForeignKey(Depot, on_delete=CASCADE)
    label = CharField(max_length=20, null=True)
    words = TextField(default="")
    weight = DecimalField(max_digits=7, decimal_places=2, null=True)
    heat = FloatField(null=True)
    far = BigIntegerField(db_default=3)
    near = SmallIntegerField(null=True)
    count = IntegerField(db_index=True)
    open = BooleanField(default=False)
    day = DateField(null=True)
    moment = DateTimeField(null=True)

    class Meta:
        app_label = "seen"
        unique_together = (("depot", "count"),)
        indexes = [Index(fields=["-label", "count"], name="by_label"), Index(Lower("label"), name="by_lower")]
        constraints = [
            CheckConstraint(condition=Q(count__lt=F("far")), name="nearer"),
            UniqueConstraint(fields=["near"], condition=Q(open=True), name="one_open"),
        ]


def test_tables(db: Backend) -> None:
    """Tables and views, in order; comments where a database has them."""
    database = databases.get()
    database.execute("CREATE VIEW seen_view AS SELECT town FROM seen_depot")
    look = connection.introspection
    try:
        assert {"seen_depot", "seen_parcel"} <= set(look.table_names())
        assert look.table_names() == sorted(look.table_names())
        assert "seen_view" not in look.table_names()
        assert "seen_view" in look.table_names(include_views=True)
        table = next(table for table in look.get_table_list(None) if table.name == "seen_depot")
        assert table.type == "t"
        assert table.comment == ("places" if db.vendor != "sqlite" else None)
    finally:
        database.execute("DROP VIEW seen_view")


def test_models(db: Backend) -> None:
    """Which tables models have, and which models a table is of."""
    look = connection.introspection
    names = look.django_table_names(only_existing=True)
    assert {"seen_depot", "seen_parcel"} <= set(names)
    assert look.installed_models(["seen_depot", "nothing"]) == {Depot}


def test_columns(db: Backend) -> None:
    """Names, types by the fields that have them, NULL, sizes."""
    look = connection.introspection
    columns = look.get_table_description(None, "seen_parcel")
    assert [column.name for column in columns] == [field.column for field in Parcel._meta.local_fields]
    types = {column.name: look.get_field_type(column.type_code, column) for column in columns}
    decimal = ("DecimalField", {"max_digits": 7, "decimal_places": 2})
    expected = {
        "label": "CharField", "words": "TextField", "heat": "FloatField", "far": "BigIntegerField",
        "near": "SmallIntegerField", "count": "IntegerField", "open": "BooleanField", "day": "DateField",
        "moment": "DateTimeField", "weight": decimal,
    }  # fmt: skip
    assert {name: types[name] for name in expected} == expected
    assert types["id"] == ("AutoField" if db.vendor == "sqlite" else "BigAutoField")
    by_name = {column.name: column for column in columns}
    assert by_name["label"].display_size == 20
    assert (by_name["label"].null_ok, by_name["count"].null_ok) == (True, False)
    town = next(c for c in look.get_table_description(None, "seen_depot") if c.name == "town")
    assert town.comment == (None if db.vendor == "sqlite" else "where it is")


def test_constraints(db: Backend) -> None:
    """Each constraint and index by its name, with its columns and what it is."""
    found = connection.introspection.get_constraints(None, "seen_parcel")

    def kinds(name: str) -> list[str]:
        return [k for k in ("primary_key", "unique", "foreign_key", "check", "index") if found[name][k]]

    reference = foreign_key_name("seen_parcel", "depot_id", "seen_depot", "id")
    assert found[reference]["foreign_key"] == ("seen_depot", "id")
    together = index_name("seen_parcel", ["depot_id", "count"], "_uniq")
    assert found[together]["columns"] == ["depot_id", "count"]
    assert kinds(together) == ["unique"]
    assert sorted(found["nearer"]["columns"]) == ["count", "far"]
    assert kinds("nearer") == ["check"]
    assert (found["by_label"]["columns"], kinds("by_label")) == (["label", "count"], ["index"])
    assert found["by_label"]["type"] == "idx"
    assert found["by_label"]["orders"] == ["DESC", "ASC"]
    assert ("by_lower" in found, "one_open" in found) == ((db.vendor != "mysql"), (db.vendor != "mysql"))
    if db.vendor != "mysql":
        assert kinds("one_open") == ["unique", "index"]
    checks = connection.introspection.get_constraints(None, "seen_depot")
    assert checks["seen_depot_level_check"]["check"]
    assert checks["seen_depot_town_key"]["unique"]


def test_keys(db: Backend) -> None:
    """Primary keys, references and sequences."""
    look = connection.introspection
    assert look.get_primary_key_column(None, "seen_parcel") == "id"
    assert look.get_primary_key_columns(None, "seen_parcel") == ["id"]
    assert look.get_relations(None, "seen_parcel") == {"depot_id": ("id", "seen_depot")}
    (sequence,) = look.get_sequences(None, "seen_depot")
    assert (sequence["table"], sequence["column"]) == ("seen_depot", "id")
    assert {"seen_depot", "seen_parcel"} <= {one["table"] for one in look.sequence_list()}


def test_it_sees_the_open_transaction(db: Backend) -> None:
    """What a transaction has made is there before it ends, where the database can undo it."""
    from ormolu import atomic

    class Undone(Exception):
        pass

    if db.vendor == "mysql":
        return
    try:
        with atomic():
            databases.get().execute("CREATE TABLE seen_passing (id INTEGER)")
            assert "seen_passing" in connection.introspection.table_names()
            raise Undone
    except Undone:
        pass
    assert "seen_passing" not in connection.introspection.table_names()


def test_what_a_user_declares_in_sqlite(db: Any) -> None:
    """Constraints without a name are there, too."""
    if db.vendor != "sqlite":
        return
    database = databases.get()
    database.execute(
        "CREATE TABLE seen_plain (a integer CHECK (a >= 0), b text UNIQUE, c text DEFAULT 'CHECK (', "
        "CONSTRAINT named UNIQUE (a, c))"
    )
    found = connection.introspection.get_constraints(None, "seen_plain")
    database.execute("DROP TABLE seen_plain")
    assert found["named"]["columns"] == ["a", "c"]
    assert [d["columns"] for d in found.values() if d["unique"]] == [["a", "c"], ["b"]]
    assert [d["columns"] for d in found.values() if d["check"]] == [["a"]]
