"""relationship()s in SQLAlchemy's way: what querysets know of them."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ormolu import CharField, Model

pytestmark = pytest.mark.worlds("sync")


class Team(Model):
    name = CharField(max_length=20)
    players: Mapped[list["Striker"]] = relationship(back_populates="team")

    class Meta:
        app_label = "teams"


class Striker(Model):
    name = CharField(max_length=20)
    team_id: Mapped[int | None] = mapped_column(sa.ForeignKey(Team.__table__.c.id))
    team: Mapped[Team | None] = relationship(back_populates="players")

    class Meta:
        app_label = "teams"


MODELS = [Team, Striker]


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


class Skipper(Striker):
    rank: Mapped[int] = mapped_column(default=1)

    class Meta:
        app_label = "teams"


MODELS.append(Skipper)


@pytest.mark.worlds("sync", "async")
async def test_saving(db: Any, world: Any) -> None:
    """What was assigned is written with the object, as a session's flush would; None as well."""
    reds = await world(Team.objects.create, name="Reds")
    blues = await world(Team.objects.create, name="Blues")
    zoe = await world(Striker.objects.create, name="Zoe", team=reds)
    assert (await world(Striker.objects.get)).team_id == zoe.team_id == reds.pk
    zoe.team = blues
    await world(zoe.save)
    assert (await world(Striker.objects.get)).team_id == blues.pk
    zoe.team_id = reds.pk  # the relation was written before
    await world(zoe.save)
    assert (await world(Striker.objects.get)).team_id == reds.pk
    zoe.team = None
    await world(zoe.save)
    assert (await world(Striker.objects.get)).team_id is None
    await world(Striker.objects.bulk_create, [Striker(name="Bea", team=blues)])
    assert (await world(Striker.objects.get, name="Bea")).team_id == blues.pk
    await world(Skipper.objects.create, name="Cid", team=blues)
    assert (await world(Skipper.objects.get)).team_id == blues.pk


@pytest.mark.worlds("sync", "async")
async def test_an_unsaved_object(db: Any, world: Any) -> None:
    """An object without a row can't be referred to; once it has one, it can."""
    reds = Team(name="Reds")
    zoe = Striker(name="Zoe", team=reds)
    with pytest.raises(ValueError, match="unsaved related object 'team'"):
        await world(zoe.save)
    await world(reds.save)
    await world(zoe.save)
    assert (await world(Striker.objects.get)).team_id == reds.pk
