"""Bulk writes through QuerySets: generators, progress, COPY, sessions, related managers."""

import datetime
import tracemalloc
import uuid
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ormolu import (
    CASCADE,
    ArrayField,
    BinaryField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DurationField,
    F,
    FloatField,
    ForeignKey,
    GeneratedField,
    IntegerField,
    JSONField,
    Model,
    TimeField,
    UUIDField,
    Value,
    capture_queries,
    databases,
)
from ormolu.exceptions import IntegrityError
from ormolu.models import DecimalField
from ormolu.query.functions import Upper
from support.backends import Backend
from support.worlds import World


class Sample(Model):
    number = IntegerField(unique=True)
    text = CharField(max_length=60)
    when = DateTimeField(null=True)
    day = DateField(null=True)
    time = TimeField(null=True)
    took = DurationField(null=True)
    key = UUIDField(null=True)
    flag = BooleanField(default=True)
    ratio = FloatField(null=True)
    price = DecimalField(max_digits=8, decimal_places=2, null=True)
    data = JSONField(null=True)


class Blob(Model):
    data = BinaryField()


class Shelf(Model):
    name = CharField(max_length=20)


class Jar(Model):
    shelf: Any = ForeignKey(Shelf, on_delete=CASCADE, related_name="jars")
    name = CharField(max_length=20)
    grams = IntegerField(db_default=100)
    label = GeneratedField(expression=Upper("name"), output_field=CharField(max_length=20), db_persist=True)


class Tray(Model):
    numbers: Any = ArrayField(IntegerField(), null=True)


MODELS = [Sample, Blob, Shelf, Jar, Tray]
WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.UTC)


def samples(count: int, start: int = 0) -> Iterator[Sample]:
    for n in range(start, start + count):
        yield Sample(
            number=n,
            text=f"t\\ab\"{n}' \t\n{{}},",
            when=None if n % 3 == 0 else WHEN,
            day=WHEN.date(),
            time=datetime.time(1, 2, 3, 4),
            took=datetime.timedelta(days=n, microseconds=5),
            key=None if n % 2 else uuid.UUID(int=n),
            flag=bool(n % 2),
            ratio=n / 3,
            price=Decimal(n) / 4,
            data={"n": [n, None, '"']},
        )


def content(sample: Sample) -> list[Any]:
    return [getattr(sample, f.attname) for f in Sample._meta.concrete_fields if not f.primary_key]


async def stored(world: World) -> list[Sample]:
    return await world.list(Sample.objects.order_by("number"))


def kinds(captured: Any) -> list[str]:
    return [query.sql.split()[0] for query in captured]


async def test_a_generator_in_batches(db: Backend, world: World) -> None:
    """A generator is taken batch by batch, in one transaction; all objects get their keys."""
    taken: list[int] = []
    seen: list[tuple[int, int]] = []

    def watched() -> Iterator[Sample]:
        for sample in samples(25):
            taken.append(sample.number)
            yield sample

    made = await world(
        Sample.objects.bulk_create,
        watched(),
        batch_size=10,
        progress=lambda done: seen.append((done, len(taken))),
    )
    assert [done for done, _ in seen] == [10, 20, 25]
    assert max(ahead - done for done, ahead in seen) == 10  # one batch is held in advance
    rows = await stored(world)
    assert [(row.pk, content(row)) for row in rows] == [(sample.pk, content(sample)) for sample in made]


async def test_an_error_in_a_later_batch_undoes_all(db: Backend, world: World) -> None:
    """All or nothing, also where a generator raises half way, or a row doesn't fit."""

    def failing() -> Iterator[Sample]:
        yield from samples(15)
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        await world(Sample.objects.bulk_create, failing(), batch_size=5)
    with pytest.raises(IntegrityError):
        await world(Sample.objects.bulk_create, [*samples(10), *samples(1)], batch_size=5)
    assert await world(Sample.objects.count) == 0


async def test_nothing_kept(db: Backend, world: World) -> None:
    """With returning=False the result is a number, and objects stay without keys."""
    objs = list(samples(12))
    assert await world(Sample.objects.bulk_create, objs, returning=False) == 12
    assert {obj.pk for obj in objs} == {None}
    assert {obj._state.adding for obj in objs} == {True}
    assert [content(row) for row in await stored(world)] == [content(obj) for obj in objs]
    assert await world(Sample.objects.bulk_create, iter(()), returning=False) == 0
    more = samples(20)
    ignoring = {"ignore_conflicts": True, "batch_size": 7}
    assert await world(Sample.objects.bulk_create, more, returning=False, **ignoring) == 8


@pytest.mark.backends("sqlite")
@pytest.mark.worlds("sync")
async def test_constant_memory(db: Backend, world: World) -> None:
    """A hundred times as many rows need no more memory."""

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            small = (Blob(data=b"x" * 100) for _ in range(count))
            assert Blob.objects.bulk_create(small, batch_size=200, returning=False) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)
    assert peak(20_000) < 2 * peak(400)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_copy(db: Backend, world: World) -> None:
    """Many rows of which nothing is to be read back go by COPY: every kind of value arrives as it does by INSERT."""
    with capture_queries() as captured:
        assert await world(Sample.objects.bulk_create, samples(1_000), returning=False) == 1_000
    assert "COPY" in kinds(captured)
    assert "INSERT" not in kinds(captured)
    for row, wanted in zip(await stored(world), samples(1_000), strict=True):
        assert content(row) == content(wanted)
    keyed = list(samples(1_000, 1_000))
    for sample in keyed:
        sample.pk = sample.number + 10_000
    with capture_queries() as captured:
        assert await world(Sample.objects.bulk_create, keyed) == keyed
    assert kinds(captured) == ["BEGIN", "COPY", "COMMIT"]  # tried for the first time, in a block of its own
    assert {sample._state.adding for sample in keyed} == {False}


@pytest.mark.backends("postgresql", "asyncpg")
async def test_copy_that_fails(db: Backend, world: World) -> None:
    """A conflict is an IntegrityError with the driver's error as its cause; what was there before stays."""
    await world(Sample.objects.bulk_create, samples(1))
    for _ in range(2):
        with pytest.raises(IntegrityError, match="number") as caught:
            await world(Sample.objects.bulk_create, samples(1_500), returning=False)
        assert type(caught.value.__cause__).__name__ in ("UniqueViolation", "UniqueViolationError")
        assert await world(Sample.objects.count) == 1
    with pytest.raises(IntegrityError):
        async with world.atomic():
            await world(Sample.objects.bulk_create, samples(1_500, 10), returning=False)
            await world(Sample.objects.bulk_create, samples(1_500, 2_000), returning=False)
            await world(Sample.objects.bulk_create, samples(1))
    assert await world(Sample.objects.count) == 1


@pytest.mark.backends("postgresql", "asyncpg")
@pytest.mark.changes_tables
async def test_tables_that_take_no_copy(db: Backend, world: World) -> None:
    """Where the database refuses COPY, INSERTs follow, and COPY isn't tried again."""
    database = databases.get()
    table, role = Blob._meta.db_table, f"reader_{uuid.uuid4().hex[:8]}"
    for statement in (
        f"CREATE ROLE {role}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY open ON {table} USING (true) WITH CHECK (true)",
    ):
        await world(database.execute, statement)
    try:
        async with world.atomic():
            await world(database.execute, f"SET LOCAL ROLE {role}")
            for expected in (["COPY", "INSERT"], ["INSERT"]):
                blobs = [Blob(data=b"x") for _ in range(1_000)]
                with capture_queries() as captured:
                    assert await world(Blob.objects.bulk_create, blobs, returning=False) == 1_000
                assert [kind for kind in kinds(captured) if kind in ("COPY", "INSERT")] == expected
        assert await world(Blob.objects.count) == 2_000
    finally:
        await world(database.execute, f"DROP OWNED BY {role}")
        await world(database.execute, f"DROP ROLE {role}")


async def test_what_the_database_computes_comes_back(db: Backend, world: World, queries: Any) -> None:
    """Defaults of the database and generated columns, of objects with and without keys, in few statements."""
    shelf = await world(Shelf.objects.create, name="s")
    jars = [Jar(shelf=shelf, name=f"jar {n}") for n in range(4)]
    jars[1].grams = jars[3].pk = 7
    await world(Jar.objects.bulk_create, jars)
    assert kinds(queries[1:]).count("INSERT") == 3
    if db.vendor != "mysql":
        assert ["grams" in jar.__dict__ and "label" in jar.__dict__ for jar in jars] == [True] * 4
        assert [(jar.grams, jar.label) for jar in jars] == [
            (100, "JAR 0"),
            (7, "JAR 1"),
            (100, "JAR 2"),
            (100, "JAR 3"),
        ]
    rows = {jar.pk: (jar.name, jar.grams) for jar in await world.list(Jar.objects.all())}
    assert {jar.pk: jar.name for jar in jars} == {pk: name for pk, (name, _) in rows.items()}


async def test_expressions_in_one_statement(db: Backend, world: World, queries: Any) -> None:
    """Rows with expressions share statements, in order, and the results come back."""
    shelf = await world(Shelf.objects.create, name="s")
    names: list[Any] = [Upper(Value(f"n{n}")) if n % 2 else f"n{n}" for n in range(6)]
    jars = [Jar(shelf=shelf, name=name, grams=n) for n, name in enumerate(names)]
    await world(Jar.objects.bulk_create, jars)
    assert kinds(queries[1:]).count("INSERT") == 1
    rows = [(jar.pk, jar.name, jar.grams) for jar in await world.list(Jar.objects.order_by("pk"))]
    assert rows == [(jar.pk, jar.name, jar.grams) for jar in jars]
    assert [name for _, name, _ in rows] == ["n0", "N1", "n2", "N3", "n4", "N5"]


@pytest.mark.worlds("async")
async def test_asynchronous_iterables(db: Backend, world: World) -> None:
    """abulk_create() and abulk_update() take them; progress may be a coroutine function."""
    seen: list[int] = []

    async def each(count: int) -> AsyncIterator[Sample]:
        for sample in samples(count):
            yield sample

    async def progress(done: int) -> None:
        seen.append(done)

    made = await Sample.objects.abulk_create(each(25), batch_size=10, progress=progress)
    assert seen == [10, 20, 25]
    assert [sample.pk for sample in await stored(world)] == [sample.pk for sample in made]

    async def changed() -> AsyncIterator[Sample]:
        async for sample in Sample.objects.order_by("number").aiterator(chunk_size=4):
            sample.text = f"changed {sample.number}"
            yield sample

    assert await Sample.objects.abulk_update(changed(), ["text"], batch_size=10) == 25
    assert [sample.text for sample in await stored(world)] == [f"changed {n}" for n in range(25)]


@pytest.mark.worlds("sync")
async def test_a_generator_that_reads_the_same_table(db: Backend, world: World) -> None:
    """What a generator asks the database for while its objects are written is inside the transaction, or before it."""
    Sample.objects.bulk_create(samples(30))

    def changed() -> Iterator[Sample]:
        for sample in Sample.objects.order_by("number").iterator(chunk_size=7):
            sample.text = "changed"
            yield sample

    assert Sample.objects.bulk_update(changed(), ["text"], batch_size=10) == 30
    assert Sample.objects.filter(text="changed").count() == 30


async def test_related_managers(db: Backend, world: World) -> None:
    """A related manager's bulk methods are those of its queryset."""
    shelf, other = [await world(Shelf.objects.create, name=name) for name in "ab"]
    jars: Any = await world(shelf.jars.bulk_create, [Jar(shelf=shelf, name="x"), Jar(shelf=other, name="y")])
    for jar in jars:
        jar.name = "new"
    assert await world(shelf.jars.bulk_update, jars, ["name"]) == 1
    assert {jar.name for jar in await world.list(other.jars.all())} == {"y"}


@pytest.mark.worlds("async")
@pytest.mark.backends("sqlite", "postgresql")
async def test_sessions(db: Backend, world: World) -> None:
    """On a session: with the unit of work, or past it; nothing is committed."""
    pytest.importorskip("aiosqlite")
    async with AsyncSession(databases.get().async_engine) as session:
        objects: Any = Sample.objects(session)

        async def each() -> AsyncIterator[Sample]:
            for sample in samples(25, 100):
                yield sample

        assert await objects.bulk_create(samples(20), returning=False, batch_size=6) == 20
        assert await objects.bulk_create(each(), returning=False, batch_size=10) == 25
        assert await objects.count() == 45
        await session.rollback()
    assert await Sample.objects.acount() == 0


@pytest.mark.worlds("sync")
async def test_synchronous_sessions(db: Backend, world: World) -> None:
    """A generator that fails half way leaves nothing behind in the session's transaction."""

    def failing() -> Iterator[Sample]:
        yield from samples(15)
        raise LookupError

    with Session(databases.get().engine) as session:
        objects: Any = Sample.objects(session)
        assert objects.bulk_create(samples(3, 50), returning=False) == 3
        with pytest.raises(LookupError):
            objects.bulk_create(failing(), returning=False, batch_size=5)
        assert objects.count() == 3


async def test_bulk_update_counts_what_it_found(db: Backend, world: World) -> None:
    """The result is how many rows there were, over all batches; expressions, too."""
    made = await world(Sample.objects.bulk_create, samples(30))
    await world(Sample.objects.filter(number__lt=5).delete)
    for sample in made:
        sample.ratio = F("ratio") + 1
    assert await world(Sample.objects.bulk_update, iter(made), ["ratio"], batch_size=8) == 25
    rows = await stored(world)
    assert [row.ratio for row in rows] == pytest.approx([n / 3 + 1 for n in range(5, 30)])


@pytest.mark.backends("postgresql", "asyncpg")
async def test_columns_that_no_array_carries(db: Backend, world: World, queries: Any) -> None:
    """Arrays of numbers, NULLs among them: few statements, with the right types, to insert and to update."""
    rows = [Tray(numbers=None if n % 3 == 0 else [n, n + 1]) for n in range(40)]
    await world(Tray.objects.bulk_create, rows)
    assert kinds(queries).count("INSERT") == 1
    assert [t.numbers for t in await world.list(Tray.objects.order_by("pk"))] == [row.numbers for row in rows]
    for row in rows:
        row.numbers = None if row.numbers else [row.pk]
    assert await world(Tray.objects.bulk_update, rows, ["numbers"]) == 40
    assert kinds(queries).count("UPDATE") == 1
    assert [t.numbers for t in await world.list(Tray.objects.order_by("pk"))] == [row.numbers for row in rows]


async def test_what_a_rollback_undoes_is_saved_again(db: Backend, world: World) -> None:
    """Values that a bulk update or an upsert wrote in a block that failed count as changed afterwards."""
    (sample, other) = await world(Sample.objects.bulk_create, samples(2))
    with pytest.raises(LookupError):
        async with world.atomic():
            sample.text = "by update"
            await world(Sample.objects.bulk_update, [sample], ["text"])
            raise LookupError
    again = Sample(number=1, text="by upsert")
    with pytest.raises(LookupError):
        async with world.atomic():
            await world(Sample.objects.bulk_upsert, [again], unique_fields=["number"], update_fields=["text"])
            raise LookupError
    assert again.pk == other.pk
    assert [row.text for row in await stored(world)] == [content(s)[1] for s in samples(2)]
    await world(sample.save)
    await world(again.save)
    assert [row.text for row in await stored(world)] == ["by update", "by upsert"]
