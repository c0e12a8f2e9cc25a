"""What repositories write: one object, many, with conflicts; flushed, and committed by whoever owns the transaction."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from ormolu import databases
from ormolu.exceptions import FieldDoesNotExist, IntegrityError
from repository.shop import MODELS as MODELS
from repository.shop import RepoPet, RepoTicket, RepoUser, names, people, said, unit


async def test_writes_are_flushed_and_not_committed(db: Any, world: Any) -> None:
    """Keys are there at once, and an error of the block undoes everything."""
    with pytest.raises(ZeroDivisionError):
        async with unit(world) as work:
            users, pets = work.repository(RepoUser), work.repository(RepoPet)
            ann = await said(users.add(RepoUser(name="Ann", email="a")))
            assert sa.inspect(ann).persistent
            rex = await said(pets.create(owner=ann, name="Rex"))
            assert rex.id is not None
            await said(users.add_all([RepoUser(name="Bob", email="b"), RepoUser(name="Cid", email="c")]))
            assert await said(users.count()) == 3
            1 / 0
    assert await world(RepoUser.objects.count) == 0


async def test_errors_of_the_database_are_ours(db: Any, world: Any) -> None:
    """Whatever writes, and whenever it is flushed: IntegrityError is what the ambient door raises, too."""
    for write in (
        lambda users: users.add(RepoUser(name="Twin", email="a")),
        lambda users: users.add(RepoUser(name="Twin", email="a"), commit=True),
        lambda users: users.add_all([RepoUser(name="Twin", email="a")]),
        lambda users: users.create(name="Twin", email="a"),
    ):
        with pytest.raises(IntegrityError):
            async with unit(world) as work:
                users = work.repository(RepoUser)
                await said(users.add(RepoUser(name="Ann", email="a")))
                await said(write(users))


async def test_commit_when_told(db: Any, world: Any) -> None:
    """`commit=True` commits what was done so far; objects stay readable."""
    with pytest.raises(ZeroDivisionError):
        async with unit(world) as work:
            users = work.repository(RepoUser)
            ann = await said(users.save(RepoUser(name="Ann", email="a"), commit=True))
            await said(users.update(ann, name="Anna", commit=True))
            assert ann.name == "Anna"
            await said(users.create(name="Bob", email="b"))
            1 / 0
    assert names(await world.list(RepoUser.objects.all())) == ["Anna"]


async def test_update_checks_names_first(db: Any, world: Any) -> None:
    """A wrong name is an error with the near miss, and nothing is set."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        (ann,) = await people(work, "Ann")
        with pytest.raises(FieldDoesNotExist, match="Did you mean 'email'"):
            await said(users.update(ann, name="Anna", emial="x"))
        with pytest.raises(FieldDoesNotExist, match="'save'"):
            await said(users.update(ann, name="Anna", save=True))
        assert ann.name == "Ann"
        with pytest.raises(TypeError, match="emial"):
            await said(users.create(name="Bob", emial="x"))


async def test_delete_follows_on_delete(db: Any, world: Any) -> None:
    """The rows that refer to the object go as their on_delete says; what isn't saved yet just leaves."""
    async with unit(world) as work:
        users, pets = work.repository(RepoUser), work.repository(RepoPet)
        ann, bob = await people(work, "Ann", "Bob")
        await said(pets.create(owner=ann, name="Rex"))
        await said(users.delete(ann))
        assert await said(pets.count()) == 0
        assert ann not in work.session
        new = RepoUser(name="New", email="n")
        with pytest.raises(ValueError, match="has no row"):
            await said(users.delete(new))
        work.session.add(new)
        await said(users.delete(new))
        work.session.expunge(bob)
        await said(users.delete(bob))
        assert await said(users.count()) == 0


async def test_selections_write_sets(db: Any, world: Any) -> None:
    """A selection updates and deletes its rows by a statement; objects of the session follow."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        ann, bob = await people(work, "Ann", "Bob")
        assert await said(users.where(name="Ann").update(name="Anna")) == 1
        assert ann.name == "Anna"
        assert await said(users.where(RepoUser.name == "Bob").delete()) == 1
        assert bob not in work.session
        assert await said(users.count()) == 1


async def test_refresh(db: Any, world: Any) -> None:
    """Columns are loaded again; a row that is gone is DoesNotExist."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        (ann,) = await people(work, "Ann")
        table = RepoUser.__table__
        await said(work.session.execute(sa.update(table).values(name="Anna")))
        assert (await said(users.refresh(ann))).name == "Anna"
        await said(work.session.execute(sa.delete(table)))
        with pytest.raises(RepoUser.DoesNotExist):
            await said(users.refresh(ann))
        work.session.expunge(ann)


async def test_bulk_insert_fails_whole_and_leaves_the_transaction(db: Any, world: Any) -> None:
    """Without a policy a conflict is an IntegrityError: no row is inserted, and the transaction goes on."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        await people(work, "Ann")
        rows = [{"name": "Bob", "email": "bob@example.com"}, {"name": "X", "email": "ann@example.com"}]
        with pytest.raises(IntegrityError):
            await said(users.bulk_insert(rows))
        assert await said(users.count()) == 1
        bob, cid = await said(users.bulk_insert([rows[0], RepoUser(name="Cid", email="c")]))
        assert [sa.inspect(user).persistent for user in (bob, cid)] == [True, True]
        assert await said(users.get(bob.id)) is bob
        assert bob.created_at is not None
        assert await said(users.bulk_insert([])) == []
        with pytest.raises(TypeError, match="takes its objects, or dictionaries"):
            await said(users.bulk_insert(["Ann"]))
    assert await world(RepoUser.objects.count) == 3


@pytest.mark.parametrize("unique", [["email"], None])
async def test_bulk_insert_nothing_returns_what_was_inserted(db: Any, world: Any, unique: Any) -> None:
    """Rows that are there stay, and only the objects of the new ones come back, twins within the rows left out."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        (ann,) = await people(work, "Ann")
        rows = [
            {"name": "Eve", "email": "e"},
            {"name": "Alice", "email": "ann@example.com"},
            {"name": "Fay", "email": "f"},
            {"name": "Twin", "email": "e"},
        ]
        found = await said(users.bulk_insert(rows, on_conflict="nothing", unique_fields=unique))
        assert names(found) == ["Eve", "Fay"]
        assert all(sa.inspect(user).persistent for user in found)
        assert ann.name == "Ann"
        assert await said(users.count()) == 3


async def test_bulk_insert_nothing_with_keys_of_the_database(db: Any, world: Any) -> None:
    """Keys that the database counts up or makes are told, of the inserted rows alone."""
    async with unit(world) as work:
        pets, tickets = work.repository(RepoPet), work.repository(RepoTicket)
        (ann,) = await people(work, "Ann")
        await said(pets.create(owner=ann, name="Rex"))
        rows = [{"owner": ann, "name": "Rex"}, {"owner_id": ann.id, "name": "Tom"}]
        (tom,) = await said(pets.bulk_insert(rows, on_conflict="nothing"))
        assert await said(pets.get(tom.id)) is tom
        first, second = await said(
            tickets.bulk_insert([{"title": "a"}, {"title": "b"}], on_conflict="nothing")
        )
        assert first.id != second.id


async def test_bulk_insert_update(db: Any, world: Any) -> None:
    """Rows that are there get the new values, and so do the session's objects; all that was written comes back."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        (ann,) = await people(work, "Ann")
        rows = [{"name": "Anna", "email": "ann@example.com"}, {"name": "Eve", "email": "e"}]
        found = await said(users.bulk_insert(rows, on_conflict="update", unique_fields=["email"]))
        assert names(found) == ["Anna", "Eve"]
        assert found[0] is ann
        assert ann.name == "Anna"
        with pytest.raises(ValueError, match="which row is the same"):
            await said(users.bulk_insert(rows, on_conflict="update"))
        with pytest.raises(ValueError, match="on_conflict is one of"):
            await said(users.bulk_insert(rows, on_conflict="ignore"))


@pytest.mark.backends("mariadb")
async def test_bulk_insert_nothing_on_mariadb(db: Any, world: Any) -> None:
    """INSERT IGNORE with RETURNING tells the inserted rows there."""
    async with unit(world) as work:
        users = work.repository(RepoUser)
        await people(work, "Ann")
        rows = [{"name": "Eve", "email": "e"}, {"name": "Alice", "email": "ann@example.com"}]
        assert names(await said(users.bulk_insert(rows, on_conflict="nothing"))) == ["Eve"]


async def test_a_key_that_the_database_makes(db: Any, world: Any) -> None:
    """PGUUIDPKMixin's key is made by the database, for rows inserted by hand as well."""
    async with unit(world) as work:
        tickets = work.repository(RepoTicket)
        made = await said(tickets.create(title="by model"))
        assert isinstance(made.id, uuid.UUID)
        await said(
            work.session.execute(sa.text("INSERT INTO repo_shop_repoticket (title) VALUES ('by hand')"))
        )
        hand = await said(tickets.find_by(title="by hand"))
        assert isinstance(hand.id, uuid.UUID)
        assert hand.id.version == 4
        assert hand.id != made.id
    again = await world(RepoTicket.objects.create, title="ambient")
    assert isinstance(again.id, uuid.UUID)


async def test_managed_repositories_commit_or_roll_back(db: Any, world: Any) -> None:
    """`Database.repository()` is a transaction of its own."""
    from repository.shop import AsyncUsers, Users, block

    database = databases.get()
    async with block(world, database.repository(RepoUser)) as users:
        await said(users.create(name="Ann", email="a"))
    with pytest.raises(ZeroDivisionError):
        async with block(world, database.repository(AsyncUsers if world.is_async else Users)) as users:
            assert names(await said(users.named("Ann"))) == ["Ann"]
            await said(users.create(name="Bob", email="b"))
            1 / 0
    assert names(await world.list(RepoUser.objects.all())) == ["Ann"]
    with pytest.raises(TypeError, match="it takes an? `"):
        async with block(world, database.repository(Users if world.is_async else AsyncUsers)):
            pass
