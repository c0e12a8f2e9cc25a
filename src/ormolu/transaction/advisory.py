"""Advisory locks: for what a program wants done by one at a time, and no row stands for.

    with advisory_lock("nightly report"):
        ...

The database keeps the lock, so it holds between processes and machines, and it is gone when its holder's connection
is. Source: PostgreSQL's documentation, "Advisory Locks"; MariaDB's, "GET_LOCK".
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from ormolu import databases
from ormolu.databases.ambient import owner
from ormolu.databases.terms import make_terms
from ormolu.exceptions import (
    Error,
    LockNotAvailable,
    NotSupportedError,
    OperationalError,
    TransactionManagementError,
)
from ormolu.programs import Fetch, Program, arun, atomically, run

__all__ = ["aadvisory_lock", "advisory_lock"]

LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's code for a lock that was waited for in vain."""

FOR_EVER = 365 * 86_400.0
"""Seconds that MariaDB is told to wait where there is no limit: it has no word for that."""

_held: ContextVar[tuple[_Lock, ...]] = ContextVar("ormolu_advisory_locks", default=())
"""The locks that the running code holds on connections of their own, and those of who started it."""


@contextmanager
def advisory_lock(
    key: str | int,
    *,
    shared: bool = False,
    wait: bool | float | timedelta = True,
    transaction: bool | None = None,
    using: str | None = None,
) -> Generator[None, None, None]:
    """Hold a lock of the database's while the `with` block runs (or, as a decorator, a function).

    `key` is any text, or a 64-bit number; who uses the same one on the same database waits. `shared` locks keep only
    exclusive ones out (PostgreSQL). `wait` is True to wait as long as it takes, False not to wait at all, or seconds.

    Outside of `atomic()` the lock has a connection of the pool to itself, and is let go of at the end of the block.
    Inside it belongs to the transaction (PostgreSQL), and is let go of when that has ended: before, nobody else could
    see what was done. `transaction=False` lets go of it at the end of this block even so; True insists on being
    inside. MariaDB's and MySQL's locks never belong to transactions. A lock that the same task or thread holds already
    is not waited for.

    Raises LockNotAvailable if it is not to be had in time; NotSupportedError on SQLite, and for what MariaDB has not;
    OperationalError at the end if the lock was lost meanwhile with its connection.
    """
    lock = _Lock(key, shared, wait, transaction, using)
    driver = databases.get(lock.alias).driver
    kind = lock.kind(driver.ambient())
    if kind != "connection":
        with lock.explained():
            driver.run(lock.in_transaction, kind)
        yield
        return
    conn = driver.checkout_idle()
    try:
        with lock.explained():
            block = conn.open_block(private=True, terms=lock.terms)
            failed = True
            try:
                run(lock.taking(), driver.with_watcher(conn))
                failed = False
            finally:
                conn.leave(block, failed)
        lock.got()
    except BaseException as error:
        lock.gone()
        if not isinstance(error, LockNotAvailable):
            conn.dead()  # it may have the lock
        driver.release_clean(conn)
        raise
    try:
        yield
    except BaseException:
        _let_go(lock, driver, conn, quiet=True)
        raise
    try:
        _let_go(lock, driver, conn, quiet=False)
    finally:
        lock.gone()  # also if a KeyboardInterrupt came first


def _let_go(lock: _Lock, driver: Any, conn: Any, quiet: bool) -> None:
    """Let go of a lock; the error of that is not to hide one that is there already."""
    lock.gone()
    try:
        run(lock.releasing(), driver.with_watcher(conn))
    except BaseException as error:
        conn.dead()
        if not (quiet and isinstance(error, Error)):
            raise
    finally:
        driver.release_clean(conn)


@asynccontextmanager
async def aadvisory_lock(
    key: str | int,
    *,
    shared: bool = False,
    wait: bool | float | timedelta = True,
    transaction: bool | None = None,
    using: str | None = None,
) -> AsyncGenerator[None, None]:
    """Hold a lock of the database's, as `advisory_lock()`, in async code. It belongs to the task."""
    lock = _Lock(key, shared, wait, transaction, using)
    lock.check_vendor(databases.get(lock.alias).vendor)
    adriver = databases.get(lock.alias).adriver
    kind = lock.kind(adriver.ambient())
    if kind != "connection":
        with lock.explained():
            await adriver.arun(lock.in_transaction, kind)
        yield
        return
    conn = await adriver.acheckout()
    try:
        with lock.explained():
            block = conn.open_block(private=True, terms=lock.terms)
            failed = True
            try:
                await arun(lock.taking(), adriver.with_watcher(conn))
                failed = False
            finally:
                await conn.leave(block, failed)
    except BaseException as error:
        if not isinstance(error, LockNotAvailable):
            conn.dead()  # it may have the lock
        await adriver.arelease(conn)
        raise
    lock.got()
    try:
        yield
    except BaseException:
        await _alet_go(lock, adriver, conn, quiet=True)
        raise
    await _alet_go(lock, adriver, conn, quiet=False)


async def _alet_go(lock: _Lock, adriver: Any, conn: Any, quiet: bool) -> None:
    """Let go of a lock. If the task is cancelled meanwhile the connection is cut, which does it as well."""
    lock.gone()
    try:
        await arun(lock.releasing(), adriver.with_watcher(conn))
    except BaseException as error:
        conn.dead()
        if not (quiet and isinstance(error, Error)):
            raise
    finally:
        await adriver.arelease(conn)


class _Lock:
    """A lock, and what is sent to get it."""

    def __init__(
        self, key: Any, shared: bool, wait: Any, transaction: bool | None, using: str | None
    ) -> None:
        if not isinstance(key, (str, int)) or isinstance(key, bool):
            raise TypeError(f"The key of an advisory lock must be a text or a number, not {key!r}.")
        if isinstance(key, int) and not -(2**63) <= key < 2**63:
            raise ValueError(f"The key of an advisory lock must be a number of 64 bits, not {key!r}.")
        self.key: str | int = key
        self.shared = shared
        self.patient = wait is not False
        self.terms = None if isinstance(wait, bool) else make_terms(lock_timeout=wait)
        self.transaction = transaction
        self.alias = using or "default"
        self.owner: object = None
        self.vendor = ""

    def check_vendor(self, vendor: str) -> None:
        """Raise NotSupportedError where there are no such locks."""
        self.vendor = vendor
        if vendor not in ("postgresql", "mysql"):
            raise NotSupportedError(
                f"There are no advisory locks on {vendor}. atomic(immediate=True) keeps all other writers out of an "
                "SQLite database."
            )
        if vendor == "mysql" and self.shared:
            raise NotSupportedError("There are no shared advisory locks on MariaDB and MySQL.")

    def kind(self, conn: Any) -> str:
        """Return what shall have the lock: a "connection", the "transaction", or "nothing", as it is held already."""
        self.check_vendor(databases.get(self.alias).vendor)
        inside = conn is not None and bool(conn.blocks)
        me = owner()
        for held in _held.get():
            if held.owner == me and (held.alias, held.key) == (self.alias, self.key):
                if held.shared and not self.shared:
                    raise TransactionManagementError(
                        f"The advisory lock {self.key!r} is held as a shared one here, and can't become exclusive: two "
                        "who try would wait for each other for ever."
                    )
                return "nothing"
        if self.transaction and not inside:
            raise TransactionManagementError(
                "advisory_lock(transaction=True) is for inside of an 'atomic' block."
            )
        if not inside or self.transaction is False:
            return "connection"
        if self.vendor == "mysql":
            raise NotSupportedError(
                "On MariaDB and MySQL an advisory lock does not end with the transaction: take it outside of the "
                "block, so that this is committed before it is let go of; or say transaction=False."
            )
        return "transaction"

    # -- programs

    def in_transaction(self, _driver: Any, kind: str) -> Program[None]:
        """Take the lock for the transaction that is open; for "nothing", do nothing."""
        if kind == "nothing":
            return
        if self.terms is None:
            yield from self.taking("_xact")
        else:  # in a savepoint: waiting in vain shall not spoil what was done before
            yield from atomically(self._within_limit())

    def _within_limit(self) -> Program[None]:
        assert self.terms is not None
        seconds = self.terms.lock_timeout or 0.0
        before = (yield Fetch("SELECT current_setting('lock_timeout')"))[0][0]
        yield Fetch(f"SELECT set_config('lock_timeout', '{seconds * 1000:.0f}', true)")
        yield from self.taking("_xact")
        yield Fetch(f"SELECT set_config('lock_timeout', '{before}', true)")

    def taking(self, level: str = "") -> Program[None]:
        """Take the lock. Raises LockNotAvailable, or on PostgreSQL what `explained()` makes that of."""
        if self.vendor == "mysql":
            limit = FOR_EVER if self.patient else 0.0
            if self.terms is not None:
                limit = self.terms.lock_timeout or 0.0
            taken = (yield Fetch("SELECT GET_LOCK(%s, %s)", (self._name(), limit)))[0][0] == 1
        else:
            way = "" if self.patient else "_try"
            call = f"pg{way}_advisory{level}_lock{self._mode()}('{self._number():d}'::bigint)"
            taken = (yield Fetch(f"SELECT {call}"))[0][0] is not False
        if not taken:
            raise self._unavailable()

    def releasing(self) -> Program[None]:
        """Let go of the lock of a connection. Raises OperationalError if that was lost."""
        if self.vendor == "mysql":
            rows = yield Fetch("SELECT RELEASE_LOCK(%s)", (self._name(),))
        else:
            rows = yield Fetch(f"SELECT pg_advisory_unlock{self._mode()}('{self._number():d}'::bigint)")
        if not rows[0][0]:
            raise OperationalError(
                f"The advisory lock {self.key!r} was lost with its connection before it was let go of."
            )

    def _mode(self) -> str:
        return "_shared" if self.shared else ""

    def _number(self) -> int:
        """Return the key as PostgreSQL has it: a text's is a hash of it."""
        if isinstance(self.key, int):
            return self.key
        return int.from_bytes(blake2b(self.key.encode(), digest_size=8).digest(), "big", signed=True)

    def _name(self) -> str:
        """Return the key as MariaDB has it, whose names are the whole server's and have 64 characters at most."""
        name = f"{databases.get(self.alias).config.url.database}:{self.key}"
        return name if len(name) <= 64 else f"ormolu:{blake2b(name.encode(), digest_size=16).hexdigest()}"

    # -- errors

    @contextmanager
    def explained(self) -> Generator[None, None, None]:
        """Say what it means that the time is up."""
        try:
            yield
        except Error as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            raise self._unavailable() from error.orig

    def _unavailable(self) -> LockNotAvailable:
        limit = f" for longer than {self.terms.lock_timeout:g} seconds" if self.terms is not None else ""
        return LockNotAvailable(f"The advisory lock {self.key!r} is held by somebody else{limit}.")

    # -- who holds it

    def got(self) -> None:
        """Note that the running task or thread holds it."""
        self.owner = owner()
        _held.set((*_held.get(), self))

    def gone(self) -> None:
        """Note that it does no longer."""
        _held.set(tuple(lock for lock in _held.get() if lock is not self))
