"""Deleting what was loaded as a proxy: the signals come from the proxy."""

from __future__ import annotations

from typing import Any

from ormolu import CASCADE, CharField, ForeignKey, Model, post_delete, pre_delete
from support.worlds import World


class Parcel(Model):
    label = CharField(max_length=20)


class Stamp(Model):
    parcel = ForeignKey(Parcel, on_delete=CASCADE)


class Letter(Parcel):
    class Meta:
        proxy = True


MODELS = [Parcel, Stamp]


async def test_the_sender_is_the_proxy(db: Any, world: World) -> None:
    """Listeners of the proxy hear of its objects, those of the model of the model's (as in Django)."""
    await world(Parcel.objects.bulk_create, [Parcel(label="a"), Parcel(label="b")])
    heard: list[tuple[Any, Any]] = []

    def listen(sender: Any, instance: Any, **kwargs: Any) -> None:
        heard.append((sender, type(instance)))

    for sender in (Parcel, Letter):
        pre_delete.connect(listen, sender=sender)
        post_delete.connect(listen, sender=sender)
    try:
        letter = await world(Letter.objects.get, label="a")
        await world(letter.delete)
        assert heard == [(Letter, Letter)] * 2
        heard.clear()
        assert (await world(Letter.objects.all().delete))[0] == 1
        assert heard == [(Letter, Letter)] * 2
    finally:
        for sender in (Parcel, Letter):
            pre_delete.disconnect(listen, sender=sender)
            post_delete.disconnect(listen, sender=sender)


async def test_the_order_of_rows(db: Any, world: World) -> None:
    """Rows are told of in the order of their keys, and afterwards the other way round (as in Django)."""
    made = [await world(Parcel.objects.create, label=label) for label in "abc"]
    made[0].label = "z"
    await world(made[0].save)  # PostgreSQL puts the row behind the others
    heard: list[Any] = []

    def listen(instance: Any, **kwargs: Any) -> None:
        heard.append(instance.label)

    pre_delete.connect(listen, sender=Parcel)
    post_delete.connect(listen, sender=Parcel)
    try:
        await world(Parcel.objects.all().delete)
    finally:
        pre_delete.disconnect(listen, sender=Parcel)
        post_delete.disconnect(listen, sender=Parcel)
    assert heard == ["z", "b", "c", "c", "b", "z"]


async def test_what_is_counted(db: Any, world: World) -> None:
    """Rows that were deleted as those of a proxy are counted as its, whether they have to be found first or not."""
    letter = await world(Letter.objects.create, label="a")
    await world(Stamp.objects.create, parcel=letter)
    label, stamps = Letter._meta.label, Stamp._meta.label
    assert await world(letter.delete) == (2, {stamps: 1, label: 1})
    letter = await world(Letter.objects.create, label="b")
    await world(Stamp.objects.create, parcel=letter)
    assert await world(Letter.objects.all().delete) == (2, {stamps: 1, label: 1})
    parcel = await world(Parcel.objects.create, label="c")
    assert await world(parcel.delete) == (1, {Parcel._meta.label: 1})
