"""Which file a stub goes to, and whether that is up to date."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ormolu.contrib.stubs.source import ModuleStub
from ormolu.exceptions import ImproperlyConfigured

WIDTH = 88


@dataclass(frozen=True)
class Stub:
    """The stub of a module: where it belongs, and what shall stand there."""

    module: str
    path: Path
    text: str

    def is_current(self) -> bool:
        """Tell whether the file says what it should."""
        return self.path.is_file() and self.path.read_text(encoding="utf-8") == self.text

    def difference(self) -> str:
        """Return what would change, as a unified diff; empty for nothing."""
        there = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        lines = difflib.unified_diff(
            there.splitlines(keepends=True),
            self.text.splitlines(keepends=True),
            f"{self.path} (there)",
            f"{self.path} (as the models are)",
        )
        return "".join(lines)

    def write(self) -> None:
        """Write the file, and the folders that it stands in."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.text, encoding="utf-8")


def stubs_of(modules: Sequence[str], depth: int = 1, output: Path | None = None) -> Iterator[Stub]:
    """Yield the stubs of modules of models, by their dotted names. All of them are imported first.

    `depth` is how many relations a lookup's path follows. The stub stands beside its module; with `output` it
    stands there: a file that ends in `.pyi` for one module, else a folder of packages.
    Raises ImproperlyConfigured for a module that can't be imported or has no source.
    """
    if output is not None and output.suffix == ".pyi" and len(modules) > 1:
        raise ImproperlyConfigured(f"{output} can hold the stub of one module. For several, give a folder.")
    if depth < 0:
        raise ImproperlyConfigured("--depth is how many relations a path follows: 0 or more.")
    found = [_imported(name) for name in modules]
    width = _width()
    for name, module in zip(modules, found, strict=True):
        source = Path(module.__file__)
        text = ModuleStub(module, source.read_text(encoding="utf-8"), depth, width).text()
        yield Stub(name, _place(name, source, output), text)


def _imported(name: str) -> Any:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ImproperlyConfigured(f"There is no module {name!r} to be found from {Path.cwd()}.") from error
    if not str(getattr(module, "__file__", None)).endswith(".py"):
        raise ImproperlyConfigured(f"The module {name!r} has no source to make a stub of.")
    return module


def _place(name: str, source: Path, output: Path | None) -> Path:
    if output is None:
        return source.with_suffix(".pyi")
    if output.suffix == ".pyi":
        return output
    folder = output.joinpath(*name.split("."))
    return folder / "__init__.pyi" if source.name == "__init__.py" else folder.with_suffix(".pyi")


def _width() -> int:
    """Return how long lines may be: what pyproject.toml tells ruff."""
    import tomllib

    path = Path("pyproject.toml")
    if not path.is_file():
        return WIDTH
    ruff: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("ruff", {})
    return int(ruff.get("line-length", WIDTH))
