"""Q.check(): whether a condition holds for values that are in no table."""

from __future__ import annotations

import logging

import pytest

from ormolu import BooleanField, ExpressionWrapper, F, Q, Value
from ormolu.exceptions import FieldError
from ormolu.query.functions import Lower

pytestmark = pytest.mark.backends("sqlite", "postgresql", "asyncpg", "mariadb")
MODELS = ()


async def test_values(db, world):
    """Plain values and expressions stand for the names, with lookups, transforms and connectors."""
    more = Q(price__gt=20)
    assert await world(more.check, {"price": 30}) is True
    assert await world(more.check, {"price": 10}) is False
    assert await world(Q(name="test").check, {"name": Lower(Value("TeSt"))}) is True
    assert await world((more | Q(name__startswith="a")).check, {"price": 1, "name": "abc"}) is True
    assert await world((~more).check, {"price": 30}) is False
    assert await world(Q(low__lt=F("high")).check, {"low": 1, "high": 2}) is True
    assert await world(Q(low__lt=F("high")).check, {"low": 2, "high": 2}) is False
    assert (
        await world(Q(ExpressionWrapper(more, output_field=BooleanField())).check, {"price": Value(25)})
        is True
    )
    assert await world(Q(price__in=[]).check, {"price": 1}) is False
    assert await world(Q().check, {}) is True


async def test_null_holds(db, world):
    """What can't be told holds, as in a CHECK constraint."""
    assert await world(Q(price__gt=20).check, {"price": None}) is True
    assert await world(Q(price__isnull=False).check, {"price": None}) is False


async def test_an_unknown_name(db, world):
    """A name that isn't among the values is an error that names those that are."""
    with pytest.raises(FieldError, match="Choices are: name"):
        await world(Q(description="x").check, {"name": "x"})


async def test_what_the_database_refuses(db, world, caplog):
    """It is logged and counts as true, and an open transaction goes on."""
    import sqlalchemy as sa

    async with world.atomic():
        with caplog.at_level(logging.WARNING, "ormolu.models"):
            assert await world(Q(sa.text("price > 20")).check, {"price": 10}) is True
        assert await world(Q(price=1).check, {"price": 1}) is True
    assert "Got a database error calling check() on" in caplog.text
