"""What SQLAlchemy does with columns holds for models: its own UPDATE, composite values."""

import dataclasses
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, composite, mapped_column

import ormolu
from ormolu import CharField, JSONField, Model

pytestmark = pytest.mark.worlds("sync")


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Place(Model):
    name = CharField(max_length=20)
    extra = JSONField(default=dict)
    x: Mapped[int] = mapped_column(default=0)
    y: Mapped[int] = mapped_column(default=0)
    point: Mapped[Point] = composite("x", "y")

    class Meta:
        app_label = "columns"


MODELS = [Place]


def session() -> Session:
    return Session(ormolu.databases.get().engine)


@pytest.mark.parametrize("how", ["auto", "evaluate", "fetch"])
def test_an_update_of_the_sessions(db: Any, how: str) -> None:
    """A session's UPDATE sets the objects that it holds, which then have nothing to write."""
    Place.objects.create(name="a", extra={"n": 1})
    with session() as s:
        place = s.scalars(sa.select(Place)).one()
        statement = sa.update(Place).where(Place.name == "a").values(name="b", extra={"n": 2})
        s.execute(statement, execution_options={"synchronize_session": how})
        assert (place.name, place.extra) == ("b", {"n": 2})
        assert not s.is_modified(place)
        place.extra["n"] = 3
        s.commit()
    assert Place.objects.get(name="b").extra == {"n": 3}


def test_composite_values(db: Any) -> None:
    """composite() reads and writes its columns, with a session and without one."""
    place = Place(name="a", point=Point(1, 2))
    assert (place.x, place.y) == (1, 2)
    place.save()
    place = Place.objects.get()
    assert place.point == Point(1, 2)
    place.point = Point(3, 4)
    place.save()
    with session() as s:
        found = s.scalars(sa.select(Place).where(Place.point == Point(3, 4))).one()
        assert found.point == Point(3, 4)
