"""Where settings come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ormolu
from ormolu.conf import Settings, configure, override, settings
from ormolu.exceptions import ImproperlyConfigured


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin in an empty folder with no settings."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "ORMOLU_SETTINGS", "ORMOLU_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    settings.reset()
    yield
    settings.reset()


def test_defaults() -> None:
    """With nothing set, each setting has its default, and no database is known."""
    assert settings.USE_TZ is True
    assert settings.SYNC_IN_ASYNC == "warn"
    assert settings.DATABASES == {}
    assert not settings.configured


def test_explicit_values_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """configure() wins over the environment, the environment over the defaults."""
    monkeypatch.setenv("ORMOLU_TIME_ZONE", "Europe/Vienna")
    monkeypatch.setenv("ORMOLU_USE_TZ", "off")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///env.db")
    assert settings.TIME_ZONE == "Europe/Vienna"
    assert settings.USE_TZ is False
    assert settings.DATABASES == {"default": "sqlite:///env.db"}
    configure("sqlite:///mine.db", TIME_ZONE="UTC")
    assert settings.TIME_ZONE == "UTC"
    assert settings.USE_TZ is False
    assert settings.DATABASES == {"default": "sqlite:///mine.db"}


def test_more_databases_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """ORMOLU_DATABASE_URL_<ALIAS> names further databases."""
    monkeypatch.setenv("ORMOLU_DATABASE_URL", "sqlite:///a.db")
    monkeypatch.setenv("ORMOLU_DATABASE_URL_REPLICA", "sqlite:///b.db")
    assert settings.DATABASES == {"replica": "sqlite:///b.db", "default": "sqlite:///a.db"}


def test_a_settings_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """settings.py in the working directory, or above it up to the project's root, is read."""
    (tmp_path / "settings.py").write_text(
        "DATABASES = {'default': 'sqlite:///file.db'}\nMY_OWN = 3\nlower = 1\n"
    )
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    assert settings.DATABASES == {"default": "sqlite:///file.db"}
    assert settings.MY_OWN == 3
    monkeypatch.setenv("DATABASE_URL", "sqlite:///env.db")
    settings.reset()
    assert settings.DATABASES == {"default": "sqlite:///env.db"}


def test_pyproject_is_found(tmp_path: Path) -> None:
    """[tool.ormolu] in pyproject.toml is read, its names in lower case."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.ormolu]\ntime_zone = "Asia/Tokyo"\n[tool.ormolu.databases]\ndefault = "sqlite:///toml.db"\n'
    )
    assert settings.TIME_ZONE == "Asia/Tokyo"
    assert settings.DATABASES == {"default": "sqlite:///toml.db"}


def test_files_are_not_read_after_configure(tmp_path: Path) -> None:
    """Who calls configure() is not surprised by a file nearby."""
    (tmp_path / "settings.py").write_text("raise SystemExit('read')\n")
    configure("sqlite://")
    assert settings.TIME_ZONE == "UTC"


def test_a_named_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ORMOLU_SETTINGS names a file or a module; one that is missing is an error."""
    (tmp_path / "other.py").write_text("TIME_ZONE = 'Asia/Tokyo'\n")
    monkeypatch.setenv("ORMOLU_SETTINGS", str(tmp_path / "other.py"))
    assert settings.TIME_ZONE == "Asia/Tokyo"
    for missing in ("nowhere.py", "no.such.module"):
        monkeypatch.setenv("ORMOLU_SETTINGS", missing)
        settings.reset()
        with pytest.raises(ImproperlyConfigured, match="ORMOLU_SETTINGS names"):
            _ = settings.TIME_ZONE


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"DATABSES": {}}, r"no setting 'DATABSES'. Did you mean 'DATABASES'\?"),
        ({"use_tz": True}, r"'use_tz', which is no setting. Did you mean 'USE_TZ'\?"),
        ({"SYNC_IN_ASYNC": "maybe"}, "must be one of warn, error, off, not 'maybe'"),
    ],
)
def test_wrong_settings_are_refused(values: dict[str, Any], text: str) -> None:
    """A name that is nearly a setting's, and a value that is no choice, are errors."""
    with pytest.raises(ImproperlyConfigured, match=text):
        configure(**values)


def test_the_default_database_twice() -> None:
    """A URL and DATABASES["default"] together are ambiguous."""
    with pytest.raises(ImproperlyConfigured, match="twice"):
        configure("sqlite://", DATABASES={"default": "sqlite://"})


def test_a_wrong_value_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that can't be converted is named."""
    monkeypatch.setenv("ORMOLU_USE_TZ", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="ORMOLU_USE_TZ should hold a bool, but is 'perhaps'"):
        _ = settings.USE_TZ


def test_unknown_names() -> None:
    """Asking for a setting that nobody made is an AttributeError with the near miss."""
    with pytest.raises(AttributeError, match=r"Did you mean 'TIME_ZONE'\?"):
        _ = settings.TIMEZONE
    assert getattr(settings, "NO_SUCH_THING", None) is None


def test_override() -> None:
    """override() sets some settings for a while, and leaves open databases alone."""
    configure("sqlite://", TIME_ZONE="UTC")
    database = ormolu.databases.get()
    with override(TIME_ZONE="Asia/Tokyo", MINE=1):
        assert (settings.TIME_ZONE, settings.MINE) == ("Asia/Tokyo", 1)
        assert ormolu.databases.get() is database
    assert settings.TIME_ZONE == "UTC"
    assert not hasattr(settings, "MINE")


def test_settings_are_told_of_changes() -> None:
    """Whoever builds on a setting hears when it changes."""
    own = Settings()
    seen: list[str] = []
    own.on_change(lambda: seen.append("zone"), "TIME_ZONE")
    own.TIME_ZONE = "Asia/Tokyo"
    own.USE_TZ = False
    assert seen == ["zone"]
    del own.TIME_ZONE
    assert own.TIME_ZONE == "UTC"
