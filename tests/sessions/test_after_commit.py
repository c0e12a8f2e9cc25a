"""What waits for the commit of a session or a connection: called once, after it; never after a rollback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from ormolu import CharField, Model, databases
from ormolu.query.binding import SessionConnection
from ormolu.query.connection_binding import ConnectionSteps

pytestmark = pytest.mark.backends("sqlite", "postgresql")


class Knock(Model):
    """Something to write."""

    name = CharField(max_length=20)


@pytest.fixture(params=["session", "connection"])
def place(request: pytest.FixtureRequest, db: Any) -> Iterator[tuple[Any, Any]]:
    """A session or a connection, and what programs run on there."""
    engine = databases.get().engine
    if request.param == "session":
        with Session(engine) as session:
            yield session, SessionConnection(session, session.connection())
    else:
        with engine.connect() as connection:
            connection.begin()
            yield connection, ConnectionSteps(connection)


def test_after_the_outermost_commit(place: tuple[Any, Any]) -> None:
    """A savepoint that is released is no commit yet; the next commit calls nothing again."""
    where, steps = place
    seen: list[str] = []
    with where.begin_nested():
        steps.on_commit(lambda: seen.append("inside"))
        Knock.objects(where).create(name="a")
    steps.on_commit(lambda: seen.append("outside"))
    assert seen == []
    where.commit()
    assert seen == ["inside", "outside"]
    Knock.objects(where).create(name="b")
    where.commit()
    assert seen == ["inside", "outside"]


def test_not_after_a_rollback(place: tuple[Any, Any]) -> None:
    """What waits within a transaction or a savepoint that is undone is forgotten with it."""
    where, steps = place
    seen: list[str] = []
    steps.on_commit(lambda: seen.append("undone"))
    where.rollback()
    Knock.objects(where).create(name="a")
    steps.on_commit(lambda: seen.append("kept"))
    savepoint = where.begin_nested()
    steps.on_commit(lambda: seen.append("within"))
    savepoint.rollback()
    where.commit()
    assert seen == ["kept"]


def test_not_after_closing(place: tuple[Any, Any]) -> None:
    """A session that is closed has rolled back."""
    where, steps = place
    if isinstance(where, Session):
        seen: list[str] = []
        steps.on_commit(lambda: seen.append("undone"))
        where.close()
        Knock.objects(where).create(name="a")
        where.commit()
        assert seen == []


def test_robust_ones(place: tuple[Any, Any], caplog: pytest.LogCaptureFixture) -> None:
    """The error of a robust one is logged, and what waits behind it is called."""
    where, steps = place
    seen: list[str] = []

    def fail() -> None:
        raise LookupError("too late")

    steps.on_commit(fail, robust=True)
    steps.on_commit(lambda: seen.append("behind"))
    Knock.objects(where).create(name="a")
    where.commit()
    assert seen == ["behind"]
    assert "too late" in caplog.text
    assert Knock.objects.count() == 1
