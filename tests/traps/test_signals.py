"""Signals: they fire, they say what happens, and what their receivers raise is not swallowed."""

from collections.abc import Iterator
from typing import Any

import pytest

from ormolu import post_save, pre_save, receiver
from ormolu.signals import m2m_changed, post_delete, pre_delete
from traps.museum import EXHIBITS, Exhibit, Style

MODELS = EXHIBITS


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What the signals of styles said."""
    found: list[tuple[str, dict[str, Any]]] = []
    signals = {
        "pre_save": pre_save,
        "post_save": post_save,
        "pre_delete": pre_delete,
        "post_delete": post_delete,
    }
    receivers = []
    for name, signal in signals.items():

        def note(_name: str = name, **kwargs: Any) -> None:
            found.append((_name, kwargs))

        signal.connect(note, sender=Style)
        receivers.append((signal, note))
    yield found
    for signal, note in receivers:
        signal.disconnect(note, sender=Style)


async def test_signals_of_a_row_s_life(db: Any, world: Any, heard: list[Any]) -> None:
    """Saving and deleting send their signals, with instance, created and update_fields (E39)."""
    style = await world(Style.objects.create, name="pop")
    style.slug = "p"
    await world(style.save, update_fields=["slug"])
    await world(style.delete)
    assert [name for name, _ in heard] == [
        "pre_save", "post_save", "pre_save", "post_save", "pre_delete", "post_delete",
    ]  # fmt: skip
    assert all(kwargs["instance"] is style for _, kwargs in heard)
    assert heard[1][1]["created"] is True
    assert heard[3][1]["created"] is False
    assert heard[3][1]["update_fields"] == frozenset({"slug"})
    assert {kwargs["using"] for _, kwargs in heard} == {"default"}


async def test_connect_and_receiver_as_decorators(db: Any, world: Any) -> None:
    """A receiver is connected by `@signal.connect` and by `@receiver(signal, sender=...)` (E39)."""
    heard: list[str] = []

    @post_save.connect
    def everything(sender: Any, **kwargs: Any) -> None:
        heard.append(f"all {sender.__name__}")

    @receiver(post_save, sender=Style)
    def styles(sender: Any, instance: Any, **kwargs: Any) -> None:
        heard.append(f"style {instance.name}")

    try:
        await world(Style.objects.create, name="pop")
        await world(Exhibit.objects.create, title="one")
    finally:
        post_save.disconnect(everything)
        post_save.disconnect(styles, sender=Style)
    assert heard == ["all Style", "style pop", "all Exhibit"]


async def test_what_a_receiver_raises_is_seen(db: Any, world: Any) -> None:
    """An exception in a receiver reaches the caller, and takes the block's work back (E39)."""

    def refuse(**kwargs: Any) -> None:
        raise LookupError("refused")

    post_save.connect(refuse, sender=Style)
    try:
        with pytest.raises(LookupError, match="refused"):
            async with world.atomic():
                await world(Style.objects.create, name="pop")
    finally:
        post_save.disconnect(refuse, sender=Style)
    assert await world(Style.objects.count) == 0


async def test_signals_of_connections(db: Any, world: Any) -> None:
    """Connecting and disconnecting objects sends m2m_changed with the keys that really change (E39)."""
    heard: list[tuple[str, set[Any] | None]] = []

    def note(action: str, pk_set: set[Any] | None, **kwargs: Any) -> None:
        heard.append((action, pk_set))

    pop = await world(Style.objects.create, name="pop")
    op = await world(Style.objects.create, name="op")
    one = await world(Exhibit.objects.create, title="one")
    await world(one.styles.add, pop)
    m2m_changed.connect(note, sender=Exhibit.styles.through)
    try:
        await world(one.styles.add, pop, op)
        await world(one.styles.remove, pop)
        await world(one.styles.clear)
    finally:
        m2m_changed.disconnect(note, sender=Exhibit.styles.through)
    assert heard == [
        ("pre_add", {op.pk}), ("post_add", {op.pk}), ("pre_remove", {pop.pk}), ("post_remove", {pop.pk}),
        ("pre_clear", None), ("post_clear", None),
    ]  # fmt: skip
