"""Optimistic locking of rows that are not written by save(): what is deleted, or written with many others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from ormolu.exceptions import StaleObjectError
from ormolu.programs import Fetch, Program, Write, atomically
from ormolu.writes import unsure
from ormolu.writes.statements import compile_ready, next_version
from ormolu.writes.updates import stale, update_row
from ormolu.writes.writers import Writer, writer_for

__all__ = ["claimed", "claimed_all"]

R = TypeVar("R")

_AT_ONCE = 200  # rows whose keys and versions one statement compares


def claimed(driver: Any, instance: Any, program: Program[R]) -> Program[R]:
    """Return a program that runs once the instance's row is locked and known to have its version.

    In one transaction, or a savepoint, so that one around it can go on. Raises StaleObjectError where the row has
    another version, or is gone.
    """
    return atomically(_claim(driver, instance, program))


def _claim(driver: Any, instance: Any, program: Program[R]) -> Program[R]:
    d: dict[str, Any] = instance.__dict__
    if unsure.UNSURE in d:
        unsure.settle(instance, d)
    writer = _counting(driver, type(instance))
    if not (yield from update_row(writer, instance, d, (), counts=True)):
        raise stale(writer, d, None)
    return (yield from program)


def claimed_all(driver: Any, model: Any, instances: Sequence[Any], program: Program[R]) -> Program[R]:
    """Do the same for many instances: one statement for some hundred of them, before the program's own."""
    writer = _counting(driver, model)
    try:
        return (yield from atomically(_claim_all(writer, instances, program)))
    except _Behind as behind:
        raise (yield from _first_stale(writer, behind.instances)) from None


class _Behind(Exception):
    """Some of these instances' rows have another version. Which ones is asked once the others are as before."""

    def __init__(self, instances: Sequence[Any]) -> None:
        self.instances = instances


def _claim_all(writer: Writer, instances: Sequence[Any], program: Program[R]) -> Program[R]:
    name: str = writer.version.attname
    unique: dict[Any, Any] = {}
    for instance in instances:
        if unsure.UNSURE in instance.__dict__:
            unsure.settle(instance, instance.__dict__)
        unique.setdefault(_key(writer, instance.__dict__), instance)
    rows = list(unique.values())
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        statement = sa.update(writer.meta.table).values(
            {writer.version.sa_column: next_version(writer.version)}
        )
        step = Write(*compile_ready(writer.driver, statement.where(_any_of(writer, part, name)), {}))
        if (yield step) != len(part):
            raise _Behind(part)
        for instance in part:
            d = instance.__dict__
            before = d[name]
            d[name] = before + 1
            if step.era is not None:
                unsure.note_version(d, step.era, name, before)
    return (yield from program)


def _any_of(writer: Writer, instances: Sequence[Any], version: str | None) -> Any:
    """Return the condition that a row is one of these, and has the version that the instance has."""
    conditions: list[Any] = []
    for instance in instances:
        d = instance.__dict__
        parts = [field.sa_column == d[field.attname] for field in writer.keys]
        if version is not None:
            parts.append(writer.version.sa_column == d[version])
        conditions.append(sa.and_(*parts))
    return sa.or_(*conditions)


def _first_stale(writer: Writer, instances: Sequence[Any]) -> Program[StaleObjectError]:
    """Return the error for the first instance whose row has another version."""
    columns = [*(field.sa_column for field in writer.keys), writer.version.sa_column]
    rows = yield Fetch(
        *compile_ready(writer.driver, sa.select(*columns).where(_any_of(writer, instances, None)), {})
    )
    found = {tuple(row[:-1]): row[-1] for row in rows}
    name = writer.version.attname
    for instance in instances:
        d = instance.__dict__
        version = found.get(_key(writer, d))
        if version != d[name]:
            return stale(writer, d, version)
    return stale(writer, instances[0].__dict__, None)


def _key(writer: Writer, d: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(d[field.attname] for field in writer.keys)


def _counting(driver: Any, model: Any) -> Writer:
    """Return the writer of the table that the version is in: the model's own or a parent's."""
    writer = writer_for(driver, model)
    return next(table for table in (writer, *writer.all_parents) if table.version is not None)
