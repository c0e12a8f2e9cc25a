"""Migration files, written: Python source that makes the operations again."""

from __future__ import annotations

import datetime
import enum
import importlib
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from types import BuiltinFunctionType, FunctionType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ormolu import __version__
from ormolu.migrations.states import CreateModel, MigrationError

__all__ = ["source_of", "text_of"]


def source_of(
    operations: Sequence[CreateModel], dependencies: Iterable[tuple[str, str]], initial: bool
) -> str:
    """Return the source of a migration file."""
    imports: set[str] = {"ormolu"}
    body = "".join(_operation(operation, imports) for operation in operations)
    lines = sorted(f"import {name}" for name in imports)
    needs = "".join(f"        {text_of(tuple(one), imports)},\n" for one in sorted(dependencies))
    named = ", ".join(operation.name for operation in operations)
    return (
        f'"""{named}. Written by ormolu {__version__}."""\n\n'
        + "\n".join(lines)
        + "\n\nfrom ormolu import migrations\n\n\nclass Migration(migrations.Migration):\n"
        + ("    initial = True\n" if initial else "")
        + (f"    dependencies = [\n{needs}    ]\n" if needs else "    dependencies = []\n")
        + f"    operations = [\n{body}    ]\n"
    )


def _operation(operation: CreateModel, imports: set[str]) -> str:
    space = " " * 12
    fields = "".join(
        f"{space}    ({name!r}, {_made(field.deconstruct()[1:], imports)}),\n"
        for name, field in operation.fields
    )
    options = "".join(
        f"{space}    {name!r}: {text_of(value, imports)},\n" for name, value in operation.options.items()
    )
    parts = [f"{space}name={operation.name!r},\n", f"{space}fields=[\n{fields}{space}],\n"]
    if options:
        parts.append(f"{space}options={{\n{options}{space}}},\n")
    if operation.bases:
        parts.append(f"{space}bases={operation.bases!r},\n")
    return f"        migrations.CreateModel(\n{''.join(parts)}        ),\n"


def text_of(value: Any, imports: set[str]) -> str:
    """Return the source of a value, and add the modules that it needs. Raises MigrationError for what has none."""
    if isinstance(value, enum.Enum):
        return f"{_path(type(value), imports)}[{value.name!r}]"
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return repr(str(value) if isinstance(value, str) else value)
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else f"float({str(value)!r})"
    if isinstance(
        value, (datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone)
    ):
        imports.add("datetime")
        if isinstance(getattr(value, "tzinfo", None), ZoneInfo):
            imports.add("zoneinfo")
        return repr(value)
    if isinstance(value, ZoneInfo) and value.key:
        imports.add("zoneinfo")
        return repr(value)
    if isinstance(value, Decimal):
        imports.add("decimal")
        return f"decimal.{value!r}"
    if isinstance(value, UUID):
        imports.add("uuid")
        return f"uuid.{value!r}"
    if isinstance(value, re.Pattern):
        imports.add("re")
        pattern: re.Pattern[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return f"re.compile({pattern.pattern!r}, {int(pattern.flags)})"
    items: Any = value
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{text_of(k, imports)}: {text_of(v, imports)}" for k, v in items.items()) + "}"
        )
    if isinstance(value, (list, tuple, set, frozenset)):
        return _several(items, imports)
    if isinstance(value, (type, FunctionType, BuiltinFunctionType)):
        return _path(value, imports)
    if hasattr(value, "deconstruct"):
        parts: Any = items.deconstruct()[-3:]
        module, _, name = parts[0].rpartition(".")
        if getattr(importlib.import_module(module), name, None) is value:  # CASCADE and its kin
            imports.add(module)
            return str(parts[0])
        return _made(parts, imports)
    if isinstance(value, sa.Column):
        raise MigrationError(
            f"The column {value.name!r} was declared with mapped_column(), and migrations write fields only. Declare a "
            "field (CharField(...)), or leave the tables of this application to Alembic, or to create_tables()."
        )
    raise MigrationError(f"{value!r} can't be written into a migration: it is a {type(value).__qualname__}.")


def _several(value: Any, imports: set[str]) -> str:
    texts = [text_of(item, imports) for item in value]
    if isinstance(value, (set, frozenset)):
        texts.sort()  # they have no order of their own that two runs agree on
    inner = ", ".join(texts)
    if isinstance(value, list):
        return f"[{inner}]"
    if isinstance(value, tuple):
        return f"({inner},)" if len(value) == 1 else f"({inner})"  # pyright: ignore[reportUnknownArgumentType]
    name = "frozenset" if isinstance(value, frozenset) else "set"
    return f"{name}([{inner}])"


def _made(parts: Any, imports: set[str]) -> str:
    """Return the call that makes an object of (path, args, kwargs)."""
    path, args, kwargs = parts
    module, _, _name = str(path).rpartition(".")
    imports.add(module)
    given = [*(text_of(arg, imports) for arg in args)]
    given += [f"{name}={text_of(value, imports)}" for name, value in kwargs.items()]
    return f"{path}({', '.join(given)})"


def _path(value: Any, imports: set[str]) -> str:
    """Return the path of a class or function. Raises MigrationError for one that a file can't name."""
    module, name = value.__module__, value.__qualname__
    if "<" in name:
        raise MigrationError(
            f"{name} of {module} can't be written into a migration: only what stands in a module by a name can be "
            "imported again. Give it a name there."
        )
    if module == "builtins":
        return str(name)
    imports.add(module)
    return f"{module}.{name}"
