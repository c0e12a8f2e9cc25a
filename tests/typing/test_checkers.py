"""mypy, pyright and pyrefly agree with every `assert_type` of the files beside this one, and see all mistakes."""

import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(str(path) for path in HERE.glob("*.py") if not path.name.startswith("test_"))
MISTAKES = sorted((HERE / "mistakes").glob("*.py"))
(PYREFLY,) = (  # wherever its wheel put it: beside this interpreter, or not
    str(path.locate())
    for path in distribution("pyrefly").files or ()
    if path.name in ("pyrefly", "pyrefly.exe")
)
CHECKERS = {
    "mypy": [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--no-pretty",
    ],
    "pyright": [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
    "pyrefly": [PYREFLY, "check", "--python-interpreter-path", sys.executable, "--output-format", "min-text"],
}


def check(checker: str, *files: str) -> subprocess.CompletedProcess[str]:
    """Run a checker on files, with the settings of pyproject.toml."""
    command = [*CHECKERS[checker], *files]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_checker_agrees(checker: str) -> None:
    """The types that users see are those that they should see, with no plugin."""
    done = check(checker, *FILES)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_mistakes_are_errors(checker: str, path: Path) -> None:
    """Each line that is marked as wrong is an error to each checker, and no other line is."""
    lines = enumerate(path.read_text().splitlines(), 1)
    wrong = {number for number, line in lines if line.endswith("# wrong")}
    done = check(checker, str(path))
    place = re.compile(rf"{re.escape(path.name)}:(\d+)")
    errors = (line for line in done.stdout.splitlines() if "error" in line.lower())
    seen = {int(found[1]) for found in map(place.search, errors) if found}
    assert (wrong - seen, seen - wrong) == (set(), set()), f"{done.stdout}\n{done.stderr}"
