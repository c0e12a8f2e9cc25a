"""What objects made of rows are: the model's own, whatever its layout and whatever the names of their values."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from ormolu import CharField, DateTimeField, F, Model


class Counted:
    """Counts the instances that the garbage collector takes."""

    __slots__ = ("note",)
    gone: ClassVar[list[Any]] = []

    def __del__(self) -> None:
        Counted.gone.append(self.__dict__.get("title"))  # type: ignore[attr-defined]


class Letter(Model):
    """A model of the usual layout."""

    title = CharField(max_length=20)
    sent = DateTimeField(null=True)


class Parcel(Counted, Model):
    """A model whose instances have a slot, and are laid out in another way."""

    title = CharField(max_length=20)


def test_a_loaded_object_is_of_its_class_with_its_values_and_can_be_changed(db: Any) -> None:
    """Values, class, changes: as if the object had been made by its constructor."""
    when = dt.datetime(2024, 1, 1, 10, tzinfo=dt.UTC)
    made = Letter.objects.create(title="first", sent=when)
    found = Letter.objects.get(pk=made.pk)
    assert type(found) is Letter
    assert (found.pk, found.title, found.sent, found._state.db) == (made.pk, "first", when, "default")
    found.title = "second"
    found.save()
    assert Letter.objects.get(pk=made.pk).title == "second"


def test_a_missing_date_is_none(db: Any) -> None:
    """NULL stays None, in objects, dictionaries and tuples."""
    Letter.objects.create(title="first")
    assert Letter.objects.get().sent is None
    assert Letter.objects.values("sent").get() == {"sent": None}
    assert list(Letter.objects.values_list("sent", flat=True)) == [None]


def test_models_with_slots_are_loaded(db: Any) -> None:
    """A model whose instances have another layout is loaded all the same, and none is made and lost on the way."""
    Parcel.objects.create(title="first")
    Counted.gone.clear()
    found = Parcel.objects.get()
    assert (found.title, Counted.gone) == ("first", [])
    found.note = "kept"
    assert found.note == "kept"


def test_annotations_may_have_names_that_python_has_no_syntax_for(db: Any) -> None:
    """A name is any text that is safe in SQL: a keyword, a dotted one, one that begins with underscores."""
    Letter.objects.create(title="first")
    for name in ("class", "a.b", "__x", "größe"):
        assert vars(Letter.objects.annotate(**{name: F("title")}).get())[name] == "first"
