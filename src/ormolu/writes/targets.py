"""What an upsert takes for the same row: unique fields, or a constraint by its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.exceptions import NotSupportedError
from ormolu.writes.conflicts import check_unique, fields_named
from ormolu.writes.values import is_generated

__all__ = ["Target", "find_target"]


class Target:
    """A unique constraint: its fields, or `elements` that are more than columns; `within`: its condition."""

    __slots__ = ("elements", "fields", "within")

    def __init__(self, fields: tuple[Any, ...], elements: Sequence[Any], within: Any = None) -> None:
        self.fields = fields
        self.elements = tuple(elements)
        self.within = within

    @property
    def plain(self) -> bool:
        """Whether the fields alone say which row is meant."""
        return bool(self.fields) and self.within is None


def find_target(
    driver: Any, model: Any, unique_fields: Iterable[str] | None, constraint: str | None, keyed: bool
) -> Target:
    """Return what is meant by the arguments of bulk_upsert(). `keyed`: rows come with primary keys.

    Raises ValueError for none or both of them, and where there is no such constraint, with those there are;
    FieldDoesNotExist; NotSupportedError where the database may take another constraint for it.
    """
    meta = model._meta
    if unique_fields is None and constraint is None:
        raise ValueError(
            f"bulk_upsert() of {meta.object_name} must be told what makes a row the same: "
            f"unique_fields, or constraint. "
            f"{_choices(meta)}"
        )
    if constraint is not None:
        if unique_fields is not None:
            raise ValueError("bulk_upsert() takes unique_fields or constraint, not both.")
        target = _by_name(meta, constraint)
    else:
        fields = fields_named(model, unique_fields)
        check_unique("bulk_upsert", fields)
        names = frozenset(f.sa_column.name for f in fields)
        if meta.managed and names not in _unique_sets(meta):
            raise ValueError(
                f"bulk_upsert() needs a unique constraint on {', '.join(sorted(f.name for f in fields)) or 'fields'}. "
                f"{_choices(meta)}"
            )
        target = Target(fields, [f.sa_column for f in fields])
    if driver.vendor in ("mysql", "mariadb"):
        _check_only(meta, target, keyed)
    return target


def _by_name(meta: Any, name: str) -> Target:
    by_column = {f.sa_column: f for f in meta.concrete_fields}
    known: list[str] = []
    for found in (*meta.table.constraints, *meta.table.indexes):
        if isinstance(found, sa.UniqueConstraint) or (isinstance(found, sa.Index) and found.unique):
            known.append(str(found.name))
            if str(found.name) != name:
                continue
            elements: list[Any] = list(found.expressions if isinstance(found, sa.Index) else found.columns)
            within = None
            if isinstance(found, sa.Index):
                within = found.dialect_options["postgresql"]["where"]
            fields = tuple(by_column[e] for e in elements if isinstance(e, sa.Column) and e in by_column)
            return Target(fields if len(fields) == len(elements) else (), elements, within)
    raise ValueError(
        f"{meta.object_name} has no unique constraint named {name!r}. There are: {', '.join(sorted(known)) or 'none'}."
    )


def _unique_sets(meta: Any) -> dict[frozenset[str], str]:
    """Return the columns of each unique constraint that holds for all rows, with its name."""
    table = meta.table
    found = {frozenset(c.name for c in table.primary_key): "the primary key"}
    for column in table.columns:
        if column.unique:
            found[frozenset({column.name})] = column.name
    for part in table.constraints:
        if isinstance(part, sa.UniqueConstraint):
            found[frozenset(c.name for c in part.columns)] = str(part.name)
    for index in table.indexes:
        whole = all(isinstance(e, sa.Column) for e in index.expressions)
        if index.unique and whole and index.dialect_options["postgresql"]["where"] is None:
            found[frozenset(c.name for c in index.columns)] = str(index.name)
    return found


def _choices(meta: Any) -> str:
    by_name = {f.sa_column.name: f.name for f in meta.concrete_fields}
    texts = [
        "(" + ", ".join(sorted(by_name.get(name, name) for name in names)) + ")"
        for names in _unique_sets(meta)
        if names
    ]
    return f"Unique are: {', '.join(sorted(texts))}."


def _check_only(meta: Any, target: Target, keyed: bool) -> None:
    """Raise NotSupportedError where MariaDB might update a row for the sake of another constraint."""
    columns = frozenset(f.sa_column.name for f in target.fields)
    others = {names: name for names, name in _unique_sets(meta).items() if names != columns}
    pk = frozenset(c.name for c in meta.table.primary_key)
    if not keyed and len(meta.pk_fields) == 1 and is_generated(meta.pk_fields[0]):
        others.pop(pk, None)
    if others or not target.plain:
        also = ", ".join(sorted(others.values())) or "a condition"
        raise NotSupportedError(
            f"This database updates a row for any constraint that a new one conflicts with, and {meta.object_name} has "
            f"more than the one that is meant ({also})."
        )
