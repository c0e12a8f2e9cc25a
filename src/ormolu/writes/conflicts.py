"""What becomes of rows that are there already: the conflicts of bulk_create() and bulk_upsert()."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.sql import visitors

from ormolu.exceptions import NotSupportedError
from ormolu.writes.statements import next_version

__all__ = ["PROPOSED", "Conflict", "fields_named", "make_conflict"]

_WITH_TARGET = ("sqlite", "postgresql")
_WITHOUT_TARGET = ("mysql", "mariadb")

PROPOSED = "excluded"
"""How SQL calls the row that was to be inserted."""

_NO_UPDATE_FIELDS = "Fields that will be updated when a row insertion fails on conflicts must be provided."


class Conflict:
    """A rule for conflicting rows: leave the old one, or update it.

    `updates` tells which of the two it is. `elements` are the columns or expressions of the constraint that is meant,
    and `within` its condition; none of them: any constraint. `assignments` are the values of updated columns that are
    not those of the new row, as SQLAlchemy elements, `where` is the condition of the update. `key` names the rule among
    plans; None: there are values in it, so that a plan serves once.
    """

    def __init__(
        self,
        updates: bool,
        update_fields: tuple[Any, ...] = (),
        elements: Sequence[Any] = (),
        *,
        within: Any = None,
        assignments: Mapping[Any, Any] | None = None,
        where: Any = None,
        explicit: bool = False,
    ) -> None:
        self.updates = updates
        self.update_fields = update_fields
        self.elements = tuple(elements)
        self.within = within
        self.assignments = assignments or {}
        self.where = where
        self.explicit = explicit  # DO NOTHING of the constraint that is meant, and no other
        self.key: tuple[Any, ...] | None = None
        if not self.assignments and where is None and within is None:
            self.key = (updates, tuple(f.attname for f in update_fields), self.elements, explicit)

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
            if not self.explicit:
                return insert.on_conflict_do_nothing()
            return insert.on_conflict_do_nothing(index_elements=self.elements, index_where=self.within)
        values = {
            f.sa_column.name: self.assignments.get(f, insert.excluded[f.sa_column.key])
            for f in self.update_fields
        }
        return insert.on_conflict_do_update(
            index_elements=self.elements,
            index_where=self.within,
            set_={**values, **self._version()},
            where=self.where,
        )

    def _version(self) -> dict[str, Any]:
        """Return what counts up the version of a row that is changed."""
        version = self.update_fields[0].model._meta.version if self.update_fields else None
        if version is None or version in self.update_fields:
            return {}
        return {version.sa_column.name: next_version(version)}

    def _build_mysql(self, table: Any) -> Any:
        from sqlalchemy.dialects.mysql import insert as mysql_insert

        insert: Any = mysql_insert(table)
        if not self.updates and not self.explicit:
            return insert.prefix_with("IGNORE")
        if not self.updates:  # IGNORE would ignore more than this conflict
            column = next(iter(table.primary_key))
            return insert.on_duplicate_key_update({column.name: column})

        def proposed(part: Any, **kw: Any) -> Any:
            if getattr(getattr(part, "table", None), "name", None) == PROPOSED:
                return insert.inserted[part.key]
            return None

        traverse: Any = visitors.replacement_traverse
        values: dict[str, Any] = {}
        for field in self.update_fields:
            column, value = field.sa_column, self.assignments.get(field)
            values[column.name] = (
                insert.inserted[column.key] if value is None else traverse(value, {}, proposed)
            )
        return insert.on_duplicate_key_update({**values, **self._version()})


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
        return Conflict(False)
    if not update_conflicts:
        return None
    if not known:
        raise NotSupportedError("This database backend does not support updating conflicts.")
    updates = fields_named(model, update_fields)
    unique = fields_named(model, unique_fields)
    if not updates:
        raise ValueError(_NO_UPDATE_FIELDS)
    if unique and driver.vendor in _WITHOUT_TARGET:
        raise NotSupportedError(
            "This database backend does not support updating conflicts with specifying unique fields "
            "that can trigger the upsert."
        )
    if not unique and driver.vendor in _WITH_TARGET:
        raise ValueError("Unique fields that can trigger the upsert must be provided.")
    check_updated("bulk_create", model, updates)
    check_unique("bulk_create", unique)
    return Conflict(True, updates, [f.sa_column for f in unique])


def check_instances(operation: str, meta: Any, instances: Iterable[Any]) -> None:
    """Raise TypeError for what is no instance of a model, nor of one whose fields are called alike."""
    for cls in set(map(type, instances)):
        if not issubclass(cls, meta.concrete_model):
            wrong = next(instance for instance in instances if type(instance) is cls)
            raise TypeError(f"{operation}() of {meta.object_name} takes its instances, not {wrong!r}.")


def check_updated(operation: str, model: Any, fields: Iterable[Any]) -> None:
    """Raise ValueError for fields that have no column, or are part of the key."""
    for field in fields:
        if not field.concrete or field.many_to_many:
            raise ValueError(f"{operation}() can only be used with concrete fields in update_fields.")
        if field.primary_key or field in model._meta.pk_fields:
            raise ValueError(f"{operation}() cannot be used with primary keys in update_fields.")


def check_unique(operation: str, fields: Iterable[Any]) -> None:
    """Raise ValueError for fields that have no column."""
    if any(not f.concrete or f.many_to_many for f in fields):
        raise ValueError(f"{operation}() can only be used with concrete fields in unique_fields.")


def fields_named(model: Any, names: Iterable[str] | None) -> tuple[Any, ...]:
    """Return the fields of these names; "pk" is that of the primary key. Raises FieldDoesNotExist."""
    meta = model._meta
    found: list[Any] = []
    for name in names or ():
        if name == "pk":
            found.extend(meta.pk_fields)
        else:
            found.append(meta.get_field(name))
    return tuple(found)
