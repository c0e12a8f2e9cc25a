"""Models as plain data: a dictionary of columns, the same for JSON, and the way back.

    to_dict(user)                  # {"id": UUID("..."), "name": "Ann"}
    dump_model(user)               # {"id": "...", "name": "Ann"}: what json.dumps() takes
    load(User, {"name": "Ann"})    # a new User, saved nowhere

`DataMixin` has the same as methods. For nested data, and for data that strangers send, see `ormolu.schemas`.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import enum
import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, TypeVar, cast

from ormolu.exceptions import FieldDoesNotExist, ValidationError
from ormolu.near import near_names

__all__ = ["DataMixin", "dump_model", "jsonable", "load", "to_dict"]

M = TypeVar("M")


def to_dict(
    instance: Any, *, fields: Iterable[str] | None = None, exclude: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the values of the mapped columns by attribute: a relation's key is `author_id`.

    `fields` names the only ones, `exclude` those that are left out. No query, unless a column was deferred; in async
    code that is an error. Raises FieldDoesNotExist for an unknown name.
    """
    meta = instance._meta
    names = [field.attname for field in meta.concrete_fields]
    chosen = names if fields is None else [_attname(meta, name) for name in fields]
    left = {_attname(meta, name) for name in exclude}
    return {name: _value(instance, name) for name in names if name in chosen and name not in left}


def dump_model(
    instance: Any, *, fields: Iterable[str] | None = None, exclude: Iterable[str] = ()
) -> dict[str, Any]:
    """Return `to_dict()` with values that `json.dumps()` takes: UUIDs, times and decimals are text."""
    found = to_dict(instance, fields=fields, exclude=exclude)
    return {name: jsonable(value) for name, value in found.items()}


def load(model: type[M], data: Mapping[str, Any], *, strict: bool = True) -> M:
    """Return a new object with these values, belonging to no session and no database.

    Takes what `to_dict()` and `dump_model()` give: text becomes what the field holds. Raises TypeError for what is no
    mapping, ValidationError for a value that the field can't hold, and FieldDoesNotExist, with the near miss, for an
    unknown name, which `strict=False` passes over.
    """
    if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{model.__name__} is loaded from a dictionary, not from {data!r}.")
    meta: Any = cast(Any, model)._meta
    known = {field.attname: field for field in meta.concrete_fields}
    values: dict[str, Any] = {}
    for name, value in data.items():
        field = known.get(name)
        if field is None:
            if not strict:
                continue
            relation = _field(meta, name)
            values[name if relation is not None else _unknown(meta, name)] = value
            continue
        values[name] = field.to_python(_from_json(field, value))
    return model(**values)


class DataMixin:
    """`to_dict()`, `dump_model()` and `load()` as methods: `class User(Model, DataMixin)`."""

    def to_dict(self, *, fields: Iterable[str] | None = None, exclude: Iterable[str] = ()) -> dict[str, Any]:
        """Return the values of the mapped columns. See `ormolu.repository.to_dict()`."""
        return to_dict(self, fields=fields, exclude=exclude)

    def dump_model(
        self, *, fields: Iterable[str] | None = None, exclude: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return the values of the mapped columns for JSON. See `ormolu.repository.dump_model()`."""
        return dump_model(self, fields=fields, exclude=exclude)

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Self:
        """Return a new object with these values. See `ormolu.repository.load()`."""
        return load(cls, data)


def _value(instance: Any, name: str) -> Any:
    value = getattr(instance, name)
    return None if type(value).__name__ == "DatabaseDefault" else value


def _field(meta: Any, name: str) -> Any:
    try:
        return meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _attname(meta: Any, name: str) -> str:
    field = _field(meta, name)
    if field is None or getattr(field, "column", None) is None:
        return _unknown(meta, name)
    return str(field.attname)


def _unknown(meta: Any, name: str) -> str:
    names = [field.attname for field in meta.concrete_fields]
    close = near_names(name, names)
    hint = f"Did you mean {close[0]!r}?" if close else f"Columns: {', '.join(names)}."
    raise FieldDoesNotExist(f"{meta.object_name} has no column named {name!r}. {hint}")


def _from_json(field: Any, value: Any) -> Any:
    """Return the bytes that `jsonable()` made text of."""
    if isinstance(value, str) and field.get_internal_type() == "BinaryField":
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            raise ValidationError(
                {field.name: f"{field.name} holds bytes, which are text in Base64 in JSON."}
            ) from None
    return value


_TEXTS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (uuid.UUID, str),
    (decimal.Decimal, str),
    (dt.datetime, dt.datetime.isoformat),
    (dt.date, dt.date.isoformat),
    (dt.time, dt.time.isoformat),
    (dt.timedelta, lambda value: _duration(value)),
    (bytes, lambda value: base64.b64encode(value).decode("ascii")),
    (bytearray, lambda value: base64.b64encode(value).decode("ascii")),
    (memoryview, lambda value: base64.b64encode(value).decode("ascii")),
)


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it: UUIDs, decimals and times as text (ISO 8601), bytes in Base64, members' values.

    A number that JSON has not (NaN, the infinities) is None. What else there is becomes its text.
    """
    if value is None or value.__class__ in (str, int, bool):
        return value
    if isinstance(value, enum.Enum):
        return jsonable(value.value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    for cls, convert in _TEXTS:
        if isinstance(value, cls):
            return convert(value)
    if isinstance(value, Mapping):
        return {str(jsonable(key)): jsonable(item) for key, item in cast(Any, value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in cast(Any, value)]
    if isinstance(value, (str, int)):
        return value
    return str(value)


def _duration(value: dt.timedelta) -> str:
    """Return a duration as ISO 8601 has it, to the microsecond."""
    sign, value = ("-", -value) if value < dt.timedelta(0) else ("", value)
    seconds = f"{value.seconds}.{value.microseconds:06}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}DT{seconds}S"
