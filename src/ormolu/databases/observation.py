"""Seeing the statements: capture, signals, logging. Costs nothing while nobody looks.

`watch.on` says whether anybody looks. Drivers test it once for each program, and then put a watcher around
the connection. Statements are logged at DEBUG on the logger `ormolu.sql`, those slower than the setting
SLOW_QUERY_MS at WARNING on `ormolu.sql.slow`: all of them where that setting has a value of the program's own, else
those that are watched for some other reason. With DEBUG a database's `queries` has the last of them, as in Django.
A pool's beginning and end are INFO on `ormolu.pool`.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from ormolu.conf import settings
from ormolu.signals import pool_closed, pool_opened, post_query, pre_query

__all__ = [
    "CapturedQueries",
    "CapturedQuery",
    "capture_queries",
    "levels",
    "log",
    "note_pool",
    "queries_of",
    "reset_queries",
    "watch",
]

log = logging.getLogger("ormolu.sql")
slow_log = logging.getLogger("ormolu.sql.slow")
pool_log = logging.getLogger("ormolu.pool")

MOST_KEPT = 9_000
"""How many statements of each database are kept with DEBUG."""


class CapturedQuery:
    """One statement that ran. Attributes, and Django's dictionary form: `query["sql"]`, `query["time"]`."""

    __slots__ = ("alias", "params", "sql", "time")

    def __init__(self, sql: str, params: Any, time: float, alias: str) -> None:
        self.sql = sql
        self.params = params
        self.time = time
        self.alias = alias

    def __getitem__(self, name: str) -> Any:
        if name == "time":
            return f"{self.time:.3f}"
        if name in self.__slots__:
            return getattr(self, name)
        raise KeyError(name)

    def __repr__(self) -> str:
        return f"CapturedQuery({self.sql!r}, {self.params!r}, {self.time * 1000:.2f} ms, {self.alias!r})"


class CapturedQueries(list[CapturedQuery]):
    """The statements in the order in which they ran. `captured_queries` is the list itself, as in Django."""

    def __init__(self, alias: str | None) -> None:
        super().__init__()
        self.alias = alias

    @property
    def captured_queries(self) -> list[CapturedQuery]:
        """The statements; Django's name."""
        return self

    @property
    def sql(self) -> list[str]:
        """The statements' texts."""
        return [query.sql for query in self]


_captures: ContextVar[tuple[CapturedQueries, ...]] = ContextVar("ormolu_captures", default=())


class Watch:
    """Whether anybody looks."""

    __slots__ = ("captures", "debug", "on", "slow")

    def __init__(self) -> None:
        self.captures = 0
        self.debug = False
        self.slow = False
        self.on = False

    def look(self) -> None:
        """Find out again."""
        self.on = bool(
            self.captures or self.debug or self.slow or pre_query.receivers or post_query.receivers
        )

    def look_at_settings(self) -> None:
        """Find out whether the settings ask to look: DEBUG, and a SLOW_QUERY_MS of the program's own."""
        self.debug = bool(settings.DEBUG)
        self.slow = settings.is_overridden("SLOW_QUERY_MS")
        self.look()


# What `log.isEnabledFor()` remembers, and logging forgets when levels change. Asked first: a call costs more.
levels: dict[int, bool] = getattr(log, "_cache", {})

watch = Watch()
pre_query.watch(watch.look)
post_query.watch(watch.look)
watch.look()  # somebody may have been listening before this was imported


def _settings_changed() -> None:
    """Look again once a database is open; before that nothing shall be read."""
    from ormolu import databases

    if databases.opened():
        watch.look_at_settings()


settings.on_change(_settings_changed, "DEBUG", "SLOW_QUERY_MS")


_kept: dict[str, deque[CapturedQuery]] = {}


def queries_of(alias: str) -> list[CapturedQuery]:
    """Return the statements that were kept of a database, because of DEBUG."""
    return list(_kept.get(alias, ()))


def reset_queries() -> None:
    """Forget the statements that were kept because of DEBUG. Long-running programs with DEBUG call it now and then."""
    _kept.clear()


def note_pool(alias: str, vendor: str, is_async: bool, opened: bool) -> None:
    """Tell of a pool's beginning or end."""
    what = "opened" if opened else "closed"
    pool_log.info("The pool of %r (%s, %s) is %s.", alias, vendor, "async" if is_async else "sync", what)
    signal = pool_opened if opened else pool_closed
    if signal.receivers:
        signal.send(vendor, alias=alias, is_async=is_async)


@contextlib.contextmanager
def capture_queries(using: str | None = None) -> Generator[CapturedQueries, None, None]:
    """Collect the statements that run inside the `with` block, on one alias or on all of them.

    Belongs to the code that runs in the block, with the tasks and threads that it starts; works in async
    code. BEGIN, SAVEPOINT and their like are among the statements.
    """
    captured = CapturedQueries(using)
    token = _captures.set((*_captures.get(), captured))
    watch.captures += 1
    watch.look()
    try:
        yield captured
    finally:
        watch.captures -= 1
        watch.look()
        with contextlib.suppress(ValueError):  # left in another context, as async fixtures do
            _captures.reset(token)


class Watcher:
    """Tells those who look about the statements of one program, as its caller sees them."""

    __slots__ = ("alias", "captures", "vendor")

    def __init__(self, alias: str, vendor: str) -> None:
        self.alias = alias
        self.vendor = vendor
        self.captures = _captures.get()

    def before(self, sql: str, params: Any) -> float:
        """Announce a statement; return the time for `after`."""
        if pre_query.receivers:
            pre_query.send(self.vendor, sql=sql, params=params, alias=self.alias)
        return perf_counter()

    def after(self, sql: str, params: Any, started: float, error: BaseException | None) -> None:
        """Report how a statement ended."""
        took = perf_counter() - started
        for captured in self.captures:
            if captured.alias is None or captured.alias == self.alias:
                captured.append(CapturedQuery(sql, params, took, self.alias))
        if watch.debug:
            kept = _kept.get(self.alias)
            if kept is None:
                kept = _kept.setdefault(self.alias, deque(maxlen=MOST_KEPT))
            kept.append(CapturedQuery(sql, params, took, self.alias))
        if log.isEnabledFor(logging.DEBUG):
            log.debug("(%.3f) %s; args=%s; alias=%s", took, sql, params, self.alias)
        if took * 1000 >= settings.SLOW_QUERY_MS:
            slow_log.warning("(%.3f) %s; args=%s; alias=%s", took, sql, params, self.alias)
        if post_query.receivers:
            post_query.send(
                self.vendor, sql=sql, params=params, alias=self.alias, elapsed_ms=took * 1000, error=error
            )


class Watched:
    """A synchronous connection whose statements are reported; everything else goes straight through."""

    __slots__ = ("conn", "watcher")

    def __init__(self, conn: Any, watcher: Watcher) -> None:
        self.conn = conn
        self.watcher = watcher

    def report(self, method: Callable[[str, Any], Any], sql: str, params: Any) -> Any:
        started = self.watcher.before(sql, params)
        error: BaseException | None = None
        try:
            return method(sql, params)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self.watcher.after(sql, params, started, error)

    def fetch(self, sql: str, params: Any = ()) -> Any:
        return self.report(self.conn.fetch, sql, params)

    def fetch_many(self, requests: Sequence[tuple[str, Any]]) -> Any:
        return self.report_many(self.conn.fetch_many, requests)

    def report_many(self, method: Callable[[Any], Any], requests: Sequence[tuple[str, Any]]) -> Any:
        """Report statements that run together: each took as long as all."""
        started = [self.watcher.before(sql, params) for sql, params in requests]
        error: BaseException | None = None
        try:
            return method(requests)
        except BaseException as raised:
            error = raised
            raise
        finally:
            for (sql, params), begun in zip(requests, started):
                self.watcher.after(sql, params, begun, error)

    def fetch_named(self, sql: str, params: Any = ()) -> Any:
        return self.report(self.conn.fetch_named, sql, params)

    def execute(self, sql: str, params: Any = ()) -> Any:
        return self.report(self.conn.execute, sql, params)

    def insert(self, sql: str, params: Any = ()) -> Any:
        return self.report(self.conn.insert, sql, params)

    def executemany(self, sql: str, rows: Any) -> Any:
        return self.report(self.conn.executemany, sql, rows)

    def copy(self, target: Any, rows: Any) -> Any:
        return self.report(lambda _sql, params: self.conn.copy(target, params), target.sql, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.conn, name)


class AsyncWatched(Watched):
    """The same for an asynchronous connection."""

    __slots__ = ()

    async def report(self, method: Callable[[str, Any], Any], sql: str, params: Any) -> Any:
        started = self.watcher.before(sql, params)
        error: BaseException | None = None
        try:
            return await method(sql, params)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self.watcher.after(sql, params, started, error)

    async def report_many(self, method: Callable[[Any], Any], requests: Sequence[tuple[str, Any]]) -> Any:
        """Report statements that run together: each took as long as all."""
        started = [self.watcher.before(sql, params) for sql, params in requests]
        error: BaseException | None = None
        try:
            return await method(requests)
        except BaseException as raised:
            error = raised
            raise
        finally:
            for (sql, params), begun in zip(requests, started):
                self.watcher.after(sql, params, begun, error)
