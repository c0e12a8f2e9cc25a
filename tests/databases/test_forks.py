"""A forked process opens connections of its own."""

from __future__ import annotations

import os
import warnings
from typing import Any

import pytest

from ormolu import databases, transaction

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def in_child(work: Any) -> int:
    """Run a function in a forked process; return 0 if it raised nothing."""
    with warnings.catch_warnings(action="ignore"):
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_parent_and_child_do_not_share_connections(numbers: Any) -> None:
    """Both work after a fork, and the child is outside of the parent's transaction."""
    numbers.add_now(1)
    parent = numbers.database.driver.checkout_idle()
    numbers.database.driver.release(parent)

    def child() -> None:
        assert databases.get().driver.ambient() is None
        assert numbers.all_now() == [1]
        conn = numbers.database.driver.checkout_idle()
        assert conn.native is not parent.native
        numbers.database.driver.release(conn)
        databases.close_all()

    with transaction.atomic():
        numbers.all_now()
        assert in_child(child) == 0
        numbers.add_now(2)
    assert numbers.all_now() == [1, 2]
