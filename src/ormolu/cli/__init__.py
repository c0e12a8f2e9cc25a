"""The command `ormolu`. Each command is a module of `ormolu.cli.commands`, imported when it is called."""

import sys


def main() -> None:
    """Run the command line; the entry point of `ormolu` and of `python -m ormolu`."""
    try:
        from ormolu.cli.app import app
    except ImportError as error:
        if error.name not in ("typer", "rich", "click"):
            raise
        sys.exit('The command line needs "typer" and "rich". Install them with: pip install "ormolu[cli]"')
    app()
