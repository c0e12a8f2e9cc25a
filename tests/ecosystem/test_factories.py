"""factory_boy and polyfactory: objects and rows from factories."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import factory
import pytest
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from ecosystem.library import MODELS as MODELS
from ecosystem.library import EcoAuthor, EcoBook, EcoTag, State
from ormolu import databases

Current = scoped_session(sessionmaker())


class AuthorFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = EcoAuthor
        sqlalchemy_session = Current
        sqlalchemy_session_persistence = "flush"

    name = factory.Sequence(lambda number: f"Author {number}")


class BookFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = EcoBook
        sqlalchemy_session = Current
        sqlalchemy_session_persistence = "flush"
        sqlalchemy_get_or_create = ("title",)

    title = factory.Sequence(lambda number: f"Book {number}")
    author = factory.SubFactory(AuthorFactory)
    state = factory.Iterator(State)

    @factory.post_generation
    def tags(self, create: bool, words: Any, **kwargs: Any) -> None:
        for word in words or ():
            self.tags.create(word=word)


class AnyTag(SQLAlchemyFactory[EcoTag]):
    __model__ = EcoTag


class AnyAuthor(SQLAlchemyFactory[EcoAuthor]):
    __model__ = EcoAuthor


class AnyBook(SQLAlchemyFactory[EcoBook]):
    __model__ = EcoBook
    id = None
    price = None
    details = {"any": True}

    @classmethod
    def state(cls) -> str:
        return random.choice(State.values)


@pytest.fixture
def session(db: Any) -> Iterator[Session]:
    """A session that the factories use."""
    Current.remove()
    Current.configure(bind=databases.get().engine)
    yield Current()
    Current.remove()


def test_factory_boy_creates_rows(session: Session) -> None:
    """With sub-factories, batches, sequences, choices and many-to-many relations."""
    book = BookFactory(tags=["new", "thin"])
    assert isinstance(book.author.pk, uuid.UUID)
    assert book.author_id == book.author.pk
    assert sorted(tag.word for tag in book.tags.all()) == ["new", "thin"]
    more = BookFactory.create_batch(2, author=book.author)
    assert {one.state for one in (book, *more)} <= set(State)
    session.commit()
    assert EcoBook.objects.filter(author=book.author).count() == 3
    assert EcoAuthor.objects.count() == 1


def test_factory_boy_finds_or_creates(session: Session) -> None:
    """`sqlalchemy_get_or_create` finds the row that is there."""
    assert BookFactory(title="One") is BookFactory(title="One")
    assert session.query(EcoBook).count() == 1


def test_factory_boy_builds_without_a_row(db: Any) -> None:
    """`build()` makes objects that can be saved by themselves."""
    author = AuthorFactory.build(name="Ann")
    author.save()
    book = BookFactory.build(author=author, title="Built")
    assert book._state.adding
    book.save()
    assert EcoBook.objects.get(title="Built").author.name == "Ann"


def test_polyfactory_creates_rows(session: Session) -> None:
    """Columns get values of their types, and relations get objects, many-to-many ones among them."""
    AnyBook.__session__ = session
    book = AnyBook.create_sync(author=AnyAuthor.build(name="Ann", born=None), tags=AnyTag.batch(2, id=None))
    session.commit()
    found = EcoBook.objects.select_related("author").get(pk=book.pk)
    assert (found.author.name, found.details, found.tags.count()) == ("Ann", {"any": True}, 2)
    assert found.state in State.values
    assert isinstance(found.pages, int)


def test_polyfactory_builds_whole_graphs(db: Any) -> None:
    """With nothing said, related objects are made as well, each of its own kind."""
    book = AnyBook.build()
    assert isinstance(book.author, EcoAuthor)
    assert all(isinstance(tag, EcoTag) for tag in book.tags)
    assert isinstance(AnyAuthor.build().id, uuid.UUID)
    assert len(AnyAuthor.batch(3)) == 3
