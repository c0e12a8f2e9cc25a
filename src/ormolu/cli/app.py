"""The group of commands, which knows their names and imports one only when somebody asks for it.

Exit codes: 0 done; 1 the command failed, with a message on standard error; 2 it was called wrongly.
"""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import ormolu
from ormolu.cli.commands import COMMANDS
from ormolu.exceptions import Error, ImproperlyConfigured, MissingExtra


class LazyGroup(TyperGroup):
    """A group whose commands are modules with a function `command`.

    Contexts and commands are `Any`: they are click's, and typer brings a click of its own or not by version.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"ormolu.cli.commands.{cmd_name.replace('-', '_')}")
        single = typer.Typer(add_completion=False)
        single.command(cmd_name)(module.command)
        return typer.main.get_command(single)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error that the user can cure is a message, not a traceback."""
        try:
            return super().invoke(ctx)
        except (Error, ImproperlyConfigured, MissingExtra) as error:
            typer.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=LazyGroup, name="ormolu", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ormolu {ormolu.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Django's models and QuerySets on SQLAlchemy, typed, sync and async."""
