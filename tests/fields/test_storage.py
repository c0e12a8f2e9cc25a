"""Values make the way into the database and back, through SQLAlchemy alone."""

import datetime as dt
import decimal
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

import ormolu
from ormolu import fields
from ormolu.fields.columns import complete_table
from support.backends import Backend

UTC = dt.UTC
PLUS_TWO = dt.timezone(dt.timedelta(hours=2))


class Tagged(json.JSONEncoder):
    """Writes sets, and decimals as numbers."""

    def default(self, o: Any) -> Any:
        return {"set": sorted(o)} if isinstance(o, set) else float(o)


class Untagged(json.JSONDecoder):
    """Reads sets, and decimals for floats."""

    def __init__(self, **options: Any) -> None:
        super().__init__(object_hook=self._set, parse_float=decimal.Decimal, **options)

    @staticmethod
    def _set(value: dict[str, Any]) -> Any:
        return set(value["set"]) if "set" in value else value


CASES: dict[str, tuple[fields.Field[Any], list[Any]]] = {
    "char": (fields.CharField(max_length=20), ["", "ä'b\\", "x" * 20]),
    "text": (fields.TextField(), ["", "line\nline", "🎈"]),
    "integer": (fields.IntegerField(), [0, -(2**31), 2**31 - 1]),
    "big": (fields.BigIntegerField(), [-(2**63), 2**63 - 1]),
    "positive": (fields.PositiveSmallIntegerField(), [0, 32767]),
    "float": (fields.FloatField(), [0.0, -1.5, 1e300, 3.0]),
    "boolean": (fields.BooleanField(), [True, False]),
    "price": (
        fields.DecimalField(max_digits=12, decimal_places=2),
        [decimal.Decimal("0.10"), decimal.Decimal("-9999999999.99"), decimal.Decimal("10.00")],
    ),
    "wide": (
        fields.DecimalField(max_digits=30, decimal_places=5),
        [decimal.Decimal("12345678901234567.89000"), decimal.Decimal("-0.00001")],
    ),
    "date": (fields.DateField(), [dt.date(1, 1, 1), dt.date(2024, 2, 29)]),
    "time": (fields.TimeField(), [dt.time(0, 0), dt.time(23, 59, 59, 999999)]),
    "instant": (
        fields.DateTimeField(),
        [dt.datetime(2024, 1, 1, 10, tzinfo=UTC), dt.datetime(1999, 12, 31, 23, 59, 59, 1, tzinfo=PLUS_TWO)],
    ),
    "duration": (fields.DurationField(), [dt.timedelta(0), dt.timedelta(days=-3, microseconds=7)]),
    "uuid": (fields.UUIDField(), [uuid.UUID(int=0), uuid.UUID("12345678-1234-5678-1234-567812345678")]),
    "json": (fields.JSONField(), [{"a": [1, 2.5, None, "ä"]}, [], "text", 1, True, 1.5]),
    "coded": (
        fields.JSONField(encoder=Tagged, decoder=Untagged),
        [{"tags": {1, 2}}, {"exact": decimal.Decimal("0.1")}],
    ),
    "bytes": (fields.BinaryField(), [b"", b"\x00\xff'"]),
    "address": (fields.GenericIPAddressField(), ["127.0.0.1", "2001:db8::1"]),
    "numbers": (fields.ArrayField(fields.IntegerField()), [[], [1, 2, 3], [1, None]]),
    "days": (fields.ArrayField(fields.DateField()), [[dt.date(2024, 1, 2)]]),
    "grid": (
        fields.ArrayField(fields.ArrayField(fields.CharField(max_length=5))),
        [[["a", "b"], ["c", "d"]]],
    ),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[str, fields.Field[Any], list[Any]]:
    """A field, and values of it."""
    field, values = CASES[request.param]
    field = field.clone()
    field.null = True
    field.set_attributes_from_name("value")
    return request.param, field, values


@pytest.fixture
def connection(backend: Backend) -> Iterator[sa.Connection]:
    """A connection of SQLAlchemy's own."""
    ormolu.configure(backend.url)
    engine = sa.create_engine(backend.url)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()
    ormolu.databases.close_all()


def make_table(connection: sa.Connection, *made: fields.Field[Any]) -> sa.Table:
    """Make a temporary table with a number and these fields."""
    number = sa.Column("number", sa.Integer, primary_key=True, autoincrement=False)
    columns = [field.make_column() for field in made]
    table = sa.Table("storage", sa.MetaData(), number, *columns, prefixes=["TEMPORARY"])
    for field, column in zip(made, columns, strict=True):
        complete_table(field, column, table)
    table.create(connection)
    return table


def test_values_come_back_equal(
    connection: sa.Connection, case: tuple[str, fields.Field[Any], list[Any]]
) -> None:
    """What was stored is read, of the same class; so is None; and it can be found by its value."""
    name, field, values = case
    table = make_table(connection, field)
    stored = [*values, None]
    connection.execute(table.insert(), [{"number": i, "value": v} for i, v in enumerate(stored)])
    found = connection.execute(sa.select(table.c.value).order_by(table.c.number)).scalars().all()
    assert found == stored
    assert [type(value) for value in found] == [type(value) for value in stored]
    if name not in ("json", "coded", "grid", "days", "numbers"):
        for number, value in enumerate(values):
            query = sa.select(table.c.number).where(table.c.value == value)
            assert connection.execute(query).scalars().all() == [number]


def test_defaults_of_the_database(connection: sa.Connection) -> None:
    """A `db_default` is written into the table and comes back as a value of the field."""
    defaults: dict[str, Any] = {
        "char": "it's",
        "integer": -5,
        "float": 1.5,
        "boolean": True,
        "price": decimal.Decimal("1.50"),
        "wide": decimal.Decimal("12345678901234567.89000"),
        "date": dt.date(2024, 2, 29),
        "time": dt.time(1, 2, 3, 4),
        "instant": dt.datetime(2024, 1, 1, 10, tzinfo=UTC),
        "duration": dt.timedelta(days=1, microseconds=5),
        "uuid": uuid.UUID(int=7),
        "json": {"a": 1},
        "bytes": b"\x00'",
        "address": "127.0.0.1",
    }
    made = []
    for name, value in defaults.items():
        field = CASES[name][0].clone()
        field.db_default = value
        field.set_attributes_from_name(name)
        made.append(field)
    table = make_table(connection, *made)
    connection.execute(table.insert(), {"number": 1})
    row = connection.execute(table.select()).mappings().one()
    assert {name: row[name] for name in defaults} == defaults


def test_instants_compare_by_time(connection: sa.Connection) -> None:
    """Aware datetimes of different offsets are equal and ordered as instants (E34)."""
    field = fields.DateTimeField()
    field.set_attributes_from_name("at")
    table = make_table(connection, field)
    ten_utc = dt.datetime(2024, 1, 1, 10, tzinfo=UTC)
    nine_utc = dt.datetime(2024, 1, 1, 11, tzinfo=PLUS_TWO)
    half = dt.datetime(2024, 1, 1, 10, 0, 0, 500000, tzinfo=UTC)
    rows = [{"number": i, "at": at} for i, at in enumerate([ten_utc, nine_utc, half])]
    connection.execute(table.insert(), rows)

    def numbers(*conditions: Any) -> list[int]:
        query = sa.select(table.c.number).where(*conditions).order_by(table.c.at)
        return list(connection.execute(query).scalars())

    assert numbers() == [1, 0, 2]
    assert numbers(table.c.at == dt.datetime(2024, 1, 1, 12, tzinfo=PLUS_TWO)) == [0]
    assert numbers(table.c.at >= dt.datetime(2024, 1, 1, 11, 30, tzinfo=PLUS_TWO)) == [0, 2]
    assert numbers(table.c.at.between(nine_utc, ten_utc)) == [1, 0]


def test_decimals_compare_as_numbers(connection: sa.Connection) -> None:
    """Decimals are ordered and compared by value, those of more than 15 digits included (E35)."""
    for name in ("price", "wide"):
        field = CASES[name][0].clone()
        field.set_attributes_from_name("value")
        table = make_table(connection, field)
        values = ["9.00", "10.00", "-1.00", "-2.00", "0.10"]
        if name == "wide":
            values += ["12345678901234567.89", "12345678901234567.88"]
        rows = [{"number": i, "value": decimal.Decimal(v)} for i, v in enumerate(values)]
        connection.execute(table.insert(), rows)
        found = connection.execute(sa.select(table.c.value).order_by(table.c.value)).scalars().all()
        assert found == sorted(map(decimal.Decimal, values))
        less = sa.select(sa.func.count()).where(table.c.value < decimal.Decimal("9.5"))
        assert connection.execute(less).scalar() == 4
        table.drop(connection)


@pytest.mark.backends("sqlite")
def test_sqlite_text_of_others_is_read(connection: sa.Connection) -> None:
    """Datetimes that Django or SQLAlchemy wrote, without an offset or a fraction, are read as UTC."""
    field = fields.DateTimeField()
    field.set_attributes_from_name("at")
    table = make_table(connection, field)
    texts = ["2024-01-01 10:00:00", "2024-01-01 10:00:00.000000", "2024-01-01T10:00:00+00:00"]
    for number, text in enumerate(texts):
        connection.exec_driver_sql("INSERT INTO storage VALUES (?, ?)", (number, text))
    found = set(connection.execute(sa.select(table.c.at)).scalars())
    assert found == {dt.datetime(2024, 1, 1, 10, tzinfo=UTC)}


@pytest.mark.backends("sqlite")
def test_sqlite_stores_sortable_text(connection: sa.Connection) -> None:
    """Instants are stored in UTC, as text of one width that SQLite's own functions understand."""
    field = fields.DateTimeField()
    field.set_attributes_from_name("at")
    table = make_table(connection, field)
    connection.execute(table.insert(), {"number": 1, "at": dt.datetime(2024, 1, 1, 12, tzinfo=PLUS_TWO)})
    row = connection.exec_driver_sql("SELECT at, strftime('%H', at) FROM storage").one()
    assert tuple(row) == ("2024-01-01 10:00:00.000000+00:00", "10")


@pytest.mark.backends("sqlite")
def test_naive_world(connection: sa.Connection, backend: Backend) -> None:
    """Without USE_TZ datetimes are naive, and SQLite refuses aware ones."""
    ormolu.configure(backend.url, USE_TZ=False)
    field = fields.DateTimeField()
    field.set_attributes_from_name("at")
    table = make_table(connection, field)
    at = dt.datetime(2024, 1, 1, 10)
    connection.execute(table.insert(), {"number": 1, "at": at})
    assert connection.execute(sa.select(table.c.at)).scalar() == at
    with pytest.raises(sa.exc.StatementError, match="does not support timezone-aware datetimes"):
        connection.execute(table.insert(), {"number": 2, "at": at.replace(tzinfo=UTC)})


def test_json_null_is_not_sql_null(connection: sa.Connection) -> None:
    """None is SQL NULL, `sqlalchemy.JSON.NULL` is JSON's null; both are read as None."""
    field = fields.JSONField(null=True)
    field.set_attributes_from_name("data")
    table = make_table(connection, field)
    connection.execute(table.insert(), [{"number": 1, "data": None}, {"number": 2, "data": sa.JSON.NULL}])
    is_null = sa.select(table.c.number).where(table.c.data.is_(sa.null()))
    assert connection.execute(is_null).scalars().all() == [1]
    assert connection.execute(sa.select(table.c.data)).scalars().all() == [None, None]


def test_checks_of_positive_fields(connection: sa.Connection) -> None:
    """The table refuses a negative value, whoever writes it."""
    field = fields.PositiveIntegerField()
    field.set_attributes_from_name("count")
    table = make_table(connection, field)
    # PyMySQL gives a broken CHECK another class.
    with pytest.raises((sa.exc.IntegrityError, sa.exc.OperationalError)), connection.begin_nested():
        connection.execute(table.insert(), {"number": 1, "count": -1})


@pytest.mark.backends("asyncpg")
@pytest.mark.worlds("async")
async def test_values_come_back_equal_through_asyncpg(backend: Backend, world: Any) -> None:
    """An AsyncSession's driver gives and takes the same values."""
    ormolu.configure(backend.url)
    made = {name: field.clone() for name, (field, _) in CASES.items()}
    for name, field in made.items():
        field.null = True
        field.set_attributes_from_name(f"f_{name}")
    rows = [
        {"number": i, **{f"f_{name}": values[i % len(values)] for name, (_, values) in CASES.items()}}
        for i in range(3)
    ]
    nothing = {"number": 3, **{field.column: None for field in made.values()}}

    def check(connection: sa.Connection) -> None:
        table = make_table(connection, *made.values())
        connection.execute(table.insert(), [*rows, nothing])
        found = connection.execute(table.select().order_by(table.c.number)).mappings().all()
        assert [dict(row) for row in found] == [*rows, nothing]

    await in_async_engine(backend.url, check)


async def test_long_decimals_through_an_async_engine() -> None:
    """A user's own AsyncEngine on SQLite has the collation of long decimals as well."""
    field = CASES["wide"][0].clone()
    field.set_attributes_from_name("value")
    values = [decimal.Decimal("10.00000"), decimal.Decimal("9.00000")]

    def check(connection: sa.Connection) -> None:
        table = make_table(connection, field)
        connection.execute(table.insert(), [{"number": i, "value": v} for i, v in enumerate(values)])
        found = connection.execute(sa.select(table.c.value).order_by(table.c.value))
        assert list(found.scalars()) == sorted(values)

    await in_async_engine("sqlite+aiosqlite://", check)


async def in_async_engine(url: str, check: Callable[[sa.Connection], None]) -> None:
    """Run `check` on a connection of SQLAlchemy's async engine."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(check)
    finally:
        await engine.dispose()
