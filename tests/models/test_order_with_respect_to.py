"""`Meta.order_with_respect_to`: objects that have a place among those that refer to the same object."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

import ormolu
from ormolu import CASCADE, SET_NULL, CharField, ForeignKey, Model
from ormolu.exceptions import FieldDoesNotExist
from ormolu.fields import OrderWrt
from support.backends import Backend
from support.worlds import World


class Poll(Model):
    text = CharField(max_length=20)


class Option(Model):
    text = CharField(max_length=20)
    poll: Any = ForeignKey(Poll, on_delete=CASCADE)

    class Meta:
        order_with_respect_to = "poll"


class Chapter(Model):
    text = CharField(max_length=20)
    within: Any = ForeignKey("self", on_delete=SET_NULL, null=True)

    class Meta:
        order_with_respect_to = "within"


class LongOption(Option):
    more = CharField(max_length=20, default="")


async def test_a_new_object_comes_last(db: Backend, world: World, queries):
    """It takes the place after the last, or the first one; one query finds that out."""
    poll, other = [await world(Poll.objects.create, text=text) for text in "ab"]
    queries.clear()
    made = [await world(Option.objects.create, text=text, poll=poll) for text in "xyz"]
    assert len(queries) == 6
    assert [option._order for option in made] == [0, 1, 2]
    assert (await world(Option.objects.create, text="x", poll=other))._order == 0
    await world(made[0].delete)
    assert (await world(Option.objects.create, text="u", poll=poll))._order == 3
    assert await world.list(Option.objects.filter(poll=poll).values_list("text", flat=True)) == [
        "y",
        "z",
        "u",
    ]


async def test_saving_again_keeps_the_place(db: Backend, world: World):
    """Only a new row gets a place, also where the object moves to another one."""
    poll, other = [await world(Poll.objects.create, text=text) for text in "ab"]
    options = [await world(Option.objects.create, text=text, poll=poll) for text in "xyz"]
    options[1].poll = other
    await world(options[1].save)
    assert (await world(Option.objects.get, pk=options[1].pk))._order == 1


async def test_bulk_create_counts_on(db: Backend, world: World, queries):
    """Each object takes the next place of its own order, in one query for all; places that were given are kept."""
    poll, other = [await world(Poll.objects.create, text=text) for text in "ab"]
    await world(Option.objects.create, text="first", poll=poll)
    objects = [Option(text="a", poll=poll), Option(text="b", poll=other), Option(text="c", poll=poll)]
    objects.append(Option(text="d", poll=other, _order=7))
    queries.clear()
    await world(Option.objects.bulk_create, objects)
    assert len(queries) == 2
    assert [option._order for option in objects] == [1, 0, 2, 7]


async def test_objects_that_refer_to_nothing(db: Backend, world: World):
    """They have an order of their own."""
    whole = [await world(Chapter.objects.create, text=text) for text in "ab"]
    parts = [await world(Chapter.objects.create, text=text, within=whole[1]) for text in "cd"]
    assert [chapter._order for chapter in (*whole, *parts)] == [0, 1, 0, 1]
    assert await world(whole[0].get_next_in_order) == whole[1]
    assert await world(parts[1].get_previous_in_order) == parts[0]
    await world(Chapter.objects.bulk_create, more := [Chapter(text="e"), Chapter(text="f", within=whole[1])])
    assert [chapter._order for chapter in more] == [2, 2]


async def test_read_and_set_the_order(db: Backend, world: World, queries):
    """get_RELATED_order() gives the keys, set_RELATED_order() takes them; strangers aren't touched."""
    poll, other = [await world(Poll.objects.create, text=text) for text in "ab"]
    a, b, c = [await world(Option.objects.create, text=text, poll=poll) for text in "abc"]
    stranger = await world(Option.objects.create, text="d", poll=other)
    assert await world.list(poll.get_option_order()) == [a.pk, b.pk, c.pk]
    queries.clear()
    await world(poll.set_option_order, [c.pk, a.pk, b.pk, stranger.pk])
    assert len(queries) == 1
    assert await world.list(poll.get_option_order()) == [c.pk, a.pk, b.pk]
    assert (await world(Option.objects.get, pk=stranger.pk))._order == 0
    assert await world(a.get_next_in_order) == b  # as the database has it now
    assert await world(a.get_previous_in_order) == c
    await world(poll.set_option_order, [])
    assert await world.list(poll.get_option_order()) == [c.pk, a.pk, b.pk]


async def test_the_ends_of_the_order(db: Backend, world: World):
    """Beyond them there is nothing."""
    poll = await world(Poll.objects.create, text="a")
    a, b = [await world(Option.objects.create, text=text, poll=poll) for text in "ab"]
    with pytest.raises(Option.DoesNotExist):
        await world(b.get_next_in_order)
    with pytest.raises(Option.DoesNotExist):
        await world(a.get_previous_in_order)


async def test_many_keys(db: Backend, world: World):
    """Orders of more than one statement's keys are set in one transaction."""
    poll = await world(Poll.objects.create, text="a")
    options = [Option(text="x", poll=poll) for _ in range(1_100)]
    await world(Option.objects.bulk_create, options)
    keys = await world.list(poll.get_option_order())
    await world(poll.set_option_order, keys[::-1])
    assert await world.list(poll.get_option_order()) == keys[::-1]


async def test_children_share_the_order(db: Backend, world: World):
    """The rows of a child model have their place in the parent's table."""
    poll = await world(Poll.objects.create, text="a")
    first = await world(Option.objects.create, text="a", poll=poll)
    child = await world(LongOption.objects.create, text="b", poll=poll, more="x")
    assert child._order == 1
    assert await world(first.get_next_in_order) == first.__class__(pk=child.pk)
    assert [o.pk for o in await world.list(LongOption.objects.all())] == [child.pk]


@pytest.mark.worlds("sync")
def test_in_a_session(db: Backend):
    """Objects that a Session inserts get their places, too."""
    poll = Poll.objects.create(text="a")
    Option.objects.create(text="first", poll=poll)
    with Session(ormolu.databases.get().engine) as session:
        session.add_all([Option(text=text, poll_id=poll.pk) for text in "abc"])
        session.commit()
    assert list(Option.objects.values_list("text", "_order")) == [
        ("first", 0),
        *((text, n) for n, text in enumerate("abc", 1)),
    ]


def test_its_field() -> None:
    """The place is a column of its own, which orders; the option becomes the relation."""
    meta = Option._meta
    assert isinstance(meta.get_field("_order"), OrderWrt)
    assert meta.ordering == ("_order",)
    assert meta.order_with_respect_to is meta.get_field("poll")


def test_what_it_refuses() -> None:
    """An order of another kind beside it, and a relation that isn't there."""
    with ormolu.models.registry.isolated(), pytest.raises(TypeError, match="cannot be used together"):

        class Twice(Model):
            poll: Any = ForeignKey(Poll, on_delete=CASCADE, related_name="+")

            class Meta:
                order_with_respect_to = "poll"
                ordering = ["pk"]

    with ormolu.models.registry.isolated(), pytest.raises(FieldDoesNotExist, match="poll"):

        class Wrong(Model):
            poll: Any = ForeignKey(Poll, on_delete=CASCADE, related_name="+")

            class Meta:
                order_with_respect_to = "pol"
