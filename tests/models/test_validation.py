"""full_clean() and its parts."""

import datetime
from typing import Any

import pytest

from models.library import MODELS, Author, Book, Note
from ormolu.exceptions import ValidationError

__all__ = ["MODELS"]
pytestmark = pytest.mark.worlds("sync")


def errors(instance: Any, **options: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        instance.full_clean(**options)
    return caught.value.message_dict


def test_fields(db: Any) -> None:
    """Every field that is wrong is named."""
    assert errors(Author(name="", age="x")) == {
        "name": ["This field cannot be blank."],
        "age": ["“x” value must be an integer."],
    }
    author = Author(name="Ann", age="7")
    author.full_clean()
    assert author.age == 7


def test_uniqueness(db: Any) -> None:
    """Unique fields, unique_together and unique_for_date are looked up; an object's own row doesn't count."""
    day = datetime.date(2020, 1, 1)
    note = Note.objects.create(text="a", topic="x", day=day)
    note.full_clean()
    assert errors(Note(text="a")) == {"__all__": ["Note with this Text and Rank already exists."]}
    assert errors(Note(text="b", topic="x", day=day, rank=2)) == {
        "topic": ["Topic must be unique for Day date."]
    }
    Note(text="b", topic="x", day=datetime.date(2020, 1, 2), rank=2).full_clean()
    Note(text="a").full_clean(exclude=["text"])
    Note(text="a").full_clean(validate_unique=False)


def test_constraints(db: Any) -> None:
    """Check constraints and conditional unique ones are asked of the database."""
    assert errors(Note(text="a", rank=-1)) == {"__all__": ["Constraint “note_rank” is violated."]}
    Note.objects.create(text="a", topic="x")
    assert errors(Note(text="b", topic="x")) == {"__all__": ["Constraint “one_first_topic” is violated."]}
    Note(text="b", topic="x", rank=2).full_clean()
    Note(text="a", rank=-1).full_clean(validate_constraints=False)
    Note(text="b", rank=-1).full_clean(exclude=["rank"])


def test_relations(db: Any) -> None:
    """A key must be that of a row."""
    assert errors(Book(title="x", author_id=77)) == {
        "author": ["author instance with id 77 is not a valid choice."]
    }


def test_neighbours(db: Any) -> None:
    """get_next_by_FOO() and get_previous_by_FOO() go by date, then by key."""
    one, two = [Note.objects.create(text=text) for text in "ab"]
    assert one.get_next_by_created_at() == two  # type: ignore[attr-defined]
    assert two.get_previous_by_created_at() == one  # type: ignore[attr-defined]
    with pytest.raises(Note.DoesNotExist):
        two.get_next_by_created_at()  # type: ignore[attr-defined]
