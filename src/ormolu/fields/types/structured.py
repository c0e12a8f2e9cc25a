"""JSON, UUIDs, bytes, network addresses and arrays."""

from __future__ import annotations

import copy
import ipaddress
import json
import marshal
import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal

from ormolu.fields.types.base import Processor, ValueType, nullable

__all__ = ["ArrayType", "BinaryType", "InetType", "JSONType", "UUIDType", "json_dialect"]


class JSONType(ValueType):
    """JSONB on PostgreSQL, JSON on MySQL and MariaDB, JSON text elsewhere.

    None is SQL NULL; JSON's own null is written as `sqlalchemy.JSON.NULL`, and read as None.
    """

    impl = sa.JSON

    def __init__(self, encoder: type[json.JSONEncoder] | None = None, decoder: Any = None) -> None:
        self.encoder = encoder
        self.decoder = decoder
        super().__init__()

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import JSONB

            return dialect.type_descriptor(JSONB())
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(sa.JSON())
        return dialect.type_descriptor(sa.Text())

    @property
    def python_type(self) -> type[Any]:
        return dict

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self.impl_instance.coerce_compared_value(op, value)

    def column_expression(self, column: Any) -> Any:
        """Select the text where there is a decoder: PostgreSQL's drivers decode JSONB by themselves."""
        return column if self.decoder is None else sa.type_coerce(sa.cast(column, sa.Text), self)

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        encoder: Any = self.encoder
        # One of the user's may keep a state while it encodes: each value has its own, as in `json.dumps(cls=...)`.
        dumps: Callable[[Any], str] = (
            (lambda value: encoder().encode(value)) if encoder else json.JSONEncoder().encode
        )
        null = sa.JSON.NULL

        def to_json(value: Any) -> str | None:
            if value is None:
                return None
            return "null" if value is null else dumps(value)

        return to_json

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        if dialect.name == "postgresql" and self.decoder is None:
            return copied  # what the driver gave stays as it is, to be compared with
        decoder = self.decoder
        if decoder is None:
            return json_reader(json.JSONDecoder().decode)
        check = None if isinstance(decoder, type) else getattr(decoder, "check", None)
        return json_reader(lambda text: decoder().decode(text), check)


_ATOMS = frozenset({str, int, float, bool, type(None)})


def copied(value: Any) -> Any:
    """Return a copy of lists and dicts, and of what they hold."""
    kind = value.__class__
    if kind is not dict and kind is not list:
        return value
    for item in value.values() if kind is dict else value:
        if item.__class__ not in _ATOMS:
            try:
                return marshal.loads(marshal.dumps(value))  # the quickest way through what is nested
            except ValueError:  # it holds more than JSON can say
                return copy.deepcopy(value)
    return value.copy()


def json_reader(decode: Callable[[str], Any], check: Callable[[Any], Any] | None = None) -> Processor:
    """Return a function that decodes JSON text, and leaves alone what is decoded already or is no JSON.

    `check` turns what is decoded already into what `decode` returns.
    """

    def from_json(value: Any) -> Any:
        if value is None:
            return None
        if value.__class__ is bytes:
            value = value.decode()
        if value.__class__ is not str:
            return value if check is None else check(value)
        try:
            return decode(value)
        except json.JSONDecodeError:
            return value

    return from_json


class UUIDType(ValueType):
    """UUID on PostgreSQL, 32 hexadecimal digits elsewhere."""

    impl = sa.Uuid
    accepts = (uuid.UUID,)

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.Uuid() if dialect.name == "postgresql" else sa.CHAR(32))

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        return None if dialect.name == "postgresql" else _uuid_hex

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return None if dialect.name == "postgresql" else read_uuid


def _uuid_hex(value: uuid.UUID | str | None) -> str | None:
    if value is None:
        return None
    return value.hex if isinstance(value, uuid.UUID) else uuid.UUID(value).hex


# UUID.__init__ checks a dozen arguments. Its slots can be filled directly, in a third of the time.
_new_uuid = object.__new__
_set_int: Callable[[uuid.UUID, int], None] = uuid.UUID.__dict__["int"].__set__
_set_safe: Callable[[uuid.UUID, uuid.SafeUUID], None] = uuid.UUID.__dict__["is_safe"].__set__
_unknown = uuid.SafeUUID.unknown


def read_uuid(text: Any) -> uuid.UUID | None:
    """Return the UUID of its text form, with or without hyphens."""
    if text is None or text.__class__ is uuid.UUID:
        return text
    if len(text) != 32:
        return uuid.UUID(text)
    value = _new_uuid(uuid.UUID)
    _set_int(value, int(text, 16))
    _set_safe(value, _unknown)
    return value


class BinaryType(ValueType):
    """Bytes: BYTEA, BLOB."""

    impl = sa.LargeBinary
    accepts = (bytes, bytearray, memoryview)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return None if dialect.name in ("sqlite", "postgresql", "mysql", "mariadb") else nullable(bytes)

    def literal_processor(self, dialect: sa.Dialect) -> Any:
        if dialect.name == "postgresql":
            return _bytea_literal
        return super().literal_processor(dialect)


def _bytea_literal(value: Any) -> str:
    return f"'\\x{bytes(value).hex()}'::bytea"


class InetType(ValueType):
    """INET on PostgreSQL, text elsewhere; a text in Python."""

    impl = sa.String
    accepts = (str,)

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import INET

            return dialect.type_descriptor(INET())
        return dialect.type_descriptor(sa.CHAR(39))

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return _address_text if dialect.name == "postgresql" else None


def _address_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, (ipaddress.IPv4Interface, ipaddress.IPv6Interface)):
        value = value.ip
    if isinstance(value, ipaddress.IPv6Address) and value.ipv4_mapped is not None:
        return f"::ffff:{value.ipv4_mapped}"  # as it was written; Python before 3.13 says it in hexadecimal
    return str(value).partition("/")[0]


class ArrayType(ValueType):
    """An array of `item` on PostgreSQL, a JSON text of what the items are stored as elsewhere."""

    impl = sa.JSON
    accepts = (list, tuple)

    def __init__(self, item: sa.types.TypeEngine[Any], dimensions: int = 1) -> None:
        self.item = item
        self.dimensions = dimensions
        super().__init__()

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import ARRAY

            return dialect.type_descriptor(ARRAY(self.item, dimensions=self.dimensions))
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(sa.JSON())
        return dialect.type_descriptor(sa.Text())

    def column_expression(self, column: Any) -> Any:
        """Select an array of texts where items travel as text: asyncpg reads others' empty items as none at all."""
        return sa.type_coerce(_Texts(column), self) if getattr(self.item, "is_text", False) else column

    def _item_bind(self, dialect: sa.Dialect) -> Any:
        dialect = json_dialect(dialect)
        return self.item.dialect_impl(dialect).bind_processor(dialect)

    def _item_result(self, dialect: sa.Dialect, coltype: object) -> Any:
        dialect = json_dialect(dialect)
        return self.item.dialect_impl(dialect).result_processor(dialect, coltype)

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        each = self._item_bind(dialect)
        if dialect.name == "postgresql":
            return None if each is None else nullable(_deep(each, self.dimensions))
        dumps = json.JSONEncoder().encode
        if each is None:
            return nullable(dumps)
        convert = _deep(each, self.dimensions)
        return lambda value: None if value is None else dumps(convert(value))

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        each = self._item_result(dialect, coltype)
        convert = None if each is None else _deep(each, self.dimensions)
        if dialect.name == "postgresql":
            # A list of its own: what the driver gave stays as it is, to be compared with.
            return nullable(convert or (list if self.dimensions == 1 else copied))
        read = json_reader(json.JSONDecoder().decode)
        if convert is None:
            return read
        return lambda value: None if value is None else convert(read(value))


class _Texts(ColumnElement[Any]):
    """A column; on PostgreSQL, whose column is an array, an array of its items' texts."""

    inherit_cache = True
    _traverse_internals: Any = [("column", InternalTraversal.dp_clauseelement)]

    def __init__(self, column: Any) -> None:
        self.column = column


@compiles(_Texts)
def _as_it_is(element: _Texts, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.column, **options)
    return f"CAST({text} AS TEXT[])" if compiler.dialect.name == "postgresql" else str(text)


def json_dialect(dialect: sa.Dialect) -> sa.Dialect:
    """Return the dialect that converts items: in JSON text they are what SQLite stores, numbers and texts."""
    if dialect.name in ("postgresql", "sqlite"):
        return dialect
    from sqlalchemy.dialects import sqlite

    return sqlite.dialect()


def _deep(each: Processor, dimensions: int) -> Processor:
    """Return a function that applies `each` to the items of lists, `dimensions` deep."""
    inner = each if dimensions == 1 else _deep(each, dimensions - 1)
    return lambda values: [None if value is None else inner(value) for value in values]
