"""Define what is measured: the input of each workload, and how its result is checked.

An adapter has one method for each workload. It takes the input prepared here, does the work, and returns
what it read last. Its name is `Workload.method`; an adapter without that method has no such API.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .checks import (
    SMALL,
    Input,
    check_books,
    check_concurrent,
    check_deleted,
    check_dicts,
    check_field,
    check_got,
    check_groups,
    check_inserted,
    check_join,
    check_join_tuples,
    check_large,
    check_saved,
    check_small,
    check_stream,
    check_summary,
    check_tags,
    check_tuples,
    check_upserted,
)
from .probe import Probe
from .schema import (
    AUTHORS,
    BOOKS,
    BOOKS_PER_AUTHOR,
    JOURNAL_ROWS,
    LEVELS,
    ROWS_PER_LEVEL,
    TAGS_PER_BOOK,
    Row,
    new_rows,
)

BULK = 1_000
MANY = 10_000
TASKS = 64
THREADS = 16
POOL = 16


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    An input of size n holds `units` x n units (rows, objects, calls); `start` and `most` bound n. `prepare`
    makes the input, and for changes puts the rows in place; `check` looks at the result and at the database.
    """

    key: str
    title: str
    method: str
    units: int
    start: int
    most: int
    prepare: Callable[[Any, Probe, int, random.Random], Input]
    check: Callable[[Any, Probe, Input, Any], None]
    writes: bool = False
    step: int = 1


# Inputs. Those with objects of the library hold a `Load`, which the worker resolves, since that may be async.


@dataclass
class Load:
    """Ask the worker to replace this by the objects that `adapter.load(keys)`, or `load_many`, gives."""

    keys: list[int]
    many: bool = False


def rows_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give rows to insert."""
    return (new_rows(size),)


def batches_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give batches of rows to insert."""
    return ([new_rows(BULK, batch * BULK) for batch in range(size)],)


def levels_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give levels to filter by."""
    return ([chance.randrange(LEVELS) for _ in range(size)],)


def keys_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give keys to get, none of them twice."""
    return (chance.sample(range(1, JOURNAL_ROWS + 1), size),)


def times_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give the number of times to ask a question that has no parameter."""
    return (size,)


def no_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give nothing."""
    return ()


def whole_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give loaded objects and the rows to change them to."""
    return Load(probe.insert(new_rows(size))), new_rows(size, 500_037)


def field_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give loaded objects and a new text for each."""
    return Load(probe.insert(new_rows(size))), [f"changed {n}" for n in range(size)]


def many_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give many loaded objects and a new text for each."""
    count = size * MANY
    return Load(probe.insert(new_rows(count)), many=True), [f"changed {n}" for n in range(count)]


def upsert_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give batches of rows with keys: half of a batch is there, with other values, and half is new."""
    half = BULK // 2
    there = probe.insert(new_rows(size * half))
    rows = new_rows(size * BULK, 500_037)
    batches: list[list[Row]] = []
    for batch in range(size):
        keys = there[batch * half : (batch + 1) * half]
        keys += [there[-1] + batch * half + n + 1 for n in range(half)]
        values = rows[batch * BULK : (batch + 1) * BULK]
        batches.append([Row(key, *row) for key, row in zip(keys, values, strict=True)])
    return (batches,)


def delete_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give loaded objects to delete; one more row is there, which is to stay."""
    return (Load(probe.insert(new_rows(size + 1))[:-1]),)


def request_input(adapter: Any, probe: Probe, size: int, chance: random.Random) -> Input:
    """Give keys and a new text for each."""
    return probe.insert(new_rows(size)), [f"changed {n}" for n in range(size)]


OBJECTS_BOOKS = AUTHORS + AUTHORS * BOOKS_PER_AUTHOR
OBJECTS_TAGS = BOOKS + BOOKS * TAGS_PER_BOOK

WORKLOADS: tuple[Workload, ...] = (
    Workload("A", "insert, own transaction", "insert_each", 1, 20, 2_000, rows_input, check_inserted, True),
    Workload(
        "B",
        "insert save(), one transaction",
        "insert_together",
        1,
        50,
        4_000,
        rows_input,
        check_inserted,
        True,
    ),
    Workload("C", "bulk create (rows)", "insert_bulk", BULK, 1, 10, batches_input, check_inserted, True),
    Workload(
        "D",
        "filter to 1000 instances (rows)",
        "filter_large",
        ROWS_PER_LEVEL,
        2,
        80,
        levels_input,
        check_large,
    ),
    Workload("E", "filter LIMIT 20 (rows)", "filter_small", SMALL, 5, 2_000, levels_input, check_small),
    Workload("F", "get by key", "get", 1, 20, 8_000, keys_input, check_got),
    Workload("G", "dictionaries (rows)", "dicts", ROWS_PER_LEVEL, 2, 80, levels_input, check_dicts),
    Workload("H", "tuples (rows)", "tuples", ROWS_PER_LEVEL, 2, 80, levels_input, check_tuples),
    Workload("I", "save whole instance", "save_whole", 1, 20, 2_000, whole_input, check_saved, True),
    Workload("J", "save one field", "save_field", 1, 20, 2_000, field_input, check_field, True),
    Workload("K", "delete instance", "delete", 1, 20, 2_000, delete_input, check_deleted, True),
    Workload("U", "bulk update (rows)", "update_bulk", MANY, 1, 1, many_input, check_field, True),
    Workload("V", "upsert (rows)", "upsert", BULK, 1, 10, upsert_input, check_upserted, True),
    Workload("L", "1000 books + author joined (rows)", "join", BOOKS, 1, 60, times_input, check_join),
    Workload("L2", "the same as tuples (rows)", "join_tuples", BOOKS, 1, 120, times_input, check_join_tuples),
    Workload(
        "M",
        "authors + books prefetch (objs)",
        "prefetch_books",
        OBJECTS_BOOKS,
        1,
        60,
        times_input,
        check_books,
    ),
    Workload(
        "M2", "books + tags prefetch (objs)", "prefetch_tags", OBJECTS_TAGS, 1, 20, times_input, check_tags
    ),
    Workload("N", "group by count (groups)", "group", LEVELS, 1, 20, times_input, check_groups),
    Workload("N2", "four aggregates of 1000 rows", "summary", 1, 5, 1_000, levels_input, check_summary),
    Workload("R", "request: get, update, commit", "request", 1, 10, 2_000, request_input, check_field, True),
    Workload(
        "Q",
        "concurrent get by key",
        "concurrent",
        1,
        TASKS * 2,
        TASKS * 100,
        keys_input,
        check_concurrent,
        step=TASKS,
    ),
    Workload("O", "stream 100,000 rows", "stream", JOURNAL_ROWS, 1, 1, no_input, check_stream),
)


def find_workload(key: str) -> Workload:
    """Return the workload of this key; raises `LookupError` that lists the keys."""
    for workload in WORKLOADS:
        if workload.key == key:
            return workload
    raise LookupError(f"no workload {key!r}; there are: {', '.join(workload.key for workload in WORKLOADS)}")
