"""`ormolu shell`: Python with the program's models at hand."""

import os
from typing import Annotated, Any

import typer


def command(
    settings: Annotated[str, typer.Option(help="The settings: a file, or a dotted module.")] = "",
) -> None:
    """Start a Python shell with the models imported. `await` works at its top level; IPython is used if it is there."""
    import ormolu
    from ormolu.cli.shells import interact
    from ormolu.conf import settings as current
    from ormolu.migrations.projects import applications
    from ormolu.models.registry import apps

    if settings:
        os.environ["ORMOLU_SETTINGS"] = settings
        current.reset()
    applications()
    names: dict[str, Any] = {model.__name__: model for model in apps.get_models()}
    shown = ", ".join(sorted(names)) or "none"
    interact({**names, "ormolu": ormolu}, f"Ormolu {ormolu.__version__}. Models: {shown}.")
