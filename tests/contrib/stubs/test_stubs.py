"""`ormolu stubs`: what it writes, and what checkers see with it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = ("shelf", "shelf.people", "shelf.books")
WRITTEN = ("shelf/__init__.pyi", "shelf/people.pyi", "shelf/books.pyi")


def binary(name: str) -> str:
    """Return where a wheel put its program: beside this interpreter, or not."""
    files = distribution(name).files or ()
    return next(str(path.locate()) for path in files if path.name in (name, f"{name}.exe"))


def stubs(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `ormolu stubs` in a folder."""
    command = [sys.executable, "-m", "ormolu", "stubs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with the package `shelf` and a program that uses it."""
    shutil.copytree(HERE / "shelf", tmp_path / "shelf", ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    shutil.copy(HERE / "use_stubs.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.ruff]\nline-length = 110\n[tool.pyright]\ntypeCheckingMode = "strict"\nreportPrivateUsage = "none"\n'
        'include = ["use_stubs.py", "shelf/*.pyi"]\n[tool.pyrefly]\npreset = "default"\n'
    )
    return tmp_path


CHECKERS = {
    "mypy": [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "use_stubs.py", "shelf"],
    "pyright": [sys.executable, "-m", "pyright", "--pythonpath", sys.executable],
    "pyrefly": [
        *(binary("pyrefly"), "check", "--python-interpreter-path", sys.executable, "--output-format", "min-text"),
        *("--search-path", ".", "use_stubs.py", *WRITTEN),
    ],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_checkers_see_mistakes_in_queries(shelf: Path, checker: str) -> None:
    """Each checker finds the stubs right, sees every mistake of a program, and nothing else."""
    assert stubs(shelf, *MODULES).returncode == 0
    done = subprocess.run(CHECKERS[checker], capture_output=True, text=True, cwd=shelf, check=False)
    lines = enumerate((shelf / "use_stubs.py").read_text().splitlines(), 1)
    wrong = {("use_stubs.py", number) for number, line in lines if line.endswith("# wrong")}
    place = re.compile(r"([\w.]+\.pyi?):(\d+)")
    errors = (line for line in done.stdout.splitlines() if "error" in line.lower())
    seen = {(found[1], int(found[2])) for found in map(place.search, errors) if found}
    assert (wrong - seen, seen - wrong) == (set(), set()), f"{done.stdout}\n{done.stderr}"


def test_stubs_are_formatted_and_stable(shelf: Path) -> None:
    """What is written passes `ruff format --check`, and is the same each time; the module itself still runs."""
    first = stubs(shelf, *MODULES)
    assert [line.rpartition("/")[2] for line in first.stdout.splitlines()] == [
        "__init__.pyi", "people.pyi", "books.pyi",
    ]  # fmt: skip
    done = subprocess.run(
        [binary("ruff"), "format", "--diff", *WRITTEN], capture_output=True, text=True, cwd=shelf, check=False
    )
    assert done.returncode == 0, done.stdout
    assert stubs(shelf, *MODULES).stdout == "All stubs are up to date.\n"
    run = subprocess.run([sys.executable, "-c", "import shelf"], cwd=shelf, check=False)
    assert run.returncode == 0


def test_check_tells_what_is_stale(shelf: Path) -> None:
    """`--check` writes nothing; it exits with 1 and a diff until the stubs say what the models are."""
    missing = stubs(shelf, "shelf.books", "--check")
    assert missing.returncode == 1
    assert not (shelf / "shelf/books.pyi").exists()
    assert stubs(shelf, "shelf.books").returncode == 0
    assert stubs(shelf, "shelf.books", "--check").returncode == 0
    path = shelf / "shelf/books.py"
    path.write_text(path.read_text().replace("pages = IntegerField(default=0)", "leaves = IntegerField()"))
    stale = stubs(shelf, "shelf.books", "--check")
    assert stale.returncode == 1
    assert "-    pages: Given[int]" in stale.stdout
    assert "+    leaves: Given[int]" in stale.stdout


def test_stubs_go_where_they_are_wanted(shelf: Path) -> None:
    """`--output` is a folder of packages, or the file of one module; `--depth` bounds the paths."""
    assert stubs(shelf, "shelf", "shelf.books", "--output", "typings").returncode == 0
    assert {str(p.relative_to(shelf)) for p in (shelf / "typings").rglob("*.pyi")} == {
        "typings/shelf/__init__.pyi", "typings/shelf/books.pyi",
    }  # fmt: skip
    assert stubs(shelf, "shelf.books", "--output", "one.pyi", "--depth", "0").returncode == 0
    text = (shelf / "one.pyi").read_text()
    assert "    author__in: " in text
    assert "author__name" not in text
    deep = stubs(shelf, "shelf.books", "--output", "two.pyi", "--depth", "2")
    assert deep.returncode == 0
    assert "    author__friend__name__icontains: Given[str]\n" in (shelf / "two.pyi").read_text()


def test_what_cannot_be_done_is_said(shelf: Path) -> None:
    """A module that isn't there and one file for two modules are errors with the cure, not tracebacks."""
    gone = stubs(shelf, "shelf.nothing")
    assert gone.returncode == 1
    assert "There is no module 'shelf.nothing'" in gone.stderr
    several = stubs(shelf, "shelf", "shelf.books", "--output", "one.pyi")
    assert several.returncode == 1
    assert "For several, give a folder" in several.stderr


def test_stubs_tell_what_a_module_has(shelf: Path) -> None:
    """Functions keep their signatures, methods their decorators; bodies, docstrings and `main` are left out."""
    assert stubs(shelf, "shelf.people").returncode == 0
    text = (shelf / "shelf/people.pyi").read_text()
    assert "    times: int = 1,  # how often\n) -> str: ...\n" in text
    assert "    async def greet(self, other: Author) -> str: ...\n" in text
    assert "    @property\n    def title(self) -> str: ...\n" in text
    assert "__main__" not in text
    assert "Somebody who writes" not in text
    assert "    name__sounds: Any\n" in text
