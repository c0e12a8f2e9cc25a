"""The playground from beginning to end: a database, the catalogue in it, the questions, a shell."""

import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console

from ormolu import configure, create_tables, databases, drop_tables
from ormolu.contrib import embedded
from ormolu.contrib.playground import catalogue, display, shell
from ormolu.contrib.playground.asking import Answer, ask
from ormolu.contrib.playground.loader import load
from ormolu.contrib.playground.models import MODELS
from ormolu.contrib.playground.questions import QUESTIONS
from ormolu.exceptions import ImproperlyConfigured


def run(
    db: str = "sqlite", *, replace: bool = False, into_shell: bool = False, as_json: bool = False
) -> None:
    """Catalogue this Python environment and ask the questions of it, printing to the terminal.

    `db` is `sqlite` or `postgres` for an embedded database that is gone afterwards, or any database's URL.
    There the tables stay; when they are there already, `replace` drops them first, else
    `ImproperlyConfigured` is raised. `as_json` prints one JSON document and nothing else to standard output.
    """
    screen = display.console(stderr=as_json)
    with _database(db) as url:
        configure(url)
        try:
            _make_tables(replace)
            counts = _catalogue(screen)
            answers: list[Answer] = []
            for number, question in enumerate(QUESTIONS, 1):
                answers.append(ask(question))
                if not as_json:
                    display.show_answer(number, answers[-1], screen)
            if as_json:
                print(display.as_json(counts, databases.get().vendor, answers))
            if into_shell:
                shell.start()
        finally:
            databases.close_all()


@contextmanager
def _database(db: str) -> Generator[str]:
    """Give the URL of the database that `db` means; an embedded one lasts as long as the block."""
    with ExitStack() as exits:
        if db == "sqlite":
            # SQLite's files may still be open on Windows when the folder goes.
            folder = tempfile.TemporaryDirectory(prefix="ormolu-", ignore_cleanup_errors=True)
            yield f"sqlite:///{Path(exits.enter_context(folder), 'playground.sqlite3').as_posix()}"
        elif db in ("postgres", "postgresql"):
            yield exits.enter_context(embedded.start()).url
        elif "://" in db:
            yield db
        else:
            raise ImproperlyConfigured(
                f"--db is 'sqlite', 'postgres' or a URL such as postgresql://user@host/name, not {db!r}."
            )


def _make_tables(replace: bool) -> None:
    names = {model._meta.db_table for model in MODELS}
    present = names & set(sa.inspect(databases.get().engine).get_table_names())
    if present and not replace:
        raise ImproperlyConfigured(
            f"This database has {', '.join(sorted(present))} already. "
            "Say --replace to drop the playground's tables."
        )
    if present:
        drop_tables(*MODELS)
    create_tables(*MODELS)


def _catalogue(screen: Console) -> dict[str, int]:
    with screen.status("Reading this Python environment"):
        found = catalogue.read()
    with display.progress("Writing the catalogue", found.row_count, screen=screen) as advance:
        counts = load(found, advance)
    screen.print(", ".join(f"{count:,} {name}" for name, count in counts.items()), highlight=False)
    screen.print()
    return counts
