"""Histories of saves, failures and rollbacks leave the rows that Django leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = os.environ.get("ORMOLU_SAVING_EXAMPLES", "10")
"""How many histories are tried; `python -m tests.saving` tries 1,500."""


@pytest.mark.slow
def test_histories_end_as_in_django() -> None:
    """Whatever is assigned, saved, undone and tried again: errors, objects and rows are Django's."""
    # In a process of its own: Django is configured once in a process.
    path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.saving", "--examples", EXAMPLES],
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
