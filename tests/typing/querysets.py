"""What a checker sees of managers and querysets, in both worlds."""

from typing import Any, assert_type

import polars
from sqlalchemy import ColumnElement

from models import Author, Book
from ormolu import Count, F, Prefetch, Q, QuerySet, aatomic, afetch_many, atomic, fetch_many


def chains() -> None:
    assert_type(Author.objects.all(), QuerySet[Author])
    assert_type(Author.objects.filter(Q(name="Ann") | ~Q(age__gt=F("id"))), QuerySet[Author])
    assert_type(
        Author.objects.filter(Author.name == "Ann").exclude(age=3).order_by("-name"), QuerySet[Author]
    )
    assert_type(Author.objects.annotate(n=Count("books")).distinct(), QuerySet[Author])
    assert_type(Book.objects.select_related("author").prefetch_related(Prefetch("tags")), QuerySet[Book])
    assert_type(Author.objects.all()[:3], QuerySet[Author])


def conversions() -> None:
    assert_type(Q(name="Ann").as_sqlalchemy(Author), ColumnElement[bool])
    assert_type(F("age").as_sqlalchemy(Author), ColumnElement[Any])
    assert_type(Count("books").as_sqlalchemy(Author), ColumnElement[Any])


def sync_results() -> None:
    assert_type(Author.objects.get(pk=1), Author)
    assert_type(Author.objects.first(), Author | None)
    assert_type(Author.objects.filter(name="Ann").last(), Author | None)
    assert_type(Author.objects.get_or_none(pk=1), Author | None)
    assert_type(Author.objects.create(name="Ann"), Author)
    assert_type(Author.objects.get_or_create(name="Ann"), tuple[Author, bool])
    assert_type(Author.objects.count(), int)
    assert_type(Author.objects.exists(), bool)
    assert_type(Author.objects.filter(name="Ann").update(name="Bob"), int)
    assert_type(Author.objects.filter(name="Ann").delete(), tuple[int, dict[str, int]])
    assert_type(Author.objects.bulk_create([Author(name="Ann")]), list[Author])
    assert_type(Author.objects.aggregate(n=Count("pk")), dict[str, Any])
    assert_type(Author.objects.filter(name="Ann").returning().update(name="Bob"), list[Author])
    assert_type(Author.objects.values("name").returning().delete(), list[dict[str, Any]])
    assert_type(Author.objects.order_by("name").page(20).items, list[Author])
    assert_type(list(Author.objects.all()), list[Author])
    assert_type(Author.objects.all()[0], Author)
    for author in Author.objects.iterator():
        assert_type(author, Author)
    with atomic():
        pass


async def async_results() -> None:
    assert_type(await Author.objects.aget(pk=1), Author)
    assert_type(await Author.objects.afirst(), Author | None)
    assert_type(await Author.objects.acreate(name="Ann"), Author)
    assert_type(await Author.objects.aget_or_create(name="Ann"), tuple[Author, bool])
    assert_type(await Author.objects.acount(), int)
    assert_type(await Author.objects.aexists(), bool)
    assert_type(await Author.objects.filter(name="Ann"), list[Author])
    async for author in Author.objects.filter(name="Ann"):
        assert_type(author, Author)
    async with aatomic():
        pass


def several_at_once() -> None:
    authors, book, count = fetch_many(
        Author.objects.all(), Book.objects.later.first(), Book.objects.later.count()
    )
    assert_type(authors, list[Author])
    assert_type(book, Book | None)
    assert_type(count, int)
    names, found = fetch_many(Author.objects.values("name"), Book.objects.filter(pk=1).later.get())
    assert_type(names, list[dict[str, Any]])
    assert_type(found, Book)
    first, *_others = Author.objects.all().fetch_many(Book.objects.all())
    assert_type(first, list[Author])
    assert_type(fetch_many(Author.objects.raw("SELECT ...")), tuple[list[Author]])


async def several_at_once_in_async_code() -> None:
    there, page = await afetch_many(
        Author.objects.later.exists(), Author.objects.order_by("name").later.page(3)
    )
    assert_type(there, bool)
    assert_type(page.items, list[Author])


def tables() -> None:
    assert_type(Author.objects.to_polars(), polars.DataFrame)
    assert_type(Author.objects.values("name").to_polars(chunk_size=100), polars.DataFrame)


def instances(author: Author) -> None:
    author.save(update_fields=["name"])
    author.refresh_from_db()
    assert_type(author.delete(), tuple[int, dict[str, int]])
