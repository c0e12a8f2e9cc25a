"""Functions to call once the transaction of a Session or a Connection is committed; dropped where it is undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event

from ormolu.databases.blocks import Hook, run_hooks

__all__ = ["after_commit", "after_commit_of_connection"]


class Waiting:
    """What waits for a transaction. Each function stands with what it lies within: savepoints, and the transaction."""

    def __init__(self) -> None:
        self.calls: list[tuple[Hook, list[Any]]] = []
        self.committed = False

    def drop_within(self, undone: Any) -> None:
        """Forget what lies within a savepoint or transaction that is undone."""
        self.calls = [call for call in self.calls if undone not in call[1]]

    def end(self) -> None:
        """Call what waits, if the transaction was committed, and forget it."""
        calls, committed = self.calls, self.committed
        self.calls, self.committed = [], False
        if committed:
            run_hooks([hook for hook, _around in calls])


# SQLAlchemy can't take a listener away while it calls it, so each stays as long as its session or connection.
_waiting: WeakKeyDictionary[Any, Waiting] = WeakKeyDictionary()


def after_commit(session: Any, callback: Callable[[], Any], robust: bool = False) -> None:
    """Call a function when a Session's transaction was committed; never, if that or the savepoint of now is undone.

    The error of a `robust` one is logged, and the others are called all the same.
    """
    waiting = _waiting.get(session)
    if waiting is None:
        waiting = _waiting[session] = Waiting()
        event.listen(session, "after_commit", _committed)
        event.listen(session, "after_soft_rollback", _rolled_back)
        event.listen(session, "after_transaction_end", _ended)
    around: list[Any] = []
    transaction = session.get_nested_transaction() or session.get_transaction()
    while transaction is not None:
        around.append(transaction)
        transaction = transaction.parent
    waiting.calls.append((Hook(callback, (), robust), around))


def _committed(session: Any) -> None:
    if session.get_nested_transaction() is None:  # else a savepoint was released
        _waiting[session].committed = True


def _rolled_back(session: Any, transaction: Any) -> None:
    _waiting[session].drop_within(transaction)


def _ended(session: Any, transaction: Any) -> None:
    if transaction.parent is None:
        _waiting[session].end()


def after_commit_of_connection(connection: Any, callback: Callable[[], Any], robust: bool = False) -> None:
    """The same for a Connection. SQLAlchemy says that it commits just before it does."""
    waiting = _waiting.get(connection)
    if waiting is None:
        waiting = _waiting[connection] = Waiting()
        event.listen(connection, "commit", _connection_commits)
        event.listen(connection, "rollback", _connection_rolls_back)
        event.listen(connection, "rollback_savepoint", _connection_rolls_back_to)
    around: list[Any] = []
    nested = connection.get_nested_transaction()
    while nested is not None:
        around.append(nested._savepoint)
        nested = nested._previous_nested
    waiting.calls.append((Hook(callback, (), robust), around))


def _connection_commits(connection: Any) -> None:
    waiting = _waiting[connection]
    waiting.committed = True
    waiting.end()


def _connection_rolls_back(connection: Any) -> None:
    _waiting[connection].end()


def _connection_rolls_back_to(connection: Any, name: str, context: Any) -> None:
    _waiting[connection].drop_within(name)
