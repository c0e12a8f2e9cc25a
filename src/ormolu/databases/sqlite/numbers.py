"""Functions of numbers and statistics that SQLite, or the way it was built, lacks. Any NULL gives NULL."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from typing import Any

__all__ = ["ALWAYS", "FUNCTIONS", "STATISTICS", "missing"]


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives NULL for NULL and where there is no result, as SQLite's own do."""

    def call(*values: Any) -> Any:
        if None in values:
            return None
        try:
            return function(*map(float, values))
        except (ValueError, ZeroDivisionError):
            return None

    return call


def _whole(function: Callable[[float], int]) -> Callable[..., Any]:
    """Return a function that makes a whole number, of the class of its argument: half of 3.0 is 1.5, half of 3 is 1."""

    def call(value: Any) -> Any:
        return value if value is None or isinstance(value, int) else float(function(float(value)))

    return call


def _log(base: float, value: float) -> float:
    return math.log(value, base)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("pi", 0): lambda: math.pi,
    ("ceiling", 1): _whole(math.ceil),
    ("floor", 1): _whole(math.floor),
    **{
        (name, number): _guarded(function)
        for name, number, function in (
            ("acos", 1, math.acos), ("asin", 1, math.asin), ("atan", 1, math.atan), ("atan2", 2, math.atan2),
            ("cos", 1, math.cos), ("degrees", 1, math.degrees), ("exp", 1, math.exp),
            ("ln", 1, math.log), ("log", 2, _log), ("mod", 2, math.fmod),
            ("power", 2, math.pow), ("radians", 1, math.radians), ("sign", 1, _sign), ("sin", 1, math.sin),
            ("sqrt", 1, math.sqrt), ("tan", 1, math.tan),
        )
    },
}  # fmt: skip
"""SQLite's own mathematical functions, for libraries that were built without them."""


ALWAYS = ("floor",)
"""Needed even so: SQLAlchemy registers its own, which fails for NULL."""


def missing(connection: sqlite3.Connection) -> bool:
    """Tell whether SQLite was built without its mathematical functions."""
    try:
        connection.execute("SELECT sqrt(1)").close()
    except sqlite3.OperationalError:
        return True
    return False


class _Spread:
    """Variance by Welford's method, of the distances from the first value; works in windows, too.

    So values that are far from zero but near each other lose nothing.
    """

    sample = False
    root = False

    def __init__(self) -> None:
        self.count = 0
        self.origin = 0.0
        self.mean = 0.0
        self.squares = 0.0

    def step(self, value: Any) -> None:
        """Take a value in."""
        if value is None:
            return
        if not self.count:
            self.origin = float(value)
        self.count += 1
        distance = float(value) - self.origin
        delta = distance - self.mean
        self.mean += delta / self.count
        self.squares += delta * (distance - self.mean)

    def inverse(self, value: Any) -> None:
        """Take a value out: it has left the frame."""
        if value is None:
            return
        self.count -= 1
        if not self.count:
            self.mean = self.squares = 0.0
            return
        distance = float(value) - self.origin
        delta = distance - self.mean
        self.mean -= delta / self.count
        self.squares = max(self.squares - delta * (distance - self.mean), 0.0)

    def value(self) -> float | None:
        """Return the result so far."""
        divisor = self.count - self.sample
        if divisor <= 0:
            return None
        variance = self.squares / divisor
        return math.sqrt(variance) if self.root else variance

    finalize = value


STATISTICS: dict[str, type[_Spread]] = {
    "VAR_POP": type("VarPop", (_Spread,), {}),
    "VAR_SAMP": type("VarSamp", (_Spread,), {"sample": True}),
    "STDDEV_POP": type("StddevPop", (_Spread,), {"root": True}),
    "STDDEV_SAMP": type("StddevSamp", (_Spread,), {"sample": True, "root": True}),
}
"""Aggregates by name."""
