"""What a pool is doing, in figures: for a look, a metrics endpoint, a health route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from ormolu.databases import ambient

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["PoolStats", "async_stats", "sync_stats"]


class PoolStats(TypedDict):
    """The figures of one pool."""

    alias: str
    vendor: str
    open: bool
    """Whether the pool was used since the database was configured, or closed."""
    min_size: int
    """MIN_POOL_SIZE."""
    max_size: int
    """The most connections at once; -1 for no limit."""
    pool_size: int
    """Connections that there are, used and idle."""
    pool_available: int
    """Those of them that are idle."""
    in_use: int
    """Those of them that somebody uses."""
    requests_waiting: int
    """Threads, or tasks, that wait for one."""


def sync_stats(database: Database, engine: Any, driver: Any) -> PoolStats:
    """Return the figures of a database's synchronous pool."""
    pool = None if engine is None else engine.pool
    return _stats(database, pool, len(driver._idle) if driver is not None else 0, 0)


def async_stats(database: Database, adriver: Any) -> PoolStats:
    """Return the figures of the running event loop's pool. On SQLite the workers are the connections."""
    if adriver is None:
        return _stats(database, None, 0, 0)
    if not adriver.pooled:
        waiting = len(getattr(adriver, "_waiters", ()))
        return _stats(database, getattr(adriver, "pool", None), adriver.resting(), waiting)
    pool = adriver.pools.get(ambient.running_loop())
    if pool is None:
        return _stats(database, None, 0, 0)
    return _stats(database, pool.pool, len(pool.idle), len(pool.waiters))


def _stats(database: Database, pool: Any, at_hand: int, waiting: int) -> PoolStats:
    """Put the figures together. What a driver keeps at hand is checked out, as the pool counts."""
    taken = getattr(pool, "checkedout", int)()
    resting = getattr(pool, "checkedin", int)()
    idle = min(at_hand, taken)
    return {
        "alias": database.alias,
        "vendor": database.vendor,
        "open": pool is not None,
        "min_size": database.config.pool.least,
        "max_size": database.config.pool.limit,
        "pool_size": taken + resting,
        "pool_available": idle + resting,
        "in_use": taken - idle,
        "requests_waiting": waiting + getattr(pool, "waiting", 0),
    }
