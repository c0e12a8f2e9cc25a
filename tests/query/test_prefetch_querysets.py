"""Prefetch with querysets: slices, further prefetches, where results go, and what is refused."""

import gc
import weakref
from functools import cached_property
from typing import Any

import pytest

from ormolu import CharField, F, ForeignKey, IntegerField, ManyToManyField, Model, Prefetch
from ormolu.models import CASCADE
from support.backends import Backend
from support.worlds import World


class Essayist(Model):
    name = CharField(max_length=20)

    @cached_property
    def held(self) -> Any:
        return list(self.books.all())

    class Meta:
        ordering = ["name"]


class Topic(Model):
    label = CharField(max_length=20)

    class Meta:
        ordering = ["label"]


class Essay(Model):
    title = CharField(max_length=20)
    pages = IntegerField()
    author: Any = ForeignKey(Essayist, on_delete=CASCADE, related_name="books")
    tags: Any = ManyToManyField(Topic, related_name="books")

    class Meta:
        ordering = ["title"]


MODELS = [Essayist, Topic, Essay]


@pytest.fixture
def authors(db: Backend) -> Any:
    """Two authors with three books each, each book with two tags."""
    tags = [Topic.objects.create(label=label) for label in "xyz"]
    for name in "ab":
        author = Essayist.objects.create(name=name)
        for number in range(3):
            book = Essay.objects.create(title=f"{name}{number}", pages=10 * number, author=author)
            book.tags.set([tags[number], tags[(number + 1) % 3]])
    return Essayist.objects.all()


async def test_a_slice_is_one_for_each_object(authors, world: World, queries):
    """[:2] of a prefetched relation are the first two of every author, in one SELECT."""
    queries.clear()
    first = Prefetch("books", Essay.objects.order_by("-pages")[:2], to_attr="long")
    found = await world.list(authors.prefetch_related(first))
    assert [[b.title for b in author.long] for author in found] == [["a2", "a1"], ["b2", "b1"]]
    assert len(queries) == 2
    rest = Prefetch("books", Essay.objects.order_by("-pages")[1:], to_attr="rest")
    found = await world.list(authors.prefetch_related(rest))
    assert [[b.title for b in author.rest] for author in found] == [["a1", "a0"], ["b1", "b0"]]


async def test_a_slice_of_a_many_to_many_relation(authors, world: World):
    """Shared rows count for each of their holders."""
    books = Essay.objects.filter(author__name="a").prefetch_related(
        Prefetch("tags", Topic.objects.all()[:1], "first")
    )
    assert [[t.label for t in book.first] for book in await world.list(books)] == [["x"], ["y"], ["x"]]


async def test_later_lookups_go_on_from_what_a_queryset_prefetches(authors, world: World):
    """The lists that a Prefetch's own queryset fills are there for the next lookup."""
    books = Essay.objects.prefetch_related(Prefetch("tags", to_attr="labels"))
    found = await world.list(
        authors.prefetch_related(Prefetch("books", books, "shelf"), "shelf__labels__books")
    )
    tag = found[0].shelf[0].labels[0]
    assert tag.label == "x"
    assert [b.title for b in tag._prefetched_objects_cache["books"]] == ["a0", "a2", "b0", "b2"]


@pytest.mark.worlds("sync")
def test_a_prefetched_queryset_asks_again_as_it_was_chosen(authors, world: World, queries):
    """Refining what was prefetched keeps the Prefetch's own conditions."""
    author = authors.prefetch_related(Prefetch("books", Essay.objects.filter(pages__gt=0))).first()
    queries.clear()
    assert [b.title for b in author.books.all()] == ["a1", "a2"]
    assert not queries
    assert [b.title for b in author.books.all().all()] == ["a1", "a2"]
    assert [b.title for b in author.books.filter(pages__lt=20)] == ["a1"]


async def test_the_queryset_and_the_relation_share_their_joins(authors, world: World):
    """A condition on the relation inside a Prefetch is about the very row that links the objects."""
    tags = Topic.objects.annotate(pages=F("books__pages")).filter(pages=20)
    books = Essay.objects.filter(author__name="a").prefetch_related(Prefetch("tags", tags, "long"))
    assert [[t.label for t in book.long] for book in await world.list(books)] == [[], [], ["x", "z"]]


@pytest.mark.worlds("sync")
def test_computed_attributes_stand_on_the_way(authors, world: World):
    """A property that gives objects may be passed through."""
    found = list(authors.prefetch_related("held__tags"))
    assert "tags" in found[0].held[0]._prefetched_objects_cache


async def test_single_objects_are_not_ordered(authors, world: World, queries):
    """There is one for each: an ORDER BY would be work for nothing."""
    queries.clear()
    assert len(await world.list(Essay.objects.prefetch_related("author"))) == 6
    assert "ORDER BY" not in queries[1].sql


@pytest.mark.parametrize("name", ["books", "name"])
def test_a_list_can_not_take_a_fields_place(authors, name):
    """to_attr must be a new name."""
    with pytest.raises(ValueError, match="conflicts with a field"):
        list(authors.prefetch_related(Prefetch("books", Essay.objects.all(), to_attr=name)))


def test_reading_a_prefetched_set_keeps_nothing_alive(authors):
    """Objects whose sets were read die with their last user, without the garbage collector."""
    gc.disable()
    try:
        books = list(Essay.objects.prefetch_related("tags"))
        assert all(len(book.tags.all()) == 2 for book in books)
        assert books[0].tags.all().filter(label="x").count() == 1
        links = [weakref.ref(book) for book in books]
        del books
        assert not any(link() for link in links)
    finally:
        gc.enable()
