"""Values that are changed in place are written: by save(), bulk_update() and a Session's flush; others are not."""

import copy
import pickle
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

import ormolu
from ormolu import ArrayField, CharField, F, IntegerField, JSONField, Model
from support.backends import Backend
from support.worlds import World


class Basket:
    """A user's mutable value."""

    def __init__(self, items: list[str]) -> None:
        self.items = items


class BasketField(ormolu.fields.Field[Basket]):
    """Baskets, stored as they like: an array on PostgreSQL, text elsewhere."""

    def db_type(self, connection: Any) -> str:
        return "text[]" if connection.vendor == "postgresql" else "text"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        return Basket(value if isinstance(value, list) else value.split(","))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None:
            return None
        return value.items if connection.vendor == "postgresql" else ",".join(value.items)


class InPlace(Model):
    name = CharField(max_length=20, default="")
    number = IntegerField(default=0)
    data = JSONField(null=True)
    tags = ArrayField(CharField(max_length=20), null=True)
    basket = BasketField(null=True)


class InPlaceChild(InPlace):
    more = JSONField(default=dict)
    notes: JSONField[list[int]] = JSONField(default=[])


MODELS = [InPlace, InPlaceChild]


async def written(world: World, instance: Any, **options: Any) -> list[str]:
    """Save, and return the columns that were written."""
    with ormolu.capture_queries() as queries:
        await world(instance.save, **options)
    updates = [q.sql for q in queries if q.sql.startswith("UPDATE")]
    names = ("name", "number", "data", "tags", "basket", "more")
    return [name for name in names if any(f"{name}" in sql.partition(" WHERE ")[0] for sql in updates)]


async def make(world: World, model: Any = InPlace) -> Any:
    return await world(model.objects.create, data={"a": [1, {"b": None}]}, tags=["x"], basket=Basket(["egg"]))


async def test_only_what_was_changed(db: Backend, world: World) -> None:
    """Loaded, created, refreshed or partly loaded: a save writes what was changed inside, and no more."""
    made = await make(world)
    lazy = await world(InPlace.objects.only("name").get, pk=made.pk)
    await world(lazy.refresh_from_db, fields=["number", "data", "tags", "basket"])
    loaded = await world(InPlace.objects.get, pk=made.pk)
    again = await world(InPlace.objects.get, pk=made.pk)
    again.data["a"] = "lost"
    await world(again.refresh_from_db)
    pickled = pickle.loads(pickle.dumps(loaded))
    for instance in (made, lazy, again, loaded, pickled, copy.deepcopy(loaded)):
        assert await written(world, instance) == []
        instance.data["a"][1]["b"] = [instance.data["a"][1]["b"]]
        assert await written(world, instance) == ["data"]
        assert await written(world, instance) == []
        instance.tags.append("y")
        instance.basket.items.append("milk")
        instance.number += 1
        assert await written(world, instance) == ["number", "tags", "basket"]
        fresh = await world(InPlace.objects.get, pk=made.pk)
        assert (fresh.data, fresh.tags, fresh.basket.items) == (
            instance.data,
            instance.tags,
            instance.basket.items,
        )


async def test_other_ways_to_write(db: Backend, world: World) -> None:
    """update_fields writes what it names and leaves the rest to the next save; bulk_update() does, too."""
    made = await make(world)
    instance = await world(InPlace.objects.get, pk=made.pk)
    instance.data["new"] = 1
    instance.tags.append("y")
    await world(instance.save, update_fields=["name"])
    assert (await world(InPlace.objects.get, pk=made.pk)).data == {"a": [1, {"b": None}]}
    await world(InPlace.objects.bulk_update, [instance], ["data"])
    assert await written(world, instance) == ["tags"]
    assert (await world(InPlace.objects.get, pk=made.pk)).data["new"] == 1
    instance.data = F("data")
    await world(instance.save)
    assert (await world(InPlace.objects.get, pk=made.pk)).data["new"] == 1


async def test_parents_have_some_too(db: Backend, world: World) -> None:
    """A value of a parent's table is written there."""
    made = await make(world, InPlaceChild)
    child = await world(InPlaceChild.objects.get, pk=made.pk)
    assert await written(world, child) == []
    child.data["a"] = 2
    child.more["b"] = 3
    await world(child.save)
    child = await world(InPlaceChild.objects.get, pk=made.pk)
    assert (child.data, child.more) == ({"a": 2}, {"b": 3})


async def test_copies_are_apart(db: Backend, world: World) -> None:
    """That a copy was saved as another row says nothing about the first one's."""
    made = await make(world)
    first = await world(InPlace.objects.get, pk=made.pk)
    second = copy.copy(first)
    second.pk = None
    first.data["a"] = "changed"  # second's, too
    await world(second.save, force_insert=True)
    assert await written(world, first) == ["data"]
    rows = await world.list(InPlace.objects.values_list("data", flat=True))
    assert rows == [{"a": "changed"}, {"a": "changed"}]


def test_defaults_are_not_shared() -> None:
    """A default that can be changed in place is each instance's own."""
    one, other = InPlaceChild(), InPlaceChild()
    one.notes.append(1)
    assert (one.notes, other.notes, InPlaceChild().notes) == ([1], [], [])


async def test_a_transaction_that_is_undone(db: Backend, world: World) -> None:
    """What was written in vain is written by the next save."""
    made = await make(world)
    instance = await world(InPlace.objects.get, pk=made.pk)
    with pytest.raises(ZeroDivisionError):
        async with world.atomic():
            instance.data["a"] = 1
            await world(instance.save)
            raise ZeroDivisionError
    await world(instance.save)
    assert (await world(InPlace.objects.get, pk=made.pk)).data == {"a": 1}


async def test_in_a_session(db: Backend, world: World) -> None:
    """A Session flushes what was changed in place, of objects that it or a queryset has loaded."""
    made = await make(world)
    with Session(db.engine()) as session:
        for number, instance in enumerate(
            (session.get(InPlace, made.pk), InPlace.objects(session).get(pk=made.pk))
        ):
            assert instance is not None
            assert not session.is_modified(instance)
            session.flush()
            assert instance not in session.dirty
            instance.data[f"k{number}"] = 1  # type: ignore[index]
            instance.tags.append("y")  # type: ignore[attr-defined, union-attr]
            session.commit()
            assert instance.data[f"k{number}"] == 1  # type: ignore[index]
        new = InPlace(data={"a": 1})
        session.add(new)
        session.flush()
        new.data["a"] = 2
        session.commit()
        key = new.pk
    found = await world(InPlace.objects.get, pk=made.pk)
    assert found.data == {"a": [1, {"b": None}], "k0": 1, "k1": 1}
    assert (found.tags, found.basket.items) == (["x", "y", "y"], ["egg"])
    assert (await world(InPlace.objects.get, pk=key)).data == {"a": 2}
    assert sa.inspect(found).detached or sa.inspect(found).session is None


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(-1e9, 1e9)
    | st.text("aä\"\\'", max_size=3)
)
documents = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a document."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return []
    return [(value, key) for key, _ in pairs] + [place for _, inner in pairs for place in places(inner)]


def mutate(data: Any, value: Any, draw: Any) -> None:
    """Change something in a document: set, add or remove."""
    found = places(data)
    how = draw(st.sampled_from(["set", "remove", "add"]))
    if how == "add" or not found:
        (data.append if isinstance(data, list) else lambda v: data.update({"k": v}))(value)
    else:
        container, key = draw(st.sampled_from(found))
        if how == "set":
            container[key] = value
        else:
            del container[key]


@pytest.mark.backends("sqlite", "postgresql")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_random_changes_are_all_saved(db: Backend, data: Any) -> None:
    """Whatever is changed in a document, and however it is saved, is what is read afterwards."""
    start = data.draw(
        st.dictionaries(st.text("abc", max_size=2), documents, max_size=3) | st.lists(documents, max_size=3)
    )
    made = InPlace.objects.create(data=start, tags=["x"])
    instance = data.draw(st.sampled_from([made, InPlace.objects.get(pk=made.pk)]))
    for _ in range(data.draw(st.integers(1, 4))):
        mutate(instance.data, data.draw(documents), data.draw)
        expected = copy.deepcopy(instance.data)
        how = data.draw(st.sampled_from(["save", "fields", "bulk", "pickle"]))
        if how == "pickle":
            instance = pickle.loads(pickle.dumps(instance))
        if how == "bulk":
            InPlace.objects.bulk_update([instance], ["data"])
        elif how == "fields":
            instance.save(update_fields=["data"])
        else:
            instance.save()
        assert InPlace.objects.get(pk=made.pk).data == expected
