"""What is wrong with the pools of the default database, while nobody uses it."""

from __future__ import annotations

from typing import Any

from ormolu import databases


def pool_faults() -> list[str]:
    """Return what is not as it is when nobody uses the database: connections out, open, or waited for."""
    driver = databases.get().adriver
    if hasattr(driver, "pools"):
        return [fault for pool in driver.pools.values() for fault in loop_pool_faults(pool)]
    faults = []
    if driver._exclusive != len(driver._idle):
        faults.append(f"{driver._exclusive - len(driver._idle)} workers are out")
    if driver._waiters or driver._busy:
        faults.append("somebody waits")
    here = driver._here
    conns = [worker.conn for worker in (*driver._idle, *driver._crew) if worker.conn is not None]
    if here is not None and here.conn is not None:
        conns.append(here.conn)
    return faults + conn_faults(conns)


def loop_pool_faults(pool: Any) -> list[str]:
    """Return what is wrong with the pool of an event loop."""
    faults = conn_faults(pool.idle)
    if pool.waiters or pool.pool.waiting:
        faults.append("somebody waits")
    if pool.pool.checkedout() != len(pool.idle):
        faults.append(f"{pool.pool.checkedout()} connections are out, {len(pool.idle)} are at hand")
    return faults


def conn_faults(conns: list[Any]) -> list[str]:
    """Return what is wrong with connections that nobody uses."""
    return [
        f"{conn} at hand: blocks {conn.blocks}, dead {conn.is_dead}, hooks {conn.hooks}, {conn.ready}"
        for conn in conns
        if conn.is_dead or conn.blocks or conn.hooks or conn.ready or conn.attention or conn.in_transaction()
    ]
