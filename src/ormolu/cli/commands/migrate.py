"""`ormolu migrate`: a thin wrapper on `ormolu.migrations.migrate`."""

import os
from typing import Annotated

import typer


def command(
    app_label: Annotated[str | None, typer.Argument(help="One application; all when none is named.")] = None,
    settings: Annotated[str, typer.Option(help="The settings: a file, or a dotted module.")] = "",
    database: Annotated[str, typer.Option(help="The alias of the database.")] = "default",
) -> None:
    """Run the migrations that a database hasn't had yet."""
    from ormolu.conf import settings as current
    from ormolu.migrations import migrate

    if settings:
        os.environ["ORMOLU_SETTINGS"] = settings
        current.reset()
    ran = migrate(app_label, using=database)
    for app, name in ran:
        typer.echo(f"Applied {app}.{name}")
    if not ran:
        typer.echo("Nothing to do.")
