"""aiosqlite's thread, when nobody waits for it any more."""

import asyncio
import sqlite3
import time
from typing import Any

import pytest

from ormolu.databases.sqlite.stopping import connections


def test_a_thread_outlives_the_loop_that_asked_it(tmp_path: Any) -> None:
    """Its answers are for nobody then; it still closes the connection."""
    opened: list[sqlite3.Connection] = []

    def open_one() -> sqlite3.Connection:
        opened.append(sqlite3.connect(tmp_path / "some.sqlite3", check_same_thread=False))
        return opened[0]

    async def main() -> Any:
        connection = await connections("default")(open_one)
        slow = asyncio.ensure_future(connection._execute(time.sleep, 0.2))
        await asyncio.sleep(0.01)
        slow.cancel()
        connection.stop()
        connection.stop()  # a second time is none
        return connection

    connection = asyncio.run(main())
    connection._thread.join(5)
    assert not connection._thread.is_alive()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
