"""Deleting what was loaded as a proxy: the signals come from the proxy."""

from __future__ import annotations

from typing import Any

from ormolu import CharField, Model, post_delete, pre_delete
from support.worlds import World


class Parcel(Model):
    label = CharField(max_length=20)


class Letter(Parcel):
    class Meta:
        proxy = True


MODELS = [Parcel]


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
