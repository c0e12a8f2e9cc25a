"""How a page shows statements: values in their places, names without quotes, all columns of a table as `table.*`.

The statements themselves have placeholders, quoted names, and every column.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

WIDTH = 100
_LITERAL_OR_PLACE = re.compile(r"'(?:[^']|'')*'|(\?)")
_LITERAL_OR_NAME = re.compile(r"'(?:[^']|'')*'|\"(\w+)\"")
_CLAUSE = re.compile(
    r"(?<!LEFT) (?=(?:FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|UNION(?: ALL)?|INTERSECT|EXCEPT|VALUES|RETURNING|SET"
    r"|(?:LEFT )?JOIN)\b)"
)
_PLACES = re.compile(r"(?<=,) | (?=(?:AND|OR|WHEN|ELSE|ON)\b)")


def pretty(queries: Iterable[Any]) -> str:
    """Return captured statements, each ended by a semicolon where there are several."""
    texts = [_statement(query.sql, query.params) for query in queries]
    return ";\n".join(texts) + (";" if len(texts) > 1 else "")


def _statement(sql: str, params: Any) -> str:
    more = ""
    if isinstance(params, list) and params and isinstance(params[0], (tuple, list)):
        if len(params) > 1:
            more = f"  -- and {len(params) - 1} more rows"
        params = params[0]
    flat = _LITERAL_OR_NAME.sub(lambda found: found[1] or found[0], " ".join(sql.split()))
    flat = _starred(flat).replace("INNER JOIN", "JOIN").replace("LEFT OUTER JOIN", "LEFT JOIN")
    return "\n".join(_lines(_filled(flat, params), 0)) + more


def _filled(sql: str, params: Sequence[Any]) -> str:
    values = iter(params)
    return _LITERAL_OR_PLACE.sub(lambda found: _literal(next(values)) if found[1] else found[0], sql)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (bool, int, float)):
        return str(int(value) if isinstance(value, bool) else value)
    if isinstance(value, (bytes, memoryview)):
        return f"X'{bytes(value).hex()}'"
    return "'" + str(value).replace("'", "''") + "'"


def _starred(sql: str) -> str:
    """Shorten the columns of a whole table, which stand one behind the other."""
    from ormolu import Model

    tables = {table.name: table for table in Model.metadata.tables.values()}
    for name, alias in set(re.findall(r"(?:FROM|JOIN|INTO|UPDATE|,) (\w+)(?: AS (\w+))?", sql)):
        if name in tables and len(tables[name].columns) > 2:
            alias = alias or name
            columns = (rf"{alias}\.{column.name}(?: AS \w+)?" for column in tables[name].columns)
            sql = re.sub(rf"(?<![\w.]){', '.join(columns)}(?![\w.])", f"{alias}.*", sql)
    return sql


def _lines(sql: str, indent: int) -> Iterator[str]:
    """Break a statement before its clauses, and those at their subqueries, then between items."""
    if indent + len(sql) <= WIDTH:
        yield " " * indent + sql
        return
    for clause in _split(sql, _CLAUSE):
        deeper = indent + (4 if clause.startswith(("JOIN", "LEFT JOIN")) else 0)
        yield from _clause(clause, deeper)


def _clause(clause: str, indent: int) -> Iterator[str]:
    if indent + len(clause) <= WIDTH:
        yield " " * indent + clause
        return
    inner = _subquery(clause)
    if inner is not None:
        start, end = inner
        yield from _clause(clause[:start], indent)
        yield from _lines(clause[start:end], indent + 4)
        yield from _clause(clause[end:], indent)
        return
    line = " " * indent
    items = _split(clause, _PLACES)
    for item in chain.from_iterable(item.split(" ") if len(item) > WIDTH else [item] for item in items):
        if line.strip() and len(line) + 1 + len(item) > WIDTH:
            yield line
            line = " " * (indent + 4)
        line += (" " if line.strip() else "") + item
    yield line


def _subquery(text: str) -> tuple[int, int] | None:
    """Find the inside of the first parentheses with a query in them."""
    found = re.search(r"\((?=SELECT\b|WITH\b)", text)
    if found is None:
        return None
    depth = 0
    for place in range(found.start(), len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return found.end(), place
    return None


def _split(text: str, pattern: re.Pattern[str]) -> list[str]:
    """Split outside of parentheses."""
    parts, last = [], 0
    for found in pattern.finditer(text):
        before = text[last : found.start()]
        whole = text[: found.start()]
        if whole.count("(") == whole.count(")") and before:
            parts.append(before)
            last = found.end()
    return [*parts, text[last:]]
