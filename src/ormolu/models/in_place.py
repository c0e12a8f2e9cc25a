"""Mutable values (JSON, arrays, a user's own) of objects that a SQLAlchemy Session holds: changes inside them.

`save()` compares such a value with what was loaded. So does a Session before it commits, and before it flushes what
else it has to write: SQLAlchemy itself notices assignments alone. Models without such fields pay nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm.attributes import flag_modified

__all__ = ["note_changes", "remember"]

RAW = "_raw"
_UNKNOWN = object()


def mutable_fields(meta: Any) -> tuple[Any, ...]:
    """Return the fields of a model whose values can be changed in place."""
    found: tuple[Any, ...] = meta._cached("mutable", lambda: _mutable(meta.concrete_fields))
    return found


def _mutable(fields: Iterable[Any]) -> tuple[Any, ...]:
    from ormolu.writes.values import (
        value_field,
    )  # imported when the first row is written, or read in a Session

    return tuple(field for field in fields if not value_field(field).immutable)


def image(field: Any, value: Any, dialect: Any) -> Any:
    """Return what a value is in the database, as `Writer.frozen()` does; equal to nothing if that can't be told."""
    from ormolu.writes.values import freeze

    if value is None:
        return None
    try:
        prepare = field.save_prep_for(value.__class__)
        process = field.sa_type.dialect_impl(dialect).bind_processor(dialect)
        value = value if prepare is None else prepare(value)
        return freeze(value if process is None else process(value))
    except Exception:
        return object()  # the writing says what is wrong


def before(field: Any, values: dict[str, Any], dialect: Any) -> Any:
    """Return the image of what was loaded or written, `_UNKNOWN` where nobody noted that."""
    from ormolu.writes.writers import Image

    known: dict[str, Any] = values.get(RAW) or {}
    raw: Any = known.get(field.attname, _UNKNOWN)
    if raw is _UNKNOWN or raw is None:
        return raw
    if type(raw) is Image:
        return raw.frozen
    load = field.result_converter(dialect)
    return image(field, raw if load is None else load(raw), dialect)


def remember(instance: Any, session: Any, attnames: Iterable[str] | None = None) -> None:
    """Note what the mutable values of an instance are, which were just loaded or written."""
    fields = mutable_fields(instance._meta)
    if not fields or session is None:
        return
    from ormolu.writes.writers import Image

    values: dict[str, Any] = instance.__dict__
    dialect = session.get_bind(type(instance)).dialect
    raw = dict(values.get(RAW) or {})
    for field in fields:
        name = field.attname
        if name in values and (attnames is None or name in attnames):
            frozen = image(field, values[name], dialect)
            raw[name] = None if values[name] is None else Image(frozen)
    values[RAW] = raw


def note_changes(session: Any) -> None:
    """Tell SQLAlchemy which values were changed in place since they were loaded."""
    from ormolu.writes.values import is_expression

    held: list[Any] = list(session.identity_map.values())
    for instance in held:
        meta: Any = getattr(instance, "_meta", None)
        fields = mutable_fields(meta) if hasattr(meta, "concrete_fields") else ()
        if not fields:
            continue
        values = instance.__dict__
        dialect = session.get_bind(type(instance)).dialect
        for field in fields:
            value = values.get(field.attname)
            if value is None or is_expression(value):
                continue  # None can't be changed inside; assigning it was noticed
            known = before(field, values, dialect)
            if known is not _UNKNOWN and known != image(field, value, dialect):
                flag_modified(instance, field.attname)
