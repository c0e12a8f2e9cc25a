"""`ormolu from-sqlmodel`: a thin wrapper on `ormolu.sessions.from_sqlmodel.convert`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ormolu.exceptions import ImproperlyConfigured


def command(
    module: Annotated[Path, typer.Argument(help="The file with SQLModel classes.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; standard output without it.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: list the notes, and end with 1 if there are any.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the text and the notes as JSON.")] = False,
) -> None:
    """Write a module of SQLModel classes as Ormolu's models. What can't be carried over is noted on standard error."""
    from ormolu.sessions.from_sqlmodel import convert

    try:
        text, notes = convert(module.read_text(encoding="utf-8"), str(module))
    except (OSError, SyntaxError) as error:
        raise ImproperlyConfigured(f"{module}: {error}") from error
    if as_json:
        listed = [{"line": note.line, "text": note.text} for note in notes]
        typer.echo(json.dumps({"text": text, "notes": listed}, indent=2))
    else:
        for note in notes:
            typer.echo(f"{module}:{note.line}: {note.text}", err=True)
        if not check and output is None:
            typer.echo(text, nl=False)
    if output is not None and not check:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
    if check and notes:
        raise typer.Exit(1)
