"""The constraints and indexes that a table has in the database, in one form for all of them."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

__all__ = ["Details", "constraints_of"]

Details = dict[str, Any]

_PLAIN_INDEX = "idx"

_UNIQUE = re.compile(r'CONSTRAINT\s+("[^"]+"|\w+)\s+UNIQUE\s*\(([^()]*)\)', re.IGNORECASE)

_PG_CONSTRAINTS = """
SELECT c.conname, c.contype,
       ARRAY(SELECT a.attname FROM unnest(c.conkey) WITH ORDINALITY AS k(number, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.place) AS columns,
       other.relname,
       (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.confrelid AND a.attnum = c.confkey[1]),
       t.reloptions
FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid
LEFT JOIN pg_class other ON other.oid = c.confrelid
WHERE c.conrelid = CAST(:name AS regclass) AND c.contype IN ('p', 'u', 'f', 'c', 'x')
"""

_MYSQL_INDEXES = """
SELECT index_name, column_name, collation, non_unique FROM information_schema.statistics
WHERE table_name = :name AND table_schema = COALESCE(:schema, DATABASE()) AND index_name <> 'PRIMARY'
ORDER BY index_name, seq_in_index
"""

_PG_INDEXES = """
SELECT i.relname, x.indisunique, x.indisprimary, am.amname, i.reloptions, pg_get_indexdef(i.oid),
       ARRAY(SELECT a.attname FROM unnest(x.indkey::int[]) WITH ORDINALITY AS k(number, place)
             JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number ORDER BY k.place) AS columns,
       ARRAY(SELECT CASE o.bits & 1 WHEN 1 THEN 'DESC' ELSE 'ASC' END
             FROM unnest(x.indoption::int[]) WITH ORDINALITY AS o(bits, place) ORDER BY o.place) AS orders
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_am am ON am.oid = i.relam
WHERE x.indrelid = CAST(:name AS regclass)
"""


def constraints_of(conn: sa.Connection, inspector: Any, table: str, schema: str | None) -> dict[str, Details]:
    """Return a table's constraints and indexes by name."""
    if conn.dialect.name == "postgresql":
        return _on_postgresql(conn, table, schema)
    found = _common(inspector, table, schema)
    if conn.dialect.name == "sqlite":
        found.update(_sqlite_indexes(conn, table))
        return found
    for one in inspector.get_unique_constraints(table, schema=schema):
        found[str(one["name"])] = details(list(one["column_names"]), unique=True)
    return {**_mysql_indexes(conn, table, schema), **found}


def details(columns: list[str], **what: Any) -> Details:
    """Return the details of a constraint or index; `what` says which it is."""
    plain: Details = {
        "columns": columns,
        "primary_key": False,
        "unique": False,
        "foreign_key": None,
        "check": False,
        "index": False,
    }
    return {**plain, **what}


def _common(inspector: Any, table: str, schema: str | None) -> dict[str, Details]:
    found: dict[str, Details] = {}
    key = inspector.get_pk_constraint(table, schema=schema)
    if key["constrained_columns"]:
        found[key["name"] or "__primary__"] = details(
            list(key["constrained_columns"]), primary_key=True, unique=True
        )
    for number, one in enumerate(inspector.get_foreign_keys(table, schema=schema)):
        target = (one["referred_table"], one["referred_columns"][0])
        name = one["name"] or f"__unnamed_key_{number}__"
        found[name] = details(list(one["constrained_columns"]), foreign_key=target)
    names = [column["name"] for column in inspector.get_columns(table, schema=schema)]
    for number, one in enumerate(inspector.get_check_constraints(table, schema=schema)):
        columns = _named_in(one["sqltext"], names)
        found[one["name"] or f"__unnamed_check_{number}__"] = details(columns, check=True)
    return found


def _named_in(text: str, names: list[str]) -> list[str]:
    """Return which columns occur in a condition, outside of its texts."""
    bare = re.sub(r"'(?:[^']|'')*'", "''", text)
    words = {word.lower() for word in re.findall(r"\w+", bare)}
    return [name for name in names if name.lower() in words]


def _sqlite_indexes(conn: sa.Connection, table: str) -> dict[str, Details]:
    """Return the indexes, and the UNIQUE constraints, which SQLite knows as indexes without a name of their own."""
    found: dict[str, Details] = {}
    quote = conn.dialect.identifier_preparer.quote
    given = _names_of_uniques(conn, table)
    for row in conn.exec_driver_sql(f"PRAGMA index_list({quote(table)})").all():
        name, unique, origin = str(row[1]), row[2], row[3]
        parts = conn.exec_driver_sql(f"PRAGMA index_xinfo({quote(name)})").all()
        keys = [part for part in parts if part[5]]
        columns = [part[2] for part in keys if part[2] is not None]
        if origin == "u":
            found[given.get(tuple(columns), name)] = details(columns, unique=True)
        elif origin == "c":
            orders = ["DESC" if part[3] else "ASC" for part in keys]
            found[name] = details(columns, unique=bool(unique), index=True, orders=orders, type=_PLAIN_INDEX)
    return found


def _names_of_uniques(conn: sa.Connection, table: str) -> dict[tuple[str, ...], str]:
    """Return the names of UNIQUE constraints by their columns, from the text of CREATE TABLE."""
    sql = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    text = conn.execute(sql, {"name": table}).scalar() or ""
    return {
        tuple(_bare(column) for column in columns.split(",")): _bare(name)
        for name, columns in _UNIQUE.findall(text)
    }


def _bare(identifier: str) -> str:
    return identifier.strip().strip('"`[]')


def _mysql_indexes(conn: sa.Connection, table: str, schema: str | None) -> dict[str, Details]:
    found: dict[str, Details] = {}
    where = {"name": table, "schema": schema}
    for name, column, order, plain in conn.execute(sa.text(_MYSQL_INDEXES), where):
        one = found.setdefault(name, details([], unique=not plain, index=True, orders=[], type=_PLAIN_INDEX))
        one["columns"] += [] if column is None else [column]
        one["orders"].append("DESC" if order == "D" else "ASC")
    return found


def _on_postgresql(conn: sa.Connection, table: str, schema: str | None) -> dict[str, Details]:
    quote = conn.dialect.identifier_preparer.quote
    name = {"name": ".".join(quote(part) for part in (schema, table) if part)}
    found: dict[str, Details] = {}
    for label, kind, columns, other, other_column, options in conn.execute(sa.text(_PG_CONSTRAINTS), name):
        kind = kind.decode() if isinstance(kind, bytes) else kind
        found[label] = details(
            list(columns),
            primary_key=kind == "p",
            unique=kind in ("p", "u"),
            foreign_key=(other, other_column) if kind == "f" else None,
            check=kind == "c",
            definition=None,
            options=options,
        )
    for label, unique, primary, method, options, text, columns, orders in conn.execute(
        sa.text(_PG_INDEXES), name
    ):
        if label in found:
            continue
        basic = method == "btree" and not label.endswith("_btree") and options is None
        found[label] = details(
            list(columns),
            primary_key=primary,
            unique=unique,
            index=True,
            orders=list(orders) if method == "btree" else [],
            type=_PLAIN_INDEX if basic else method,
            definition=text,
            options=options,
        )
    return found
