"""Lines of a stub, laid out as `ruff format` would."""

from __future__ import annotations

from collections.abc import Iterable

INDENT = "    "


def function(
    name: str,
    parameters: Iterable[str],
    result: str,
    width: int,
    *,
    is_async: bool = False,
    ignore: str = "",
) -> list[str]:
    """Return a method without a body; `ignore` is a comment behind its first line."""
    word = "async def" if is_async else "def"
    every = ["self", *parameters]
    comment = f"  {ignore}" if ignore else ""
    line = f"{INDENT}{word} {name}({', '.join(every)}) -> {result}: ..."
    if len(line) + len(comment) <= width:
        return [f"{line}{comment}"]
    inside = [f"{INDENT * 2}{parameter}," for parameter in every]
    return [f"{INDENT}{word} {name}({comment}", *inside, f"{INDENT}) -> {result}: ..."]


def typed_dict(name: str, base: str, items: dict[str, str], width: int) -> list[str]:
    """Return a TypedDict of keywords that may all be left out."""
    lines = [f"class {name}({base}, total=False):"]
    for key, type_ in items.items():
        line = f"{INDENT}{key}: {type_}"
        if len(line) > width and "[" in type_:
            outer, _, inner = type_.partition("[")
            lines += [f"{INDENT}{key}: {outer}[", f"{INDENT * 2}{inner[:-1]}", f"{INDENT}]"]
        else:
            lines.append(line)
    return lines


def imported(module: str, names: list[str], width: int) -> list[str]:
    """Return an import of names from a module."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= width:
        return [line]
    return [f"from {module} import (", *(f"{INDENT}{name}," for name in names), ")"]


def literal(name: str, alias: str, word: str, values: Iterable[str]) -> list[str]:
    """Return an alias for one of several texts, each on a line."""
    return [f"{name}: {alias} = {word}[", *(f'{INDENT}"{value}",' for value in values), "]"]
