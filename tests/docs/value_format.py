"""How a page shows values: as a notebook does."""

import pprint
from typing import Any

WIDTH = 100


def pretty(value: Any) -> str:
    """Return a value's repr, on several lines where one is too short."""
    flat = repr(value)
    if len(flat) <= WIDTH or isinstance(value, str):
        return flat
    if isinstance(value, list):
        return "[\n" + "".join(f"    {_inner(item)},\n" for item in value) + "]"
    if isinstance(value, dict):
        return "{\n" + "".join(f"    {key!r}: {_inner(item)},\n" for key, item in value.items()) + "}"
    return pprint.pformat(value, width=WIDTH, sort_dicts=False)


def _inner(item: Any) -> str:
    return pprint.pformat(item, width=WIDTH - 4, sort_dicts=False).replace("\n", "\n    ")


def error(error: BaseException) -> str:
    """Return an error as the last lines of a traceback have it, broken between words."""
    cls = type(error)
    name = (
        cls.__qualname__ if cls.__module__ in ("builtins", "page") else f"{cls.__module__}.{cls.__qualname__}"
    )
    lines = [""]
    for word in f"{name}: {error}".split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append(word)
        else:
            lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)
