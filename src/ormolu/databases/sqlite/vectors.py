"""Distances of vectors, for SQLite, where a vector is JSON text. What is NULL, or of another length, is NULL."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

__all__ = ["FUNCTIONS"]

Vector = list[float]


def _l2(one: Vector, other: Vector) -> float:
    return math.dist(one, other)


def _l1(one: Vector, other: Vector) -> float:
    return math.fsum(abs(a - b) for a, b in zip(one, other))


def _negative_inner(one: Vector, other: Vector) -> float:
    return -math.fsum(a * b for a, b in zip(one, other))


def _cosine(one: Vector, other: Vector) -> float:
    return 1.0 + _negative_inner(one, other) / (math.hypot(*one) * math.hypot(*other))


def _of_texts(distance: Callable[[Vector, Vector], float]) -> Callable[[Any, Any], float | None]:
    def call(one: Any, other: Any) -> float | None:
        if one is None or other is None:
            return None
        first, second = json.loads(one), json.loads(other)
        try:
            return distance(first, second) if len(first) == len(second) else None
        except ZeroDivisionError:  # the angle to no direction at all
            return None

    return call


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("ormolu_l2_distance", 2): _of_texts(_l2),
    ("ormolu_l1_distance", 2): _of_texts(_l1),
    ("ormolu_inner_distance", 2): _of_texts(_negative_inner),
    ("ormolu_cosine_distance", 2): _of_texts(_cosine),
}
