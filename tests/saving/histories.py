"""Histories of saves, failures and rollbacks, with both libraries: a state machine that compares them."""

from __future__ import annotations

import sys
import tempfile
import types
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import ormolu
from saving.sides import COLUMNS, OWN, Side

DJANGO = """\
from django.db.models import *
from django.db.transaction import atomic
"""
OURS = """\
from ormolu import *
"""

slots = st.integers(0, 2)
keys = st.sampled_from([1, 2, 3, 50, 51])
codes = st.sampled_from([None, "a", "b", "c"])
numbers = st.sampled_from([0, 1, 2, 7, "3", True, 2.0])
texts = st.sampled_from(["", "x", "y", "long"])
lists = st.sampled_from([[], [1], [True], [1.0], {"a": [1]}, None])
dicts = st.sampled_from([{}, {"a": 1}, {"a": True}, {"a": {"b": []}}])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "code": codes,
    "n": numbers,
    "text": texts,
    "data": st.sampled_from([[], [1], [True], [1.0], {"a": [1]}]),
    "extra": numbers,
    "more": dicts,
}
assignments = st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name]))
posts = st.fixed_dictionaries({}, optional={name: VALUES[name] for name in ("code", "n", "text", "data")})
stories = st.fixed_dictionaries({}, optional=VALUES)
keyed = st.tuples(posts, keys).map(lambda pair: {**pair[0], "id": pair[1]})
names = st.lists(st.sampled_from([*COLUMNS[1:], *OWN]), min_size=1, max_size=3, unique=True).map(tuple)
forms = st.one_of(
    st.just({}),
    st.just({}),
    names.map(lambda chosen: {"update_fields": list(chosen)}),
    st.just({"update_fields": []}),
    st.just({"force_insert": True}),
    st.just({"force_update": True}),
)


class Histories(RuleBasedStateMachine):
    """Does the same with both libraries, and compares errors, objects and rows."""

    django: Side
    ours: Side

    def __init__(self) -> None:
        super().__init__()
        self.sides = (self.django, self.ours)
        for side in self.sides:
            side.forget()

    def both(self, step: str, *args: Any) -> None:
        outcomes = [side.attempt(step, *args) for side in self.sides]
        assert outcomes[0] == outcomes[1], (step, args, outcomes)

    def on(self, step: str, slot: int, *args: Any) -> None:
        if slot in self.django.objects and slot in self.ours.objects:
            self.both(step, slot, *args)
            self.settle(slot)

    def settle(self, slot: int) -> None:
        """Leave one object for each row: two would overwrite one another's columns in Django alone."""
        obj = self.django.objects.get(slot)
        if obj is not None and obj.pk is not None:
            for other in [s for s, o in self.django.objects.items() if s != slot and o.pk == obj.pk]:
                for side in self.sides:
                    side.objects.pop(other, None)

    @rule(slot=slots, child=st.booleans(), values=stories, key=st.one_of(st.none(), keys))
    def new(self, slot: int, child: bool, values: Any, key: Any) -> None:
        chosen = {n: v for n, v in values.items() if child or n in COLUMNS}
        self.both("new", slot, child, chosen if key is None else {**chosen, "id": key})
        self.settle(slot)

    @rule(slot=slots, child=st.booleans(), values=stories)
    def create(self, slot: int, child: bool, values: Any) -> None:
        self.both("create", slot, child, {n: v for n, v in values.items() if child or n in COLUMNS})
        self.settle(slot)

    @rule(
        slot=slots,
        which=st.integers(0, 5),
        only=st.one_of(st.just(()), names),
        defer=st.one_of(st.just(()), names),
        child=st.booleans(),
    )
    def load(self, slot: int, which: int, only: Any, defer: Any, child: bool) -> None:
        found = list(self.django.model(child).objects.order_by("pk").values_list("pk", flat=True))
        if found:
            allowed = (*COLUMNS, *OWN) if child else COLUMNS
            only, defer = (tuple(n for n in chosen if n in allowed) for chosen in (only, defer))
            self.both("load", slot, child, found[which % len(found)], only, defer)
            self.settle(slot)

    @rule(slot=slots, change=assignments)
    def assign(self, slot: int, change: Any) -> None:
        self.on("assign", slot, *change)

    @rule(slot=slots, value=st.integers(0, 3))
    def mutate(self, slot: int, value: int) -> None:
        self.on("mutate", slot, value)

    @rule(slot=slots, value=st.integers(0, 3))
    def mutate_more(self, slot: int, value: int) -> None:
        self.on("mutate_more", slot, value)

    @rule(slot=slots, form=forms)
    def save(self, slot: int, form: Any) -> None:
        self.on("save", slot, form)

    @rule(slot=slots, form=forms)
    def save_and_undo(self, slot: int, form: Any) -> None:
        self.on("save_and_undo", slot, form)

    @rule(slot=slots)
    def save_raw(self, slot: int) -> None:
        self.on("save_raw", slot)

    @rule(slot=slots, form=forms)
    def bump(self, slot: int, form: Any) -> None:
        if "update_fields" in form:
            form = {"update_fields": [*form["update_fields"], "n"]}
        self.on("bump", slot, form)

    @rule(slot=slots, chosen=st.one_of(st.just(()), names))
    def refresh(self, slot: int, chosen: Any) -> None:
        self.on("refresh", slot, chosen)

    @rule(slot=slots)
    def delete(self, slot: int) -> None:
        self.on("delete", slot)

    @rule(slot=slots)
    def duplicate(self, slot: int) -> None:
        self.on("duplicate", slot)

    @rule(slot=slots, key=keys)
    def rekey(self, slot: int, key: int) -> None:
        self.on("rekey", slot, key)

    @rule(slot=slots)
    def pickled(self, slot: int) -> None:
        self.on("pickled", slot)

    @rule(slot=slots)
    def copied(self, slot: int) -> None:
        self.on("copied", slot)

    @rule(slot=slots, chosen=names)
    def bulk_update(self, slot: int, chosen: Any) -> None:
        self.on("bulk_update", slot, chosen)

    @rule(slot=slots, values=posts)
    def bulk_create(self, slot: int, values: Any) -> None:
        self.both("bulk_create", slot, values)
        self.settle(slot)

    @rule(slot=slots, code=st.sampled_from(["a", "b"]), values=posts)
    def update_or_create(self, slot: int, code: str, values: Any) -> None:
        self.both("update_or_create", slot, code, {n: v for n, v in values.items() if n != "code"})
        self.settle(slot)

    @precondition(lambda self: not self.ours.blocks)
    @rule(slot=slots, values=posts)
    def update_rows(self, slot: int, values: Any) -> None:
        self.on("update_rows", slot, {n: v for n, v in values.items() if n != "code"} or {"n": 9})

    @precondition(lambda self: len(self.ours.blocks) < 3)
    @rule()
    def enter(self) -> None:
        for side in self.sides:
            side.enter()

    @precondition(lambda self: self.ours.blocks)
    @rule(undo=st.booleans())
    def leave(self, undo: bool) -> None:
        for side in self.sides:
            side.leave(undo)

    @invariant()
    def agree(self) -> None:
        assert self.ours.rows() == self.django.rows()
        mine, theirs = self.ours.seen(), self.django.seen()
        for slot, (pk, _adding, known) in mine.items():
            if pk != theirs[slot][0] and theirs[slot][0] != theirs[slot][2].get("id", pk):
                # A rekeyed child has two keys. When the one follows the other, if a save fails, is each one's affair.
                theirs[slot] = (pk, *theirs[slot][1:])
            # Which deferred columns a save loads, to write them back or before it fails, is each one's own affair.
            other = theirs[slot][2]
            theirs[slot] = (*theirs[slot][:2], {n: v for n, v in other.items() if n in known})
            mine[slot] = (*mine[slot][:2], {n: v for n, v in known.items() if n in other})
        assert mine == theirs

    def teardown(self) -> None:
        for side in self.sides:
            side.forget()


def both_sides(folder: str) -> tuple[Side, Side]:
    """Return both libraries on databases in memory. Once in a process, for Django is configured but once."""
    import django.apps
    from django.conf import settings as django_settings

    file = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    peer = types.ModuleType("saving_peer")
    sys.modules["saving_peer"] = peer
    body = {"name": "saving_peer", "label": "saving", "path": folder, "__module__": "saving_peer"}
    django_settings.configure(
        DATABASES={"default": file},
        TIME_ZONE="UTC",  # it sets the process's own
        LOGGING_CONFIG=None,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["saving_peer.PeerConfig"],
    )
    peer.PeerConfig = type("PeerConfig", (django.apps.AppConfig,), body)  # type: ignore[attr-defined]
    django.setup()
    ormolu.configure("sqlite://")
    from django.db import connection

    clear = "DELETE FROM sqlite_sequence"
    theirs = Side(DJANGO, "saving_django", lambda: connection.cursor().execute(clear))
    mine = Side(OURS, "saving_ours", lambda: ormolu.connection.execute(clear))
    with connection.schema_editor() as editor:
        for name in ("Post", "Story"):
            editor.create_model(theirs.names[name])
    ormolu.create_tables(mine.names["Post"], mine.names["Story"])
    return theirs, mine


def search(examples: int) -> None:
    """Try so many histories. Raises AssertionError, with the shortest history that was found, where both differ."""
    with tempfile.TemporaryDirectory() as folder:
        Histories.django, Histories.ours = both_sides(folder)
        run_state_machine_as_test(
            Histories,
            settings=settings(
                max_examples=examples,
                stateful_step_count=25,
                deadline=None,
                derandomize=examples < 100,  # the same few each time; a search is for who asks for one
                report_multiple_bugs=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
