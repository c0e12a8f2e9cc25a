"""Texts that are equal whatever the case of their letters."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import sqlalchemy as sa
from typing_extensions import TypeVar

from ormolu.fields.formats import EmailField
from ormolu.fields.text import CharField, TextField
from ormolu.fields.types.base import ValueType

__all__ = ["CICharField", "CIEmailField", "CITextField", "CITextType"]

S = TypeVar("S", default=str)


class CITextType(ValueType):
    """CITEXT on PostgreSQL; a text with a collation that ignores case elsewhere (of ASCII letters on SQLite)."""

    impl = sa.Text
    accepts = (str,)

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        super().__init__()

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import CITEXT

            return dialect.type_descriptor(CITEXT())
        collation = "utf8mb4_general_ci" if dialect.name in ("mysql", "mariadb") else "NOCASE"
        text = sa.Text(collation=collation) if self.length is None else sa.String(self.length, collation)
        return dialect.type_descriptor(text)


class _CIText:
    """What these fields have in common."""

    max_length: int | None
    public_home = "ormolu.contrib.postgres.fields"

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """CITEXT, or a text whose collation ignores case."""
        return CITextType(self.max_length)


class CITextField(_CIText, TextField[S]):
    """A text of any length whose case does not count: in comparisons, uniqueness and order.

    On PostgreSQL it needs the extension citext (`CREATE EXTENSION citext`).
    """


class CICharField(_CIText, CharField[S]):
    """A text of at most `max_length` characters whose case does not count."""


class CIEmailField(_CIText, EmailField[S]):
    """An email address whose case does not count."""
