"""Random models, rows and questions: the answers are Django's.

`ORMOLU_DIFFERENTIAL` says how many questions; `python -m tests.differential` asks as many as wanted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COUNT = int(os.environ.get("ORMOLU_DIFFERENTIAL", "1000"))


@pytest.mark.slow
def test_random_questions_agree_with_django(configured: Any) -> None:
    """What is read and written, with models of all kinds, is what Django reads and writes."""
    count = COUNT if configured.vendor == "sqlite" else COUNT // 3
    path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.differential", "--queries", str(count), "--database", configured.url],
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["deletions", "relating"])
def test_random_steps_agree_with_django(what: str) -> None:
    """Deletions of rows of any models, and sequences of what one does with related objects, are as with Django."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", f"tests.differential.{what}", "--examples", str(max(10, COUNT // 20))],
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
