"""What `import ormolu` gives, and what it costs."""

import ast
import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import ormolu

# What must not be loaded by using the core on SQLite: each belongs to an extra or to an idle driver.
ELSEWHERE = {
    "IPython", "aiomysql", "aiosqlite", "alembic", "asyncpg", "click", "django", "greenlet", "psycopg",
    "pydantic", "pymysql", "pytest", "rich", "typer",
}  # fmt: skip

# What a program that declares models doesn't need before its first query: here the heavy ones, and what marks a layer.
LATER = {
    "dataclasses", "difflib", "ipaddress", "ormolu.compile.builder", "ormolu.compile.statements",
    "ormolu.databases.config", "ormolu.databases.database", "ormolu.databases.observation",
    "ormolu.databases.synchronous", "ormolu.fields.dates", "ormolu.fields.validators.addresses",
    "ormolu.models.constraints", "ormolu.models.ddl", "ormolu.models.many_to_many", "ormolu.models.related_managers",
    "ormolu.models.tables", "ormolu.query.aggregates", "ormolu.query.expressions", "ormolu.query.functions",
    "ormolu.query.json_lookups", "ormolu.query.lookups", "ormolu.query.prefetch", "ormolu.query.queryset",
    "ormolu.query.terminals", "ormolu.transaction", "ormolu.writes.bulk", "ormolu.writes.delete",
    "ormolu.writes.save", "sqlalchemy.dialects.sqlite", "sqlite3", "tomllib", "zoneinfo",
}  # fmt: skip

# Ours and the standard library's, on top of sqlalchemy.orm: each takes about a third of a millisecond.
MOST_MODULES = 78
MOST_FOR_A_MODEL = 63

DECLARATION = """
from ormolu import Model, CharField, ForeignKey, CASCADE

class Author(Model):
    name = CharField(max_length=50)
    class Meta:
        app_label = "library"

class Book(Model):
    author = ForeignKey(Author, on_delete=CASCADE)
    class Meta:
        app_label = "library"
"""

LAZY_PACKAGES = (
    "ormolu.databases", "ormolu.fields", "ormolu.fields.types", "ormolu.fields.validators", "ormolu.models",
    "ormolu.query", "ormolu.transaction", "ormolu.writes",
)  # fmt: skip


@pytest.mark.parametrize("name", ormolu.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """Each name in `__all__` can be imported, from `ormolu` and from its home."""
    value = getattr(ormolu, name)
    home = ormolu._HOMES.get(name)
    if home is None:
        assert value is import_module(f"ormolu.{name}")
    else:
        assert value is getattr(import_module(home), name)


def test_checkers_see_the_same_names() -> None:
    """The imports for type checkers, `__all__` and the table of homes say the same."""
    tree = ast.parse(inspect.getsource(ormolu))
    (block,) = (n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    seen = {
        (alias.name, node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    stated = {*ormolu._HOMES.items(), *((name, "ormolu") for name in ormolu._MODULES)}
    assert seen == stated
    assert sorted(ormolu.__all__) == sorted(name for name, _ in stated)


@pytest.mark.parametrize("name", LAZY_PACKAGES)
def test_packages_give_what_checkers_see(name: str) -> None:
    """What a package imports on first use is what it tells type checkers, and `__all__` is among it."""
    package = import_module(name)
    (block,) = (
        node
        for node in ast.parse(inspect.getsource(package)).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module is not None
        for alias in node.names:
            if node.module == name:
                assert getattr(package, alias.name) is import_module(f"{name}.{alias.name}")
            else:
                assert getattr(package, alias.name) is getattr(import_module(node.module), alias.name)
            assert alias.name in dir(package)
    assert all(hasattr(package, public) for public in package.__all__)
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'Nothing'"):
        package.Nothing


def test_models_has_what_django_s_users_look_for() -> None:
    """`from ormolu import models` has the names of `django.db.models`, the same objects as elsewhere."""
    from django.db import models as theirs

    from ormolu import models

    inner = {"BLANK_CHOICE_DASH", "Empty", "ExpressionList", "NOT_PROVIDED", "OrderWrt"}
    removed = {"CommaSeparatedIntegerField", "IPAddressField", "NullBooleanField"}
    missing = {name for name in theirs.__all__ if not hasattr(models, name)}
    assert missing <= inner | removed
    assert models.CharField is ormolu.CharField
    assert models.functions.Lower is ormolu.Lower
    assert models.signals.post_save is ormolu.post_save


def test_an_unknown_name_is_an_error_with_a_hint() -> None:
    """A name that does not exist is an AttributeError that names the near miss."""
    with pytest.raises(AttributeError, match="Did you mean 'CharField'"):
        ormolu.CharFeild


def test_import_is_light(tmp_path: Path) -> None:
    """The names of a usual program load nothing of an extra, and few modules on top of SQLAlchemy's ORM."""
    loaded = _loaded_by(
        "from ormolu import Model, CharField, ForeignKey, CASCADE, Q, Count, atomic, aatomic, configure",
        tmp_path,
    )
    assert not {name.partition(".")[0] for name in loaded} & ELSEWHERE
    assert len(loaded) <= MOST_MODULES, sorted(loaded)


def test_declaring_a_model_is_lighter(tmp_path: Path) -> None:
    """A program that only declares models loads no queries, no database and no dialect."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "library"\n')
    loaded = _loaded_by(DECLARATION, tmp_path)
    assert not loaded & (LATER | ELSEWHERE)
    assert len(loaded) <= MOST_FOR_A_MODEL, sorted(loaded)


def test_package_alone_is_lighter_still(tmp_path: Path) -> None:
    """`import ormolu` loads the package's own module and nothing else."""
    assert _loaded_by("import ormolu", tmp_path) == {"ormolu"}


def _loaded_by(statement: str, folder: Path) -> set[str]:
    """Return the modules that a statement loads in a new interpreter, on top of `sqlalchemy.orm`."""
    script = (
        "import json, sys, importlib, typing, sqlalchemy.orm\n"
        f"before = set(sys.modules)\n{statement}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=folder
    )
    return set(json.loads(done.stdout))
