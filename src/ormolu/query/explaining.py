"""How each database is asked for its plan of a query.

Source: Django's documentation, ref/models/querysets, "explain()", and the databases' own.
"""

from __future__ import annotations

from typing import Any

__all__ = ["explain_prefix"]

POSTGRESQL = frozenset(
    {
        "ANALYZE", "BUFFERS", "COSTS", "GENERIC_PLAN", "MEMORY", "SERIALIZE", "SETTINGS", "SUMMARY", "TIMING",
        "VERBOSE", "WAL",
    }
)  # fmt: skip
FORMATS = {
    "postgresql": ("JSON", "TEXT", "XML", "YAML"),
    "mysql": ("JSON", "TEXT", "TRADITIONAL", "TREE"),
    "mariadb": ("JSON", "TEXT", "TRADITIONAL"),
}


def explain_prefix(driver: Any, format: str | None, options: dict[str, Any]) -> str:
    """Return what stands before a SELECT that is to be explained. Raises ValueError for an option that is not known."""
    kind = driver.vendor
    if kind == "mysql" and getattr(driver.dialect, "is_mariadb", False):
        kind = "mariadb"
    chosen = None if format is None else checked_format(kind, format)
    given = {name.upper(): value for name, value in options.items()}
    known = POSTGRESQL if kind == "postgresql" else {"ANALYZE"} if kind in FORMATS else frozenset[str]()
    unknown = [name for name in options if name.upper() not in known]
    if unknown:
        those = f"{kind} has {', '.join(sorted(known)).lower()}" if known else f"{kind} has none"
        raise ValueError(f"Unknown options: {', '.join(sorted(unknown))}; {those}.")
    if kind == "sqlite":
        return "EXPLAIN QUERY PLAN"
    if kind == "postgresql":
        return of_postgresql(chosen, given)
    return of_mysql(kind, chosen, bool(given.get("ANALYZE")))


def checked_format(kind: str, format: str) -> str:
    """Return a format in capitals."""
    formats = FORMATS.get(kind, ())
    if format.upper() in formats:
        return format.upper()
    allowed = f"Allowed formats: {', '.join(formats)}" if formats else f"{kind} does not support any formats"
    raise ValueError(f"{format} is not a recognized format. {allowed}.")


def of_postgresql(format: str | None, options: dict[str, Any]) -> str:
    """Return PostgreSQL's: all in parentheses."""
    parts: list[str] = []
    for name, value in options.items():
        if name == "SERIALIZE":
            if str(value).upper() not in ("TEXT", "BINARY", "NONE"):
                raise ValueError(f"serialize is TEXT, BINARY or NONE, not {value!r}.")
            parts.append(f"{name} {str(value).upper()}")
        else:
            parts.append(f"{name} {'true' if value else 'false'}")
    if format is not None:
        parts.append(f"FORMAT {format}")
    return f"EXPLAIN ({', '.join(parts)})" if parts else "EXPLAIN"


def of_mysql(kind: str, format: str | None, analyze: bool) -> str:
    """Return MySQL's or MariaDB's. Their TRADITIONAL format is the others' text."""
    words = ("ANALYZE" if kind == "mariadb" else "EXPLAIN ANALYZE") if analyze else "EXPLAIN"
    if format is None or (analyze and kind == "mysql"):
        return words
    return f"{words} FORMAT={'TRADITIONAL' if format == 'TEXT' else format}"
