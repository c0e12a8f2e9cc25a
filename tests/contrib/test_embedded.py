"""The embedded PostgreSQL: a real server in a folder."""

from pathlib import Path

import psycopg

from ormolu.contrib import embedded


def test_server_starts_makes_databases_and_stops() -> None:
    """A server with no folder of its own is a real PostgreSQL, and leaves nothing behind."""
    with embedded.start() as server:
        server.create_database('odd "; name')
        url = server.create_database("books")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_database(), version()").fetchone()[1].startswith("Post")
            names = connection.execute("SELECT datname FROM pg_database").fetchall()
            assert ('odd "; name',) in names
            folder = Path(connection.execute("SHOW data_directory").fetchone()[0])
        assert folder.exists()
    assert not folder.exists()
    server.stop()  # once more does no harm


def test_data_in_a_named_folder_are_kept(tmp_path: Path) -> None:
    """A server that is started again on its folder finds what was written."""
    with embedded.start(tmp_path / "data") as server:
        url = server.create_database("kept")
        embedded.execute(url, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (7)")
    with embedded.start(tmp_path / "data") as server, psycopg.connect(server.url_of("kept")) as connection:
        assert connection.execute("SELECT n FROM t").fetchall() == [(7,)]
