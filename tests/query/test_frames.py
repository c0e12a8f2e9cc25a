"""Rows as tables of Arrow, Polars and pandas: types, NULLs, chunks, and what a column is made of."""

import datetime as dt
import decimal
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import ormolu
from ormolu import (
    CASCADE,
    ArrayField,
    Avg,
    BinaryField,
    BooleanField,
    CharField,
    Count,
    DateField,
    DateTimeField,
    DecimalField,
    DurationField,
    F,
    FloatField,
    ForeignKey,
    GenericIPAddressField,
    IntegerField,
    JSONField,
    Max,
    MissingExtra,
    Model,
    Sum,
    TimeField,
    UUIDField,
)  # fmt: skip
from ormolu.exceptions import TransactionManagementError
from ormolu.query import Window
from ormolu.query.functions import RowNumber, TruncMonth
from support.backends import Backend
from support.worlds import World

pa = pytest.importorskip("pyarrow")


class Kind(Model):
    name = CharField(max_length=20)


class Temperature(CharField[Any]):
    """A field whose values Python sees as something else."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else (value, "°")


class Sample(Model):
    kind: Any = ForeignKey(Kind, on_delete=CASCADE, null=True, related_name="samples")
    number = IntegerField(null=True)
    real = FloatField(null=True)
    price = DecimalField(max_digits=10, decimal_places=2, null=True)
    long = DecimalField(max_digits=30, decimal_places=10, null=True)
    flag = BooleanField(null=True)
    day = DateField(null=True)
    moment = DateTimeField(null=True)
    clock = TimeField(null=True)
    span = DurationField(null=True)
    key = UUIDField(null=True)
    data = JSONField(null=True)
    raw = BinaryField(null=True)
    address = GenericIPAddressField(null=True)
    tags = ArrayField(CharField(max_length=10), null=True)
    dates = ArrayField(ArrayField(DateField()), null=True)
    warmth = Temperature(max_length=5, null=True)


MODELS = [Kind, Sample]

KEY = uuid.UUID("12345678-1234-5678-1234-567812345678")
MOMENT = dt.datetime(2024, 2, 29, 12, 30, 15, 123456, dt.UTC)
FULL: dict[str, Any] = {
    "number": 7, "real": 0.5, "price": decimal.Decimal("12.30"),
    "long": decimal.Decimal("12345678901234567890.0123456789"),
    "flag": True, "day": dt.date(2024, 2, 29), "moment": MOMENT, "clock": dt.time(12, 30, 15, 5),
    "span": dt.timedelta(days=1, microseconds=3), "key": KEY, "data": {"a": [1, None, "ü"]}, "raw": b"\x00\xff",
    "address": "10.0.0.1", "tags": ["a", "b"], "dates": [[dt.date(2024, 1, 1)], [dt.date(2024, 1, 2)]], "warmth": "20",
}  # fmt: skip
TYPES = {
    "id": "int64", "kind_id": "int64", "number": "int64", "real": "double", "price": "decimal128(10, 2)",
    "long": "decimal128(30, 10)", "flag": "bool", "day": "date32[day]", "moment": "timestamp[us, tz=UTC]",
    "clock": "time64[us]", "span": "duration[us]", "key": "string", "data": "string", "raw": "binary",
    "address": "string", "tags": "list<item: string>", "dates": "list<item: list<item: date32[day]>>",
    "warmth": "string",
}  # fmt: skip


def types(table: Any) -> dict[str, str]:
    return {field.name: str(field.type).replace("element", "item") for field in table.schema}


@pytest.fixture
def samples(db: Backend) -> None:
    """A row with all values, one with none, one more of the first's kind."""
    kind = Kind.objects.create(name="oak")
    Sample.objects.create(kind=kind, **FULL)
    Sample.objects.create()
    Sample.objects.create(kind=kind, number=-(2**31), price=decimal.Decimal("0.70"), flag=False)


async def test_values_and_types(samples, world: World):
    """Each field has one type on every database; NULL stays NULL; user-defined conversions are left out."""
    table = await world(Sample.objects.order_by("pk").to_arrow)
    assert types(table) == TYPES
    full, empty, _other = table.to_pylist()
    full["data"] = json.loads(full["data"])
    expected = {**FULL, "key": str(KEY), "kind_id": full["kind_id"], "id": full["id"]}
    assert {name: full[name] for name in expected} == expected
    assert {name for name, value in empty.items() if value is not None} == {"id"}


async def test_empty_results_keep_their_schema(samples, world: World, queries):
    """Where no row meets the conditions, and where none can."""
    for rows in (Sample.objects.filter(number=99), Sample.objects.none(), Sample.objects.filter(pk__in=[])):
        table = await world(rows.to_arrow)
        assert types(table) == TYPES
        assert table.num_rows == 0
    summary = Sample.objects.none().values("kind__name").annotate(n=Count("pk"), total=Sum("price"))
    assert types(await world(summary.to_arrow)) == {
        "kind__name": "string", "n": "int64", "total": "decimal128(38, 16)",
    }  # fmt: skip


async def test_what_was_asked_is_what_there_is(samples, world: World):
    """Columns of values(), across relations, computed; of only() and defer(); slices, distinct, unions."""
    rows = Sample.objects.order_by("pk")

    async def taken(queryset: Any) -> Any:
        return (await world(queryset.to_arrow)).to_pydict()

    assert await taken(rows.values("number", "kind__name")[:2]) == {
        "number": [7, None], "kind__name": ["oak", None],
    }  # fmt: skip
    assert await taken(rows.values_list("number", flat=True)[1:]) == {"number": [None, -(2**31)]}
    assert await taken(rows.annotate(double=F("number") * 2).only("number")[:1]) == {
        "id": [1], "number": [7], "double": [14],
    }  # fmt: skip
    assert set(await taken(rows.defer("data", "long").select_related("kind"))) == set(TYPES) - {
        "data",
        "long",
    }
    assert await taken(Kind.objects.annotate(n=Count("samples"))) == {"id": [1], "name": ["oak"], "n": [2]}
    summary = Sample.objects.values("kind__name").annotate(
        total=Sum("price"), mean=Avg("price"), top=Max("moment"), long=Sum("span")
    )
    assert await taken(summary.exclude(kind=None)) == {
        "kind__name": ["oak"], "total": [decimal.Decimal("13.00")], "mean": [decimal.Decimal("6.50")],
        "top": [MOMENT], "long": [FULL["span"]],
    }  # fmt: skip
    months = await taken(
        rows.filter(day__isnull=False).values(month=TruncMonth("day"), place=F("data__a__2"))
    )
    assert months == {"month": [dt.date(2024, 2, 1)], "place": ['"ü"']}
    number = Window(RowNumber(), order_by="pk")
    assert await taken(rows.annotate(n=number).values("n")) == {"n": [1, 2, 3]}
    assert await taken(Sample.objects.values("flag").distinct().order_by("flag").exclude(flag=None)) == {
        "flag": [False, True],
    }  # fmt: skip
    both = Sample.objects.filter(number=7).values("number").union(Kind.objects.values("pk"), all=True)
    assert sorted((await taken(both))["number"]) == [1, 7]
    assert await taken(Sample.objects.dates("day", "year")) == {"datefield": [dt.date(2024, 1, 1)]}
    thirds = Sample.objects.filter(number=7).annotate(third=Avg("price") / 3).values("third")
    assert str((await taken(thirds))["third"][0]).startswith("4.1")


async def test_chunks(samples, world: World):
    """Any size gives the same table, one statement for all."""
    await world(Kind.objects.bulk_create, [Kind(name=f"kind {n}") for n in range(25)])
    whole = await world(Kind.objects.order_by("pk").to_arrow)
    parts = await world(Kind.objects.order_by("pk").to_arrow, chunk_size=7)
    assert parts.equals(whole)
    assert [chunk.num_rows for chunk in parts.to_batches()] == [7, 7, 7, 5]
    with pytest.raises(ValueError, match="strictly positive"):
        await world(Kind.objects.to_arrow, chunk_size=0)


async def test_inside_a_transaction(samples, world: World):
    """What the transaction has done is seen; rows to lock need one."""
    locked = Sample.objects.select_for_update().filter(number=7)
    if ormolu.databases.get().vendor != "sqlite":
        with pytest.raises(TransactionManagementError):
            await world(locked.to_arrow)
    async with world.atomic():
        await world(Kind.objects.create, name="ash")
        assert (await world(Kind.objects.to_arrow)).num_rows == 2
        assert (await world(locked.to_arrow)).num_rows == 1


async def test_polars_and_pandas(samples, world: World):
    """The same as data frames: integers stay integers beside NULLs."""
    pytest.importorskip("polars")
    pandas = pytest.importorskip("pandas")
    rows = Sample.objects.order_by("pk").values("number", "flag", "moment", "price", "key")
    frame = await world(rows.to_polars)
    assert frame.schema["number"].is_integer()
    assert frame["number"].to_list() == [7, None, -(2**31)]
    assert frame["moment"].to_list()[0] == MOMENT
    frame = await world(rows.to_pandas)
    assert [str(kind) for kind in frame.dtypes] == [
        "Int64", "boolean", "datetime64[us, UTC]", "object", "string",
    ]  # fmt: skip
    assert frame["number"][1] is pandas.NA
    assert frame["price"][0] == decimal.Decimal("12.30")
    arrow = await world(rows.to_pandas, dtype_backend="pyarrow")
    assert str(arrow.dtypes["number"]) == "int64[pyarrow]"
    numpy = await world(rows.to_pandas, dtype_backend="numpy")
    assert str(numpy.dtypes["number"]) == "float64"
    with pytest.raises(ValueError, match="numpy_nullable"):
        await world(rows.to_pandas, dtype_backend="numpy_nullabel")


async def test_no_instance_is_made(samples, world: World):
    """Not one: neither constructors nor signals."""
    made: list[Any] = []
    ormolu.post_init.connect(lambda **named: made.append(named), weak=False, dispatch_uid="frames")
    try:
        await world(Sample.objects.to_arrow)
    finally:
        ormolu.post_init.disconnect(dispatch_uid="frames")
    assert not made


@pytest.mark.backends("sqlite")
def test_other_texts_of_sqlite(samples, backend: Backend):
    """What another program wrote in another form is read as it is by a queryset."""
    with backend.engine().begin() as connection:
        connection.exec_driver_sql(
            "UPDATE query_sample SET moment = '2024-02-29T14:30:15.123456+02:00', key = ?, day = '2024-02-29'",
            (str(KEY),),
        )
    table = Sample.objects.values("moment", "key", "day").to_arrow().to_pydict()
    assert table == {"moment": [MOMENT] * 3, "key": [str(KEY)] * 3, "day": [FULL["day"]] * 3}


@pytest.mark.backends("sqlite", "postgresql")
def test_naive_datetimes(samples, monkeypatch: pytest.MonkeyPatch):
    """Without time zones a timestamp has none."""
    monkeypatch.setattr(ormolu.settings, "USE_TZ", False)
    ormolu.databases.get().forget_plans()
    moment = dt.datetime(2024, 5, 6, 7, 8)
    Sample.objects.filter(number=7).update(moment=moment)
    table = Sample.objects.filter(number=7).values("moment").to_arrow()
    assert types(table) == {"moment": "timestamp[us]"}
    assert table.to_pydict() == {"moment": [moment]}


@pytest.mark.backends("sqlite", "postgresql")
async def test_of_a_session(samples, backend: Backend, world: World):
    """What the session's transaction has done is seen."""
    if not world.is_async:
        with Session(ormolu.databases.get().engine) as session:
            session.add(Kind(name="ash"))
            assert Kind.objects(session).to_arrow().num_rows == 2
        return
    engine = create_async_engine(backend.url.replace("sqlite:", "sqlite+aiosqlite:"))
    async with AsyncSession(engine) as session:
        session.add(Kind(name="ash"))
        assert (await Kind.objects(session).to_arrow()).num_rows == 2
        assert len(await Kind.objects(session).filter(name="ash").to_pandas()) == 1
    await engine.dispose()


@pytest.mark.parametrize("extra", ["arrow", "polars", "pandas"])
def test_a_missing_package_is_named(extra: str, db: Backend, monkeypatch: pytest.MonkeyPatch):
    """The error has the command that installs it."""
    monkeypatch.setitem(sys.modules, {"arrow": "pyarrow"}.get(extra, extra), None)
    with pytest.raises(MissingExtra, match=rf'pip install "ormolu\[{extra}\]"'):
        getattr(Kind.objects, f"to_{extra}")()


MEMORY = """
import sys, resource
import ormolu
from ormolu import Model, IntegerField
ormolu.configure("sqlite:///numbers.sqlite3")

class Number(Model):
    value = IntegerField()

ormolu.create_tables(Number)
ormolu.databases.get().execute(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)"
    " INSERT INTO number (value) SELECT i FROM n"
)
Number.objects.all()[:10].to_arrow()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
table = Number.objects.to_arrow()
print(table.num_rows, table.nbytes, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the resource module is Unix's")
def test_memory_is_the_tables_own(tmp_path: Path):
    """Rows are never all there as Python objects: the peak is the table, and some chunks."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", MEMORY],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    rows, size, peak = map(int, done.stdout.split())
    assert rows == 400_000
    assert size < 7_000_000
    assert peak < size + 25_000_000  # as tuples of integers they take 60 MB
