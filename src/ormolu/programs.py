"""The sans-I/O protocol: what is to be done to a database, apart from how it is done.

A *program* is a generator. It yields steps, receives their results, does no I/O itself, and returns its
result:

    def first_name(pk):
        rows = yield Fetch("SELECT name FROM author WHERE id = ?", (pk,))
        return rows[0][0] if rows else None

`run(program, connection)` drives it on a synchronous connection, `await arun(program, connection)` on an
asynchronous one. So whatever takes several statements (prefetching, cascades, get_or_create) is written once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias, TypeVar

from ormolu.exceptions import TransactionManagementError
from ormolu.signals import Signal

__all__ = [
    "Await",
    "Connection",
    "Copy",
    "Enter",
    "Execute",
    "ExecuteMany",
    "Fetch",
    "FetchLocked",
    "FetchMany",
    "FetchNamed",
    "FetchWriting",
    "Insert",
    "Leave",
    "OnCommit",
    "Program",
    "Reading",
    "Step",
    "Sweep",
    "Write",
    "WriteNew",
    "WriteReturning",
    "arun",
    "atomically",
    "break_off",
    "brief",
    "no_transaction",
    "notify",
    "run",
]

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Params: TypeAlias = Sequence[Any]
Rows: TypeAlias = Sequence[Sequence[Any]]


class Connection(Protocol):
    """What steps need of a connection. An asynchronous one returns awaitables of the results."""

    @property
    def in_atomic(self) -> bool: ...
    @property
    def blocks(self) -> Sequence[Any]: ...
    @property
    def savepoints(self) -> Sequence[str]: ...
    @property
    def eras(self) -> Any: ...
    def fetch(self, sql: str, params: Any) -> Any: ...
    def fetch_named(self, sql: str, params: Any) -> Any: ...
    def fetch_many(self, requests: Any) -> Any: ...
    def execute(self, sql: str, params: Any) -> Any: ...
    def insert(self, sql: str, params: Any) -> Any: ...
    def executemany(self, sql: str, rows: Any) -> Any: ...
    def enter(self, *, durable: bool = False, savepoint: bool = True, immediate: bool = False) -> Any: ...
    def leave(self, block: Any, error: bool, /) -> Any: ...
    def on_commit(self, callback: Callable[[], Any]) -> Any: ...
    def await_(self, callback: Callable[[], Awaitable[Any]]) -> Any: ...


class Step(Protocol):
    """One thing to do on a connection.

    `brief` says whether it is a small one, of a row or two, when a brief program yields it.
    """

    brief: bool

    def run(self, conn: Any) -> Any: ...


Program: TypeAlias = Generator[Any, Any, R]


class Fetch:
    """Run a statement that returns rows. Result: a sequence of rows (tuples, or records like them)."""

    __slots__ = ("params", "sql")
    brief = True

    def __init__(self, sql: str, params: Any = ()) -> None:
        self.sql = sql
        self.params = params

    def run(self, conn: Connection) -> Any:
        return conn.fetch(self.sql, self.params)


class FetchLocked(Fetch):
    """The same for rows that are to be locked. Raises TransactionManagementError outside of transactions."""

    __slots__ = ()

    def run(self, conn: Connection) -> Any:
        if not conn.in_atomic:
            raise no_transaction()
        return conn.fetch(self.sql, self.params)


class FetchWriting(Fetch):
    """The same where a transaction locks all tables when it writes: SQLite. One that is to begin here does it now.

    Begun by reading, it could not write any more once another connection has.
    """

    __slots__ = ()

    def run(self, conn: Any) -> Any:
        if getattr(conn, "attention", False):
            conn.begin(True)
        return conn.fetch(self.sql, self.params)


def no_transaction() -> TransactionManagementError:
    """Return the error of a lock that would be gone at once."""
    return TransactionManagementError(
        "select_for_update cannot be used outside of a transaction: evaluate the queryset inside atomic() or aatomic()."
    )


class FetchMany:
    """Run several Fetch steps that don't need each other's results: in one round trip where the driver can.

    Result: a list of theirs, in order. Where one fails, all have.
    """

    __slots__ = ("steps",)
    brief = True

    def __init__(self, steps: Sequence[Fetch]) -> None:
        self.steps = steps

    def run(self, conn: Connection) -> Any:
        if any(isinstance(step, FetchLocked) for step in self.steps) and not conn.in_atomic:
            raise no_transaction()
        return conn.fetch_many([(step.sql, step.params) for step in self.steps])


class FetchNamed:
    """Run any statement that returns rows. Result: the names of the columns, and the rows."""

    __slots__ = ("params", "sql")
    brief = False

    def __init__(self, sql: str, params: Any = ()) -> None:
        self.sql = sql
        self.params = params

    def run(self, conn: Connection) -> Any:
        return conn.fetch_named(self.sql, self.params)


class Reading:
    """A program of one Fetch: a plan is bound to values, and makes its result of the rows.

    Driven as a generator is; but `run()` needs neither that nor the step. `plan` has `sql`, `bind(values)` and
    `decode(rows)`. Where `bind` says by `nothing` (an exception) that no row can be found, no statement is sent.
    """

    __slots__ = ("nothing", "plan", "values")

    def __init__(self, plan: Any, values: Any, nothing: type[Exception]) -> None:
        self.plan = plan
        self.values = values
        self.nothing = nothing

    def run(self, conn: Connection) -> Any:
        """Return the result, on a synchronous connection."""
        plan = self.plan
        try:
            params = plan.bind(self.values)
        except self.nothing:
            return plan.decode(())
        return plan.decode(conn.fetch(plan.sql, params))

    def __iter__(self) -> Reading:
        return self

    def __next__(self) -> Fetch:
        return self.send(None)

    def send(self, rows: Any) -> Fetch:
        """Give the step, and then take its rows: the result is the value of a StopIteration."""
        plan = self.plan
        if rows is not None:
            raise StopIteration(plan.decode(rows))
        try:
            return Fetch(plan.sql, plan.bind(self.values))
        except self.nothing:
            raise StopIteration(plan.decode(())) from None

    def throw(self, error: BaseException) -> NoReturn:
        """Raise the error of the step."""
        raise error

    def close(self) -> None:
        """Do nothing: nothing is open."""


class Execute:
    """Run a statement that changes rows. Result: how many."""

    __slots__ = ("params", "sql")
    brief = True

    def __init__(self, sql: str, params: Any = ()) -> None:
        self.sql = sql
        self.params = params

    def run(self, conn: Connection) -> Any:
        return conn.execute(self.sql, self.params)


class Sweep(Execute):
    """The same for a statement that may change any number of rows, in a program that is brief otherwise."""

    __slots__ = ()
    brief = False


class Insert:
    """Insert one row. Result: the key that the database gave it. Not on PostgreSQL: use RETURNING."""

    __slots__ = ("params", "sql")
    brief = True

    def __init__(self, sql: str, params: Any = ()) -> None:
        self.sql = sql
        self.params = params

    def run(self, conn: Connection) -> Any:
        return conn.insert(self.sql, self.params)


class ExecuteMany:
    """Run a statement once for each of many parameter rows. Result: how many rows changed."""

    __slots__ = ("rows", "sql")
    brief = False

    def __init__(self, sql: str, rows: Any) -> None:
        self.sql = sql
        self.rows = rows

    def run(self, conn: Connection) -> Any:
        return conn.executemany(self.sql, self.rows)


class Write(Execute):
    """Run a statement that writes an object's row. Result: how many rows changed.

    Afterwards `era` is the part of the transaction that this belongs to, None outside of blocks: see
    `ormolu.databases.eras`.
    """

    __slots__ = ("era",)

    def __init__(self, sql: str, params: Any = ()) -> None:
        self.sql = sql
        self.params = params
        self.era: Any = None

    def run(self, conn: Connection) -> Any:
        if conn.blocks:
            self.era = conn.eras.current(conn.savepoints)
        return conn.execute(self.sql, self.params)


class WriteReturning(Write):
    """The same for a statement that returns columns of the row. Result: a sequence of rows."""

    __slots__ = ()

    def run(self, conn: Connection) -> Any:
        if conn.blocks:
            self.era = conn.eras.current(conn.savepoints)
        return conn.fetch(self.sql, self.params)


class WriteNew(Write):
    """The same for an INSERT. Result: the key that the database gave the row, as with `Insert`."""

    __slots__ = ()

    def run(self, conn: Connection) -> Any:
        if conn.blocks:
            self.era = conn.eras.current(conn.savepoints)
        return conn.insert(self.sql, self.params)


class Copy:
    """Load rows into a table by COPY. Result: how many; None where this connection sends INSERTs only.

    `target` has `sql`, `table`, `schema` and `columns`; only drivers with `copies` take this step.
    """

    __slots__ = ("rows", "target")
    brief = False

    def __init__(self, target: Any, rows: Sequence[Params]) -> None:
        self.target = target
        self.rows = rows

    def run(self, conn: Any) -> Any:
        return conn.copy(self.target, self.rows)


class Enter:
    """Begin a transaction block: the outermost is a transaction, an inner one a savepoint. Result: a token.

    No statement is sent before the first one inside the block. With `savepoint=False` an inner block is
    part of the outer one, and its failure spoils that. `durable` refuses to be an inner block. `immediate` takes
    SQLite's write lock at the first statement, even if that reads.
    """

    __slots__ = ("durable", "immediate", "savepoint")

    def __init__(self, durable: bool = False, savepoint: bool = True, immediate: bool = False) -> None:
        self.durable = durable
        self.savepoint = savepoint
        self.immediate = immediate

    @property
    def brief(self) -> bool:
        return not self.immediate

    def run(self, conn: Connection) -> Any:
        if self.immediate:
            return conn.enter(durable=self.durable, savepoint=self.savepoint, immediate=True)
        return conn.enter(durable=self.durable, savepoint=self.savepoint)


class Leave:
    """End a transaction block: keep its changes, or undo them if `error`."""

    __slots__ = ("error", "token")
    brief = True

    def __init__(self, token: Any, error: bool) -> None:
        self.token = token
        self.error = error

    def run(self, conn: Connection) -> Any:
        return conn.leave(self.token, self.error)


class OnCommit:
    """Call a function once the transaction is committed (at once if there is none)."""

    __slots__ = ("callback",)
    brief = True

    def __init__(self, callback: Callable[[], Any]) -> None:
        self.callback = callback

    def run(self, conn: Connection) -> Any:
        return conn.on_commit(self.callback)


class Await:
    """Await what a function returns, in the task that runs the program. Raises in synchronous code."""

    __slots__ = ("callback",)
    brief = False

    def __init__(self, callback: Callable[[], Awaitable[Any]]) -> None:
        self.callback = callback

    def run(self, conn: Connection) -> Any:
        return conn.await_(self.callback)


def brief(program: F) -> F:
    """Say of a program that it writes no more than a row or two, and computes little between its steps.

    So a driver whose statements are quick may run it in the event loop's own thread. Reads may be of any size:
    the driver looks after that.
    """
    program.brief = True  # type: ignore[attr-defined]
    return program


def run(program: Generator[Any, Any, R], conn: Connection, step: Any = None) -> R:
    """Drive a program on a synchronous connection and return its result.

    An error of a step is thrown into the program where it waits, so its `except` and `finally` see it. With a
    `step`, go on with a program that was begun elsewhere and waits for that step's result.
    """
    whole: Any = program
    if whole.__class__ is Reading:
        return whole.run(conn)  # type: ignore[no-any-return]
    send = program.send
    try:
        if step is None:
            step = send(None)
        while True:
            try:
                result = step.run(conn)
            except BaseException as error:
                step = program.throw(error)
            else:
                step = send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    except BaseException:
        break_off(program)  # interrupted between two steps, it would end when the error is forgotten
        raise


def break_off(program: Generator[Any, Any, Any]) -> None:
    """End a program now that was interrupted, without the steps of its cleaning up: its connection does that."""
    while True:
        try:
            program.close()
        except RuntimeError:  # it yields one more step
            continue
        return


async def arun(program: Generator[Any, Any, R], conn: Connection) -> R:
    """Drive a program on an asynchronous connection and return its result; errors as in `run()`."""
    send = program.send
    try:
        step = send(None)
        while True:
            try:
                result = await step.run(conn)
            except BaseException as error:
                step = program.throw(error)
            else:
                step = send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def atomically(
    program: Generator[Any, Any, R], *, durable: bool = False, savepoint: bool = True, immediate: bool = False
) -> Generator[Any, Any, R]:
    """Return the same program as one transaction block: undone as a whole if it raises."""
    token = yield Enter(durable, savepoint, immediate)
    try:
        result = yield from program
    except GeneratorExit:
        # Abandoned, not failed: nothing can be yielded any more; the connection undoes blocks left open.
        raise
    except BaseException:
        yield Leave(token, True)
        raise
    yield Leave(token, False)
    return result


def notify(signal: Signal, sender: object, **named: Any) -> Generator[Any, Any, None]:
    """Send a signal from inside a program: plain receivers are called, async ones become steps.

    Use as `yield from notify(post_save, type(obj), instance=obj, ...)`, after a cheap
    `if signal.receivers:`. Raises SynchronousOnlyOperation for an async receiver in synchronous code.
    """
    for entry in signal.live(sender):
        if entry.is_async:
            yield Await(_receiving(signal, entry, sender, named))
        else:
            signal.call(entry, sender, named)


def _receiving(
    signal: Signal, entry: Any, sender: object, named: dict[str, Any]
) -> Callable[[], Awaitable[Any]]:
    """Return what calls a receiver, under its name: errors say it."""

    def call() -> Any:
        return signal.call(entry, sender, named)[1]

    target = entry.ref()
    call.__qualname__ = getattr(target, "__qualname__", repr(target))
    return call
