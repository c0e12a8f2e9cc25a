"""Run programs, the only thing that the tests of writes need of the layers above."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from ormolu import databases, signals
from ormolu.programs import Fetch
from ormolu.writes.collector import make_rows

CONTROL = ("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class Runner:
    """Drives programs on the default database, in the world of the test."""

    def __init__(self, world: Any) -> None:
        self.world = world

    @property
    def driver(self) -> Any:
        database = databases.get()
        return database.adriver if self.world.is_async else database.driver

    async def __call__(self, program: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Run `program(driver, *args, **options)`."""

        def start(driver: Any, *rest: Any) -> Any:
            return program(driver, *rest, **options)

        if self.world.is_async:
            return await self.driver.arun(start, *args)
        return self.driver.run(start, *args)

    async def rows(self, model: Any, *attnames: str) -> list[tuple[Any, ...]]:
        """Return columns of all rows as the database has them, by primary key."""
        return [tuple(row) for row in await self(_select, model, attnames)]

    async def count(self, model: Any) -> int:
        return len(await self.rows(model))

    async def load(self, model: Any, *only: str) -> list[Any]:
        """Return all rows as instances, with all columns or some, by primary key."""
        fields = [f for f in model._meta.concrete_fields if not only or f.name in only or f.primary_key]
        found = await self(_select, model, [f.attname for f in fields])
        return make_rows(self.driver, model, fields, found)

    async def sql(self, statement: str) -> Any:
        return await self(lambda driver: (yield Fetch(statement, ())))


def _select(driver: Any, model: Any, attnames: Sequence[str]) -> Any:
    meta = model._meta
    names = attnames or [f.attname for f in meta.pk_fields]
    columns = [meta.get_field(name).sa_column for name in names]
    statement = sa.select(*columns).order_by(*(f.sa_column for f in meta.pk_fields))
    return (yield Fetch(str(statement.compile(dialect=driver.dialect)), ()))


@pytest.fixture
def run(db: Any, world: Any) -> Runner:
    """Drive programs: `await run(save, obj)`."""
    return Runner(world)


@pytest.fixture
def statements(run: Runner) -> Iterator[list[str]]:
    """The SQL sent so far, transaction control left out."""
    sent: list[str] = []

    def note(sql: str, **_: Any) -> None:
        if sql.split()[0] not in CONTROL:
            sent.append(sql)

    signals.pre_query.connect(note)
    yield sent
    signals.pre_query.disconnect(note)


@pytest.fixture
def db(request: pytest.FixtureRequest, backend: Any, kept_tables: None) -> Iterator[Any]:
    """The default database, with empty tables of the module's models."""
    from ormolu import conf

    conf.configure(backend.url)
    tables = []
    for model in request.module.MODELS:
        tables += [model._meta.table, *(f.remote_field.through._meta.table for f in model._meta.many_to_many)]
    tables[0].metadata.create_all(backend.engine(), tables=tables)  # those that aren't there
    yield backend
    backend.tidy(changed=request.node.get_closest_marker("changes_tables") is not None)
    databases.close_all()
