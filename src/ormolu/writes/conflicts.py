"""What bulk_create() does about rows that are there already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ormolu.exceptions import NotSupportedError

_WITH_TARGET = ("sqlite", "postgresql")
_WITHOUT_TARGET = ("mysql", "mariadb")

_NO_UPDATE_FIELDS = "Fields that will be updated when a row insertion fails on conflicts must be provided."


class Conflict:
    """A rule for conflicting rows: ignore the new row, or update the old one.

    `key` names it among plans; `updates` tells which of the two it is.
    """

    def __init__(self, updates: bool, update_fields: tuple[Any, ...], unique_fields: tuple[Any, ...]) -> None:
        self.updates = updates
        self.update_fields = update_fields
        self.unique_fields = unique_fields
        self.key = (
            updates,
            tuple(f.attname for f in update_fields),
            tuple(f.attname for f in unique_fields),
        )

    def build(self, driver: Any, table: Any) -> Any:
        """Return an INSERT into `table` that follows the rule."""
        if driver.vendor in _WITHOUT_TARGET:
            return self._build_mysql(table)
        insert: Any
        if driver.vendor == "postgresql":
            from sqlalchemy.dialects.postgresql import insert as postgresql_insert

            insert = postgresql_insert(table)
        else:
            from sqlalchemy.dialects.sqlite import insert as sqlite_insert

            insert = sqlite_insert(table)
        if not self.updates:
            return insert.on_conflict_do_nothing()
        columns = [f.sa_column for f in self.update_fields]
        return insert.on_conflict_do_update(
            index_elements=[f.sa_column for f in self.unique_fields],
            set_={column.name: insert.excluded[column.key] for column in columns},
        )

    def _build_mysql(self, table: Any) -> Any:
        from sqlalchemy.dialects.mysql import insert as mysql_insert

        insert: Any = mysql_insert(table)
        if not self.updates:
            return insert.prefix_with("IGNORE")
        columns = [f.sa_column for f in self.update_fields]
        values = {column.name: insert.inserted[column.key] for column in columns}
        return insert.on_duplicate_key_update(values)


def make_conflict(
    driver: Any,
    model: Any,
    ignore_conflicts: bool,
    update_conflicts: bool,
    update_fields: Iterable[str] | None,
    unique_fields: Iterable[str] | None,
) -> Conflict | None:
    """Check the arguments of bulk_create() about conflicts; None if a conflict is an error.

    Raises ValueError or NotSupportedError with Django's texts, FieldDoesNotExist for an unknown name.
    """
    if ignore_conflicts and update_conflicts:
        raise ValueError("ignore_conflicts and update_conflicts are mutually exclusive")
    known = driver.vendor in _WITH_TARGET or driver.vendor in _WITHOUT_TARGET
    if ignore_conflicts:
        if not known:
            raise NotSupportedError("This database backend does not support ignoring conflicts.")
        return Conflict(False, (), ())
    if not update_conflicts:
        return None
    if not known:
        raise NotSupportedError("This database backend does not support updating conflicts.")
    updates = _fields(model, update_fields)
    unique = _fields(model, unique_fields)
    if not updates:
        raise ValueError(_NO_UPDATE_FIELDS)
    if unique and driver.vendor in _WITHOUT_TARGET:
        raise NotSupportedError(
            "This database backend does not support updating conflicts with specifying unique fields "
            "that can trigger the upsert."
        )
    if not unique and driver.vendor in _WITH_TARGET:
        raise ValueError("Unique fields that can trigger the upsert must be provided.")
    if any(not f.concrete or f.many_to_many for f in updates):
        raise ValueError("bulk_create() can only be used with concrete fields in update_fields.")
    if any(f.primary_key or f in model._meta.pk_fields for f in updates):
        raise ValueError("bulk_create() cannot be used with primary keys in update_fields.")
    if any(not f.concrete or f.many_to_many for f in unique):
        raise ValueError("bulk_create() can only be used with concrete fields in unique_fields.")
    return Conflict(True, updates, unique)


def _fields(model: Any, names: Iterable[str] | None) -> tuple[Any, ...]:
    meta = model._meta
    found: list[Any] = []
    for name in names or ():
        if name == "pk":
            found.extend(meta.pk_fields)
        else:
            found.append(meta.get_field(name))
    return tuple(found)
