"""Writes: what is stored, what the instance knows afterwards, and what is refused."""

import threading
import uuid
from typing import Any

import pytest

import ormolu
from ormolu import F, IntegrityError, ProtectedError, ValidationError
from ormolu.exceptions import DataError
from traps.museum import (
    EXHIBITS,
    PAINTERS,
    Badge,
    Exhibit,
    Loan,
    Museum,
    Painter,
    Painting,
    Prize,
    Style,
    Ticket,
    three_painters,
)

MODELS = [*PAINTERS, *EXHIBITS, Ticket, Badge]


async def test_a_given_key_inserts(db: Any, world: Any) -> None:
    """An instance that is new is inserted, also if it was given its key, or its default makes one (E25)."""
    await world(Painter(id=77, name="Ann").save)
    assert await world(Painter.objects.get, pk=77)
    badge = Badge(name="b")
    await world(badge.save)
    assert isinstance(badge.pk, uuid.UUID)
    assert (await world(Badge.objects.get, pk=badge.pk)).name == "b"
    known = uuid.uuid4()
    await world(Badge(id=known, name="c").save)
    assert (await world(Badge.objects.get, pk=known)).name == "c"
    await world(Painter(id=77, name="Bea").save)
    assert (await world(Painter.objects.get)).name == "Bea"


async def test_save_keeps_columns_that_were_not_loaded(db: Any, world: Any) -> None:
    """A deferred column is loaded when it is read, and never written by save() (E26)."""
    await world(Style.objects.create, name="pop", slug="precious")
    style = await world(Style.objects.only("name").get)
    style.name = "pop art"
    await world(style.save)
    fresh = await world(Style.objects.get)
    assert (fresh.name, fresh.slug) == ("pop art", "precious")
    partial = await world(Style.objects.only("name").get)
    if world.is_async:
        with pytest.raises(ormolu.NotLoaded, match="slug"):
            partial.slug
        await partial.aload("slug")
    assert partial.slug == "precious"


async def test_bulk_create_keeps_given_keys(db: Any, world: Any) -> None:
    """bulk_create() stores the keys that were given, and tells those that the database chose (E27)."""
    made = await world(Style.objects.bulk_create, [Style(id=100, name="a"), Style(id=200, name="b")])
    assert [style.pk for style in made] == [100, 200]
    assert sorted(await world.list(Style.objects.values_list("id", flat=True))) == [100, 200]
    mixed = [Style(name="c"), Style(id=300, name="d")]
    await world(Style.objects.bulk_create, mixed)
    for style in mixed:
        assert (await world(Style.objects.get, pk=style.pk)).name == style.name


async def test_bulk_create_with_conflicts(db: Any, world: Any) -> None:
    """Conflicting rows are ignored, or updated; updated ones know their keys (E27)."""
    old = await world(Style.objects.create, name="pop", slug="1")
    await world(
        Style.objects.bulk_create, [Style(name="pop", slug="2"), Style(name="op")], ignore_conflicts=True
    )
    assert sorted(await world.list(Style.objects.values_list("name", "slug"))) == [("op", None), ("pop", "1")]
    new = [Style(name="pop", slug="3"), Style(name="dada", slug="4")]
    unique = {} if db.vendor == "mysql" else {"unique_fields": ["name"]}  # MariaDB can't be told which
    await world(Style.objects.bulk_create, new, update_conflicts=True, update_fields=["slug"], **unique)
    assert new[0].pk == old.pk
    assert (await world(Style.objects.get, pk=new[1].pk)).name == "dada"
    assert (await world(Style.objects.get, pk=old.pk)).slug == "3"


async def test_bulk_update_with_null_and_expressions(db: Any, world: Any) -> None:
    """bulk_update() writes NULL, and values that the database computes (E28)."""
    ann, bob, _ = await three_painters(world)
    ann.bio = None
    bob.bio = "new"
    assert await world(Painter.objects.bulk_update, [ann, bob], ["bio"]) == 2
    assert await world.list(Painter.objects.order_by("name").values_list("bio", flat=True)) == [
        None,
        "new",
        None,
    ]
    ann.age, bob.age = F("age") + 1, 7
    await world(Painter.objects.bulk_update, [ann, bob], ["age"])
    assert await world.list(Painter.objects.order_by("name").values_list("age", flat=True)) == [31, 7, 20]


@pytest.mark.parametrize("of", ["instance", "queryset"])
async def test_a_protected_delete_deletes_nothing(db: Any, world: Any, of: str) -> None:
    """Where one related row protects, those that would be deleted with the object stay, too (E29)."""
    ann, _, _ = await three_painters(world)
    await world(Loan.objects.create, painter=ann)
    with pytest.raises(ProtectedError) as caught:
        await world(ann.delete if of == "instance" else Painter.objects.filter(pk=ann.pk).delete)
    assert {type(item) for item in caught.value.protected_objects} == {Loan}
    assert await world(Painting.objects.count) == 3
    assert await world(Prize.objects.count) == 3
    assert await world(Painter.objects.filter(pk=ann.pk).exists)
    assert ann.pk is not None


async def test_how_many_statements(db: Any, world: Any, queries: Any) -> None:
    """Deleting with many children, connecting many and nested prefetching take a few statements (E30)."""
    ann = await world(Painter.objects.create, name="Ann")
    await world(
        Painting.objects.bulk_create, [Painting(title=f"p{number}", painter=ann) for number in range(50)]
    )
    del queries[:]
    await world(ann.delete)
    assert len(statements(queries)) <= 6
    styles = await world(Style.objects.bulk_create, [Style(name=f"s{number}") for number in range(20)])
    exhibit = await world(Exhibit.objects.create, title="one")
    del queries[:]
    await world(exhibit.styles.add, *styles)
    assert len(statements(queries)) <= 2
    museums = await world(Museum.objects.bulk_create, [Museum(name=f"m{number}") for number in range(3)])
    for museum in museums:
        painter = await world(Painter.objects.create, name="P", museum=museum)
        await world(Painting.objects.create, title="t", painter=painter)
    del queries[:]
    found = await world.list(Museum.objects.prefetch_related("painter_set__painting_set"))
    assert [len(p.painting_set.all()) for museum in found for p in museum.painter_set.all()] == [1, 1, 1]
    assert len(statements(queries)) == 3
    with pytest.raises(AttributeError, match="painters"):
        await world.list(Museum.objects.prefetch_related("painters"))


def statements(queries: Any) -> list[str]:
    """Return the captured SQL without that of transactions."""
    control = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [query.sql for query in queries if not query.sql.startswith(control)]


@pytest.mark.backends("sqlite", "postgresql")
def test_get_or_create_in_a_race(db: Any) -> None:
    """Of many threads that get_or_create() one row, all get it, one creates it, none fails (E32)."""
    results: list[Any] = []
    ready = threading.Barrier(8)

    def work() -> None:
        ready.wait()
        try:
            results.append(Ticket.objects.get_or_create(code="S"))
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error for error in results if isinstance(error, Exception)] == []
    assert sum(created for _, created in results) == 1
    assert len({ticket.pk for ticket, _ in results}) == 1
    assert Ticket.objects.count() == 1


async def test_get_or_create_inside_a_block_that_lost_the_race(db: Any, world: Any) -> None:
    """An insert that fails inside get_or_create() does not abort the block around it (E32)."""
    await world(Ticket.objects.create, code="S", price=1)
    async with world.atomic():
        with pytest.raises(IntegrityError):
            await world(Ticket.objects.get_or_create, code="S", price=2)
        await world(Ticket.objects.create, code="T")
    assert await world(Ticket.objects.count) == 2


async def test_a_value_of_the_wrong_type_is_not_stored(db: Any, world: Any) -> None:
    """A text for a number is refused by update(), save() and create(), and nothing is written (E42)."""
    ann, _, _ = await three_painters(world)
    with pytest.raises((ValueError, ValidationError), match="age"):
        await world(Painter.objects.update, age="abc")
    with pytest.raises((ValueError, ValidationError), match="age"):
        await world(Painter.objects.create, name="Di", age="abc")
    ann.age = "abc"
    with pytest.raises((ValueError, ValidationError), match="age"):
        await world(ann.save)
    assert sorted(await world.list(Painter.objects.values_list("age", flat=True))) == [20, 30, 50]


async def test_a_text_that_is_too_long_is_not_stored(db: Any, world: Any) -> None:
    """A text longer than max_length is refused on every database (E42)."""
    with pytest.raises(DataError, match="name"):
        await world(Museum.objects.create, name="x" * 21)
    await world(Museum.objects.create, name="x" * 20)
    with pytest.raises(DataError, match="name"):
        await world(Museum.objects.update, name="x" * 21)
    with pytest.raises(DataError, match="name"):
        await world(Museum.objects.bulk_create, [Museum(name="y"), Museum(name="x" * 21)])
    assert await world.list(Museum.objects.values_list("name", flat=True)) == ["x" * 20]


async def test_an_unsaved_parent_is_refused(db: Any, world: Any) -> None:
    """An object whose related object has no row is not saved with NULL in its place (E42)."""
    with pytest.raises(ValueError, match="unsaved related object 'museum'"):
        await world(Painter(name="Ann", museum=Museum(name="new")).save)
    with pytest.raises(ValueError, match="unsaved related object 'museum'"):
        await world(Painter.objects.bulk_create, [Painter(name="Ann", museum=Museum(name="new"))])
    assert await world(Painter.objects.count) == 0
    museum = Museum(name="new")
    painter = Painter(name="Ann", museum=museum)
    await world(museum.save)
    await world(painter.save)
    assert await world(Painter.objects.filter(museum=museum).count) == 1


async def test_related_object_after_refresh(db: Any, world: Any) -> None:
    """refresh_from_db() lets go of related objects (E55)."""
    ann, _, _ = await three_painters(world)
    assert ann.museum.name == "P1"
    await world(Museum.objects.filter(name="P1").update, name="P9")
    await world(ann.refresh_from_db)
    assert (await related(world, ann, "museum")).name == "P9"
    await world(Painter.objects.filter(pk=ann.pk).update, museum=await world(Museum.objects.get, name="P2"))
    await world(ann.refresh_from_db)
    assert (await related(world, ann, "museum")).name == "P2"


async def related(world: Any, instance: Any, name: str) -> Any:
    """Return a related object that may have to be loaded."""
    if world.is_async:
        await instance.aload(name)
    return getattr(instance, name)
