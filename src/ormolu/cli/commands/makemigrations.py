"""`ormolu makemigrations`: a thin wrapper on `ormolu.migrations.make_migrations`."""

import os
from typing import Annotated

import typer


def command(
    labels: Annotated[list[str] | None, typer.Argument(help="Applications; all when none is named.")] = None,
    settings: Annotated[str, typer.Option(help="The settings: a file, or a dotted module.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
    ] = False,
) -> None:
    """Write migrations that create the tables of new models.

    Compares the models with the migration files; needs no database.
    """
    from ormolu.conf import settings as current
    from ormolu.migrations import make_migrations

    if settings:
        os.environ["ORMOLU_SETTINGS"] = settings
        current.reset()
    found = make_migrations(labels or (), dry_run=dry_run)
    for written in found:
        typer.echo(f"{written.path}")
        for operation in written.operations:
            typer.echo(f"    {operation.described}")
        if dry_run:
            typer.echo(written.source)
    if not found:
        typer.echo("No changes.")
