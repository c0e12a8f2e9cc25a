"""Which full-text index a document is found by."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from ormolu.compile.terms import Term
from ormolu.exceptions import NotSupportedError
from ormolu.fields.search import SearchVectorField

__all__ = ["Indexed", "indexed"]


class Indexed(NamedTuple):
    """A full-text index in a query: its name, its columns, those that are meant (with weights), the rows' key."""

    name: str
    columns: tuple[str, ...]
    used: dict[str, str | None]
    table: Any
    key: Any
    joined: bool
    """Whether the row may be missing: its key is NULL then, and its document an empty one."""

    def without(self, condition: Any) -> Any:
        """Return the condition that a document doesn't meet another one."""
        other = sa.not_(condition)
        return sa.or_(self.key.is_(None), other) if self.joined else other


def indexed(builder: Any, term: Term) -> Indexed:
    """Return the index that holds a document's columns; NotSupportedError where there is none."""
    if not isinstance(term.field, SearchVectorField):
        parts: Any = ((term, None),)
    elif term.field.document is None:
        raise NotSupportedError(
            f"{builder.vendor} has no columns of words: search the texts themselves, through a FullTextIndex."
        )
    else:
        parts = term.field.document.parts
    tables = {id(getattr(part.sa, "table", None)): getattr(part.sa, "table", None) for part, _weight in parts}
    model = getattr(parts[0][0].field, "model", None)
    names = [getattr(part.field, "name", None) for part, _weight in parts]
    (table,) = tables.values() if len(tables) == 1 else (None,)
    if table is None or model is None:
        raise NotSupportedError(
            f"On {builder.vendor} a document is made of columns of one table, all in one FullTextIndex."
        )
    found = [
        index
        for index in model._meta.indexes
        if hasattr(index, "vector") and set(names) <= set(index.fields) and fits(builder, index, names)
    ]
    if not found:
        listed = ", ".join(f'"{name}"' for name in dict.fromkeys(names))
        raise NotSupportedError(
            f"{builder.vendor} searches through an index: give {model._meta.label} "
            f"indexes = [FullTextIndex(fields=[{listed}])] in its Meta."
        )
    index = min(found, key=lambda index: len(index.fields))
    used = {model._meta.get_field(name).column: weight for name, (_part, weight) in zip(names, parts)}
    columns = tuple(model._meta.get_field(name).column for name in index.fields)
    key = table.c[model._meta.pk.sa_column.key]
    return Indexed(index.name, columns, used, table, key, any(join.nullable for join in term.joins))


def fits(builder: Any, index: Any, names: list[Any]) -> bool:
    """Tell whether the database can search these columns by an index: MySQL asks for exactly its columns."""
    return builder.vendor != "mysql" or set(names) == set(index.fields)
