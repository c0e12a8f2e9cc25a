"""Sessions as dependencies: one transaction for each request, ended before the response is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ormolu import CharField, Model, databases
from ormolu.sessions import (
    async_engine,
    async_session_scope,
    get_async_session,
    get_session,
    get_sync_session,
    get_threaded_session,
)

pytestmark = pytest.mark.backends("sqlite", "postgresql")


class Visitor(Model):
    """Somebody who came."""

    name = CharField(max_length=20, unique=True)


def application() -> FastAPI:
    """An application that writes, fails, and streams."""
    app = FastAPI()
    app.state.seen = []

    @app.post("/visitors/{name}")
    async def come(name: str, session: Annotated[AsyncSession, Depends(get_session)]) -> dict[str, int]:
        visitor = await Visitor.objects(session).create(name=name)
        return {"id": visitor.pk}

    @app.post("/fail/{name}")
    async def fail(name: str, session: Annotated[AsyncSession, Depends(get_session)]) -> None:
        session.add(Visitor(name=name))
        await session.flush()
        raise HTTPException(409, "no")

    @app.post("/late/{name}")
    async def late(name: str, session: Annotated[AsyncSession, Depends(get_session)]) -> str:
        session.add(Visitor(name=name))  # the commit finds out
        return name

    @app.get("/stream")
    async def stream(session: Annotated[AsyncSession, Depends(get_session)]) -> StreamingResponse:
        names = (await session.scalars(select(Visitor.name))).all()

        async def parts() -> AsyncIterator[str]:
            for name in names:
                app.state.seen.append(async_engine().pool.checkedout())
                yield name

        return StreamingResponse(parts())

    @app.post("/threads/{name}")
    def in_thread(name: str, session: Annotated[Session, Depends(get_threaded_session)]) -> int:
        return Visitor.objects(session).create(name=name).pk

    return app


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that talks to an application, and sees its failures as responses."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def names() -> list[str]:
    """What is committed."""
    return [name async for name in Visitor.objects.order_by("name").values_list("name", flat=True)]


@pytest.mark.worlds("async")
async def test_a_request_is_a_transaction(db: Any, world: Any) -> None:
    """It is committed when the endpoint returns, and rolled back when it raises."""
    async with client_of(application()) as client:
        assert (await client.post("/visitors/ann")).status_code == 200
        assert (await client.post("/fail/ben")).status_code == 409
        assert (await client.post("/threads/cleo")).status_code == 200
    assert await names() == ["ann", "cleo"]


@pytest.mark.worlds("async")
async def test_a_commit_that_fails_is_no_success(db: Any, world: Any) -> None:
    """The commit comes before the response: what it refuses is an error to the client."""
    async with client_of(application()) as client:
        assert (await client.post("/visitors/ann")).status_code == 200
        assert (await client.post("/late/ann")).status_code == 500
        assert (await client.post("/late/ben")).status_code == 200
    assert await names() == ["ann", "ben"]


@pytest.mark.worlds("async")
async def test_a_stream_holds_no_connection(db: Any, world: Any) -> None:
    """While a response streams, the connection that the endpoint used is in the pool."""
    app = application()
    async with client_of(app) as client:
        await client.post("/visitors/ann")
        await client.post("/visitors/ben")
        before = async_engine().pool.checkedout()
        assert (await client.get("/stream")).text in ("annben", "benann")
    assert app.state.seen == [before, before]


@pytest.mark.worlds("async")
async def test_many_requests_at_once(db: Any, world: Any) -> None:
    """64 requests at once are all served, and every connection comes back."""
    app = application()
    async with client_of(app) as client:
        found = await asyncio.gather(*[client.post(f"/visitors/v{n}") for n in range(64)])
    assert {response.status_code for response in found} == {200}
    assert len(await names()) == 64
    assert async_engine().pool.checkedout() <= 1  # one may be lent to the ambient door


@pytest.mark.worlds("async")
async def test_a_cancelled_request_is_rolled_back(db: Any, world: Any) -> None:
    """Cancelled where it waits, the transaction is undone and its connection is back before the task has ended."""
    reached = asyncio.Event()

    async def request() -> None:
        async with asynccontextmanager(get_session)() as session:
            await Visitor.objects(session).create(name="ann")
            reached.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(request())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert async_engine().pool.checkedout() == 0
    assert await names() == []


@pytest.mark.worlds("async")
async def test_cancelled_in_the_commit(db: Any, world: Any) -> None:
    """A commit is seen through to its end: the task is cancelled after it, and the row is there."""

    async def request() -> None:
        async with async_session_scope() as session:
            await Visitor.objects(session).create(name="ann")
            asyncio.get_running_loop().call_soon(task.cancel)

    task = asyncio.create_task(request())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert async_engine().pool.checkedout() == 0
    assert await names() in ([], ["ann"])


@pytest.mark.worlds("async")
async def test_a_closed_generator_is_rolled_back(db: Any, world: Any) -> None:
    """A framework that closes the generator before its end has given up on the request."""
    async with aclosing(get_async_session()) as generator:
        session = await anext(generator)
        await Visitor.objects(session).create(name="ann")
    assert async_engine().pool.checkedout() == 0
    assert await names() == []


@pytest.mark.worlds("async")
async def test_nothing_is_connected_before_the_first_statement(db: Any, world: Any) -> None:
    """A session that isn't used takes no connection."""
    async with async_session_scope() as session:
        assert session.in_transaction()
        assert async_engine().pool.checkedout() == 0
        await session.execute(text("SELECT 1"))
        assert async_engine().pool.checkedout() == 1


def test_the_synchronous_scope(db: Any) -> None:
    """It commits at its end, rolls back what raised, and leaves no connection out."""
    with get_sync_session() as session:
        session.add(Visitor(name="ann"))
    with pytest.raises(ZeroDivisionError), get_sync_session() as session:
        session.add(Visitor(name="ben"))
        session.flush()
        raise ZeroDivisionError
    with pytest.raises(IntegrityError), get_sync_session() as session:
        session.add(Visitor(name="ann"))
    assert [visitor.name for visitor in Visitor.objects.all()] == ["ann"]


def test_objects_outlive_their_session(db: Any) -> None:
    """Values stay after the commit, and the alias that the object is from."""
    with get_sync_session() as session:
        ann = Visitor.objects(session).create(name="ann")
    assert ann.name == "ann"
    assert session.info["ormolu_alias"] == databases.get().alias
    ann.name = "anna"
    ann.save()
    assert Visitor.objects.get().name == "anna"
