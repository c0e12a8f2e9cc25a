"""Units of work: several repositories in one transaction."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from ormolu import databases
from ormolu.exceptions import IntegrityError
from ormolu.repository import AsyncRepository, AsyncUnitOfWork, Repository
from repository.shop import MODELS as MODELS
from repository.shop import RepoPet, RepoUser, block, names, people, said, unit


async def test_both_or_neither(db: Any, world: Any) -> None:
    """What several repositories write is committed together at the end, or not at all."""
    for name in ("Rex", "Rex"):  # the second Rex is refused
        try:
            async with unit(world) as work:
                (owner,) = await people(work, f"Owner of {await said(work.repository(RepoPet).count())}")
                await said(work.repository(RepoPet).create(owner=owner, name=name))
        except Exception as error:
            assert type(error).__name__ == "IntegrityError"  # noqa: PT017
    assert names(await world.list(RepoUser.objects.all())) == ["Owner of 0"]
    assert await world(RepoPet.objects.count) == 1


async def test_a_savepoint_is_undone_alone(db: Any, world: Any) -> None:
    """An error that leaves a savepoint's block undoes what was done in it, and nothing before or after."""
    async with unit(world) as work:
        await people(work, "Ann")
        with pytest.raises(ZeroDivisionError):
            async with block(world, work.savepoint()):
                await people(work, "Bob")
                1 / 0
        async with block(world, work.savepoint()):
            await people(work, "Cid")
    assert sorted(names(await world.list(RepoUser.objects.all()))) == ["Ann", "Cid"]


async def test_commit_and_rollback_by_hand(db: Any, world: Any) -> None:
    """`commit()` keeps what was done so far, `rollback()` undoes what came after it."""
    async with unit(world) as work:
        await people(work, "Ann")
        await said(work.commit())
        await people(work, "Bob")
        await said(work.rollback())
        await people(work, "Cid")
        await said(work.flush())
    assert sorted(names(await world.list(RepoUser.objects.all()))) == ["Ann", "Cid"]


async def test_a_session_of_ones_own(db: Any, world: Any) -> None:
    """A unit of work on a given session commits it and leaves it open."""
    database = databases.get()
    session = AsyncSession(database.async_engine) if world.is_async else Session(database.engine)
    async with block(world, session), unit(world, session) as work:
        await people(work, "Ann")
        assert work.session is session
    assert await world(RepoUser.objects.count) == 1


async def test_a_commit_that_fails(db: Any, world: Any) -> None:
    """It raises the library's error, and leaves a given session ready for its next transaction."""
    async with unit(world) as work:
        await people(work, "Ann")
    database = databases.get()
    session = AsyncSession(database.async_engine) if world.is_async else Session(database.engine)
    async with block(world, session):
        with pytest.raises(IntegrityError):
            async with unit(world, session) as work:
                (ann,) = [*await said(work.repository(RepoUser).all())]
                session.add(RepoUser(name="Bob", email=ann.email))
        assert await said(session.scalar(select(func.count()).select_from(RepoUser))) == 1


@pytest.mark.worlds("async")
async def test_a_commit_is_seen_through(db: Any, world: Any) -> None:
    """A cancellation that comes when the block has ended waits for the commit."""

    async def use() -> None:
        async with AsyncUnitOfWork() as work:
            await people(work, "Ann")
            task.cancel()  # the next thing to wait for is the commit

    task = asyncio.ensure_future(use())
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await RepoUser.objects.acount() == 1


async def test_a_unit_of_work_is_its_block(db: Any, world: Any) -> None:
    """Outside of its block it has no session, and it isn't entered twice at once; one after the other it may be."""
    async with unit(world) as work:
        with pytest.raises(RuntimeError, match="use savepoint"):
            async with block(world, work):
                pass
    with pytest.raises(RuntimeError, match="inside its"):
        _ = work.session
    async with block(world, work):
        assert await said(work.repository(RepoUser).count()) == 0


@pytest.mark.worlds("async")
async def test_a_cancelled_unit_of_work_is_undone(db: Any, world: Any) -> None:
    """Cancellation rolls back, and gives the connection back."""

    async def use() -> None:
        async with AsyncUnitOfWork() as work:
            await people(work, "Ann")
            started.set()
            await asyncio.sleep(60)

    started = asyncio.Event()
    task = asyncio.ensure_future(use())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert databases.get().async_engine.pool.checkedout() == 0
    assert await RepoUser.objects.acount() == 0


async def test_scoped_sessions(db: Any, world: Any) -> None:
    """A repository takes a scoped session, and works on the one that is current."""
    database = databases.get()
    if world.is_async:
        maker = async_sessionmaker(database.async_engine, expire_on_commit=False)
        scope: Any = async_scoped_session(maker, scopefunc=asyncio.current_task)
        users: Any = AsyncRepository(scope, RepoUser)
    else:
        scope = scoped_session(sessionmaker(database.engine))
        users = Repository(scope, RepoUser)
    assert users.session is scope()
    await said(users.create(name="Ann", email="a"))
    await said(scope.commit())
    await said(scope.remove())
    assert await world(RepoUser.objects.count) == 1
