"""Bad input: a setting that is missing or wrong, a server that can't be reached."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ormolu
from ormolu import CharField, ImproperlyConfigured, Model, databases
from ormolu.exceptions import MissingExtra, OperationalError, ServerUnreachable


class Note(Model):
    text = CharField(max_length=10)

    class Meta:
        app_label = "traps"


@pytest.fixture(autouse=True)
def back() -> Iterator[None]:
    """Leave no settings behind."""
    yield
    databases.close_all()
    ormolu.settings.reset()


def test_no_setting_at_all(tmp_path: Path) -> None:
    """Without any setting the first query says the ways to give one; importing models needs none."""
    program = (
        "from ormolu import Model, CharField, ImproperlyConfigured\n"
        "class Note(Model):\n    text = CharField(max_length=10)\n    class Meta: app_label = 'x'\n"
        "Note(text='a'); Note.objects.filter(text='a')\n"
        "try:\n    Note.objects.count()\nexcept ImproperlyConfigured as error:\n    print(error)\n"
    )
    source = Path(ormolu.__file__).parent.parent
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    for part in ("configure(", "DATABASE_URL", "settings.py"):
        assert part in found.stdout, found


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"DATABASE": "sqlite://"}, ["DATABASE", "DATABASES"]),
        ({"DATABASES": {"default": "sqlte:///x.db"}}, ["default", "sqlte", "sqlite"]),
        ({"DATABASES": {"default": {"ENGINE": "django.db.backends.postgres", "NAME": "x"}}}, ["default", "postgres"]),
        ({"DATABASES": {"default": {"NAME": "x"}}}, ["default", "ENGINE"]),
        ({"DATABASES": {"default": {"ENGINE": "sqlite3", "NAME": "x", "POOL_SIZ": 3}}}, ["POOL_SIZ", "POOL_SIZE"]),
        ({"DATABASES": {"default": 5}}, ["default"]),
        ({"SYNC_IN_ASYNC": "eror", "DATABASES": {"default": "sqlite://"}}, ["SYNC_IN_ASYNC", "eror", "error"]),
    ],
)  # fmt: skip
def test_a_wrong_setting(settings: dict[str, Any], parts: list[str]) -> None:
    """A wrong setting is refused with its name, the alias, and the choices or near miss."""
    with pytest.raises(ImproperlyConfigured) as caught:
        ormolu.configure(**settings)
        Note.objects.count()
        ormolu.settings.SYNC_IN_ASYNC
    text = str(caught.value)
    assert [part for part in parts if part not in text] == [], text


def test_an_unknown_alias() -> None:
    """An unknown alias is refused with the near miss and those that there are."""
    ormolu.configure(DATABASES={"default": "sqlite://", "replica": "sqlite://"})
    with pytest.raises(ImproperlyConfigured, match=r"(?s)'replca'.*'replica'.*'default'"):
        Note.objects.using("replca").count()
    with pytest.raises(ImproperlyConfigured, match="replica"):
        Note(text="x").save(using="replca")
    with pytest.raises(ImproperlyConfigured, match="replica"), ormolu.atomic("replca"):
        pass


def test_an_unknown_setting_is_read() -> None:
    """Reading a setting that doesn't exist names the near miss."""
    with pytest.raises(AttributeError, match=r"TIME_ZON.*TIME_ZONE"):
        ormolu.settings.TIME_ZON


@pytest.mark.worlds("sync", "async")
@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody@127.0.0.1:9/nothing", "postgresql+asyncpg://nobody@127.0.0.1:9/nothing",
     "sqlite:////nowhere/at/all/db.sqlite3"],
)  # fmt: skip
async def test_an_unreachable_server(world: Any, url: str) -> None:
    """A server that can't be reached is a ServerUnreachable with alias, address and cure, but no password."""
    if "asyncpg" in url and not world.is_async:
        pytest.skip("asyncpg is asynchronous alone")
    ormolu.configure(url.replace("nobody@", "nobody:secret@"))
    with pytest.raises(ServerUnreachable) as caught:
        await world(Note.objects.count)
    text = str(caught.value)
    assert isinstance(caught.value, OperationalError)
    assert "'default'" in text
    assert ("127.0.0.1" in text and "HOST" in text) or "folder" in text
    assert "secret" not in text


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that isn't installed is named with the pip command that installs it."""
    ormolu.configure("oracle+oracledb://user@localhost/x")
    monkeypatch.setitem(sys.modules, "oracledb", None)
    with pytest.raises(MissingExtra, match=r"(?s)default.*oracledb.*pip install"):
        Note.objects.count()
