"""mypy and pyright, both strict, agree with every `assert_type` of the files beside this one."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(str(path) for path in HERE.glob("*.py") if not path.name.startswith("test_"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "checker",
    [
        ["mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml")],
        ["pyright", "--pythonpath", sys.executable],
    ],
    ids=["mypy", "pyright"],
)
def test_checker_agrees(checker: list[str]) -> None:
    """The types that users see are those that they should see, with no plugin."""
    done = subprocess.run(
        [sys.executable, "-m", *checker, *FILES], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
