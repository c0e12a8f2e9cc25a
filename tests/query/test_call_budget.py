"""What a cached query costs, in calls and not in seconds: a count does not flake."""

from __future__ import annotations

from typing import Any

import pytest

from ormolu import CharField, DateTimeField, IntegerField, Model
from support.counting import calls_of

# `objects.get(pk=...)` with its plan cached makes 30 calls of Python and C functions, a saved field 49. The rest is
# spare, for a Python that counts a builtin differently.
GET_BUDGET = 32
# A saved field in an open transaction: the record of the change, one plan, one UPDATE.
SAVE_BUDGET = 52


class Entry(Model):
    """An entry of a journal."""

    level = IntegerField()
    text = CharField(max_length=100)
    written = DateTimeField(null=True)


@pytest.mark.backends("sqlite")
def test_a_cached_get_by_key_stays_under_its_budget(db: Any) -> None:
    """Getting an object by its key takes no more calls than its plan needs."""
    key = Entry.objects.create(level=1, text="first").pk
    assert calls_of(lambda: Entry.objects.get(pk=key)) <= GET_BUDGET


@pytest.mark.backends("sqlite")
def test_saving_one_field_stays_under_its_budget(db: Any) -> None:
    """Saving a changed field builds no statement."""
    entry = Entry.objects.create(level=1, text="first")

    def change() -> None:
        entry.level += 1
        entry.save()

    assert calls_of(change) <= SAVE_BUDGET
