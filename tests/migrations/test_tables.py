"""Migrations that create tables: written, run once, remembered; by functions and by the command line."""

from __future__ import annotations

import datetime
import enum
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from ormolu import migrations
from ormolu.fields.validators import MinValueValidator
from ormolu.migrations.files import in_order
from ormolu.migrations.writer import text_of
from support.backends import Backend, Backends

MODELS = """
import ormolu

class Person(ormolu.Model):
    name = ormolu.CharField(max_length=50, unique=True)
    boss = ormolu.ForeignKey("self", on_delete=ormolu.SET_NULL, null=True)
    class Meta:
        ordering = ["name"]
        indexes = [ormolu.Index(fields=["name", "boss"])]

class Group(ormolu.Model):
    members = ormolu.ManyToManyField(Person, related_name="groups")

class Pilot(Person):
    hours = ormolu.IntegerField(default=0, validators=[ormolu.fields.validators.MinValueValidator(0)])
    class Meta:
        constraints = [ormolu.CheckConstraint(condition=ormolu.Q(hours__gte=0), name="hours_not_negative")]
"""
SHOP = """
import ormolu

class Sale(ormolu.Model):
    seller = ormolu.ForeignKey("people.Person", on_delete=ormolu.CASCADE)
"""
USE = """
from people.models import Group, Person, Pilot
from shop.models import Sale
ann = Person.objects.create(name="Ann")
Group.objects.create().members.add(ann)
Sale.objects.create(seller=Pilot.objects.create(name="Pia", hours=3, boss=ann))
print(Sale.objects.get().seller.name, ann.groups.count())
"""

Run = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with settings and two applications."""
    for app, source in (("people", MODELS), ("shop", SHOP)):
        (tmp_path / app).mkdir()
        (tmp_path / app / "__init__.py").touch()
        (tmp_path / app / "models.py").write_text(source)
    (tmp_path / "settings.py").write_text("DATABASES = {'default': 'sqlite:///db.sqlite3'}\n")
    return tmp_path


@pytest.fixture
def ormolu_command(project: Path) -> Run:
    """Run the command line in the project; give its output."""

    def run(*words: str, ok: bool = True, code: str = "", stdin: str = "") -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ORMOLU_", "DATABASE_"))}
        command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "ormolu", *words]
        done = subprocess.run(
            command,
            cwd=project,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.mark.slow
def test_tables_of_a_new_project(project: Path, ormolu_command: Run) -> None:
    """makemigrations writes a file for each application, migrate runs each once, and the models have their tables."""
    shown = ormolu_command("makemigrations")
    for words in ("people/migrations/0001_initial.py", "Create model Pilot", "Create model Sale"):
        assert words in shown
    assert ormolu_command("makemigrations") == "No changes.\n"
    assert "('people', '0001_initial')" in (project / "shop/migrations/0001_initial.py").read_text()
    assert ormolu_command("migrate") == "Applied people.0001_initial\nApplied shop.0001_initial\n"
    assert ormolu_command("migrate") == "Nothing to do.\n"
    assert ormolu_command(code=USE) == "Pia 1\n"


@pytest.mark.slow
def test_a_model_that_comes_later(project: Path, ormolu_command: Run) -> None:
    """It has a file of its own, after the first; a model that was changed is an error that says in what."""
    ormolu_command("makemigrations")
    ormolu_command("migrate")
    added = (
        "\nclass Badge(ormolu.Model):\n    owner = ormolu.OneToOneField(Person, on_delete=ormolu.CASCADE)\n"
    )
    (project / "people/models.py").write_text(MODELS + added)
    assert "0002_badge.py" in ormolu_command("makemigrations", "people")
    assert ormolu_command("migrate", "people") == "Applied people.0002_badge\n"
    (project / "people/models.py").write_text(MODELS.replace("max_length=50", "max_length=60") + added)
    refused = ormolu_command("makemigrations", ok=False)
    assert "people.Person differs from its migration in: field name" in re.sub(r"\s+", " ", refused)


@pytest.mark.slow
def test_what_is_named_wrongly(project: Path, ormolu_command: Run) -> None:
    """An unknown application is an error with the near miss; --dry-run writes nothing."""
    assert "Did you mean 'people'?" in ormolu_command("makemigrations", "poeple", ok=False)
    assert "migrations.CreateModel(" in ormolu_command("makemigrations", "--dry-run")
    assert not (project / "people/migrations").exists()
    (project / "other.py").write_text(
        "DATABASES = {'default': 'sqlite:///x.db'}\nINSTALLED_APPS = ['people']\n"
    )
    assert "shop" not in ormolu_command("makemigrations", "--settings", "other.py")


FRIENDS = """
import ormolu

class Person(ormolu.Model):
    boss = ormolu.ForeignKey("self", on_delete=ormolu.SET_NULL, null=True)
    friends = ormolu.ManyToManyField("self")
    seen = ormolu.DateTimeField(db_default=ormolu.Now())
"""
MADE = """
from people.models import Person
ann, ben = Person.objects.create(), Person.objects.create()
ann.friends.add(ben)
print(ben.friends.get() == ann, ann.seen is not None)
"""


@pytest.mark.slow
@pytest.mark.backends("sqlite", "postgresql", "mariadb")
@pytest.mark.worlds("sync")
def test_processes_that_migrate_at_once(
    project: Path, ormolu_command: Run, backend: Backend, backends: Backends
) -> None:
    """One does the work, the others wait for it; on databases that commit each piece of DDL, too."""
    (project / "people/models.py").write_text(FRIENDS)
    database = backends.fresh(backend.name)
    (project / "settings.py").write_text(f"DATABASES = {{'default': {database.url!r}}}\n")
    ormolu_command("makemigrations")
    with ThreadPoolExecutor() as pool:
        told = [running.result() for running in [pool.submit(ormolu_command, "migrate") for _ in range(3)]]
    assert (
        sorted(told)
        == ["Applied people.0001_initial\nApplied shop.0001_initial\n"] + ["Nothing to do.\n"] * 2
    )
    assert ormolu_command(code=MADE) == "True True\n"


@pytest.mark.slow
def test_applications_that_need_each_other(project: Path, ormolu_command: Run) -> None:
    """Their migrations could never run: an error says so, and nothing is written."""
    sale = '\nclass Fan(ormolu.Model):\n    sale = ormolu.ForeignKey("shop.Sale", on_delete=ormolu.CASCADE)\n'
    (project / "people/models.py").write_text(MODELS + sale)
    assert "in a circle" in ormolu_command("makemigrations", ok=False)
    assert not (project / "people/migrations").exists()


class Size(enum.Enum):
    SMALL = "s"


def test_values_are_written_as_source() -> None:
    """What a field may hold stands in the file as an expression that gives it again."""
    values: list[Any] = [
        None, True, 3, 1.5, "a'b", b"x", [1, (2,)], {"a": {1}}, Decimal("1.50"), uuid.UUID(int=7), Size.SMALL,
        datetime.date(2024, 2, 29), datetime.timedelta(days=1), MinValueValidator(3), os.path.join, float("inf"),
        datetime.datetime(2024, 2, 29, tzinfo=ZoneInfo("Europe/Paris")), ZoneInfo("UTC"), frozenset("abc"),
    ]  # fmt: skip
    for value in values:
        imports: set[str] = set()
        text = text_of(value, imports)
        names: dict[str, Any] = {}
        exec("\n".join(f"import {name}" for name in imports if name != __name__), names)
        if value is Size.SMALL:
            assert text == f"{__name__}.Size['SMALL']"
        else:
            assert eval(text, names) == value
    assert text_of({"b", "a", "c"}, set()) == "set(['a', 'b', 'c'])"
    with pytest.raises(migrations.MigrationError, match=r"'total' was declared with mapped_column\(\)"):
        text_of(sa.Column("total", sa.Integer), set())
    with pytest.raises(migrations.MigrationError, match="only what stands in a module by a name"):
        text_of(lambda: 1, set())
    with pytest.raises(migrations.MigrationError, match="can't be written into a migration"):
        text_of(object(), set())


def test_an_order_that_dependencies_allow() -> None:
    """Each comes after what it needs; a circle, and something that isn't there, are errors that name it."""

    def needing(*keys: tuple[str, str]) -> type[migrations.Migration]:
        return type("Migration", (migrations.Migration,), {"dependencies": list(keys)})

    found = in_order(
        {("b", "1"): needing(("a", "2")), ("a", "2"): needing(("a", "1")), ("a", "1"): needing()}
    )
    assert list(found) == [("a", "1"), ("a", "2"), ("b", "1")]
    with pytest.raises(migrations.MigrationError, match="in a circle"):
        in_order({("a", "1"): needing(("b", "1")), ("b", "1"): needing(("a", "1"))})
    with pytest.raises(migrations.MigrationError, match="a.1 depends on c.9, which does not exist"):
        in_order({("a", "1"): needing(("c", "9"))})


@pytest.mark.slow
def test_a_shell_with_the_models(project: Path, ormolu_command: Run) -> None:
    """`ormolu shell` has the models by name, and awaits at its top level."""
    ormolu_command("makemigrations")
    ormolu_command("migrate")
    typed = (
        "print(6 * 7)\np = await Person.objects.acreate(name='Ann')\n"
        "print(await Person.objects.acount())\n1/0\nexit()\n"
    )
    shown = ormolu_command("shell", stdin=typed)
    assert " 42\n" in shown
    assert " 1\n" in shown
    assert "ZeroDivisionError" in shown
