"""The field that holds texts by key: PostgreSQL's hstore, JSON text elsewhere.

Source: Django's documentation, "PostgreSQL specific model fields", HStoreField; PostgreSQL's documentation, "hstore".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions
from ormolu.fields.types.base import Processor, ValueType, nullable
from ormolu.fields.types.structured import json_reader

__all__ = ["HStoreField", "HStoreType", "hstore_text", "read_hstore"]

DictT = TypeVar("DictT", default=dict[str, str | None])

_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=>\s*(?:(NULL)|"((?:[^"\\]|\\.)*)")', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def hstore_text(value: dict[str, str | None]) -> str:
    """Return a dict of texts as PostgreSQL writes an hstore."""
    pairs = ((_quoted(key), "NULL" if text is None else _quoted(text)) for key, text in value.items())
    return ", ".join(f"{key}=>{text}" for key, text in pairs)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _as_texts(value: Any) -> dict[str, str | None]:
    return {str(key): None if item is None else str(item) for key, item in value.items()}


def read_hstore(value: Any) -> Any:
    """Return the dict of an hstore's text, or a copy of one that the driver has read already."""
    if not isinstance(value, str):
        return dict(value)
    return {
        _ESCAPED.sub(r"\1", key): None if null else _ESCAPED.sub(r"\1", text)
        for key, null, text in _PAIR.findall(value)
    }


class _HStore(sa.types.UserDefinedType[Any]):
    """PostgreSQL's type, written and read as text: so no driver has to know it."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **kw: Any) -> str:
        return "hstore"


class HStoreType(ValueType):
    """Texts by key."""

    impl = sa.Text
    accepts = (dict,)
    is_text = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(_HStore())
        return dialect.type_descriptor(sa.JSON() if dialect.name in ("mysql", "mariadb") else sa.Text())

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        # In an order of its own, as hstore has: equal values are equal texts.
        return nullable(hstore_text if dialect.name == "postgresql" else partial(json.dumps, sort_keys=True))

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return nullable(read_hstore) if dialect.name == "postgresql" else json_reader(json.loads)


class HStoreField(Field[DictT]):
    """Texts (or None) by key: an HSTORE column on PostgreSQL, whose extension must be there, JSON text elsewhere."""

    empty_strings_allowed = False
    values_immutable = False
    description = "Map of strings to strings/nulls"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "not_a_string": "The value of “%(key)s” is not a string or null.",
    }
    transform_for_key: ClassVar[Callable[[str], Any] | None] = None
    """What makes the transform of a key; the query layer sets it."""

    if TYPE_CHECKING:

        def __init__(
            self, verbose_name: str | None = None, *, null: bool = False, **options: Unpack[FieldOptions]
        ) -> None: ...

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """HSTORE, or JSON text."""
        return HStoreType()

    public_home = "ormolu.contrib.postgres.fields"

    def get_internal_type(self) -> str:
        """Return "HStoreField"."""
        return "HStoreField"

    def get_transform(self, lookup_name: str) -> Any:
        """Return the transform of that name; any other name is a key."""
        found = super().get_transform(lookup_name)
        make = type(self).transform_for_key
        return make(lookup_name) if found is None and make is not None else found

    def to_python(self, value: Any) -> Any:
        """Return the dict; a text is read as JSON."""
        return json.loads(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        """Return a dict whose keys and values are texts. Raises TypeError for what is no dict."""
        if value is None:
            return None
        if not isinstance(value, dict):
            raise TypeError(f"Field {self.name!r} expected a dict but got {value!r}.")
        return _as_texts(value)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raise ValidationError for values that are no texts."""
        super().validate(value, model_instance)
        if value is None:
            return
        for key, item in value.items():
            if item is not None and not isinstance(item, str):
                raise self._invalid("not_a_string", value, key=key)

    def value_to_string(self, obj: Any) -> str:
        """Return the value as JSON."""
        return json.dumps(self.value_from_object(obj), ensure_ascii=False)
