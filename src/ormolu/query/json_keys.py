"""What is inside JSON: KeyTransform, and KeyTextTransform for it as text."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, cast

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.fields import JSONField, TextField
from ormolu.query.references import F
from ormolu.query.transforms import Resolved, Transform

__all__ = [
    "HERE",
    "KT",
    "KeyTextTransform",
    "KeyTransform",
    "KeyTransformFactory",
    "final_key",
    "keys_of",
    "sql",
]


HERE = "\0"
"""Where the element goes, in a template: the one character that no key can hold."""


def sql(text: str, element: Any, type_: Any = None) -> Any:
    """Return SQL text with an element in each of its places."""
    pieces = text.split(HERE)
    return Template("json", pieces, [element] * (len(pieces) - 1), type_ if type_ is not None else sa.Text())


def is_mariadb(builder: Any) -> bool:
    """Tell MariaDB, where JSON is text, from MySQL."""
    return bool(getattr(builder.driver.dialect, "is_mariadb", False))


def is_index(key: Any) -> bool:
    """Tell whether a key is the index of a list."""
    return isinstance(key, int) or key.isdecimal() or (key[:1] == "-" and key[1:].isdecimal())


_ESCAPES = sqlite3.sqlite_version_info >= (3, 47)
"""Whether SQLite's paths know escaped quotes; earlier it takes the first quote inside of quotes for the end."""


def final_key(key: Any) -> str:
    """Return a key of an object as the last part of a JSON path."""
    text = json.dumps(str(key))
    if not _ESCAPES and '"' in text[1:-1] and "." not in text and "[" not in text:
        return f".{text[1:-1]}"
    return f".{text}"


def keys_of(term: Term) -> tuple[Term, list[Any]]:
    """Return the document that a term was taken from, and the keys on the way."""
    keys: list[Any] = []
    while isinstance(term.origin, _Key) and term.inner is not None:
        keys.append(term.origin.key_name)
        term = term.inner
    return term, keys[::-1]


class _Key(Transform):
    """Base of the two: what stands at a key of an object, or an index of a list."""

    arity = 1

    def __init__(self, key_name: Any, *expressions: Any, **extra: Any) -> None:
        super().__init__(*expressions, **extra)
        self.key_name = key_name

    def shape(self, shape: Any) -> Any:
        """Return the key of the plan."""
        return (*super().shape(shape), self.key_name)

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return what stands there; several keys become one path."""
        base, keys = keys_of(terms[0])
        field = self.field_of(base.field)
        element = self.element(builder, base, [*keys, self.key_name], field.sa_type)
        return merge(element, field, [base], strict=True, nullable=True)

    @classmethod
    def field_of(cls, field: Any) -> Any:
        """Return the output field."""
        return cast(Any, field).inner_field if isinstance(field, JSONField) else JSONField()

    @classmethod
    def element(cls, builder: Any, base: Term, keys: list[Any], type_: Any = None) -> Any:
        """Return what stands at the end of the keys."""
        raise NotImplementedError(f"{cls.__name__} must define element()")

    @classmethod
    def path(cls, builder: Any, keys: list[Any]) -> str:
        """Return keys as a JSON path."""
        parts = ["$"]
        for key in keys:
            if not is_index(key):
                parts.append(final_key(key))
            elif int(key) >= 0:
                parts.append(f"[{int(key)}]")
            else:
                parts.append(f"[#{int(key)}]" if builder.vendor == "sqlite" else f"[last-{-int(key) - 1}]")
        return "".join(parts)

    @classmethod
    def literal_path(cls, builder: Any, keys: list[Any]) -> str:
        """Return keys as an SQL literal: as a parameter, GROUP BY would not know it again."""
        path = cls.path(builder, keys).replace("'", "''")
        if builder.vendor == "mysql":
            path = path.replace("\\", "\\\\")
        return "'" + path + "'"

    @classmethod
    def postgres(cls, base: Term, keys: list[Any], arrows: tuple[str, str], type_: Any) -> Any:
        """Return PostgreSQL's operator: for one key the simple one, which an index may have. Numbers are of lists."""
        simple, deep = arrows
        if len(keys) == 1:
            right = str(int(keys[0])) if is_index(keys[0]) else "'" + str(keys[0]).replace("'", "''") + "'"
            return sql(f"({HERE} {simple} {right})", base.sa, type_)
        items = ", ".join("'" + str(key).replace("'", "''") + "'" for key in keys)
        return sql(f"({HERE} {deep} ARRAY[{items}]::text[])", base.sa, type_)


class KeyTransform(_Key):
    """What stands at a key or index, as JSON: `KeyTransform("name", "data")`."""

    @classmethod
    def element(cls, builder: Any, base: Term, keys: list[Any], type_: Any = None) -> Any:
        """Return what stands there, in the form in which the database compares it."""
        if builder.vendor == "postgresql":
            return cls.postgres(base, keys, ("->", "#>"), type_)
        path = cls.literal_path(builder, keys)
        if is_mariadb(builder):
            return sql(f"JSON_COMPACT(JSON_EXTRACT({HERE}, {path}))", base.sa, type_)
        if builder.vendor == "mysql":
            return sql(f"JSON_EXTRACT({HERE}, {path})", base.sa, type_)
        return sql(
            f"(CASE JSON_TYPE({HERE}, {path}) WHEN 'text' THEN JSON_QUOTE(JSON_EXTRACT({HERE}, {path})) "
            "WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN 'null' "
            f"ELSE JSON_EXTRACT({HERE}, {path}) END)",
            base.sa,
            type_,
        )


class KeyTextTransform(_Key):
    """What stands at a key or index, as text; JSON's null is NULL."""

    @classmethod
    def field_of(cls, field: Any) -> Any:
        """Return a text field."""
        return TextField()

    @classmethod
    def of(cls, builder: Any, term: Term) -> Term:
        """Return what a KeyTransform stands for, as text."""
        assert term.inner is not None
        return cls(term.origin.key_name, Resolved(term.inner)).as_term(builder)

    @classmethod
    def element(cls, builder: Any, base: Term, keys: list[Any], type_: Any = None) -> Any:
        """Return what stands there as text."""
        if builder.vendor == "postgresql":
            return cls.postgres(base, keys, ("->>", "#>>"), type_)
        path = cls.literal_path(builder, keys)
        if builder.vendor == "mysql":
            return sql(f"JSON_UNQUOTE(NULLIF(JSON_EXTRACT({HERE}, {path}), 'null'))", base.sa, type_)
        return sql(
            f"(CASE JSON_TYPE({HERE}, {path}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
            f"ELSE CAST(JSON_EXTRACT({HERE}, {path}) AS TEXT) END)",
            base.sa,
            type_,
        )


class KT:
    """What stands at the end of a path of keys, as text: `KT("data__owner__name")`."""

    def __new__(cls, path: str) -> Any:
        name, *keys = path.split("__")
        if not keys:
            raise ValueError("KT() takes the name of a field and one or more keys: 'data__owner'.")
        found: Any = F(name)
        for key in keys[:-1]:
            found = KeyTransform(key, found)
        return KeyTextTransform(keys[-1], found)


class KeyTransformFactory:
    """Makes the transforms of one key: what a field returns for a name that is no lookup."""

    is_transform = True

    def __init__(self, key_name: Any) -> None:
        self.key_name = key_name

    def __call__(self, *args: Any, **kwargs: Any) -> KeyTransform:
        return KeyTransform(self.key_name, *args, **kwargs)

    def apply(self, builder: Any, term: Term) -> Term:
        """Return the transform of a term."""
        return KeyTransform(self.key_name, Resolved(term)).as_term(builder)
