"""extra(): pieces of SQL in a queryset, for what the query language has no words for.

Prefer RawSQL in annotate() or filter(), which say where they belong.
Source: Django's documentation, ref/models/querysets, "extra()".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from ormolu.compile.template import parted
from ormolu.compile.terms import Term
from ormolu.fields import BooleanField
from ormolu.query.chain import Chain, M, R
from ormolu.query.expressions import OrderBy
from ormolu.query.naming import check_alias
from ormolu.query.q import Q
from ormolu.query.values import RawSQL

__all__ = ["Extra"]


class Extra(Chain[M, R]):
    """The part of a QuerySet that takes pieces of SQL."""

    def extra(
        self,
        select: Mapping[str, str] | None = None,
        where: Sequence[str] | None = None,
        params: Sequence[Any] | None = None,
        tables: Sequence[str] | None = None,
        order_by: Sequence[str] | None = None,
        select_params: Sequence[Any] | None = None,
    ) -> Self:
        """Add SQL: columns by name (`select`), conditions that must all hold (`where`), more tables, an order.

        The texts are the caller's responsibility; values belong into `params` and `select_params`, for which
        `%s` stands in the text. Raises TypeError after slicing.
        """
        self._not_combined("extra")
        if self.query.is_sliced:
            raise TypeError("Cannot change a query once a slice has been taken.")
        made = self._clone()
        query = made.query
        values = iter(select_params or ())
        # After values() with names it is there for conditions and orders, and isn't selected.
        chosen = query.values_fields is None or query.all_values
        for name, sql in (select or {}).items():
            check_alias(name)
            column = ExtraColumn(str(sql), [next(values) for _ in parted(str(sql))[1]])
            query.ops = (*query.ops, ("annotate", name, column, chosen))
        if select and chosen and query.values_fields is not None:
            query.values_fields = tuple(dict.fromkeys([*select, *query.values_fields]))
            query.ops = (*query.ops, ("values", query.values_fields))
        if tables:
            query.ops = (*query.ops, ("tables", tuple(tables)))
        if where:
            text = " AND ".join(f"({piece})" for piece in where)
            query.ops = (
                *query.ops,
                ("filter", Q(RawSQL(text, list(params or ()), output_field=BooleanField()))),
            )
        if order_by:
            query.order_by, query.default_ordering = tuple(ordered(item) for item in order_by), False
        return made


def ordered(item: str) -> Any:
    """Return an item of order_by(); `table.column` names a column of any table of the query."""
    if "." not in item:
        return item
    return OrderBy(_Named(item.lstrip("-+"), []), descending=item.startswith("-"))


class ExtraColumn(RawSQL):
    """A column of extra(select=...). In values() with no names it comes first."""

    comes_first = True


class _Named(RawSQL):
    """A column by its table's name, quoted in the database's way unless it is quoted already."""

    def shape(self, shape: Any) -> Any:
        """Return the key: not that of the same text as SQL."""
        return (_Named, super().shape(shape))

    def as_term(self, builder: Any) -> Term:
        """Return the quoted name."""
        quote = builder.driver.dialect.identifier_preparer.quote_identifier
        names = [part if part.startswith(('"', "`")) else quote(part) for part in self.sql.split(".")]
        return RawSQL(".".join(names), []).as_term(builder)
