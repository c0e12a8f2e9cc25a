"""No duplicate, no lost update and no error where several do the same at the same moment.

`ORMOLU_RACE_ROUNDS` says how many rounds; `python -m tests.races` runs a thousand.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from races.contenders import KINDS
from races.contests import CONTESTS, Tally, faults

MODELS = [Tally]
ROUNDS = int(os.environ.get("ORMOLU_RACE_ROUNDS", "8"))
CONTENDERS = 4


@pytest.mark.backends("sqlite", "postgresql", "mariadb")
@pytest.mark.parametrize("name", CONTESTS)
def test_threads(db: Any, name: str) -> None:
    """Contenders in threads."""
    assert faults(name, ROUNDS, CONTENDERS, KINDS["threads"](name, ROUNDS, CONTENDERS)) == []


@pytest.mark.backends("sqlite", "postgresql", "mariadb")
@pytest.mark.parametrize("name", CONTESTS)
def test_tasks(db: Any, name: str) -> None:
    """Contenders in tasks."""
    assert faults(name, ROUNDS, CONTENDERS, KINDS["tasks"](name, ROUNDS, CONTENDERS)) == []


@pytest.mark.slow
@pytest.mark.backends("sqlite", "postgresql")
@pytest.mark.parametrize("name", ["update_or_create", "version"])
def test_processes(db: Any, name: str) -> None:
    """Contenders in processes."""
    assert faults(name, ROUNDS, 2, KINDS["processes"](name, ROUNDS, 2)) == []
