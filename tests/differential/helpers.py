"""What questions may call. Each library runs this with its own `Model` and `atomic` in reach."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

Model: Any = globals().get("Model")
atomic: Any = globals().get("atomic")


def plain(value: Any) -> Any:
    """Return a result as data that doesn't tell which library gave it."""
    if isinstance(value, Model):
        related = {field.name for field in value._meta.get_fields() if field.is_relation}
        shown = {
            name: plain(held)
            for name, held in vars(value).items()
            if not name.startswith(("_", "got")) and name not in related
        }
        return (type(value).__name__, sorted(shown.items()))
    if isinstance(value, dict):
        return sorted(((name, plain(held)) for name, held in value.items()), key=repr)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return ("row", value._fields, [plain(part) for part in value])
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return f"float {value:.9g}" if value else "float 0"
    if isinstance(value, Decimal):
        # PostgreSQL's sums of large integers are decimals, which Django gives as they are.
        return f"decimal {value.normalize():.12g}" if value != value.to_integral_value() else int(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return repr(value) if not hasattr(value, "query") else [plain(part) for part in value]


def bag(rows: Any) -> list[Any]:
    """Return rows that have no order of their own."""
    return sorted((plain(row) for row in rows), key=repr)


def attempt(work: Any) -> Any:
    """Return what work gives, or the class of its error, after which nothing of it has happened."""
    try:
        with atomic():
            return plain(work())
    except Exception as error:
        mixed = re.search(r"mixed types: \w+, \w+", str(error))
        return f"raised {type(error).__name__} {mixed[0] + '.' if mixed else ''}"


def change(row: Any, **values: Any) -> Any:
    """Save a row with other values."""
    changed(row, **values).save()
    return row


def changed(row: Any, **values: Any) -> Any:
    """Return a row with other values."""
    for name, value in values.items():
        setattr(row, name, value)
    return row
