"""Health checks: an answer, whatever happens."""

from __future__ import annotations

import socket
from typing import Any

import pytest

import ormolu
from ormolu import aatomic, ahealth_check, atomic, configure, health_check


async def test_a_database_that_answers_is_ok(configured: Any, world: Any) -> None:
    """The answer has the alias and how long it took."""
    status = await world(health_check)
    assert status == {"status": "ok", "alias": "default", "elapsed_ms": status["elapsed_ms"]}
    assert status["elapsed_ms"] > 0


async def test_what_is_wrong_is_in_the_answer(world: Any) -> None:
    """A server that nobody can reach, and an alias that nobody configured, are errors in the answer."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    configure(DATABASES={"default": f"postgresql+psycopg://u:p@127.0.0.1:{port}/d"})
    down = await world(health_check)
    assert down["status"] == "error"
    assert down["error"].startswith("ServerUnreachable: ")
    unknown = await world(health_check, alias="replica")
    assert unknown["alias"] == "replica"
    assert unknown["error"].startswith("ImproperlyConfigured: There is no database 'replica'")


@pytest.mark.backends("postgresql")
async def test_a_server_that_does_not_answer_is_late(world: Any, backends: Any) -> None:
    """After `timeout` seconds the answer is an error: the server accepts, and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        configure(DATABASES={"default": f"postgresql+psycopg://u:p@127.0.0.1:{port}/d"})
        status = await world(health_check, timeout=0.2)
    assert status["status"] == "error"
    assert "no answer in 0.2 seconds" in status["error"]
    assert 150 < status["elapsed_ms"] < 3000


@pytest.mark.backends("postgresql")
def test_the_check_is_outside_of_the_callers_transaction(configured: Any) -> None:
    """A transaction that is broken says nothing about the database."""
    with pytest.raises(ormolu.DatabaseError), atomic():
        with pytest.raises(ormolu.DatabaseError):
            ormolu.connection.execute("SELECT nothing FROM nowhere")
        assert health_check()["status"] == "ok"
        ormolu.connection.execute("SELECT 1")


@pytest.mark.worlds("async")
@pytest.mark.backends("postgresql", "asyncpg")
async def test_the_check_is_outside_of_the_tasks_transaction(configured: Any, world: Any) -> None:
    """The same in async code."""
    with pytest.raises(ormolu.DatabaseError):
        async with aatomic():
            with pytest.raises(ormolu.DatabaseError):
                await ormolu.connection.aexecute("SELECT nothing FROM nowhere")
            assert (await ahealth_check())["status"] == "ok"
            await ormolu.connection.aexecute("SELECT 1")
