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

# Ours and the standard library's, on top of sqlalchemy.orm. At 60 ms for all, each has a third of one.
MOST_MODULES = 180


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


def test_an_unknown_name_is_an_error_with_a_hint() -> None:
    """A name that does not exist is an AttributeError that names the near miss."""
    with pytest.raises(AttributeError, match="Did you mean 'CharField'"):
        ormolu.CharFeild


def test_import_is_light(tmp_path: Path) -> None:
    """Declaring a model loads nothing of an extra, and few modules on top of SQLAlchemy's ORM."""
    loaded = _loaded_by(
        "from ormolu import Model, CharField, ForeignKey, CASCADE, Q, Count, atomic, aatomic, configure",
        tmp_path,
    )
    assert not {name.partition(".")[0] for name in loaded} & ELSEWHERE
    assert len(loaded) <= MOST_MODULES, sorted(loaded)


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
