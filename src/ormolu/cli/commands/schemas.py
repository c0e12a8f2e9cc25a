"""`ormolu schemas`: a thin wrapper on `ormolu.schemas.generate`."""

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from ormolu.exceptions import ImproperlyConfigured


def command(
    modules: Annotated[list[str], typer.Argument(help="Modules with models: app.models.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; standard output without it.")
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; show what would change, and end with 1 if anything."),
    ] = False,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="A model that is wanted; all without it.")
    ] = None,
    variants: Annotated[str, typer.Option(help="Which of Out, In and Patch, with commas.")] = "Out,In,Patch",
    names: Annotated[
        str, typer.Option(help="How classes are called, of {model} and {variant}.")
    ] = "{model}{variant}",
) -> None:
    """Write Pydantic schemas of models as a module: typed, with the fields' rules, for people to read.

    Ends with 1 for modules that can't be imported or have no models, and with --check for a file that isn't up to date.
    """
    from ormolu.schemas import generate

    sys.path.insert(0, "")
    try:
        text = generate(*modules, models=model or None, variants=variants.split(","), names=names)
    except (ImportError, ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"{', '.join(modules)}: {error}") from error
    if check:
        if output is None:
            raise ImproperlyConfigured("--check compares with a file: name it by --output.")
        difference = compared(output, text)
        typer.echo(difference, nl=False)
        raise typer.Exit(1 if difference else 0)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")


def compared(file: Path, text: str) -> str:
    """Return what would change in a file, as a unified diff."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    lines = before.splitlines(keepends=True), text.splitlines(keepends=True)
    return "".join(difflib.unified_diff(*lines, fromfile=str(file), tofile=f"{file} (generated)"))
