"""Trying again what fails because the server is not there for a moment."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa

import ormolu
from ormolu import configure, databases, retry_transient
from ormolu.databases.retry import is_transient
from ormolu.exceptions import IntegrityError, OperationalError, ServerUnreachable


class Flaky:
    """Fails with an error so many times, and is called through either world."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left = times
        self.error = error
        self.calls = 0

    def __call__(self) -> Any:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error
        return "done"


async def retried(world: Any, flaky: Flaky, **options: Any) -> Any:
    if not world.is_async:
        return retry_transient(flaky, **options)

    async def call() -> Any:
        return flaky()

    return await ormolu.aretry_transient(call, **options)


async def test_a_transient_error_is_tried_again(world: Any) -> None:
    """Errors of ours and of drivers count alike; the result is that of the call that succeeds."""
    for error in (
        OperationalError("server closed the connection"),
        sqlite3.OperationalError("database is locked"),
    ):
        flaky = Flaky(2, error)
        assert await retried(world, flaky, backoff=0.001) == "done"
        assert flaky.calls == 3


async def test_attempts_are_all_calls(world: Any) -> None:
    """After so many calls in all the last error is raised."""
    flaky = Flaky(9, ServerUnreachable("gone"))
    with pytest.raises(ServerUnreachable):
        await retried(world, flaky, attempts=2, backoff=0.001)
    assert flaky.calls == 2
    with pytest.raises(ValueError, match="attempts must be 1 or more, not 0"):
        await retried(world, flaky, attempts=0)


async def test_other_errors_are_raised_at_once(world: Any) -> None:
    """A bug, and a constraint that forbids, will not go away."""
    for error in (
        ValueError("a bug"),
        IntegrityError("twice"),
        OperationalError('database "x" does not exist'),
    ):
        flaky = Flaky(9, error)
        with pytest.raises(type(error)):
            await retried(world, flaky, backoff=0.001)
        assert flaky.calls == 1


async def test_nothing_is_tried_again_in_a_transaction(configured: Any, world: Any) -> None:
    """What was done before in the transaction is gone with it, so the part alone must not be done again."""
    async with world.atomic():
        await world(ormolu.connection.execute, "SELECT 1")
        flaky = Flaky(1, OperationalError("server closed the connection"))
        with pytest.raises(OperationalError):
            await retried(world, flaky, backoff=0.001)
    assert flaky.calls == 1


def test_what_is_transient() -> None:
    """Lost connections, locks and what says so itself; not what a server will say again."""
    lost = OperationalError("gone", connection_invalidated=True)
    assert is_transient(lost)
    assert is_transient(ConnectionResetError())
    assert not is_transient(OperationalError("password authentication failed"))
    assert not is_transient(sqlite3.OperationalError("no such table: note"))
    deadlock = ormolu.DatabaseError("deadlock")
    deadlock.retryable = True
    assert is_transient(deadlock)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_a_connection_is_tried_again(configured: Any, world: Any) -> None:
    """With CONNECT_RETRIES a server that comes back within the pauses is reached; without, it is an error."""
    target = sa.make_url(configured.url)
    if str(target.query.get("host", "")).startswith("/"):
        pytest.skip("the server listens on a socket file")
    gate = Gate(target.host or "127.0.0.1", target.port or 5432)
    url = target.set(host="127.0.0.1", port=gate.port).render_as_string(hide_password=False)
    try:
        configure(DATABASES={"default": {"URL": url}})
        with pytest.raises(ServerUnreachable):
            await world(databases.get().fetch, "SELECT 1")
        configure(DATABASES={"default": {"URL": url, "CONNECT_RETRIES": 6, "CONNECT_BACKOFF": 0.05}})
        threading.Timer(0.2, gate.open).start()
        rows = await world(databases.get().fetch, "SELECT 1")
        assert [tuple(row) for row in rows] == [(1,)]
    finally:
        await world(databases.close_all)
        gate.close()


class Gate:
    """A port that refuses until it is opened, and then leads to a server."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.sockets: list[socket.socket] = []
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]

    def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.sockets.append(listener)
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener: Any) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            self.sockets += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one: Any, other: Any) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.mark.backends("postgresql", "asyncpg")
@pytest.mark.parametrize("ping", [False, True])
async def test_idle_connections_are_replaced(configured: Any, world: Any, ping: bool) -> None:
    """After MAX_IDLE seconds without use a connection is not used again; a busy one stays."""
    configure(DATABASES={"default": {"URL": configured.url, "MAX_IDLE": 0.4, "POOL_PRE_PING": ping}})
    database = databases.get()

    async def pid() -> Any:
        return (await world(database.fetch, "SELECT pg_backend_pid()"))[0][0]

    first = await pid()
    assert await pid() == first
    time.sleep(0.6)
    assert await pid() != first
