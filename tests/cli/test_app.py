"""The command line: what it prints, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ormolu import __version__


def _ormolu(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ormolu", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
    )


def test_version() -> None:
    """`--version` prints the version, and nothing else."""
    done = _ormolu("--version")
    assert (done.returncode, done.stdout) == (0, f"ormolu {__version__}\n")


def test_help_lists_the_commands() -> None:
    """`--help` names every command with its first line."""
    done = _ormolu("--help")
    assert done.returncode == 0
    assert "playground" in done.stdout
    assert "Catalogue this Python environment" in done.stdout


def test_unknown_command_is_a_wrong_call() -> None:
    """A command that does not exist ends with 2."""
    assert _ormolu("playgrund").returncode == 2


def test_an_error_is_a_message() -> None:
    """What the user can cure is one line on standard error and exit code 1, with no traceback."""
    done = _ormolu("playground", "--db", "sqlit")
    assert done.returncode == 1
    assert "sqlit" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_playground_prints_json(tmp_path: Path) -> None:
    """`--json` gives one document on standard output; a second run wants to be told to replace the first."""
    url = f"sqlite:///{tmp_path.as_posix()}/own.sqlite3"
    done = _ormolu("playground", "--json", "--db", url)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["database"] == "sqlite"
    assert document["rows"]["File"] > 1_000
    assert len(document["answers"]) >= 12

    again = _ormolu("playground", "--json", "--db", url)
    assert again.returncode == 1
    assert "--replace" in again.stderr
    assert _ormolu("playground", "--json", "--db", url, "--replace").returncode == 0
