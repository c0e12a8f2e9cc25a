"""Related managers: what they find, add, remove and create, in both worlds."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models.library import MODELS, Author, Book, Club, Membership, Profile, Tag
from ormolu import IntegrityError
from ormolu.signals import m2m_changed

__all__ = ["MODELS"]


async def names(world: Any, queryset: Any) -> list[str]:
    return sorted(str(item) for item in await world.list(queryset))


async def test_reverse_manager(db: Any, world: Any) -> None:
    """A reverse manager finds, creates and adds objects, which know their holder without a query."""
    ann = await world(Author.objects.create, name="Ann")
    bea = await world(Author.objects.create, name="Bea")
    one = await world(ann.books.create, title="one")
    two, made = await world(ann.books.get_or_create, title="two")
    assert made
    same, made = await world(ann.books.update_or_create, title="two", defaults={"pages": 7})
    assert (same.pk, same.pages, made) == (two.pk, 7, False)
    await world(Book.objects.create, title="three", author=bea)
    assert await names(world, ann.books.all()) == ["one", "two"]
    assert await world(ann.books.count) == 2
    found = await world.list(ann.books.all())
    assert all(book.author is ann for book in found)
    await world(bea.books.add, one)
    assert one.author is bea
    assert "_dirty" not in one.__dict__
    assert await names(world, bea.books.all()) == ["one", "three"]
    await world(bea.books.add, two, bulk=False)
    assert await world(ann.books.exists) is False
    assert not hasattr(ann.books, "remove")


async def test_nullable_reverse_manager(db: Any, world: Any) -> None:
    """Where the key may be NULL, objects can be removed, cleared and replaced."""
    ann = await world(Author.objects.create, name="Ann")
    one, two, three = [await world(ann.books.create, title=title) for title in ("one", "two", "three")]
    await world(ann.edited.set, [one, two])
    assert await names(world, ann.edited.all()) == ["one", "two"]
    await world(ann.edited.set, [two, three])
    assert await names(world, ann.edited.all()) == ["three", "two"]
    await world(ann.edited.set, [one], clear=True)
    assert await names(world, ann.edited.all()) == ["one"]
    await world(ann.edited.set, [two, three], bulk=False)
    assert await names(world, ann.edited.all()) == ["three", "two"]
    await world(ann.edited.remove, two)
    assert await names(world, ann.edited.all()) == ["three"]
    with pytest.raises(Author.DoesNotExist, match="is not related to"):
        await world(ann.edited.remove, await world(ann.books.create))
    await world(ann.edited.clear)
    assert await world(ann.edited.count) == 0


async def test_what_a_reverse_manager_refuses(db: Any, world: Any) -> None:
    """Unsaved holders and objects, and objects of other models, are refused."""
    ann = await world(Author.objects.create, name="Ann")
    with pytest.raises(ValueError, match="'Author' instance needs to have a primary key value"):
        Author(name="new").books.all()
    with pytest.raises(ValueError, match="instance isn't saved. Use bulk=False or save the object first"):
        await world(ann.books.add, Book(title="x"))
    with pytest.raises(TypeError, match="'Book' instance expected, got <Author: Ann>"):
        await world(ann.books.add, ann)


async def test_a_users_manager_stands_behind_it(db: Any, world: Any) -> None:
    """Related objects are found by the related model's default manager, whose methods are there; or by another."""
    ann = await world(Author.objects.create, name="Ann")
    await world(ann.books.create, title="long", pages=200)
    await world(ann.books.create, title="hidden")
    assert await names(world, ann.books.all()) == ["long"]
    assert await names(world, ann.books.long()) == ["long"]
    assert await names(world, ann.books(manager="objects").all()) == ["hidden", "long"]


async def test_many_to_many(db: Any, world: Any) -> None:
    """Both sides add, remove, set, clear and create; keys stand for objects; nothing is connected twice."""
    ann = await world(Author.objects.create, name="Ann")
    book = await world(ann.books.create, title="b")
    red, blue = await world(Tag.objects.create, name="red"), await world(Tag.objects.create, name="blue")
    await world(book.tags.add, red, blue.pk)
    await world(book.tags.add, red)
    assert await world(Book.tags.through.objects.count) == 2
    assert await names(world, book.tags.all()) == ["blue", "red"]
    assert await names(world, red.books.all()) == ["b"]
    await world(red.books.remove, book)
    assert await names(world, book.tags.all()) == ["blue"]
    green = await world(book.tags.create, name="green")
    _, made = await world(book.tags.get_or_create, name="blue")
    assert not made
    await world(book.tags.set, [red, green.pk])
    assert await names(world, book.tags.all()) == ["green", "red"]
    await world(book.tags.set, [blue], clear=True)
    assert await names(world, book.tags.all()) == ["blue"]
    await world(blue.books.clear)
    assert await world(book.tags.exists) is False


async def test_symmetry(db: Any, world: Any) -> None:
    """In a symmetrical relation to itself both are connected; in another the other side has its own manager."""
    one, two = [
        await world(Profile.objects.create, author=await world(Author.objects.create, name=name))
        for name in "ab"
    ]
    await world(one.friends.add, two)
    assert await world.list(two.friends.all()) == [one]
    await world(two.friends.remove, one)
    assert await world(one.friends.exists) is False
    await world(one.follows.add, two)
    assert await world.list(two.followers.all()) == [one]
    assert await world(two.follows.exists) is False


async def test_through(db: Any, world: Any) -> None:
    """through_defaults gives values of the rows in between."""
    ann = await world(Author.objects.create, name="Ann")
    club = await world(Club.objects.create)
    await world(club.members.add, ann, through_defaults={"rank": lambda: 5})
    await world(club.members.add, ann, through_defaults={"rank": 6})
    assert [row.rank for row in await world.list(Membership.objects.all())] == [5]
    bea = await world(club.members.create, name="Bea", through_defaults={"rank": 2})
    assert await names(world, club.members.filter(membership__rank=2)) == ["Bea"]
    await world(club.members.set, [bea])
    assert await names(world, ann.clubs.all()) == []


async def test_m2m_changed(db: Any, world: Any) -> None:
    """Changes are announced with what is really connected."""
    seen: list[Any] = []

    def note(action: str, pk_set: Any, reverse: bool, instance: Any, **named: Any) -> None:
        seen.append((action, pk_set, reverse, str(instance)))

    ann = await world(Author.objects.create, name="Ann")
    book = await world(ann.books.create, title="b")
    red = await world(Tag.objects.create, name="red")
    m2m_changed.connect(note, sender=Book.tags.through)
    try:
        await world(book.tags.add, red)
        await world(book.tags.add, red)
        await world(red.books.remove, book)
        await world(book.tags.clear)
    finally:
        m2m_changed.disconnect(note, sender=Book.tags.through)
    assert seen == [
        ("pre_add", {red.pk}, False, "b"),
        ("post_add", {red.pk}, False, "b"),
        ("pre_add", set(), False, "b"),
        ("post_add", set(), False, "b"),
        ("pre_remove", {book.pk}, True, "red"),
        ("post_remove", {book.pk}, True, "red"),
        ("pre_clear", None, False, "b"),
        ("post_clear", None, False, "b"),
    ]


async def test_what_a_many_manager_refuses(db: Any, world: Any) -> None:
    """Unsaved holders and objects, objects of other models and direct assignment are refused."""
    ann = await world(Author.objects.create, name="Ann")
    book = await world(ann.books.create)
    with pytest.raises(ValueError, match='needs to have a value for field "id" before this many-to-many'):
        Book(title="new").tags
    with pytest.raises(ValueError, match='Cannot add "<Tag: new>": the value for field "tag" is None'):
        await world(book.tags.add, Tag(name="new"))
    with pytest.raises(TypeError, match="'Tag' instance expected, got <Author: Ann>"):
        await world(book.tags.add, ann)
    with pytest.raises(TypeError, match=r"Use tags.set\(\) instead"):
        book.tags = []


async def test_queries(db: Any, world: Any, queries: Any) -> None:
    """add() of many is one INSERT in a transaction, set() reads once, prefetched results are read again never."""
    ann = await world(Author.objects.create, name="Ann")
    book = await world(ann.books.create)
    tags = [await world(Tag.objects.create, name=str(n)) for n in range(5)]
    start = len(statements(queries))
    await world(book.tags.add, *tags)
    assert len(statements(queries)) - start == 1
    (again,) = await world.list(Book.objects.prefetch_related("tags"))
    start = len(statements(queries))
    assert len(await world.list(again.tags.all())) == 5
    assert await world(again.tags.count) == 5
    assert len(statements(queries)) == start
    await world(again.tags.add, tags[0])
    assert "tags" not in again.__dict__.get("_prefetched_objects_cache", {})


def statements(queries: Any) -> list[str]:
    return [q.sql for q in queries if q.sql.split()[0].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE")]


async def test_values_of_a_related_manager(db: Any, world: Any) -> None:
    """They are rows, which know no holder."""
    ann = await world(Author.objects.create, name="Ann")
    await world(ann.books.create, title="one")
    assert await world.list(ann.books.values_list("title", flat=True)) == ["one"]
    assert await world.list(ann.books.values("title")) == [{"title": "one"}]
    assert [row async for row in world.iterator(ann.books.values_list("title"))] == [("one",)]


async def test_a_reverse_object_is_no_value_of_a_new_row(db: Any, world: Any) -> None:
    """create() and its kin say so."""
    profile = await world(Profile.objects.create, author=await world(Author.objects.create, name="Ann"))
    for method in (Author.objects.create, Author.objects.get_or_create, Author.objects.update_or_create):
        with pytest.raises(ValueError, match="do not exist in this model: profile"):
            await world(method, name="Bea", profile=profile)


async def test_an_error_in_creating_a_connected_object_may_be_handled(db: Any, world: Any) -> None:
    """Inside of a block, what the arguments or a savepoint confine does not spoil it."""
    ann = await world(Author.objects.create, name="Ann")
    book = await world(ann.books.create)
    await world(Tag.objects.create, name="taken")
    async with world.atomic():
        with pytest.raises(TypeError):
            await world(book.tags.create, nome="x")
        with pytest.raises(IntegrityError):
            await world(book.tags.get_or_create, name="new", defaults={"name": "taken"})
        with pytest.raises(IntegrityError):
            await world(book.tags.update_or_create, name="new", defaults={"name": "taken"})
        await world(book.tags.create, name="fresh")
    assert await names(world, book.tags.all()) == ["fresh"]


async def test_connections_are_changed_at_the_same_time(db: Any, world: Any) -> None:
    """What reads first and then writes takes its turn, on SQLite as well, and fails nobody."""
    ann = await world(Author.objects.create, name="Ann")
    tags = [await world(Tag.objects.create, name=str(n)) for n in range(6)]
    books = [await world(ann.books.create) for _ in range(4)]
    clubs = [await world(Club.objects.create) for _ in range(4)]

    async def change(number: int) -> None:
        for turn in range(5):
            await world(books[number].tags.set, tags[turn % 3 : turn % 3 + 3])
            await world(clubs[number].members.add, ann, through_defaults={"rank": turn})
            await world(clubs[number].members.clear)
            await world(ann.edited.set, books[: turn % 4])

    if world.is_async:
        await asyncio.gather(*(change(number) for number in range(4)))
    else:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: to_its_end(change(number)), range(4)))
    for book in books:
        assert await names(world, book.tags.all()) == ["1", "2", "3"]


def to_its_end(body: Any) -> None:
    """Run a coroutine that never suspends, as those of the sync world."""
    with pytest.raises(StopIteration):
        body.send(None)
