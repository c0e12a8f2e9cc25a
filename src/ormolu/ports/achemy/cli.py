"""`python -m ormolu.ports.achemy.cli generate-schemas MODULE --output FILE`: Pydantic models of a module's models.

One class a model, with the fields of its columns: `UserSchema` of `User`. `ormolu schemas` writes more, and compares.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["generate_schemas", "main"]


def generate_schemas(module: str, output: Path) -> None:
    """Write the schemas of a module's models to a file.

    Raises ImportError for a module that can't be imported, ValueError for one without models, and MissingExtra without
    Pydantic.
    """
    from ormolu.schemas import generate

    output.write_text(generate(module, variants=["Out"], names="{model}Schema"), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 1 for what the module is to blame for, with a message."""
    parser = argparse.ArgumentParser(prog="python -m ormolu.ports.achemy.cli")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("generate-schemas", help="write Pydantic models of a module's models")
    command.add_argument("module", help="where the models are: your_app.models")
    command.add_argument("--output", "-o", type=Path, required=True, help="the file: your_app/schemas.py")
    chosen = parser.parse_args(arguments)
    sys.path.insert(0, "")
    try:
        generate_schemas(chosen.module, chosen.output)
    except (ImportError, ValueError) as error:
        sys.stderr.write(f"{chosen.module}: {error}\n")
        return 1
    sys.stdout.write(f"Wrote {chosen.output}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
