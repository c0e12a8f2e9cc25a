"""`connection.ops`: how a database spells and limits things, by Django's names.

Nothing is asked of the database for that. Source: what Django's own backends answer.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["Operations"]

_NO_LIMIT = 9_000
"""SQLAlchemy's length of names where a database has no limit is some number above this."""


class Operations:
    """How one database spells and limits things."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def quote_name(self, name: str) -> str:
        """Return a name in quotes, where it isn't already."""
        preparer = self._database.dialect.identifier_preparer
        quoted = name.startswith(preparer.initial_quote) and name.endswith(preparer.final_quote)
        return name if quoted else str(preparer.quote_identifier(name))

    def max_name_length(self) -> int | None:
        """Return how long the name of a table or column may be, None where there is no limit."""
        if self._database.vendor == "mysql":
            return 64  # SQLAlchemy's number is that of aliases
        length = int(self._database.dialect.max_identifier_length)
        return length if length < _NO_LIMIT else None

    def bulk_batch_size(self, fields: Sequence[Any], objs: Sized) -> int:
        """Return how many of the objects one statement takes, with these columns of each."""
        if self._database.vendor == "postgresql":  # an array a column
            return len(objs)
        return int(self._database.driver.max_params // max(1, len(fields)))

    def for_update_sql(
        self,
        nowait: bool = False,
        skip_locked: bool = False,
        of: Sequence[str] = (),
        no_key: bool = False,
    ) -> str:
        """Return the words by which a SELECT locks its rows; `of` are names of tables as they stand in the SQL."""
        words = [f"FOR{' NO KEY' if no_key else ''} UPDATE"]
        if of:
            words.append(f"OF {', '.join(of)}")
        if nowait:
            words.append("NOWAIT")
        if skip_locked:
            words.append("SKIP LOCKED")
        return " ".join(words)
