"""What checkers say of queries with the stubs: each line with a mark at its end is a mistake, and no other is."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import assert_type

from shelf import Book as Offered
from shelf.books import Book, Cheap, Cover, Review
from shelf.people import Author, Level, Mood, shout
from sqlalchemy import select

from ormolu import Count, F, Lower, Prefetch, Q, QuerySet, Value


def right(author: Author, book: Book) -> None:
    assert_type(Author.objects.create(name="Ann", age=3), Author)
    assert_type(Author.objects.filter(name="Ann").first(), Author | None)
    assert_type(Author.objects.filter(name="Ann").order_by("-age")[0], Author)
    Author.objects.filter(age__gte=3, name__icontains="a", joined__year__gte=2024, books__title="x")
    Author.objects.filter(Q(age=3), age__in=[1, 2], age__isnull=True, age=None).exclude(age__range=(1, 2))
    Author.objects.filter(age__gte=F("age") + 1, name=Lower(Value("x")), pk__in=Author.objects.all())
    Author.objects.filter(level=Level.HIGH, mood=Mood.GOOD, name__sounds="an", extra={"a": 1})
    Author.objects.order_by("-age", "name", F("age").desc(), "?", "books__title").values("name")
    Author.objects.annotate(n=Count("books")).filter(n__gt=3)
    Author.objects.filter(name="x").values_list("name", "books__title", Lower("name"))
    Author.objects.filter(friend=author, friend__name="x", friends__name="y", friend_id=uuid.uuid4())
    assert_type(Author.objects.recent(), QuerySet[Author])
    Book.objects.filter(author=author, author__name="x", author_id=author.id, author__in=[author])
    Book.objects.select_related("author").prefetch_related("tags", Prefetch("author__books"))
    Book.objects.only("title", "author__name").defer("pages")
    Book.objects.cheap()
    Book.thick.long(3).long(name="y").filter(pages__gte=3)
    assert_type(Book.objects.get_or_create(title="x", defaults={"author": author}), tuple[Book, bool])
    Book.objects.update_or_create(title="x", defaults={"pages": 3}, create_defaults={"author": author})
    Book.objects.filter(pages=3, printed__month=3).update(pages=F("pages") + 1)
    Book.objects.filter(tags="red", reviews__stars__gte=3, cover__colour="red")
    Cheap.objects.filter(title="x")
    Review.objects.create(day=dt.datetime.now(), stars=3, book=book)
    Review.objects.filter(day__date=dt.date.today(), book__title="x")
    Cover(book=book, colour="red")
    Offered.objects.filter(title="x")
    for each in Book.objects.filter(title="x"):
        assert_type(each, Book)
    select(Author).where(Author.name == "x")


async def right_in_async_code() -> None:
    assert_type(await Author.objects.aget(name="x"), Author)
    assert_type(await Author.objects.acreate(name="x"), Author)
    assert_type(await Author.objects.filter(name="x"), list[Author])
    async for author in Author.objects.filter(name="x"):
        assert_type(author, Author)


def attributes(author: Author, book: Book) -> None:
    assert_type(author.id, uuid.UUID)
    assert_type(author.name, str)
    assert_type(author.age, int | None)
    assert_type(author.title, str)
    assert_type(author.get_level_display(), str)
    assert_type(author.books.all(), QuerySet[Book])
    assert_type(author.friend_id, uuid.UUID | None)
    assert_type(book.id, int)
    assert_type(book.author, Author)
    assert_type(book.author_id, uuid.UUID)
    assert_type(book.cover, Cover)
    assert_type(book.editor, Author | None)
    assert_type(author.friend, Author | None)
    assert_type(shout("x"), str)


def wrong(author: Author) -> None:
    Author.objects.filter(agee__gte=3)  # wrong
    Author.objects.filter(age__gte="x")  # wrong
    Author.objects.filter(age__gt=3).exclude(nam="x")  # wrong
    Author.objects.filter(joined__yeer=3)  # wrong
    Author.objects.filter(joined__year__gte="x")  # wrong
    Author.objects.filter(books__titel="x")  # wrong
    Author.objects.filter(books__pages__gte="x")  # wrong
    Author.objects.filter(mood="g")  # wrong
    Author.objects.filter(name__isnull="yes")  # wrong
    Author.objects.filter(pk="x")  # wrong
    Author.objects.get(nam="x")  # wrong
    Author.objects.get_or_none(nam="x")  # wrong
    Author.objects.create(nam="x")  # wrong
    Author.objects.create(name=3)  # wrong
    Author.objects.order_by("nam")  # wrong
    Author.objects.filter(name="x").order_by("-nam")  # wrong
    Author.objects.values("nam")  # wrong
    Author.objects.values_list("nam", flat=True)  # wrong
    Book.objects.only("titel")  # wrong
    Book.objects.select_related("tags")  # wrong
    Book.objects.prefetch_related("tag")  # wrong
    Book.objects.filter(author="x")  # wrong
    Book.objects.get_or_create(titel="x")  # wrong
    Book.objects.get_or_create(title="x", defaults={"autor": author})  # wrong
    Book.objects.filter(title="x").update(pages="x")  # wrong
    Book.objects.filter(title="x").update(page=3)  # wrong
    Book.thick.filter(pages__gte="x")  # wrong
    Review.objects.create(stars=3)  # wrong
    Review(stars=3)  # wrong
    Offered.objects.filter(titel="x")  # wrong


async def wrong_in_async_code() -> None:
    await Author.objects.aget(nam="x")  # wrong
    await Author.objects.avalues("nam")  # wrong
    await Author.objects.filter(name="x").avalues_list("nam")  # wrong
    await Author.objects.acreate(nam="x")  # wrong
    await Author.objects.filter(name="x").aupdate(nam="x")  # wrong
