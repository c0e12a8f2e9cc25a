"""What objects made of rows are: the model's own, whatever its layout and whatever the names of their values."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import pytest

from ormolu import CharField, DateTimeField, F, Manager, Model, QuerySet, atomic


class Watching:
    """Counts the instances that the garbage collector takes."""

    __slots__ = ("note",)
    gone: ClassVar[list[Any]] = []

    def __del__(self) -> None:
        Watching.gone.append(vars(self).get("title"))


class Showing(Manager[Any]):
    """A manager that hides some rows."""

    def get_queryset(self) -> Any:
        return super().get_queryset().exclude(title="hidden")


class PlainLetter(Model):
    """A model of the usual layout."""

    title = CharField(max_length=20)
    sent = DateTimeField(null=True)
    objects = Manager()
    shown = Showing.from_queryset(QuerySet)()


class SlottedLetter(Watching, Model):
    """A model whose instances have a slot, and are laid out in another way."""

    title = CharField(max_length=20)


def test_a_loaded_object_is_of_its_class_with_its_values_and_can_be_changed(db: Any) -> None:
    """Values, class, changes: as if the object had been made by its constructor."""
    when = dt.datetime(2024, 1, 1, 10, tzinfo=dt.UTC)
    made = PlainLetter.objects.create(title="first", sent=when)
    found = PlainLetter.objects.get(pk=made.pk)
    assert type(found) is PlainLetter
    assert (found.pk, found.title, found.sent, found._state.db) == (made.pk, "first", when, "default")
    found.title = "second"
    found.save()
    assert PlainLetter.objects.get(pk=made.pk).title == "second"


def test_a_missing_date_is_none(db: Any) -> None:
    """NULL stays None, in objects, dictionaries and tuples."""
    PlainLetter.objects.create(title="first")
    assert PlainLetter.objects.get().sent is None
    assert PlainLetter.objects.values("sent").get() == {"sent": None}
    assert list(PlainLetter.objects.values_list("sent", flat=True)) == [None]


def test_models_with_slots_are_loaded(db: Any) -> None:
    """A model whose instances have another layout is loaded all the same, and none is made and lost on the way."""
    SlottedLetter.objects.create(title="first")
    Watching.gone.clear()
    found = SlottedLetter.objects.get()
    assert (found.title, Watching.gone) == ("first", [])
    found.note = "kept"
    assert found.note == "kept"


def test_annotations_may_have_names_that_python_has_no_syntax_for(db: Any) -> None:
    """A name is any text that is safe in SQL: a keyword, a dotted one, one that begins with underscores."""
    PlainLetter.objects.create(title="first")
    for name in ("class", "a.b", "__x", "größe"):
        assert vars(PlainLetter.objects.annotate(**{name: F("title")}).get())[name] == "first"


def test_a_stream_can_be_closed_before_its_end(db: Any) -> None:
    """Closing ends the statement; so does letting go of the stream."""
    for number in range(5):
        PlainLetter.objects.create(title=str(number))
    with atomic():
        stream: Any = PlainLetter.objects.order_by("pk").iterator(chunk_size=2)
        assert next(stream).title == "0"
        stream.close()
        assert [letter.title for letter in stream] == ["1"]  # what had arrived
        for letter in PlainLetter.objects.iterator(chunk_size=1):
            letter.delete()
            break
        assert PlainLetter.objects.count() == 4


def test_the_plan_of_a_key_is_good_for_missing_keys_and_other_classes(db: Any) -> None:
    """After a key was found: none, one of another size, None, and what is no key at all."""
    made = PlainLetter.objects.create(title="first")
    assert PlainLetter.objects.get(pk=made.pk) == made
    assert PlainLetter.objects.get(id=made.pk) == made
    for missing in (made.pk + 1, 2**40, 2**70, None):
        with pytest.raises(PlainLetter.DoesNotExist):
            PlainLetter.objects.get(pk=missing)
    for _ in range(2):
        with pytest.raises(ValueError, match="expected a number"):
            PlainLetter.objects.get(pk="first")


def test_a_manager_of_ones_own_is_asked(db: Any) -> None:
    """get() begins with what a manager's get_queryset() gives, wherever in its classes that is."""
    made = PlainLetter.objects.create(title="hidden")
    assert PlainLetter.objects.get(pk=made.pk) == made
    with pytest.raises(PlainLetter.DoesNotExist):
        PlainLetter.shown.get(pk=made.pk)


def test_two_rows_are_too_many(db: Any) -> None:
    """Each time, not only when the plan is made."""
    for _ in range(2):
        PlainLetter.objects.create(title="twin")
    for _ in range(2):
        with pytest.raises(PlainLetter.MultipleObjectsReturned):
            PlainLetter.objects.get(title="twin")
