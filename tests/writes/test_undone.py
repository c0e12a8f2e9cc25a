"""What becomes of the record of changes when a transaction is undone, or when only some columns were written."""

import copy
import pickle

import pytest

from ormolu import F, transaction
from writes.library import Author, Document, Place, Publisher, Restaurant

MODELS = [Publisher, Author, Document, Place, Restaurant]


class Undo(Exception):
    """Ends a block in a rollback."""


async def ages(world):
    return [row async for row in world.each(Author.objects.order_by("pk").values_list("name", "age"))]


async def test_a_save_that_was_undone_is_done_again(db, world):
    """After a rollback the object has values that the row hasn't: the next save() writes them."""
    author = await world(Author.objects.create, name="Ann", age=1)
    author.age = 2
    with pytest.raises(Undo):
        async with world.atomic():
            await world(author.save)
            raise Undo
    assert await ages(world) == [("Ann", 1)]
    await world(author.save)
    assert await ages(world) == [("Ann", 2)]


async def test_only_what_was_undone_is_done_again(db, world):
    """The savepoint's columns are written once more, those of the transaction around it are not."""
    author = await world(Author.objects.create, name="Ann", age=1)
    async with world.atomic():
        author.name = "Bob"
        await world(author.save)
        with pytest.raises(Undo):
            async with world.atomic():
                author.age = 2
                await world(author.save)
                raise Undo
    await world(Author.objects.update, name="Someone else's")
    await world(author.save)
    assert await ages(world) == [("Someone else's", 2)]


async def test_a_relation_that_was_undone_is_written_again(db, world):
    """What a related manager's add() set is to be saved after a rollback, and not before."""
    publisher = await world(Publisher.objects.create, name="Ace")
    author = await world(Author.objects.create, name="Ann", age=1)
    other = await world(Author.objects.create, name="Bob", age=2)
    with pytest.raises(Undo):
        async with world.atomic():
            await world(publisher.author_set.add, author)
            raise Undo
    assert author.publisher_id == publisher.pk
    await world(author.save)
    async with world.atomic():
        await world(publisher.author_set.add, other)
    assert await world(publisher.author_set.count) == 2
    await world(publisher.author_set.clear)
    await world(author.save)
    await world(other.save)
    assert await world(publisher.author_set.count) == 0


async def test_a_savepoint_that_was_released_shares_the_fate_of_its_transaction(db, world):
    """Undone with it."""
    author = await world(Author.objects.create, name="Ann", age=1)
    with pytest.raises(Undo):
        async with world.atomic():
            async with world.atomic():
                author.age = 2
                await world(author.save)
            raise Undo
    await world(author.save)
    assert await ages(world) == [("Ann", 2)]


async def test_savepoints_by_hand(db, world):
    """Rolling back to one counts as well."""
    author = await world(Author.objects.create, name="Ann", age=1)
    async with world.atomic():
        author.name = "Bob"
        await world(author.save)
        point = await world(transaction.savepoint)
        author.age = 2
        await world(author.save)
        await world(transaction.savepoint_rollback, point)
        await world(Author.objects.update, name="Cid")
        await world(author.save)
    assert await ages(world) == [("Cid", 2)]


async def test_a_new_row_that_was_undone_is_inserted_again(db, world):
    """With all its values, also where somebody else has taken its key."""
    author = Author(name="Ann", age=1)
    with pytest.raises(Undo):
        async with world.atomic():
            await world(author.save)
            raise Undo
    await world(author.save)
    assert await ages(world) == [("Ann", 1)]
    other = Author(name="Bob", age=2)
    with pytest.raises(Undo):
        async with world.atomic():
            await world(other.save)
            raise Undo
    await world(Author.objects.create, pk=other.pk, name="Cid")
    await world(other.save)
    assert await ages(world) == [("Ann", 1), ("Bob", 2)]


async def test_an_expression_that_was_undone_is_computed_again(db, world):
    """Not the value that it had in the transaction that is no more."""
    author = await world(Author.objects.create, name="Ann", age=1)
    author.age = F("age") + 1
    with pytest.raises(Undo):
        async with world.atomic():
            await world(author.save)
            assert author.age == 2
            raise Undo
    await world(Author.objects.update, age=10)
    await world(author.save)
    assert author.age == 11
    await world(author.save)
    assert await ages(world) == [("Ann", 11)]


async def test_a_mutable_value_that_was_undone(db, world):
    """A change inside a JSON value is written again, too."""
    document = await world(Document.objects.create, name="a", data=[1])
    document.data.append(2)
    with pytest.raises(Undo):
        async with world.atomic():
            await world(document.save)
            raise Undo
    await world(document.save)
    assert (await world(Document.objects.get)).data == [1, 2]


async def test_a_copy_made_meanwhile(db, world):
    """A copy or a pickle of an object that was saved in an open transaction writes these columns again."""
    author = await world(Author.objects.create, name="Ann", age=1)
    author.age = 2
    with pytest.raises(Undo):
        async with world.atomic():
            await world(author.save)
            copies = [copy.copy(author), pickle.loads(pickle.dumps(author))]
            raise Undo
    for one in copies:
        await world(Author.objects.update, age=1)
        await world(one.save)
        assert await ages(world) == [("Ann", 2)]


async def test_what_was_loaded_again_is_not_written(db, world):
    """refresh_from_db() after the rollback takes the row's value."""
    author = await world(Author.objects.create, name="Ann", age=1)
    author.age = 2
    with pytest.raises(Undo):
        async with world.atomic():
            await world(author.save)
            raise Undo
    await world(author.refresh_from_db)
    await world(Author.objects.update, age=7)
    await world(author.save)
    assert await ages(world) == [("Ann", 7)]


async def test_a_parent_s_columns_are_undone_with_the_child_s(db, world):
    """What one table got before the other's statement failed is written by the next save()."""
    place = await world(Restaurant.objects.create, name="Inn", stars=1)
    place.name, place.stars = "Pub", 2
    with pytest.raises(Undo):
        async with world.atomic():
            await world(place.save)
            raise Undo
    await world(place.save)
    assert [row async for row in world.each(Restaurant.objects.values_list("name", "stars"))] == [("Pub", 2)]


async def test_other_changes_stay_changes(db, world):
    """save(update_fields=...) writes some columns; the others are written by the next save()."""
    author = await world(Author.objects.create, name="Ann", age=1)
    author.name, author.age = "Bob", 2
    await world(author.save, update_fields=["age"])
    assert await ages(world) == [("Ann", 2)]
    await world(author.save)
    assert await ages(world) == [("Bob", 2)]


async def test_update_fields_of_an_object_that_was_not_loaded(db, world):
    """The columns that were left out are still to be written: nobody knows what the row has."""
    kept = await world(Author.objects.create, name="Ann", age=1)
    author = Author(pk=kept.pk, name="Bob", age=2)
    await world(author.save, update_fields=["age"])
    assert await ages(world) == [("Ann", 2)]
    await world(author.save)
    assert await ages(world) == [("Bob", 2)]


async def test_an_object_that_was_made_by_hand_for_a_row(db, world):
    """With `_state.adding = False` all columns are written by an UPDATE."""
    kept = await world(Author.objects.create, name="Ann", age=1)
    author = Author(pk=kept.pk, name="Bob", age=2)
    author._state.adding = False
    await world(author.save)
    assert await ages(world) == [("Bob", 2)]
