"""Seeing statements: captures, signals, logging, SQLAlchemy's events."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

import ormolu
from ormolu import databases
from ormolu.conf import override
from ormolu.exceptions import IntegrityError
from ormolu.signals import post_query, pre_query


async def test_capture_collects_statements(numbers: Any, world: Any) -> None:
    """A capture has text, parameters, time and alias of each statement, in Django's form as well."""
    with databases.capture_queries() as queries:
        await numbers.add(1)
        assert await numbers.all() == [1]
    await numbers.all()
    assert len(queries) == 2
    assert queries[0].sql.startswith("INSERT INTO numbers")
    assert tuple(queries[0].params) == (1,)
    assert queries[0]["sql"] == queries[0].sql
    assert float(queries[0]["time"]) >= 0
    assert queries[0].alias == "default"
    assert queries.captured_queries is queries


async def test_capture_of_another_alias_is_empty(numbers: Any, world: Any) -> None:
    """capture_queries(using=...) sees that alias alone."""
    with databases.capture_queries("other") as queries:
        await numbers.all()
    assert queries.sql == []


@pytest.mark.worlds("sync")
async def test_captures_see_what_their_own_code_does(numbers: Any, world: Any) -> None:
    """A thread that is not started by the capturing code is not captured; nested captures each collect."""
    with databases.capture_queries() as outer:
        thread = threading.Thread(target=numbers.all_now)
        thread.start()
        thread.join()
        with databases.capture_queries() as inner:
            numbers.all_now()
    assert len(outer) == len(inner) == 1


@pytest.mark.worlds("async")
async def test_captures_see_the_tasks_that_were_started(numbers: Any, world: Any) -> None:
    """Tasks started inside the block belong to it, those around it do not."""
    with databases.capture_queries() as queries:
        await asyncio.gather(numbers.all(), numbers.all())
    assert len(queries) == 2


async def test_signals_around_each_statement(numbers: Any, world: Any) -> None:
    """pre_query and post_query tell of statements and of their failure; receivers name what they want."""
    seen: list[Any] = []

    def before(sender: str, sql: str, params: Any) -> None:
        seen.append(("before", sender, sql.split()[0]))

    def after(sender: str, sql: str, params: Any, elapsed_ms: float, error: Any, **kwargs: Any) -> None:
        assert elapsed_ms > 0
        seen.append(("after", kwargs["alias"], type(error)))

    pre_query.connect(before)
    post_query.connect(after)
    try:
        await numbers.add(1)
        with pytest.raises(IntegrityError):
            await numbers.add(1)
    finally:
        pre_query.disconnect(before)
        post_query.disconnect(after)
    await numbers.all()
    vendor = numbers.database.vendor
    assert seen == [
        ("before", vendor, "INSERT"),
        ("after", "default", type(None)),
        ("before", vendor, "INSERT"),
        ("after", "default", IntegrityError),
    ]


async def test_statements_are_logged_at_debug(numbers: Any, world: Any, caplog: Any) -> None:
    """The logger ormolu.sql has each statement at DEBUG."""
    with caplog.at_level(logging.DEBUG, "ormolu.sql"):
        await numbers.all()
    assert "SELECT n FROM numbers" in caplog.text
    caplog.clear()
    await numbers.all()
    assert caplog.text == ""


async def test_slow_statements_are_warned_of(numbers: Any, world: Any, caplog: Any) -> None:
    """The logger ormolu.sql.slow has the watched statements that took SLOW_QUERY_MS or longer, as a warning."""
    with databases.capture_queries(), override(SLOW_QUERY_MS=0):
        await numbers.all()
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("ormolu.sql.slow", "WARNING")
    assert "SELECT n FROM numbers" in record.getMessage()
    with databases.capture_queries(), override(SLOW_QUERY_MS=60_000):
        await numbers.all()
    assert len(caplog.records) == 1


async def test_cursor_events_of_sqlalchemy_fire(numbers: Any, world: Any) -> None:
    """Whoever listens to the engine's cursor events sees our statements, with the same results and errors."""
    database = numbers.database
    native_async = world.is_async and database.adriver.pooled
    engine = database.async_engine.sync_engine if native_async else database.engine
    seen: list[str] = []

    def listener(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split()[0] not in ("START", "COMMIT"):  # SQLAlchemy's own on some databases
            seen.append(statement.split()[0])

    event.listen(engine, "before_cursor_execute", listener)
    async with world.atomic():
        await numbers.add(1)
    with pytest.raises(IntegrityError):
        await numbers.add(1)
    assert await numbers.all() == [1]
    assert seen == ["INSERT", "INSERT", "SELECT"]
    event.remove(engine, "before_cursor_execute", listener)
    await numbers.all()
    assert len(seen) == 3


def test_cursor_by_hand(numbers: Any) -> None:
    """cursor() is the driver's, inside the open transaction; its statements are captured, its errors ours."""
    from ormolu import transaction

    database = numbers.database
    with databases.capture_queries() as queries, database.cursor() as cursor:
        cursor.execute("INSERT INTO numbers VALUES (%s)", (1,))
        assert cursor.rowcount == 1
        cursor.execute("SELECT n, '10%s off' FROM numbers WHERE 'abc' LIKE 'a%'")
        assert [tuple(row) for row in cursor] == [(1, "10%s off")]
        with pytest.raises(IntegrityError):
            cursor.execute("INSERT INTO numbers VALUES (1)")
    assert len(queries) == 3
    with pytest.raises(KeyError), transaction.atomic():
        with database.cursor() as cursor:
            cursor.execute("INSERT INTO numbers VALUES (2)")
        raise KeyError
    assert numbers.all_now() == [1]


async def test_percent_signs_without_parameters(numbers: Any, world: Any) -> None:
    """SQL by hand without parameters is taken as it is."""
    rows = await world(numbers.database.fetch, "SELECT '10%s off' WHERE 'abc' LIKE 'a%'")
    assert [tuple(row) for row in rows] == [("10%s off",)]


def test_sqlalchemys_own_statements_are_not_captured(numbers: Any) -> None:
    """What a Session sends is SQLAlchemy's to report."""
    with databases.capture_queries() as queries, numbers.database.engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    assert queries.sql == []


def test_a_receiver_that_was_there_first_is_heard(tmp_path: Path) -> None:
    """A signal may be connected before anything has asked for a database, and what sends it is imported."""
    program = (
        "from ormolu.signals import pre_query\n"
        "heard = []\n"
        "def note(sql, **_): heard.append(sql)\n"
        "pre_query.connect(note)\n"
        "import ormolu\n"
        f"ormolu.configure('sqlite:///{tmp_path}/a.db')\n"
        "ormolu.databases.get().fetch('SELECT 1')\n"
        "print(heard)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['SELECT 1']"


def test_names_are_quoted_and_joins_written_in_full(configured: Any) -> None:
    """The SQL is spelled as Django's, also in SQLAlchemy's own statements on our engines."""
    engine = databases.get().engine
    quote = engine.dialect.identifier_preparer.quote
    left, right = sa.table("order", sa.column("id")), sa.table("plain", sa.column("id"))
    text = str(sa.select(left.c.id).join(right, left.c.id == right.c.id).compile(engine))
    assert (
        f"INNER JOIN {quote('plain')} ON {quote('order')}.{quote('id')} = {quote('plain')}.{quote('id')}"
        in text
    )
    text = str(sa.select(left.c.id).outerjoin(right, left.c.id == right.c.id).compile(engine))
    assert f"LEFT OUTER JOIN {quote('plain')}" in text
    assert quote("plain") in ('"plain"', "`plain`")


async def test_a_limit_of_the_programs_own_times_every_statement(
    numbers: Any, world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """With a SLOW_QUERY_MS that the program sets all statements are timed, else only those that are watched."""
    with caplog.at_level(logging.WARNING, "ormolu.sql.slow"):
        await numbers.all()
        assert caplog.records == []
        with override(SLOW_QUERY_MS=0.0):
            await numbers.all()
        assert "SELECT n FROM numbers" in caplog.records[-1].getMessage()
        caplog.clear()
        await numbers.all()
        assert caplog.records == []


async def test_debug_keeps_the_statements(numbers: Any, world: Any) -> None:
    """`connection.queries` has what ran with DEBUG, as Django has it; reset_queries() forgets it."""
    ormolu.reset_queries()
    await numbers.all()
    assert ormolu.connection.queries == []
    with override(DEBUG=True):
        await numbers.add(7)
        assert await numbers.all() == [7]
        first, second = ormolu.connection.queries
        assert first["sql"].startswith("INSERT INTO numbers")
        assert float(second["time"]) >= 0
        ormolu.reset_queries()
        assert ormolu.connection.queries == []
    await numbers.all()
    assert ormolu.connection.queries == []
