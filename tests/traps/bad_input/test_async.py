"""Bad input: a sync call in a running event loop, an unloaded attribute in async code."""

import asyncio
import warnings
from typing import Any

import pytest

import ormolu
from ormolu import NotLoaded, atomic
from ormolu.exceptions import SynchronousOnlyOperation, SyncInAsyncWarning
from traps.museum import EXHIBITS, PAINTERS, Exhibit, Painter, Painting, Style, three_painters

MODELS = [*PAINTERS, *EXHIBITS]
pytestmark = pytest.mark.worlds("async")


@pytest.mark.backends("sqlite", "postgresql")
@pytest.mark.parametrize(
    "call",
    [
        lambda: Style.objects.count(),
        lambda: list(Style.objects.all()),
        lambda: Style(name="pop").save(),
        lambda: Style.objects.bulk_create([Style(name="op")]),
        lambda: Style.objects.update(slug="x"),
        lambda: list(Style.objects.iterator()),
        lambda: ormolu.databases.get().fetch("SELECT 1"),
        lambda: atomic().__enter__(),
    ],
    ids=["count", "list", "save", "bulk_create", "update", "iterator", "fetch", "atomic"],
)
async def test_a_sync_call_in_a_running_event_loop(db: Any, world: Any, call: Any) -> None:
    """A blocking call inside an event loop warns, or raises where the setting says so, and names the cure."""
    assert not asyncio.get_running_loop().is_closed()
    ormolu.settings.SYNC_IN_ASYNC = "error"
    try:
        with pytest.raises(SynchronousOnlyOperation, match=r"await|async"):
            call()
    finally:
        ormolu.settings.SYNC_IN_ASYNC = "warn"
    if call.__code__.co_names[:1] != ("atomic",):
        with pytest.warns(SyncInAsyncWarning, match=r"await|async"):
            call()
        ormolu.settings.SYNC_IN_ASYNC = "off"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            list(Style.objects.all())


async def test_an_unloaded_relation(db: Any, world: Any) -> None:
    """A relation that isn't loaded raises NotLoaded with model, attribute and each cure; hasattr() can't hide it."""
    await three_painters(world)
    painting = await Painting.objects.afirst()
    assert painting is not None
    for touch in (
        lambda: painting.painter,
        lambda: hasattr(painting, "painter"),
        lambda: getattr(painting, "painter", 0),
    ):
        with pytest.raises(NotLoaded) as caught:
            touch()
        text = str(caught.value)
        for part in ("traps.Painting", "painter", "select_related", "prefetch_related", "aload"):
            assert part in text
        assert not isinstance(caught.value, AttributeError)
    await painting.aload("painter")
    assert painting.painter.name in ("Ann", "Bob")


async def test_an_unloaded_column(db: Any, world: Any) -> None:
    """A column that was deferred raises NotLoaded with model, attribute and cure."""
    await three_painters(world)
    painter = await Painter.objects.only("name").afirst()
    assert painter is not None
    with pytest.raises(NotLoaded, match=r"traps\.Painter.*age.*aload"):
        painter.age
    await painter.aload("age")
    assert painter.age in (20, 30, 50)


async def test_unloaded_sets_of_related_objects(db: Any, world: Any) -> None:
    """The queryset of a related manager is awaited; iterating over it with `for` is noticed as a sync call."""
    await three_painters(world)
    painter = await Painter.objects.aget(name="Ann")
    assert len(await painter.painting_set.all()) == 2
    exhibit = await Exhibit.objects.acreate(title="one")
    assert await exhibit.styles.all() == []
    if db.name != "asyncpg":
        with pytest.warns(SyncInAsyncWarning):
            list(painter.painting_set.all())


async def test_awaiting_what_is_no_coroutine(db: Any, world: Any) -> None:
    """aload() of a name that isn't there says so."""
    style = await Style.objects.acreate(name="pop")
    with pytest.raises((ormolu.FieldDoesNotExist, ormolu.FieldError), match=r"Style.*slgu.*slug"):
        await style.aload("slgu")
