"""`ormolu check`: a thin wrapper on `ormolu.checks.import_models` and `ormolu.checks.run_checks`."""

import json
import os
import sys
from typing import Annotated

import typer

LEVELS = {"CRITICAL": 50, "ERROR": 40, "WARNING": 30, "INFO": 20, "DEBUG": 10}


def command(
    modules: Annotated[
        list[str] | None,
        typer.Argument(help="Modules with models; without any, those of all applications."),
    ] = None,
    database: Annotated[
        list[str] | None,
        typer.Option("--database", help="An alias: find what this database can't do, too. May be repeated."),
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Only checks with this tag. May be repeated.")
    ] = None,
    fail_level: Annotated[
        str, typer.Option("--fail-level", help="End with 1 for messages of this level and above.")
    ] = "ERROR",
    as_json: Annotated[bool, typer.Option("--json", help="Print the messages as one JSON document.")] = False,
) -> None:
    """Look for what is wrong with the models: names, options, relations, indexes, constraints. No query."""
    from ormolu import checks
    from ormolu.conf import settings
    from ormolu.migrations.projects import applications

    if fail_level.upper() not in LEVELS:
        raise typer.BadParameter(f"must be one of {', '.join(LEVELS)}", param_hint="--fail-level")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    if modules or settings.INSTALLED_APPS:
        checks.import_models(modules or ())
    else:
        applications()
    known = checks.tags_available()
    if unknown := set(tag or ()) - known:
        raise typer.BadParameter(
            f"there is no check with the tag {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}",
            param_hint="--tag",
        )
    found = checks.run_checks(tags=tag or None, databases=database or None)
    failed = any(message.is_serious(LEVELS[fail_level.upper()]) for message in found)
    if as_json:
        rows = [
            {
                "id": message.id,
                "level": next(name for name, level in LEVELS.items() if message.level >= level),
                "message": message.msg,
                "hint": message.hint,
                "object": None if message.obj is None else str(message).partition(": ")[0],
            }
            for message in found
        ]
        typer.echo(json.dumps(rows, indent=2))
    else:
        for message in found:
            typer.echo(str(message), err=True)
        typer.echo(f"{len(found)} {'problem' if len(found) == 1 else 'problems'} found.")
    raise typer.Exit(1 if failed else 0)
