"""What repositories are asked: by key, by values, by selections, QuerySets and Selects, in pages."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from ormolu import Q
from ormolu.exceptions import FieldError, ValidationError
from ormolu.repository import AsyncRepository, Repository
from repository.shop import MODELS as MODELS
from repository.shop import AsyncUsers, RepoPet, RepoTicket, RepoUser, Users, names, people, said, unit


async def test_get_gives_the_sessions_object_or_none(db: Any, world: Any) -> None:
    """A primary key finds the object that the session holds, without a query; text is taken for a UUID."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        (ann,) = await people(work, "Ann")
        assert await said(users.get(ann.id)) is ann
        assert await said(users.get(str(ann.id))) is ann
        assert await said(users.get(uuid.uuid4())) is None
        with pytest.raises(ValidationError, match="not a valid UUID"):
            await said(users.get("Ann"))


async def test_find_by_gives_the_first_or_none(db: Any, world: Any) -> None:
    """Keywords are lookups; a missing object is None; no condition at all is an error."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        ann, _ = await people(work, "Ann", "Bob")
        assert await said(users.find_by(email="ann@example.com")) is ann
        assert await said(users.find_by(email__startswith="ann", name="Ann")) is ann
        assert await said(users.find_by(name="Zoe")) is None
        with pytest.raises(TypeError, match="takes conditions"):
            await said(users.find_by())
        with pytest.raises(FieldError, match="nmae"):
            await said(users.find_by(nmae="Ann"))


async def test_selections_are_lazy_and_immutable(db: Any, world: Any, queries: Any) -> None:
    """Refining asks nothing and leaves the selection before as it is; limits may come at any place."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        await people(work, "Ann", "Bob", "Cid", "Dan")
        before = len(queries)
        late = users.where(RepoUser.name > "Ann")
        newest = late.limit(2).order_by(RepoUser.name.desc()).where(~Q(name="Cid"))
        assert len(queries) == before
        assert names(await said(newest.all())) == ["Dan", "Bob"]
        assert names(await said(newest.offset(1).all())) == ["Bob"]
        assert await said(late.count()) == 3
        assert await said(newest.exclude(name="Dan").count()) == 1
        assert (await said(late.order_by("name").first())).name == "Bob"
        assert (await said(late.where(name="Cid").one())).name == "Cid"
        assert await said(late.where(name="Ann").one_or_none()) is None
        assert await said(late.where(name="Ann").exists()) is False
        assert names([item async for item in world.each(late.order_by("name"))]) == ["Bob", "Cid", "Dan"]
        with pytest.raises(RepoUser.MultipleObjectsReturned):
            await said(late.one())
        with pytest.raises(RepoUser.DoesNotExist):
            await said(late.where(name="Ann").one())


async def test_a_query_may_be_a_selection_a_queryset_or_a_select(db: Any, world: Any) -> None:
    """Each is asked through the repository's session, with the same answers."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        ann, bob, cid = await people(work, "Ann", "Bob", "Cid")
        for query in (
            users.where(RepoUser.name != "Cid"),
            RepoUser.objects.exclude(name="Cid"),
            users.objects.exclude(name="Cid"),
            sa.select(RepoUser).where(RepoUser.name != "Cid"),
        ):
            assert set(await said(users.all(query))) == {ann, bob}
            assert await said(users.all(query, order_by="-name", limit=1)) == [bob]
            assert await said(users.first(query, order_by=RepoUser.name)) is ann
            assert await said(users.count(query)) == 2
            assert await said(users.exists(query)) is True
            page = await said(users.paginate(2, 1, query=query, order_by=["name"]))
            assert (page.items, page.total, page.pages, page.has_next) == ([bob], 2, 2, False)
            with pytest.raises(RepoUser.MultipleObjectsReturned):
                await said(users.one(query))
            assert (await said(users.find_last_modified(query))) is bob
        limited = sa.select(RepoUser).order_by(RepoUser.name).limit(2)
        assert await said(users.count(limited)) == 2
        assert (await said(users.paginate(2, 1, query=limited))).items == [bob]
        nobody = sa.select(RepoUser).where(RepoUser.name == "Zoe")
        assert await said(users.one_or_none(nobody)) is None
        with pytest.raises(RepoUser.DoesNotExist):
            await said(users.one(nobody))
        with pytest.raises(TypeError, match="A query is a selection"):
            await said(users.all("name"))
        with pytest.raises(TypeError, match="of RepoPet, and the repository of RepoUser"):
            await said(users.all(RepoPet.objects.all()))
        assert await said(users.all()) == sorted([ann, bob, cid], key=(await said(users.all())).index)


async def test_what_a_queryset_has_found_elsewhere_is_asked_again(db: Any, world: Any) -> None:
    """The objects are the session's, not those that a QuerySet already has."""
    async with unit(world) as work:
        await people(work, "Ann")
    query = RepoUser.objects.filter(name="Ann")
    assert len(await world.list(query)) == 1
    async with unit(world) as work:
        (ann,) = await said(work.repository(RepoUser).all(query))
        assert ann in work.session


async def test_a_select_keeps_its_loader_options(db: Any, world: Any) -> None:
    """What SQLAlchemy's options load along is there without a further query."""
    async with unit(world) as work:
        (ann,) = await people(work, "Ann")
        await said(work.repository(RepoPet).create(owner=ann, name="Rex"))
        work.session.expunge_all()
        pets = work.repository(RepoPet)
        query = sa.select(RepoPet).options(selectinload(RepoPet.owner))
        (rex,) = await said(pets.all(query))
        assert rex.owner.name == "Ann"
        (again,) = await said(pets.where().select_related("owner").all())
        assert again is rex


async def test_exists_takes_lookups(db: Any, world: Any) -> None:
    """`exists(email=...)` asks for a row with these values."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        await people(work, "Ann")
        assert await said(users.exists()) is True
        assert await said(users.exists(name="Ann")) is True
        assert await said(users.exists(users.where(name="Ann"), email="x")) is False
        with pytest.raises(TypeError, match="not both"):
            await said(users.exists(sa.select(RepoUser), name="Ann"))


async def test_pages(db: Any, world: Any) -> None:
    """Pages count from 1, tell what comes before and after, and are empty beyond the end."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        await people(work, "Ann", "Bob", "Cid")
        first = await said(users.paginate(1, 2, order_by="name"))
        last = await said(users.where().order_by("name").paginate(2, 2))
        beyond = await said(users.paginate(3, 2))
        assert (names(first), first.total, first.pages) == (["Ann", "Bob"], 3, 2)
        assert (first.has_previous, first.has_next) == (False, True)
        assert (names(last), last.has_previous, last.has_next, len(last)) == (["Cid"], True, False, 1)
        assert (beyond.items, beyond.total) == ([], 3)
        for bad in ((0, 2), (1, 0)):
            with pytest.raises(ValueError, match="Pages count from 1"):
                await said(users.paginate(*bad))


async def test_find_last_modified(db: Any, world: Any) -> None:
    """The object whose `auto_now` field is the latest; a model without one says what to do."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        assert await said(users.find_last_modified()) is None
        ann, bob = await people(work, "Ann", "Bob")
        assert await said(users.find_last_modified()) is bob
        await said(users.update(ann, name="Anna"))
        assert await said(users.find_last_modified()) is ann
        assert await said(users.where(name="Bob").find_last_modified()) is bob
        with pytest.raises(FieldError, match="TimestampMixin"):
            await said(work.repository(RepoTicket).find_last_modified())


async def test_repositories_of_ones_own(db: Any, world: Any) -> None:
    """A class that names its model in brackets needs a session only, and has methods of its own."""
    async with unit(world) as work:
        await people(work, "Ann", "Bob")
        users = work.repository(AsyncUsers if world.is_async else Users)
        assert names(await said(users.named("Ann"))) == ["Ann"]
        assert users.model is RepoUser
        assert work.repository(type(users)) is users
        assert repr(users).endswith("Users of repo_shop.RepoUser>")
        assert type(users)(work.session).model is RepoUser


@pytest.mark.backends("sqlite")
async def test_what_is_no_session_or_model_is_refused(db: Any, world: Any) -> None:
    """The errors say what is taken."""
    kind: Any = AsyncRepository if world.is_async else Repository
    other: Any = Repository if world.is_async else AsyncRepository
    async with unit(world) as work:
        with pytest.raises(TypeError, match="has no model"):
            kind(work.session)
        with pytest.raises(TypeError, match="is of a model, not of"):
            kind(work.session, str)
        with pytest.raises(TypeError, match="takes a SQLAlchemy"):
            other(work.session, RepoUser)
        with pytest.raises(TypeError, match="takes a SQLAlchemy"):
            kind("default", RepoUser)
        with pytest.raises(TypeError, match="A repository is of a model"):
            work.repository(str)
        with pytest.raises(TypeError, match="doesn't derive from"):
            work.repository(Users if world.is_async else AsyncUsers)
