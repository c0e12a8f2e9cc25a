"""Models that are dataclasses."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, MappedAsDataclass, Session, mapped_column, relationship

from ormolu import databases
from ormolu.sessions import DataclassModel


class Named(MappedAsDataclass):
    """A mixin, which is a dataclass as well."""

    note: Mapped[str] = mapped_column(String(20), default="none", kw_only=True)


class Garden(Named, DataclassModel):
    """With what the constructor takes, and what it doesn't."""

    __tablename__ = "sessions_garden"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str] = mapped_column(String(20))
    plants: Mapped[list[GardenPlant]] = relationship(
        back_populates="garden", default_factory=list, repr=False
    )


class GardenPlant(DataclassModel):
    """A dataclass that refers to another one."""

    __tablename__ = "sessions_plant"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    name: Mapped[str] = mapped_column(String(20))
    garden_id: Mapped[int] = mapped_column(ForeignKey("sessions_garden.id"), init=False)
    garden: Mapped[Garden] = relationship(back_populates="plants", default=None, repr=False)


class Point(DataclassModel, eq=True):
    """Without a key of its own, and compared by its values."""

    __tablename__ = "sessions_point"

    x: Mapped[int]
    y: Mapped[int] = mapped_column(default=0)


MODELS = [Garden, GardenPlant, Point]


def test_the_constructor_is_a_dataclasss() -> None:
    """Positional values, defaults, `init=False`, and required ones."""
    garden = Garden("Kew")
    assert (garden.id, garden.name, garden.note) == (None, "Kew", "none")
    assert repr(garden).endswith("Garden(note='none', id=None, name='Kew')")
    with pytest.raises(TypeError, match="name"):
        Garden()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="id"):
        Garden(id=1, name="Kew")  # type: ignore[call-arg]


def test_it_has_objects(db: Any) -> None:
    """The ambient door works on it, and does not call the constructor for rows."""
    Garden.objects.create(name="Kew", note="old")
    kew = Garden.objects.get(name="Kew")
    assert (kew.note, kew) == ("old", Garden.objects.get(pk=kew.pk))
    kew.name = "Kew Gardens"
    kew.save()
    assert Garden.objects.filter(name__endswith="Gardens").count() == 1
    assert len({kew, Garden.objects.get()}) == 1


def test_a_session_holds_it(db: Any) -> None:
    """So do sessions, with relationships on both sides."""
    with Session(databases.get().engine) as session:
        kew = Garden("Kew")
        session.add(GardenPlant("Oak", garden=kew))
        session.commit()
        assert [plant.name for plant in kew.plants] == ["Oak"]
        assert Garden.objects(session).get(name="Kew") is kew
        assert kew.note == "none"
    assert [garden.plants[0].name for garden in Garden.objects.prefetch_related("plants")] == ["Oak"]


def test_a_key_is_added_where_there_is_none(db: Any) -> None:
    """It is no parameter; `eq=True` compares values, as plain dataclasses do."""
    point = Point.objects.create(x=1)
    assert point.pk is not None
    assert Point.objects.get() == Point.objects.get()
    assert Point(1) == Point(1)
    assert Point(1) != Point(2)
