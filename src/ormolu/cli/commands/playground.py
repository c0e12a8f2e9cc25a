"""`ormolu playground`: a thin wrapper on `ormolu.contrib.playground.run`."""

from typing import Annotated

import typer


def command(
    db: Annotated[
        str,
        typer.Option(help="'sqlite' or 'postgres' for an embedded one that is gone afterwards, or a URL."),
    ] = "sqlite",
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Drop the playground's tables first, if a URL's database has them."),
    ] = False,
    shell: Annotated[bool, typer.Option("--shell", help="End in a shell with the models imported.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answers as one JSON document.")] = False,
) -> None:
    """Catalogue this Python environment in a database, and ask a dozen questions of it.

    For each question it shows the Python, the SQL, the time it took and the answer.
    """
    from ormolu.contrib.playground.run import run

    run(db, replace=replace, into_shell=shell, as_json=as_json)
