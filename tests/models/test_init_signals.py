"""pre_init and post_init: what receivers are told, and may change."""

from __future__ import annotations

from typing import Any

import pytest

from ormolu import CASCADE, CharField, ForeignKey, Model
from ormolu.signals import post_delete, post_init, post_save, pre_delete, pre_init, pre_save
from support.counting import calls_of, files_called


class Heard(Model):
    name = CharField(max_length=20)
    kind = CharField(max_length=20, default="plain")


class HeardToo(Heard):
    more = CharField(max_length=20, default="")


class Part(Model):
    whole = ForeignKey(Heard, on_delete=CASCADE, null=True)


async def test_receivers_may_change_what_is_given(db, world):
    """The kwargs of pre_init are what the object is made of; positional values are among them by name."""
    told: list[Any] = []

    def before(sender: Any, args: Any, kwargs: dict[str, Any], **rest: Any) -> None:
        told.append((sender, args, dict(kwargs)))
        if "name" in kwargs:
            kwargs["name"] = kwargs["name"].upper()

    def after(sender: Any, instance: Any, **rest: Any) -> None:
        told.append(instance.name)

    pre_init.connect(before, sender=Heard)
    post_init.connect(after, sender=Heard)
    try:
        heard = Heard(name="x", kind="y")
        assert told == [(Heard, (), {"name": "x", "kind": "y"}), "X"]
        assert (heard.name, heard.kind) == ("X", "y")
        assert Heard(None, "z").name == "Z"
        assert HeardToo(name="child").name == "child"
        with pytest.raises(TypeError, match="unexpected keyword"):
            Heard(nmae="x")
        with pytest.raises(IndexError):
            Heard("1", "2", "3", "4")
    finally:
        pre_init.disconnect(before, sender=Heard)
        post_init.disconnect(after, sender=Heard)
    await world(heard.save)
    assert (await world(Heard.objects.get)).name == "X"


async def test_origin(db, world):
    """The origin of a deletion is the object or the queryset whose delete() was called, for related rows, too."""
    told: list[Any] = []

    def hear(sender: Any, instance: Any, origin: Any, **rest: Any) -> None:
        told.append((sender, origin))

    pre_delete.connect(hear)
    post_delete.connect(hear)
    try:
        whole = await world(Heard.objects.create, name="x")
        await world(Part.objects.create, whole=whole)
        queryset = Heard.objects.filter(name="x")
        await world(queryset.delete)
        assert [sender for sender, _ in told] == [Part, Heard, Part, Heard]
        assert all(origin is queryset for _, origin in told)
        told.clear()
        one = await world(Heard.objects.create, name="y")
        await world(one.delete)
        assert all(origin is one for _, origin in told)
    finally:
        pre_delete.disconnect(hear)
        post_delete.disconnect(hear)


@pytest.mark.worlds("sync")
@pytest.mark.backends("sqlite")
async def test_what_nobody_hears_costs_nothing(db, world):
    """Where nobody listens no signal's code runs; where somebody listens to another model, next to none."""
    heard = Heard.objects.create(name="x")

    def change() -> None:
        heard.name = "y"
        heard.save()

    def make() -> None:
        Heard(name="x")

    signals = (pre_init, post_init, pre_save, post_save)
    assert not any(signal.receivers for signal in signals)
    saving, making = calls_of(change), calls_of(make)
    assert not any(name.endswith("ormolu/signals.py") for name in files_called(change) + files_called(make))

    def hear(**kwargs: Any) -> None: ...

    for signal in signals:
        signal.connect(hear, sender=HeardToo)
    try:
        assert calls_of(change) <= saving + 16
        assert calls_of(make) <= making + 40
    finally:
        for signal in signals:
            signal.disconnect(hear, sender=HeardToo)
