"""Transactions: all of a block's changes, or none.

    with transaction.atomic():
        ...                                   # one transaction; commits at the end, rolls back on an exception
        with transaction.atomic():            # a savepoint
            ...

A block belongs to the thread, or to the asyncio task, that entered it. A task that is started inside, or a
function handed to `asyncio.to_thread`, has a connection of its own, outside the transaction.

Source: Django's documentation, "Database transactions".
"""

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.exceptions import TransactionManagementError
    from ormolu.transaction.advisory import aadvisory_lock, advisory_lock
    from ormolu.transaction.blocks import AsyncAtomic, Atomic, aatomic, atomic
    from ormolu.transaction.by_hand import (
        acommit,
        aon_commit,
        arollback,
        asavepoint,
        asavepoint_commit,
        asavepoint_rollback,
        aset_autocommit,
        clean_savepoints,
        commit,
        get_autocommit,
        get_connection,
        get_rollback,
        mark_for_rollback_on_error,
        on_commit,
        rollback,
        savepoint,
        savepoint_commit,
        savepoint_rollback,
        set_autocommit,
        set_rollback,
    )

__all__ = [
    "AsyncAtomic", "Atomic", "TransactionManagementError", "aadvisory_lock", "aatomic", "acommit", "advisory_lock",
    "aon_commit", "arollback", "asavepoint", "asavepoint_commit", "asavepoint_rollback", "aset_autocommit", "atomic",
    "clean_savepoints", "commit", "get_autocommit", "get_connection", "get_rollback", "mark_for_rollback_on_error",
    "on_commit", "rollback", "savepoint", "savepoint_commit", "savepoint_rollback", "set_autocommit", "set_rollback",
]  # fmt: skip

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "advisory": "aadvisory_lock advisory_lock",
            "blocks": "AsyncAtomic Atomic aatomic atomic",
            "by_hand": """
                acommit aon_commit arollback asavepoint asavepoint_commit asavepoint_rollback aset_autocommit
                clean_savepoints commit get_autocommit get_connection get_rollback mark_for_rollback_on_error
                on_commit rollback savepoint savepoint_commit savepoint_rollback set_autocommit set_rollback
            """,
            "ormolu.exceptions": "TransactionManagementError",
        },
    )
