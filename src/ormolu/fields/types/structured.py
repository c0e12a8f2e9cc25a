"""JSON, UUIDs, bytes, network addresses and arrays."""

from __future__ import annotations

import ipaddress
import json
import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from ormolu.fields.types.base import Processor, ValueType, nullable

__all__ = ["ArrayType", "BinaryType", "InetType", "JSONType", "UUIDType"]


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

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self.impl_instance.coerce_compared_value(op, value)

    def column_expression(self, column: Any) -> Any:
        """Select the text where there is a decoder: PostgreSQL's drivers decode JSONB by themselves."""
        return column if self.decoder is None else sa.type_coerce(sa.cast(column, sa.Text), self)

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        dumps = (self.encoder or json.JSONEncoder)().encode
        null = sa.JSON.NULL

        def to_json(value: Any) -> str | None:
            if value is None:
                return None
            return "null" if value is null else dumps(value)

        return to_json

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        if dialect.name == "postgresql" and self.decoder is None:
            return None
        return json_reader((self.decoder or json.JSONDecoder)().decode)


def json_reader(decode: Callable[[str], Any]) -> Processor:
    """Return a function that decodes JSON text, and leaves alone what is decoded already or is no JSON."""

    def from_json(value: Any) -> Any:
        if value is None:
            return None
        if value.__class__ is bytes:
            value = value.decode()
        if value.__class__ is not str:
            return value
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

    def _item_bind(self, dialect: sa.Dialect) -> Any:
        dialect = _json_dialect(dialect)
        return self.item.dialect_impl(dialect).bind_processor(dialect)

    def _item_result(self, dialect: sa.Dialect, coltype: object) -> Any:
        dialect = _json_dialect(dialect)
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
            return None if convert is None else nullable(convert)
        read = json_reader(json.JSONDecoder().decode)
        if convert is None:
            return read
        return lambda value: None if value is None else convert(read(value))


def _json_dialect(dialect: sa.Dialect) -> sa.Dialect:
    """Return the dialect that converts items: in JSON text they are what SQLite stores, numbers and texts."""
    if dialect.name in ("postgresql", "sqlite"):
        return dialect
    from sqlalchemy.dialects import sqlite

    return sqlite.dialect()


def _deep(each: Processor, dimensions: int) -> Processor:
    """Return a function that applies `each` to the items of lists, `dimensions` deep."""
    inner = each if dimensions == 1 else _deep(each, dimensions - 1)
    return lambda values: [None if value is None else inner(value) for value in values]
