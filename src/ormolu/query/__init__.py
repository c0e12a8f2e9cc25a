"""What a user asks: QuerySet, Q, F, lookups, expressions, functions, aggregates, prefetch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ormolu.query.aggregates import Aggregate, Avg, Count, Max, Min, StdDev, Sum, Variance
    from ormolu.query.expressions import (
        Case,
        CombinedExpression,
        Expression,
        ExpressionWrapper,
        F,
        Func,
        OrderBy,
        OuterRef,
        RawSQL,
        Value,
        When,
    )
    from ormolu.query.lookups import Lookup
    from ormolu.query.prefetch import Prefetch, aprefetch_related_objects, prefetch_related_objects
    from ormolu.query.q import Q
    from ormolu.query.queryset import QuerySet
    from ormolu.query.subqueries import Exists, Subquery
    from ormolu.query.transforms import Transform
    from ormolu.query.windows import RowRange, ValueRange, Window, WindowFrame, WindowFrameExclusion

__all__ = [
    "Aggregate", "Avg", "Case", "CombinedExpression", "Count", "Exists", "Expression", "ExpressionWrapper", "F", "Func",
    "Lookup", "Max", "Min", "OrderBy", "OuterRef", "Prefetch", "Q", "QuerySet", "RawSQL", "RowRange", "StdDev",
    "Subquery", "Sum", "Transform", "Value", "ValueRange", "Variance", "When", "Window", "WindowFrame",
    "WindowFrameExclusion", "aprefetch_related_objects", "prefetch_related_objects",
]  # fmt: skip

_HOMES = {
    "aggregates": "Aggregate Avg Count Max Min StdDev Sum Variance",
    "expressions": "Case CombinedExpression Expression ExpressionWrapper F Func OrderBy OuterRef RawSQL Value When",
    "lookups": "Lookup",
    "prefetch": "Prefetch aprefetch_related_objects prefetch_related_objects",
    "q": "Q",
    "queryset": "QuerySet",
    "subqueries": "Exists Subquery",
    "transforms": "Transform",
    "windows": "RowRange ValueRange Window WindowFrame WindowFrameExclusion",
}


def __getattr__(name: str) -> Any:
    """Import a name on first use: the modules of this package import one another."""
    for home, names in _HOMES.items():
        if name in names.split():
            return getattr(import_module(f"ormolu.query.{home}"), name)
    raise AttributeError(f"module 'ormolu.query' has no attribute {name!r}")
