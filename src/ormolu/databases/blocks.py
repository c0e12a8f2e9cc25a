"""Transaction blocks: the state of one connection's transaction, and the statements that move it on.

No I/O here. A change of state is a generator that yields the control statements to run (BEGIN, SAVEPOINT,
...) and learns of their failure by the exception thrown in; connections drive it, synchronously or not.

Rules, as in Django (source: its documentation, "Database transactions"):

- the outermost block is a transaction; an inner one is a savepoint, or with `savepoint=False` part of the
  outer one;
- an error that the database reports inside a block spoils the block: further statements raise
  TransactionManagementError until the block ends, which undoes it. An inner block with a savepoint confines
  that;
- functions given to `on_commit` run after the outermost commit, in order, unless their savepoint was undone.

And of our own: nothing is sent before the first statement inside the block. That statement's kind decides
how SQLite begins, and a block without statements costs nothing.
"""

from __future__ import annotations

import inspect
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from time import perf_counter
from typing import Any, TypeAlias

from ormolu.databases import ambient
from ormolu.databases.eras import Eras
from ormolu.databases.held import held
from ormolu.databases.terms import LEVELS, Terms, postgresql_begin, refuse
from ormolu.exceptions import Error, TransactionManagementError

__all__ = ["Block", "Blocks", "Control", "Hook", "arun_hooks", "run_hooks"]

Control: TypeAlias = Generator[str, None, None]
"""Control statements to run, one after the other."""

_log = logging.getLogger("ormolu.transaction")

BROKEN = (
    "An error occurred in the current transaction. You can't execute queries until the end of the 'atomic' "
    "block."
)


LOST = (
    "The transaction was undone: an inner block has failed, and its savepoint could not be rolled back, because the "
    "whole transaction was gone, or its connection."
)


class Block:
    """One open `atomic` block. What most blocks have is said by the class, which costs them nothing."""

    terms: Terms | None = None
    """What the transaction is begun with, if its block asked for anything."""
    immediate = False
    started = False
    since = 0.0
    """When the transaction began, where that is watched: see `ormolu.databases.held`."""
    afterwards: str | None = None
    """A statement to run after the transaction, on the same connection."""
    disposable = False
    """A test's own block, always undone: a durable one inside may stand for an outermost one."""
    manual = False
    """Whether `set_autocommit(False)` opened it."""
    releases = False
    """Whether leaving it gives the connection back, because entering it took it from the pool.

    A receiver's block inside a program is outermost on a connection that stays the program's.
    """

    def __init__(self, savepoint: str | None, terms: Terms | None = None) -> None:
        self.savepoint = savepoint
        if terms is not None:
            self.terms = terms
            self.immediate = terms.immediate


class Hook:
    """A function to call after the commit, and the savepoints that it depends on."""

    __slots__ = ("callback", "robust", "savepoints")

    def __init__(self, callback: Callable[[], Any], savepoints: tuple[str, ...], robust: bool) -> None:
        self.callback = callback
        self.savepoints = savepoints
        self.robust = robust

    def failed(self, error: Exception) -> None:
        """Log the failure of a robust hook; others raise."""
        if not self.robust:
            cause: BaseException | None = error
            while cause is not None:  # the transaction is committed: nobody shall run it again
                if isinstance(cause, Error):
                    cause.retryable = False
                cause = cause.__cause__
            raise error
        name = getattr(self.callback, "__qualname__", repr(self.callback))
        _log.error("Error calling %s in on_commit() (%s).", name, error, exc_info=error)


class Blocks(ABC):
    """The transaction state of a connection. `attention` tells its statements to take the careful path."""

    key: object = None
    """What the connection is ambient for: its database, or its driver."""
    joins_controls = False
    """Whether several control statements may travel as one text."""
    has_turn = False
    """Whether the connection is to say when its transaction is over, because others may wait for that."""
    knows_state = False
    """Whether the driver knows of a transaction's end even if it was interrupted in the middle of it."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.savepoints: list[str] = []
        self.eras = Eras()
        self.hooks: list[Hook] = []
        self.ready: list[Hook] = []
        self.frame: ambient.Frame | None = None
        self.attention = False
        self.needs_rollback = False
        self.lost = False
        """Whether it needs that because a savepoint could not be undone: nobody was told of that."""
        self.cause: BaseException | None = None
        self.begun_for_writing = False
        self.counter = 0
        self.is_dead = False
        self.guests = 0
        """How many pieces of our own code use SQLAlchemy on this connection just now."""

    # -- what a kind of database may override

    def begin_sql(self, block: Block, write: bool) -> list[str]:
        """Return the statements that begin a transaction whose first statement reads or writes."""
        return ["BEGIN"] if block.terms is None else postgresql_begin(block.terms)

    def end_sql(self, block: Block) -> str | None:
        """Return a statement to run after the transaction's end, if any. Only terms and `afterwards` can want one."""
        return block.afterwards

    def check(self, terms: Terms) -> None:
        """Raise NotSupportedError for terms of a block that this database can't meet."""
        refuse(terms, "PostgreSQL", LEVELS, ("deferrable", "lock_timeout", "statement_timeout"))

    @abstractmethod
    def in_transaction(self) -> bool:
        """Ask the driver whether a transaction is open; flags alone would miss an interrupted BEGIN."""

    def reads_only(self, sql: str) -> bool:
        """Say whether a statement certainly changes nothing; only SQLite needs to know."""
        return False

    def hosts(self) -> bool:
        """Say whether a transaction that SQLAlchemy begins on this connection is part of ours."""
        return True

    def dead(self) -> None:
        """Never give this connection back to the pool: its state is unknown."""
        self.is_dead = True

    # -- blocks

    @property
    def in_atomic(self) -> bool:
        """Whether an `atomic` block is open."""
        return any(not block.manual for block in self.blocks)

    def open_block(
        self,
        durable: bool = False,
        savepoint: bool = True,
        terms: Terms | None = None,
        private: bool = False,
    ) -> Block:
        """Enter a block. Raises RuntimeError for a durable block inside another one.

        Raises NotSupportedError for terms that the database can't meet, and TransactionManagementError for those that
        the transaction around does not. A `private` block is not the running task's or thread's: what else they do
        stays outside of it.
        """
        if terms is not None:
            self.check(terms)
        if not self.blocks:
            if not private:
                ambient.push_for(self)
            block = Block(None, terms)
        else:
            if (durable or terms is not None) and not all(block.disposable for block in self.blocks):
                if durable:
                    raise RuntimeError("A durable atomic block cannot be nested within another atomic block.")
                self._join(terms)
            block = Block(self._name() if savepoint and not self.needs_rollback else None)
            block.started = block.savepoint is None
            if block.savepoint is not None:
                self.savepoints.append(block.savepoint)
        self.blocks.append(block)
        if block.started:
            self._look()
        else:
            self.attention = True
        return block

    def _join(self, terms: Any) -> None:
        """Take an inner block's terms, as far as the transaction is not begun."""
        terms.check_inside(self.blocks[0].terms)
        if terms.immediate:
            self.hasten()

    def hasten(self) -> None:
        """Let the transaction take SQLite's write lock when it begins, unless it has begun: it will be needed."""
        if not self.blocks[0].started:
            self.blocks[0].immediate = True

    def _name(self) -> str:
        self.counter += 1
        return f"ormolu_{self.counter}"

    def _look(self) -> None:
        attention = self.needs_rollback
        for block in self.blocks:
            attention = attention or not block.started
        self.attention = attention

    def starting(self, write: bool) -> Control:
        """Begin what is entered but not yet begun. Raises TransactionManagementError in a spoilt block."""
        if self.needs_rollback:
            raise TransactionManagementError(BROKEN) from self.cause
        statements: list[str] = []
        pending = [block for block in self.blocks if not block.started]
        for block in pending:
            if block.savepoint is None:
                statements += self.begin_sql(block, write)
            else:
                statements.append(f"SAVEPOINT {block.savepoint}")
        if self.joins_controls:
            statements = ["; ".join(statements)] if statements else []
        if pending and pending[0].savepoint is None:
            self.begun_for_writing = write or pending[0].immediate
            if held.limit:
                pending[0].since = perf_counter()
        yield from statements
        for block in pending:
            block.started = True
        self.attention = False

    def closing(self, block: Block, error: bool) -> Control:
        """Leave a block, keeping its changes unless `error` or the block is spoilt.

        Blocks inside it that were never left are undone with it.
        """
        if block not in self.blocks:
            return
        while self.blocks[-1] is not block:
            error = True
            self.blocks.pop()
        undo = error or self.needs_rollback
        if len(self.blocks) == 1:
            untold, cause = self.lost and not error, self.cause
            yield from self._close_outermost(block, undo)
            if untold:
                raise TransactionManagementError(LOST) from cause
        elif block.savepoint is None:
            self.blocks.pop()
            if error:
                self.spoil(None)
        else:
            yield from self._close_savepoint(block, undo)

    def _close_outermost(self, block: Block, undo: bool) -> Control:
        committed = False
        try:
            if undo:
                yield from self._roll_back()
            elif block.started:
                try:
                    yield "COMMIT"
                except Exception:
                    yield from self._roll_back()
                    raise
                except BaseException:
                    # Interrupted: it may be committed, or not, or be about to be.
                    if self.knows_state:
                        yield from self._roll_back()
                    else:
                        self.dead()
                    raise
            committed = not undo
            begun = block.started or block.afterwards is not None
            if begun and not self.is_dead and (after := self.end_sql(block)) is not None:
                yield after
        finally:
            hooks = self.hooks
            self._forget(committed)
            if committed:
                self.ready.extend(hooks)

    def _roll_back(self) -> Control:
        """Roll back if anything is open. A connection that can't is dead, which undoes it too."""
        try:
            if not self.is_dead and self.in_transaction():
                yield "ROLLBACK"
        except Exception:
            self.dead()
        except BaseException:
            self.dead()
            raise

    def _close_savepoint(self, block: Block, undo: bool) -> Control:
        name = block.savepoint
        assert name is not None
        try:
            if not undo:
                if block.started:
                    try:
                        yield f"RELEASE SAVEPOINT {name}"
                    except BaseException:
                        # The savepoint is still there: undo it, so that the outer block is what it was
                        # before.
                        self.eras.undo(name, self.savepoints)
                        self.drop_hooks(name)
                        yield from self._undo_savepoint(name, None)
                        raise
                    self.eras.merge(name, self.savepoints)
            else:
                self.eras.undo(name, self.savepoints)
                self.drop_hooks(name)
                cause = self.cause
                self.needs_rollback = False
                self.cause = None
                if block.started:
                    yield from self._undo_savepoint(name, cause)
                elif self.is_dead:
                    self._lose(cause)
        finally:
            self.blocks.pop()
            if name in self.savepoints:
                del self.savepoints[self.savepoints.index(name) :]
            self._look()

    def _undo_savepoint(self, name: str, cause: BaseException | None) -> Control:
        try:
            yield f"ROLLBACK TO SAVEPOINT {name}"
            yield f"RELEASE SAVEPOINT {name}"
        except BaseException as failure:
            # The savepoint is lost with its transaction (a dead connection), or nobody knows whether it was undone
            # (cancelled): the outer block must not commit.
            self._lose(cause or failure)
            if not isinstance(failure, Exception):
                raise
        else:
            self.needs_rollback = False

    def _lose(self, cause: BaseException | None) -> None:
        """Let the transaction end in a rollback, of which whoever leaves it is told."""
        self.blocks[0].started = True
        self.spoil(cause)
        self.lost = True

    def _forget(self, committed: bool) -> None:
        """Be outside of all blocks."""
        self.blocks.clear()
        self.eras.end(not committed)
        if self.savepoints:
            self.savepoints.clear()
        if self.hooks:
            self.hooks = []
        self.needs_rollback = self.lost = False
        self.cause = None
        self.attention = False
        self.begun_for_writing = False
        self.counter = 0
        if self.has_turn:
            self.pass_turn()
        if self.frame is not None:
            ambient.pop(self.frame)
            self.frame = None

    def pass_turn(self) -> None:
        """Let the next one write, where connections take turns."""
        self.has_turn = False

    def wipe(self) -> None:
        """Be outside of all blocks, whatever was going on, without a word to the database."""
        if self.blocks or self.frame is not None:
            self._forget(False)

    def shaken(self, error: BaseException) -> None:
        """Give up a connection whose state is not known after a KeyboardInterrupt in the middle of something."""
        if not isinstance(error, Exception) and not self.knows_state:
            self.dead()
            self.spoil(error)

    def spoil(self, cause: BaseException | None) -> None:
        """Let the innermost block end in a rollback, whatever happens."""
        if self.blocks:
            self.needs_rollback = True
            self.cause = cause
            self.attention = True

    def unspoil(self) -> None:
        """Take back `spoil()`."""
        self.needs_rollback = self.lost = False
        self.cause = None
        self._look()

    # -- savepoints by hand

    def saving(self) -> Generator[str, None, str]:
        """Set a savepoint; its name is the generator's result."""
        yield from self.starting(write=False)
        name = self._name()
        yield f"SAVEPOINT {name}"
        self.savepoints.append(name)
        return name

    def releasing(self, name: str) -> Control:
        """Merge a savepoint into what is around it."""
        yield from self.starting(write=False)
        yield f"RELEASE SAVEPOINT {name}"
        self.eras.merge(name, self.savepoints)
        if name in self.savepoints:
            del self.savepoints[self.savepoints.index(name) :]

    def undoing(self, name: str) -> Control:
        """Undo everything since a savepoint, which stays. A spoilt block stays spoilt: see `set_rollback`."""
        yield f"ROLLBACK TO SAVEPOINT {name}"
        self.eras.undo(name, self.savepoints)
        self.drop_hooks(name)

    # -- after the commit

    def add_hook(self, callback: Callable[[], Any], robust: bool = False) -> None:
        """Remember a function for after the commit. Call only inside a block."""
        self.hooks.append(Hook(callback, tuple(self.savepoints), robust))

    def drop_hooks(self, savepoint: str) -> None:
        """Forget the functions that depend on a savepoint."""
        self.hooks = [hook for hook in self.hooks if savepoint not in hook.savepoints]

    def take_ready(self) -> list[Hook]:
        """Return the functions whose transaction is committed, once."""
        ready, self.ready = self.ready, []
        return ready


def run_hooks(hooks: list[Hook], wait: Callable[[Callable[[], Any]], Any] | None = None) -> None:
    """Call functions after a commit; the first failure of one that is not robust ends the series.

    `wait` is told to await the results of those that are async; where there is none they were refused.
    """
    for hook in hooks:
        try:
            result = hook.callback()
            if wait is not None and inspect.isawaitable(result):
                wait(lambda result=result: result)  # type: ignore[misc]
        except Exception as error:
            hook.failed(error)


async def arun_hooks(hooks: list[Hook]) -> None:
    """Call functions after a commit, awaiting those that are async."""
    for hook in hooks:
        try:
            result = hook.callback()
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            hook.failed(error)
