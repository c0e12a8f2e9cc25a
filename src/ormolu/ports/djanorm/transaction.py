"""`dorm.transaction`: `atomic()` and `aatomic()`, as blocks and as decorators, and what goes with them."""

from ormolu.transaction import (
    TransactionManagementError,
    aatomic,
    aon_commit,
    atomic,
    get_rollback,
    on_commit,
    set_rollback,
)

__all__ = [
    "TransactionManagementError",
    "aatomic",
    "aon_commit",
    "atomic",
    "get_rollback",
    "on_commit",
    "set_rollback",
]
