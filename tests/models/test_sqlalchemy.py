"""Models are SQLAlchemy classes: sessions, loading options, inspection."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

import ormolu
from models.library import MODELS, Author, Book, Box, Note, Shelf, Tag
from ormolu import FieldDoesNotExist, IntegerField, Model

__all__ = ["MODELS"]
pytestmark = pytest.mark.worlds("sync")


def session() -> Session:
    return Session(ormolu.databases.get().engine)


def test_unit_of_work(db: Any) -> None:
    """add() cascades to an unsaved related object and fills the key; changes are flushed; the record is kept."""
    with session() as s:
        book = Book(title="x", author=Author(name="Ann"))
        s.add(book)
        s.commit()
        assert book.author_id == book.author.pk  # type: ignore[attr-defined]
        book.title = "y"
        assert book.__dict__["_dirty"]
        s.commit()
        assert "_dirty" not in book.__dict__
    assert Book.objects.get().title == "y"


def test_our_objects_in_a_session(db: Any) -> None:
    """An object of ours goes into a Session with its identity and its changes."""
    Author.objects.create(name="Ann")
    ann = Author.objects.get()
    ann.age = 9
    assert sa.inspect(ann).detached
    assert dict(sa.inspect(ann).committed_state) == {"age": 0}
    with session() as s:
        s.add(ann)
        s.commit()
        assert s.get(Author, ann.pk) is ann
    assert Author.objects.get().age == 9
    with session() as s:
        other = s.merge(Author(id=ann.pk, name="Bea", age=1))
        s.commit()
        assert other.name == "Bea"


def test_session_objects_with_us(db: Any) -> None:
    """An object that a Session loaded can be saved and deleted by us afterwards."""
    Author.objects.create(name="Ann")
    with session() as s:
        ann = s.scalars(sa.select(Author)).one()
        assert not ann._state.adding
        s.expire(ann)
        assert ann.name == "Ann"
    ann.name = "Bea"
    ann.save()
    assert Author.objects.get().name == "Bea"
    assert ann.delete() == (1, {"shelf.Author": 1})


def test_a_rolled_back_insert(db: Any) -> None:
    """After a rollback the object is new again, after a deletion as well."""
    with session() as s:
        ann = Author(name="Ann")
        s.add(ann)
        s.flush()
        assert not ann._state.adding
        s.rollback()
        assert ann._state.adding
        s.add(ann)
        s.commit()
        s.delete(ann)
        s.commit()
        assert ann._state.adding


def test_loading_options(db: Any) -> None:
    """joinedload() and selectinload() fill relations; a relation declared by us joins."""
    ann = Author.objects.create(name="Ann")
    book = ann.books.create()
    book.tags.create(name="red")
    with session() as s:
        statement = sa.select(Book).join(Book.author).where(Author.name == "Ann")
        found = s.scalars(statement.options(joinedload(Book.author), selectinload(Book.tags))).one()
        assert found.author.name == "Ann"
        assert [tag.name for tag in found.tags.all()] == ["red"]
        assert s.scalars(sa.select(Tag).where(Book.tags.any(Tag.name == "red"))).all()


def test_a_session_writes_the_table_between(db: Any) -> None:
    """Deleting through a Session takes the rows of an automatic table in between along."""
    book = Author.objects.create(name="Ann").books.create()
    book.tags.create(name="red")
    with session() as s:
        s.delete(s.get(Book, book.pk))
        s.commit()
    assert Book.tags.through.objects.count() == 0


def test_stamps(db: Any) -> None:
    """auto_now and auto_now_add hold in a flush, too."""
    with session() as s:
        note = Note(text="a")
        s.add(note)
        s.commit()
        first = note.updated_at
        note.text = "b"
        s.commit()
        assert note.created_at <= first < note.updated_at


def test_plain_relationships(db: Any) -> None:
    """Relationships in SQLAlchemy's way work as ever."""
    with session() as s:
        shelf = Shelf(owner=Author(name="Ann"), boxes=[Box(), Box()])
        s.add(shelf)
        s.commit()
        assert len(shelf.boxes) == 2
        assert shelf.boxes[0].shelf is shelf
    assert len(Shelf.objects.get().boxes) == 2


def test_inspection() -> None:
    """Mapper and descriptors are what SQLAlchemy's tools expect."""
    mapper = sa.inspect(Book)
    assert {"title", "author_id"} <= set(mapper.column_attrs.keys())
    assert set(mapper.relationships.keys()) == {"author", "editor", "tags"}
    assert {"title", "author", "tags"} <= set(mapper.all_orm_descriptors.keys())
    assert isinstance(Book.title, sa.orm.InstrumentedAttribute)


def test_init_listeners() -> None:
    """SQLAlchemy's `init` event and ours are sent while somebody listens."""
    seen: list[Any] = []

    def note(target: Any, args: Any, kwargs: Any) -> None:
        seen.append(kwargs)

    sa.event.listen(Tag, "init", note)
    try:
        Tag(name="x")
    finally:
        sa.event.remove(Tag, "init", note)
    Tag(name="y")
    assert seen == [{"name": "x"}]


def test_a_declaration_that_failed_leaves_nothing_behind(apps: Any) -> None:
    """Even while its error is kept (as a shell does), SQLAlchemy configures and uses the other models."""
    with pytest.raises(FieldDoesNotExist) as kept:

        class Unfinished(Model):
            number = IntegerField()

            class Meta:
                unique_together = [("number", "nope")]

    class Finished(Model):
        number = IntegerField()

    with Session(sa.create_engine("sqlite://")) as session:
        Finished.__table__.create(session.connection())  # type: ignore[attr-defined]
        session.add(Finished(number=1))
        session.commit()
    assert kept.value is not None
