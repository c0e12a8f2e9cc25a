"""What a user asks: QuerySet, Q, F, lookups, expressions, functions, aggregates, prefetch."""

from importlib import import_module
from typing import TYPE_CHECKING

from ormolu.fields.registry import LookupRegistry
from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.query import binding as binding
    from ormolu.query import fetch_modes as fetch_modes
    from ormolu.query import fetching as fetching
    from ormolu.query import prefetch as prefetch
    from ormolu.query import terminals as terminals
    from ormolu.query import unit_of_work as unit_of_work
    from ormolu.query.aggregates import Aggregate, Avg, Count, Max, Min, StdDev, Sum, Variance
    from ormolu.query.conditional import Case, When
    from ormolu.query.ctes import CTE, Lateral
    from ormolu.query.expressions import CombinedExpression, Expression, ExpressionWrapper, OrderBy
    from ormolu.query.fetch_modes import FETCH_ONE, FETCH_PEERS, RAISE, FetchMode, mode_of
    from ormolu.query.filtered import FilteredRelation
    from ormolu.query.func import Func
    from ormolu.query.json_keys import KT, KeyTextTransform, KeyTransform
    from ormolu.query.later import Question
    from ormolu.query.lookups import Lookup
    from ormolu.query.many import afetch_many, fetch_many
    from ormolu.query.prefetch import Prefetch, aprefetch_related_objects, prefetch_related_objects
    from ormolu.query.proposed import Proposed
    from ormolu.query.q import Q
    from ormolu.query.queryset import QuerySet
    from ormolu.query.raw import RawQuerySet
    from ormolu.query.references import F, OuterRef
    from ormolu.query.subqueries import Exists, Subquery
    from ormolu.query.transforms import Transform
    from ormolu.query.values import RawSQL, Value
    from ormolu.query.windows import RowRange, ValueRange, Window, WindowFrame, WindowFrameExclusion

__all__ = [
    "Aggregate", "Avg", "CTE", "Case", "CombinedExpression", "Count", "Exists", "Expression",
    "ExpressionWrapper", "F", "FETCH_ONE", "FETCH_PEERS", "FetchMode", "FilteredRelation", "Func", "KT",
    "KeyTextTransform", "KeyTransform", "Lateral", "Lookup", "Max", "Min", "OrderBy", "OuterRef", "Proposed",
    "Prefetch", "Q", "QuerySet", "Question", "RAISE", "RawQuerySet", "RawSQL", "RowRange", "StdDev", "Subquery",
    "Sum", "Transform", "Value", "ValueRange", "Variance", "When", "Window", "WindowFrame",
    "WindowFrameExclusion", "afetch_many", "aprefetch_related_objects", "fetch_many", "mode_of",
    "prefetch_related_objects",
]  # fmt: skip


def _load_lookups() -> None:
    for home in (
        "lookups",
        "text_lookups",
        "date_lookups",
        "json_lookups",
        "postgres.arrays",
        "search.matching",
        "search.trigrams",
    ):
        import_module(f"ormolu.query.{home}")


LookupRegistry.await_lookups(_load_lookups)

if not TYPE_CHECKING:
    # For the layers above also some modules, whose functions run when a query does.
    __getattr__, __dir__ = door(
        __name__,
        {
            "": "binding fetch_modes fetching prefetch terminals unit_of_work",
            "aggregates": "Aggregate Avg Count Max Min StdDev Sum Variance",
            "conditional": "Case When",
            "ctes": "CTE Lateral",
            "expressions": "CombinedExpression Expression ExpressionWrapper OrderBy",
            "fetch_modes": "FETCH_ONE FETCH_PEERS FetchMode RAISE mode_of",
            "func": "Func",
            "filtered": "FilteredRelation",
            "json_keys": "KT KeyTextTransform KeyTransform",
            "later": "Question",
            "lookups": "Lookup",
            "many": "afetch_many fetch_many",
            "prefetch": "Prefetch aprefetch_related_objects prefetch_related_objects",
            "q": "Q",
            "queryset": "QuerySet",
            "raw": "RawQuerySet",
            "proposed": "Proposed",
            "references": "F OuterRef",
            "subqueries": "Exists Subquery",
            "values": "RawSQL Value",
            "transforms": "Transform",
            "windows": "RowRange ValueRange Window WindowFrame WindowFrameExclusion",
        },
    )
