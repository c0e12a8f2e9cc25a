"""What can be said of an array that is stored as JSON text: on SQLite, MariaDB and MySQL.

On SQLite by `json_tree()`, whose rows are the items, those of nested arrays included.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.exceptions import NotSupportedError

__all__ = ["condition", "item", "length", "part"]


def condition(builder: Any, lookup: str, left: Any, right: Any) -> Any:
    """Return the condition of contains, contained_by or overlap."""
    if lookup == "contained_by":
        lookup, left, right = "contains", right, left
    if builder.vendor == "mysql":
        name = "JSON_CONTAINS" if lookup == "contains" else "JSON_OVERLAPS"
        return getattr(sa.func, name)(left, right) == 1
    refuse(builder, lookup)
    if lookup == "overlap":
        pieces = ["EXISTS (SELECT 1 FROM json_tree(", ") AS l, json_tree(", ") AS r WHERE l.atom = r.atom)"]
        return Template("overlap", pieces, [left, right], sa.Boolean())
    pieces = [
        "(", " IS NOT NULL AND ", " IS NOT NULL AND NOT EXISTS (SELECT 1 FROM json_tree(",
        ") AS r WHERE r.type <> 'array' AND "
        "(r.atom IS NULL OR r.atom NOT IN (SELECT l.atom FROM json_tree(",
        ") AS l WHERE l.atom IS NOT NULL))))",
    ]  # fmt: skip
    return Template("contains", pieces, [left, right, right, left], sa.Boolean())


def length(builder: Any, element: Any) -> Any:
    """Return the number of items."""
    return sa.func.json_length(element) if builder.vendor == "mysql" else sa.func.json_array_length(element)


def item(builder: Any, element: Any, index: int, type_: Any) -> Any:
    """Return one item, counted from 0: a number or text as the column of its type would have it."""
    call = (
        ("JSON_UNQUOTE(NULLIF(JSON_EXTRACT(", f", '$[{index}]'), 'null'))")
        if builder.vendor == "mysql"
        else ("json_extract(", f", '$[{index}]')")
    )
    return Template("item", call, [element], type_)


def part(builder: Any, element: Any, start: int, stop: int | None, type_: Any) -> Any:
    """Return the items from `start` to before `stop`, counted from 0."""
    refuse(builder, "slices")
    end = "" if stop is None else f" AND key < {stop}"
    pieces = [
        "(CASE WHEN ",
        " IS NOT NULL THEN (SELECT json_group_array(CASE WHEN type IN ('array', 'object') THEN json(value) "
        "WHEN type IN ('true', 'false') THEN json(type) ELSE value END) FROM json_each(",
        f") WHERE key >= {start}{end}) END)",
    ]
    return Template("slice", pieces, [element, element], type_)


def refuse(builder: Any, what: str) -> None:
    """Raise NotSupportedError where arrays are JSON text that the database can't look into this way."""
    if builder.vendor != "sqlite" and not getattr(builder.driver, "checking", False):
        raise NotSupportedError(f"{what} of an ArrayField needs PostgreSQL or SQLite.")
