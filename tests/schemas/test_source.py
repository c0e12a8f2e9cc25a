"""Schema modules as source: what is written, that checkers and formatters like it, and `ormolu schemas`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ormolu.exceptions import ImproperlyConfigured
from ormolu.schemas import generate
from schemas import kinds, shelf

OWN = 'lint.isort.known-first-party=["schemas", "store"]'
ROOT = Path(__file__).parents[2]
MODELS = """
from ormolu import CASCADE, CharField, EmailField, ForeignKey, IntegerField, Model


class {prefix}User(Model):
    \"\"\"Somebody.\"\"\"

    name = CharField(max_length=50)
    email = EmailField(unique=True)
    age = IntegerField(null=True)

    class Meta:
        app_label = "{prefix}"


class {prefix}Post(Model):
    user = ForeignKey({prefix}User, on_delete=CASCADE)
    title = CharField(max_length=80, default="Untitled")

    class Meta:
        app_label = "{prefix}"
"""


def loaded(text: str) -> dict[str, Any]:
    """Return the names of a module, from its source."""
    names: dict[str, Any] = {"__name__": "written"}
    exec(compile(text, "written.py", "exec"), names)
    for value in list(names.values()):
        if hasattr(value, "model_rebuild") and value.__module__ == "written":
            value.model_rebuild(_types_namespace=names)
    return names


def app(folder: Path, prefix: str) -> Path:
    """Write an application with models."""
    (folder / prefix).mkdir()
    (folder / prefix / "__init__.py").write_text("")
    (folder / prefix / "models.py").write_text(MODELS.format(prefix=prefix))
    return folder / prefix / "schemas.py"


def ormolu(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "ormolu", "schemas", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


def test_out_in_and_patch() -> None:
    """There is a class for what is read, one for what makes an object, and one for changes, with the fields' rules."""
    text = generate(shelf.ShelfAuthor)
    assert (
        text
        == '''"""Schemas of schemas.shelf, written by `ormolu schemas`: change the models, then run it again."""

from typing import Literal

from ormolu.schemas.texts import Email
from pydantic import BaseModel, ConfigDict, Field


class ShelfAuthorOut(BaseModel):
    """Shelf author: as it is read."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str = Field(description="As on the cover.")
    email: str
    bio: str
    age: int | None


class ShelfAuthorIn(BaseModel):
    """Shelf author: as it is made."""

    name: str = Field(max_length=50, min_length=1, description="As on the cover.")
    email: Email = Field(max_length=254, min_length=1)
    bio: str = ""
    age: int | None = Field(default=None, ge=0, le=150)


class ShelfAuthorPatch(BaseModel):
    """Shelf author: the changes of one."""

    name: str | None = Field(
        default=None,
        max_length=50,
        min_length=1,
        description="As on the cover.",
    )
    email: Email | None = Field(default=None, max_length=254, min_length=1)
    bio: str | None = None
    age: int | None = Field(default=None, ge=0, le=150)
'''.replace("from typing import Literal\n\n", "")
    )


def test_names_variants_and_models_can_be_chosen() -> None:
    """Which models, which variants, and what classes are called."""
    text = generate(shelf, models=["ShelfTag"], variants=["Out"], names="{model}Schema")
    assert [line for line in text.splitlines() if line.startswith("class ")] == [
        "class ShelfTagSchema(BaseModel):"
    ]
    with pytest.raises(ImproperlyConfigured, match="Did you mean 'ShelfTag'"):
        generate(shelf, models=["ShelfTga"])
    with pytest.raises(ValueError, match="one name"):
        generate(shelf, names="{model}")
    with pytest.raises(ValueError, match="Out, In, Patch"):
        generate(shelf, variants=["Outt"])
    with pytest.raises(ImproperlyConfigured, match="has no models"):
        generate("json")


def test_written_schemas_have_the_rules() -> None:
    """What a written In refuses is what the model's fields refuse, with their texts."""
    names = loaded(generate(kinds, models=["Kinds"]))
    given = {"name": "x", "slug": "a-b", "code": "12", "even": 2}
    made = names["KindsIn"](**given)
    assert (made.state, made.colour, made.price, made.email) == ("free", kinds.KindColour.RED, 1, "")
    for name, value, text in (
        ("even", 3, "3 is odd"),
        ("even", 0, "greater than or equal to 2"),
        ("code", "1a", "should match pattern"),
        ("slug", "a b", "slug"),
        ("email", "x", "valid email"),
        ("name", "", "at least 1 character"),
        ("state", "lost", "'free' or 'taken'"),
        ("price", "12345.678", "digits"),
    ):
        with pytest.raises(ValidationError, match=text):
            names["KindsIn"](**{**given, name: value})
    assert names["KindsPatch"]().model_dump(exclude_unset=True) == {}
    assert not {"id", "created", "double", "photo", "version"} & set(names["KindsIn"].model_fields)
    assert {"id", "created", "double", "photo", "version"} <= set(names["KindsOut"].model_fields)


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    """`ormolu schemas` writes the file; `--check` ends with 0 for it, with 1 and a diff after a change."""
    app(tmp_path, "shop")
    file = tmp_path / "shop/written/schemas.py"
    target = ("shop.models", "--output", "shop/written/schemas.py")
    assert (ormolu(tmp_path, *target, "--check").returncode, file.exists()) == (1, False)
    done = ormolu(tmp_path, *target)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "class shopPostIn(BaseModel):" in file.read_text()
    assert (checked := ormolu(tmp_path, *target, "--check")).returncode == 0, checked.stdout
    models = tmp_path / "shop" / "models.py"
    models.write_text(models.read_text().replace("max_length=80", "max_length=90"))
    changed = ormolu(tmp_path, *target, "--check")
    assert changed.returncode == 1
    assert '+    title: str = Field(default="Untitled", max_length=90, min_length=1)' in changed.stdout
    chosen = ormolu(
        tmp_path, "shop.models", "-m", "shopUser", "--variants", "Out", "--names", "{model}Schema"
    )
    assert "class shopUserSchema(BaseModel):" in chosen.stdout
    assert "shopPost" not in chosen.stdout


def test_the_commands_errors_are_messages(tmp_path: Path) -> None:
    """A module that isn't there ends with 1 and a line that names it."""
    done = ormolu(tmp_path, "nowhere.models")
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_checkers_and_formatters_like_it(tmp_path: Path) -> None:
    """What is written is formatted, sorted, and strictly typed."""
    app(tmp_path, "store")
    (tmp_path / "kinds_out.py").write_text(generate(kinds))
    (tmp_path / "shelf_out.py").write_text(generate(shelf))
    assert ormolu(tmp_path, "store.models", "-o", "store/schemas.py").returncode == 0
    files = ["kinds_out.py", "shelf_out.py", "store/schemas.py"]
    strictly = {
        "typeCheckingMode": "strict",
        "include": files,
        "extraPaths": [str(ROOT / "tests"), str(ROOT / "src")],
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(strictly))
    environment = {"MYPYPATH": f"{ROOT / 'tests'}:{ROOT / 'src'}"}
    for command in (
        ["ruff", "format", "--isolated", "--check"],
        ["ruff", "check", "--isolated", "--select", "F,I,UP", "--config", OWN],
        ["mypy", "--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache")],
        ["pyright", "--pythonpath", sys.executable, "--project", str(tmp_path)],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, *([] if "--project" in command else files)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
            env={**os.environ, **environment},
        )
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
