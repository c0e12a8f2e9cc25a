"""relationship()s in SQLAlchemy's way: what querysets know of them."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ormolu import CharField, Model

pytestmark = pytest.mark.worlds("sync")


class Team(Model):
    name = CharField(max_length=20)
    players: Mapped[list["Player"]] = relationship(back_populates="team")

    class Meta:
        app_label = "teams"


class Player(Model):
    name = CharField(max_length=20)
    team_id: Mapped[int | None] = mapped_column(sa.ForeignKey(Team.__table__.c.id))
    team: Mapped[Team | None] = relationship(back_populates="players")

    class Meta:
        app_label = "teams"


MODELS = [Team, Player]


def test_before_mappers_are_configured(db: Any, apps: Any) -> None:
    """A queryset may be the first to ask what a relationship is."""

    class House(Model):
        rooms: Mapped[list["Room"]] = relationship(back_populates="house")

    class Room(Model):
        house_id: Mapped[int] = mapped_column(sa.ForeignKey(House.__table__.c.id))
        house: Mapped[House] = relationship(back_populates="rooms")

    assert not sa.inspect(Room).configured
    assert "JOIN" in str(Room.objects.select_related("house").query)
    assert House._meta.get_field("rooms").one_to_many
