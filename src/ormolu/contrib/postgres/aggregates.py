"""The names of django.contrib.postgres.aggregates; they live in `ormolu.query.postgres.aggregates`."""

from __future__ import annotations

from ormolu.query.postgres.aggregates import (
    ArrayAgg,
    BitAnd,
    BitOr,
    BitXor,
    BoolAnd,
    BoolOr,
    Corr,
    CovarPop,
    JSONBAgg,
    RegrAvgX,
    RegrAvgY,
    RegrCount,
    RegrIntercept,
    RegrR2,
    RegrSlope,
    RegrSXX,
    RegrSXY,
    RegrSYY,
    StatAggregate,
    StringAgg,
)

__all__ = [
    "ArrayAgg", "BitAnd", "BitOr", "BitXor", "BoolAnd", "BoolOr", "Corr", "CovarPop", "JSONBAgg", "RegrAvgX",
    "RegrAvgY", "RegrCount", "RegrIntercept", "RegrR2", "RegrSXX", "RegrSXY", "RegrSYY", "RegrSlope",
    "StatAggregate", "StringAgg",
]  # fmt: skip
