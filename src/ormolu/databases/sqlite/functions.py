"""SQL functions that every SQLite connection gets.

Other layers add theirs with `add(name, number_of_arguments, function)`; connections made from then on have
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ormolu.databases.sqlite.arithmetic import add_duration, time_difference

__all__ = ["add", "add_hook", "register"]

_functions: dict[tuple[str, int], tuple[Callable[..., Any], bool]] = {}
_hooks: list[Callable[[Any], None]] = []


def add(name: str, arguments: int, function: Callable[..., Any], *, deterministic: bool = True) -> None:
    """Give every new connection the SQL function `name` with that many arguments (-1: any number)."""
    _functions[name, arguments] = (function, deterministic)


def add_hook(hook: Callable[[Any], None]) -> None:
    """Call `hook(connection)` with every new sqlite3 connection: for aggregates, collations and the like."""
    if hook not in _hooks:
        _hooks.append(hook)


def register(connection: Any) -> None:
    """Create the functions on a sqlite3 connection."""
    if _statistics not in _hooks:
        _load(connection)
    for (name, arguments), (function, deterministic) in _functions.items():
        connection.create_function(name, arguments, function, deterministic=deterministic)
    for hook in _hooks:
        hook(connection)


def register_over(dbapi_connection: Any) -> None:
    """Create the functions on SQLAlchemy's DBAPI connection: sqlite3's own, or the adapted one of aiosqlite."""
    if hasattr(dbapi_connection, "run_async"):
        in_its_thread(dbapi_connection, register)
    else:
        register(dbapi_connection)


def in_its_thread(adapted: Any, work: Callable[[Any], None]) -> None:
    """Call `work` with the sqlite3 connection under an aiosqlite one, whose own methods are coroutines."""

    def hop(driver: Any) -> Any:
        return driver._execute(work, driver._conn)

    adapted.run_async(hop)


def _load(connection: Any) -> None:
    """Take in the functions of the modules beside this one, when the first connection is made."""
    from ormolu.databases.sqlite import fts, moments, numbers, texts, vectors

    for (name, arguments), (function, deterministic) in moments.FUNCTIONS.items():
        _functions.setdefault((name, arguments), (function, deterministic))
    plain = {**texts.FUNCTIONS, **fts.FUNCTIONS, **vectors.FUNCTIONS}
    absent = numbers.missing(connection)
    plain.update({key: made for key, made in numbers.FUNCTIONS.items() if absent or key[0] in numbers.ALWAYS})
    for (name, arguments), function in plain.items():
        _functions.setdefault((name, arguments), (function, True))
    add_hook(_statistics)


def _statistics(connection: Any) -> None:
    """Create the aggregates; they serve as window functions as well."""
    from ormolu.databases.sqlite.numbers import STATISTICS

    if not hasattr(connection, "create_window_function"):
        return  # aiosqlite's connection
    for name, aggregate in STATISTICS.items():
        connection.create_window_function(name, 1, aggregate)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _regexp(pattern: Any, value: Any) -> bool | None:
    """Search for a pattern in a value: SQL's `value REGEXP pattern`. NULL if either is NULL."""
    if pattern is None or value is None:
        return None
    return _pattern(str(pattern)).search(str(value)) is not None


def _casefold(text: Any) -> Any:
    """Fold case by Unicode's rules; SQLite's own lower() knows ASCII only."""
    return text.casefold() if isinstance(text, str) else text


add("regexp", 2, _regexp)
add("ormolu_casefold", 1, _casefold)
add("ormolu_add_duration", 5, add_duration)
add("ormolu_time_difference", 2, time_difference)
