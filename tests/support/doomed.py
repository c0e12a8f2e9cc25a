"""A PostgreSQL server of the test's own, which may crash."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import psycopg
import sqlalchemy as sa

from ormolu.contrib import embedded


class DoomedServer:
    """An embedded server, with ways to end its sessions or itself."""

    def __init__(self) -> None:
        self.server = embedded.start()
        self.handle: Any = self.server._handle
        # What is committed shall be there after a crash.
        embedded.execute(
            self.server.url, "ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()"
        )
        self.plain = self.server.create_database("doomed")

    def url(self, driver: str) -> str:
        """Return the database's URL for one of our drivers."""
        return (
            sa.make_url(self.plain)
            .set(drivername=f"postgresql+{driver}")
            .render_as_string(hide_password=False)
        )

    def end_sessions(self, *spared: int) -> None:
        """End all other sessions in the database, as an administrator does."""
        statement = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'doomed' "
            f"AND pid <> ALL ('{{{','.join(map(str, spared))}}}')"
        )
        embedded.execute(self.server.url, statement)

    def crash(self) -> None:
        """Let the server die at once, without a word to anybody."""
        pid = self.handle.get_pid()
        os.kill(pid, signal.SIGQUIT)
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up:
            try:
                psycopg.connect(self.plain, connect_timeout=2).close()
            except psycopg.OperationalError:
                if self.handle.get_pid() is None or not os.path.exists(f"/proc/{pid}"):
                    return
            time.sleep(0.01)
        raise TimeoutError("the server does not die")

    def restart(self) -> None:
        """Start it again, with what was committed."""
        give_up = time.monotonic() + 30
        self.handle.ensure_postgres_running()
        while True:
            try:
                psycopg.connect(self.plain, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < give_up
                time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        self.server.stop()
