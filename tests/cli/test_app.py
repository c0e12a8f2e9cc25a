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


def test_check_tells_what_is_wrong(tmp_path: Path) -> None:
    """`check` prints what is wrong with the models of a module, and ends with 1 for errors; or it prints JSON."""
    lines = "from ormolu import CharField, Model\n\n\nclass Shop(Model):\n    {} = CharField(max_length=5)\n"
    (tmp_path / "wrong.py").write_text(lines.format("name_"))
    (tmp_path / "right.py").write_text(lines.format("name"))
    done = _ormolu("check", "right", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "0 problems found.\n")
    done = _ormolu("check", "wrong", cwd=tmp_path)
    assert done.returncode == 1
    assert "(fields.E001) Field names must not end with an underscore." in done.stderr
    done = _ormolu("check", "wrong", "--json", "--fail-level", "critical", cwd=tmp_path)
    assert done.returncode == 0
    assert [row["id"] for row in json.loads(done.stdout)] == ["fields.E001"]
    done = _ormolu("check", "nowhere", cwd=tmp_path)
    assert done.returncode == 1
    assert "There is no module 'nowhere'" in done.stderr
    assert _ormolu("check", "--fail-level", "loud").returncode == 2


def test_check_finds_the_applications_by_itself(tmp_path: Path) -> None:
    """Where no module is named, and no INSTALLED_APPS, those of the project are looked at; an unknown tag is wrong."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "models.py").write_text(
        "from ormolu import CharField, Model\n\n\nclass Shop(Model):\n    name_ = CharField(max_length=5)\n"
    )
    (tmp_path / "settings.py").write_text("DATABASES = {'default': 'sqlite://'}\n")
    done = _ormolu("check", cwd=tmp_path)
    assert (done.returncode, "fields.E001" in done.stderr) == (1, True)
    done = _ormolu("check", "--tag", "modles", cwd=tmp_path)
    assert (done.returncode, "models" in done.stderr) == (2, True)


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    """A settings module that can't be found is a message, and no traceback."""
    for command in ("makemigrations", "migrate"):
        done = _ormolu(command, "--settings", "nowhere", cwd=tmp_path)
        assert done.returncode == 1
        assert "names the module 'nowhere', which can't be found" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
