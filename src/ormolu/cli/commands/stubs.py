"""`ormolu stubs`: a thin wrapper on `ormolu.contrib.stubs`."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    modules: Annotated[
        list[str], typer.Argument(help="Modules of models, by their dotted names: app.models")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            help="A folder for the stubs, or a .pyi file for one. Else they stand beside the modules."
        ),
    ] = None,
    depth: Annotated[int, typer.Option(help="How many relations the path of a lookup follows.")] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 and a diff if a stub is out of date.")
    ] = False,
) -> None:
    """Write stub files with which type checkers know the lookups, names and values of your models."""
    from ormolu.contrib.stubs import stubs_of

    stale = False
    for stub in stubs_of(modules, depth, output):
        if stub.is_current():
            continue
        stale = True
        if check:
            typer.echo(stub.difference(), nl=False)
        else:
            stub.write()
            typer.echo(f"Wrote {stub.path}")
    if check and stale:
        raise typer.Exit(1)
    if not stale:
        typer.echo("All stubs are up to date.")
