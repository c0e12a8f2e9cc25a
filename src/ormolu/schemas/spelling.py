"""Python source of types, values and calls, laid out as formatters would; and the imports that it needs."""

from __future__ import annotations

import builtins
import datetime as dt
import decimal
import enum
import sys
import types
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, ForwardRef, Literal, Union, get_args, get_origin

from typing_extensions import TypeAliasType

__all__ = ["WIDTH", "Group", "Imports", "laid_out", "quoted"]

WIDTH = 88
"""Columns of a line: what formatters allow unless they are told otherwise."""


@dataclass(frozen=True)
class Group:
    """A call, a subscript or a list: what opens it, its items, what closes it."""

    opening: str
    items: tuple[Any, ...]
    closing: str

    def __str__(self) -> str:
        return f"{self.opening}{', '.join(map(str, self.items))}{self.closing}"


def laid_out(text: Any, indent: int, before: str = "") -> str:
    """Return source in one line after `before`, or in several where that is too long for one."""
    flat = f"{before}{text}"
    if not isinstance(text, Group) or indent + len(flat) <= WIDTH:
        return flat
    lines = [f"{before}{text.opening}"]
    inner = indent + 4
    lines += [f"{' ' * inner}{laid_out(item, inner)}," for item in text.items]
    lines.append(f"{' ' * indent}{text.closing}")
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return a text as source, in the quotes that need fewest escapes."""
    if "\\" in text and '"' not in text and text.isprintable() and not text.endswith("\\"):
        return f'r"{text}"'
    single = repr(text)
    if single.startswith("'") and '"' not in text:
        return '"' + single[1:-1].replace("\\'", "'") + '"'
    return single


class Imports:
    """The imports of a module. A name that a field of a schema has, too, comes by another one."""

    def __init__(self, taken: Collection[str]) -> None:
        self.taken = frozenset(taken)
        self.modules: dict[str, str] = {}
        self.names: dict[tuple[str, str], str] = {}

    def module(self, module: str, alias: str) -> str:
        """Return what a module is called."""
        called = f"_{alias}" if alias in self.taken else alias
        return self.modules.setdefault(module, called)

    def name(self, module: str, name: str) -> str:
        """Return what a name of a module is called."""
        if module == "builtins" and name not in self.taken:
            return name
        top, dot, rest = name.partition(".")
        used = {called for key, called in self.names.items() if key != (module, top)}
        called = top
        while called in self.taken or called in used:
            called = f"_{called}"
        return self.names.setdefault((module, top), called) + dot + rest

    def lines(self, own: Iterable[str]) -> list[str]:
        """Return the import statements: of the standard library, of others, of the packages in `own`."""
        tops = {name.partition(".")[0] for name in own}
        groups: tuple[list[str], ...] = ([], [], [])

        def group(module: str) -> list[str]:
            top = module.partition(".")[0]
            return groups[2 if top in tops else 0 if top in sys.stdlib_module_names else 1]

        for module, alias in sorted(self.modules.items()):
            group(module).append(f"import {module}" + (f" as {alias}" if alias != module else ""))
        by_module: dict[str, list[str]] = {}
        for (module, name), alias in self.names.items():
            by_module.setdefault(module, []).append(name if alias == name else f"{name} as {alias}")
        for module, names in sorted(by_module.items()):
            ordered = tuple(sorted(names, key=sorting))
            line = f"from {module} import {', '.join(ordered)}"
            if len(line) > WIDTH:
                line = laid_out(Group("(", ordered, ")"), WIDTH, f"from {module} import ").replace(
                    " " * (WIDTH + 4), "    "
                )
                line = line.replace(" " * WIDTH + ")", ")")
            group(module).append(line)
        blocks = ["\n".join(block) for block in groups if block]
        return "\n\n".join(blocks).split("\n")

    # Types

    def type(self, type_: Any) -> Any:
        """Return the source of a type."""
        if type_ is None or type_ is type(None):
            return "None"
        if type_ is Any:
            return self.name("typing", "Any")
        if isinstance(type_, ForwardRef):
            return quoted(type_.__forward_arg__)
        if isinstance(type_, TypeAliasType):
            return self.name(str(type_.__module__), type_.__name__)
        alias = known_alias(type_)
        if alias is not None:
            return self.name(*alias)
        origin, args = get_origin(type_), get_args(type_)
        if origin in (Union, types.UnionType):
            return " | ".join(str(self.type(one)) for one in args)
        if origin is Literal:
            return Group(f"{self.name('typing', 'Literal')}[", tuple(self.value(one) for one in args), "]")
        if origin is Annotated:
            return self.annotated(args)
        if origin is not None:
            parts = tuple("..." if one is Ellipsis else self.type(one) for one in args)
            return Group(f"{self.type(origin)}[", parts, "]")
        return self.reference(type_)

    def annotated(self, args: tuple[Any, ...]) -> Any:
        """Return the source of a type with annotations, of those that can be written."""
        from ormolu.schemas.types import RangeOf

        for extra in args[1:]:
            if isinstance(extra, RangeOf):
                end = self.type(extra.end)
                bounds = () if extra.bounds == "[)" else (quoted(extra.bounds),)
                made = Group(f"{self.name('ormolu.schemas.types', 'RangeOf')}(", (end, *bounds), ")")
                name = self.name("typing", "Annotated")
                return Group(
                    f"{name}[", (f"{self.name('sqlalchemy.dialects.postgresql', 'Range')}[{end}]", made), "]"
                )
        return self.type(args[0])

    def reference(self, item: Any) -> str:
        """Return the source of a class or function, which is imported."""
        if item.__module__ == "datetime":
            return f"{self.module('datetime', 'dt')}.{item.__qualname__}"
        return self.name(item.__module__, item.__qualname__)

    # Values

    def value(self, value: Any) -> str | None:
        """Return the source of a value, None where it has none."""
        if isinstance(value, enum.Enum):
            return f"{self.reference(type(value))}.{value.name}"
        if isinstance(value, str):
            return quoted(value)
        if value is None or isinstance(value, (bool, int, bytes)):
            return repr(value)
        if isinstance(value, float):
            return repr(value) if value - value == 0 else None
        if isinstance(value, decimal.Decimal):
            return f'{self.reference(decimal.Decimal)}("{value}")'
        if isinstance(value, uuid.UUID):
            return f'{self.reference(uuid.UUID)}("{value}")'
        if isinstance(value, (dt.date, dt.time, dt.timedelta)) and getattr(value, "tzinfo", None) is None:
            return repr(value).replace("datetime.", f"{self.module('datetime', 'dt')}.", 1)
        return None

    def function(self, function: Any) -> str | None:
        """Return the source of a function or class that can be imported, None for any other."""
        name, module = getattr(function, "__qualname__", None), getattr(function, "__module__", None)
        if not isinstance(name, str) or not isinstance(module, str) or "<" in name:
            return None
        try:
            found: Any = builtins if module == "builtins" else import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError):
            return None
        return self.reference(function) if found is function or found == function else None


def sorting(name: str) -> tuple[int, str]:
    """Return where a name comes among those of one import: constants, classes, the rest."""
    plain = name.partition(" ")[0]
    return (0 if plain.isupper() and len(plain) > 1 else 1 if plain[:1].isupper() else 2), plain


def known_alias(type_: Any) -> tuple[str, str] | None:
    """Return where a type stands that this library has a name for."""
    from ormolu.schemas.types import Base64

    return ("ormolu.schemas.types", "Base64") if type_ is Base64 else None
