"""Modules written for SQLModel, written again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ormolu.sessions.from_sqlmodel import convert

HEROES = '''"""Heroes."""
from __future__ import annotations
import enum
from typing import List, Optional
from pydantic import EmailStr
from sqlmodel import Field, Relationship, Session, SQLModel, select

class Color(enum.Enum):
    red = "r"
    blue = "b"

class Membership(SQLModel, table=True):
    team_id: Optional[int] = Field(default=None, foreign_key="team.id", primary_key=True)
    hero_id: Optional[int] = Field(default=None, foreign_key="hero.id", primary_key=True, ondelete="CASCADE")

class HeroBase(SQLModel):
    name: str = Field(index=True, max_length=50)
    age: Optional[int] = Field(default=None, ge=0)

class Hero(HeroBase, table=True):
    id: int | None = Field(default=None, primary_key=True)
    email: EmailStr = Field(unique=True)
    color: Color = Color.red
    tags: List[str] = Field(default_factory=list)
    teams: List["Team"] = Relationship(back_populates="heroes", link_model=Membership)

    @field_validator("name")
    def check(cls, value):
        return value

    def shout(self) -> str:
        return self.name.upper()

class HeroCreate(HeroBase):
    email: str

class Team(SQLModel, table=True):
    __tablename__ = "team"
    id: Optional[int] = Field(default=None, primary_key=True)
    name: str = Field(sa_column_kwargs={"comment": "x"})
    heroes: List["Hero"] = Relationship(
        back_populates="teams", link_model=Membership, sa_relationship_kwargs={"lazy": "selectin"}
    )

def all_heroes(session: Session):
    return session.exec(select(Hero)).all()
'''

USE = """
from ormolu import configure, create_tables
from ormolu.sessions import get_sync_session
configure("sqlite:///heroes.sqlite3")
from heroes import Color, Hero, HeroCreate, Team
create_tables()
with get_sync_session() as session:
    ann = Hero.objects(session).create(**HeroCreate(name="Ann", email="a").model_dump())
    session.add(Team(name="Reds", heroes=[ann]))
[ann] = Hero.objects.prefetch_related("teams")
assert (ann.shout(), ann.color, ann.tags, ann.age) == ("ANN", Color.red, [], None)
assert [team.name for team in ann.teams] == ["Reds"]
assert Hero.objects.filter(teams__name="Reds").count() == 1
assert Hero.__table__.c.name.type.length == 50 and Hero.__table__.c.name.index and Hero.__table__.c.email.unique
[key] = Hero.metadata.tables["membership"].c.hero_id.foreign_keys
assert key.ondelete == "CASCADE"
"""


def test_what_is_written_runs(tmp_path: Path) -> None:
    """Tables, keys, links between them, enumerations, mixins and schemas work with no SQLModel there."""
    (tmp_path / "heroes.py").write_text(convert(HEROES).text)
    done = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0, done.stderr


def test_what_is_left_out_is_noted() -> None:
    """Each note has the line of the original that it is about."""
    text, notes = convert(HEROES)
    lines = HEROES.splitlines()
    found = [(lines[note.line - 1].strip(), note.text) for note in notes]
    expected = [
        ("class HeroBase(SQLModel):", "mixin"),
        ("age: Optional[int] = Field(default=None, ge=0)", "Field(ge=...)"),
        ("email: EmailStr = Field(unique=True)", "EmailStr is str here"),
        ("tags: List[str] = Field(default_factory=list)", "JSON"),
        ("def check(cls, value):", "check() is Pydantic's"),
        ("return session.exec(select(Hero)).all()", "session.scalars"),
    ]
    assert [line for line, _ in found] == [line for line, _ in expected]
    assert all(part in note for (_, note), (_, part) in zip(found, expected, strict=True))
    assert "sqlmodel" not in text


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("x: int", "x: Mapped[int]"),
        ("x: int = 3", "x: Mapped[int] = mapped_column(default=3)"),
        ("x: Optional[str] = None", "x: Mapped[Optional[str]] = mapped_column(default=None)"),
        ("x: int = Field(...)", "x: Mapped[int]"),
        ("x: Decimal = Field(max_digits=5, decimal_places=2)", "x: Mapped[Decimal] = mapped_column(Numeric(5, 2))"),
        ("x: str = Field(sa_column=Column(Text, index=True))", "x: Mapped[str] = mapped_column(Text, index=True)"),
        ("x: dict = Field(sa_type=JSON)", "x: Mapped[dict] = mapped_column(JSON)"),
        ("x: 'T' = Relationship(cascade_delete=True)", "x: Mapped['T'] = relationship(cascade='all, delete-orphan')"),
        ("x: ClassVar[int] = 3", "x: ClassVar[int] = 3"),
    ],
)  # fmt: skip
def test_fields(field: str, column: str) -> None:
    """Options of a field become those of its column."""
    text, notes = convert(
        f"from sqlmodel import *\nclass A(SQLModel, table=True):\n    id: int = Field(primary_key=True)\n    {field}\n"
    )
    assert text.rstrip().splitlines()[-1].strip() == column
    assert [note for note in notes if "from sqlmodel" not in note.text and "*" not in note.text] == []


def test_the_command(tmp_path: Path) -> None:
    """It writes the module, lists the notes on standard error, and with --check ends with 1 if there are any."""
    (tmp_path / "old.py").write_text(HEROES)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ormolu", "from-sqlmodel", "old.py", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )

    done = run("-o", "new/heroes.py")
    assert (done.returncode, done.stdout) == (0, "")
    assert "old.py:16: HeroBase is a mixin" in done.stderr
    assert (tmp_path / "new/heroes.py").read_text() == convert(HEROES).text
    assert run("--check").returncode == 1
    assert json.loads(run("--json").stdout)["notes"][0]["line"] == 16


ANNOTATED = """
from typing import Annotated, Optional
from sqlmodel import Field, SQLModel

class Hero(SQLModel, table=True):
    id: Annotated[Optional[int], Field(primary_key=True)] = None
    name: Annotated[str, Field(index=True, max_length=50)]
    age: Annotated[int, Field(index=True, ge=0)] = 3
    rank: Annotated[int | None, Field(default=1), Odd()]

class HeroCreate(SQLModel):
    age: Annotated[int, Field(ge=0)]

def grow(hero, data):
    hero.sqlmodel_update(data)
    return Hero.model_validate(data)
"""


def test_annotated_fields() -> None:
    """What stands in Annotated[...] counts as what is assigned; a schema keeps it."""
    text, notes = convert(ANNOTATED)
    for line in (
        "id: Mapped[int] = mapped_column(primary_key=True)",
        "name: Mapped[str] = mapped_column(String(50), index=True)",
        "age: Mapped[int] = mapped_column(index=True, default=3)",
        "rank: Mapped[int | None] = mapped_column(default=1)",
        "age: Annotated[int, Field(ge=0)]",
        "from pydantic import BaseModel, Field",
    ):
        assert line in text, text
    said = [str(note) for note in notes]
    assert [one.split(":")[0] for one in said] == ["line 8", "line 9", "line 15", "line 16"]
    assert "hero.sqlmodel_update() is SQLModel's" in said[2]
