"""`dorm.expressions`: conditions, columns and values."""

from ormolu.query import Exists, ExpressionWrapper, F, OuterRef, Q, RawSQL, Subquery, Value

__all__ = ["Exists", "ExpressionWrapper", "F", "OuterRef", "Q", "RawSQL", "Subquery", "Value"]
