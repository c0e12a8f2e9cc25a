"""Children of a concrete model: one object, a row in each table."""

import pytest

from ormolu import signals
from ormolu.writes.bulk import bulk_create
from ormolu.writes.bulk_update import bulk_update
from ormolu.writes.delete import delete_instances
from ormolu.writes.save import save
from writes.library import Inn, Place, Restaurant, Review

MODELS = [Place, Restaurant, Review]


@pytest.mark.parametrize("model", [Restaurant, Inn])
async def test_both_rows_are_inserted(run, statements, model):
    """The parent's row first, whose key is the child's, too."""
    place = model(name="a", stars=2)
    await run(save, place)
    assert [sql.split()[2].strip('"`') for sql in statements] == ["writes_place", "writes_restaurant"]
    assert place.pk == place.id == place.place_ptr_id
    assert await run.rows(Place, "id", "name") == [(place.pk, "a")]
    assert await run.rows(Restaurant, "place_ptr_id", "stars") == [(place.pk, 2)]


async def test_only_the_table_that_changed_is_written(run, statements):
    """One UPDATE for a change of one table; nothing but a look for no change."""
    place = Restaurant(name="a", stars=2)
    await run(save, place)
    statements.clear()
    place.name = "b"
    await run(save, place)
    place.stars = 3
    await run(save, place, update_fields=["stars"])
    await run(save, place)
    assert [sql.split()[0] for sql in statements] == ["UPDATE", "UPDATE", "SELECT"]
    assert await run.rows(Place, "name") == [("b",)]
    assert await run.rows(Restaurant, "stars") == [(3,)]


async def test_update_fields_touch_their_tables_alone(run, statements):
    """With update_fields the other tables are not even looked at, also for an object that was never loaded."""
    place = Restaurant(name="a", stars=2)
    await run(save, place)
    same = Restaurant(pk=place.pk, name="b", stars=3)
    statements.clear()
    await run(save, same, update_fields=["name"])
    await run(save, same, update_fields=["stars"])
    assert [sql.split()[:2] for sql in statements if not sql.startswith(("BEGIN", "COMMIT"))] == [
        ["UPDATE", sql.split()[1]] for sql in statements if sql.startswith("UPDATE")
    ]
    assert await run.rows(Place, "name") == [("b",)]
    assert await run.rows(Restaurant, "stars") == [(3,)]


async def test_a_parent_that_is_there(run):
    """A child may be added to a parent's row that exists."""
    place = Place(name="a")
    await run(save, place)
    child = Restaurant(place_ptr=place, name="b", stars=1)
    await run(save, child)
    assert child.id == place.pk
    assert await run.rows(Place, "name") == [("b",)]


async def test_delete(run):
    """From either side, both rows go, and what refers to either of them."""
    first, second = Restaurant(name="a"), Restaurant(name="b")
    for place in (first, second):
        await run(save, place)
        await run(save, Review(place=place))
    counts = {"writes.Review": 1, "writes.Restaurant": 1, "writes.Place": 1}
    assert await run(delete_instances, Restaurant, [first]) == (3, counts)
    (parent,) = await run.load(Place)
    assert await run(delete_instances, Place, [parent]) == (3, counts)
    assert await run.count(Restaurant) == 0


async def test_delete_with_keep_parents(run):
    """The parent's row stays, and what refers to it."""
    place = Restaurant(name="a")
    await run(save, place)
    await run(save, Review(place_id=place.pk))
    assert await run(delete_instances, Restaurant, [place], keep_parents=True) == (
        1,
        {"writes.Restaurant": 1},
    )
    assert await run.count(Review) == 1


async def test_bulk(run):
    """bulk_update() writes to both tables; bulk_create() refuses, as Django's does."""
    places = [Restaurant(name=name) for name in "ab"]
    for place in places:
        await run(save, place)
        place.name, place.stars = place.name * 2, 5
    assert await run(bulk_update, Restaurant, places, ["name", "stars"]) == 2
    assert await run.rows(Place, "name") == [("aa",), ("bb",)]
    assert await run.rows(Restaurant, "stars") == [(5,), (5,)]
    with pytest.raises(ValueError, match="Can't bulk create a multi-table inherited model"):
        await run(bulk_create, Restaurant, [Restaurant(name="c")])


async def test_deletion_of_a_proxys_object_is_announced_by_the_proxy(run):
    """The sender is the class of the object; its parent's row is announced by the parent."""
    told = []

    def note(sender, instance, **_):
        told.append(sender)

    place = Inn(name="a")
    await run(save, place)
    signals.post_delete.connect(note)
    try:
        await run(delete_instances, Inn, [place])
    finally:
        signals.post_delete.disconnect(note)
    assert told == [Inn, Place]
