"""The figures that Ormolu is to reach, as time divided by a bare driver's in the same run."""

from __future__ import annotations

from dataclasses import dataclass

from .schema import Kind


@dataclass(frozen=True)
class Goal:
    """Ask that `library` takes at most `ratio` times as long as the bare driver `over`."""

    kind: Kind
    library: str
    over: str
    workload: str
    ratio: float


def _goals(kind: Kind, library: str, over: str, ratios: dict[str, float]) -> tuple[Goal, ...]:
    return tuple(Goal(kind, library, over, workload, ratio) for workload, ratio in ratios.items())


GOALS: tuple[Goal, ...] = (
    *_goals(
        "sqlite",
        "ormolu",
        "raw",
        {
            "A": 2.0,
            "C": 2.5,
            "D": 1.8,
            "E": 3.0,
            "F": 3.0,
            "G": 1.5,
            "H": 1.3,
            "I": 5.0,
            "J": 6.0,
            "K": 9.0,
            "L": 2.5,
            "M": 3.0,
            "M2": 3.0,
            "R": 3.0,
            "O": 1.8,
            "U": 1.5,
            "V": 1.5,
        },
    ),
    *_goals("sqlite", "ormolu_async", "raw", {"F": 10.0, "R": 7.0, "Q": 7.0, "D": 2.0}),
    *_goals("postgres", "ormolu", "raw", {"F": 1.7, "A": 1.8, "D": 2.2, "R": 1.5, "U": 1.5, "V": 1.0}),
    *_goals("postgres", "ormolu_async", "raw_async", {"F": 1.6, "Q": 1.3, "D": 1.6}),
)

STREAM_MEGABYTES = 15.0
"""What streaming 100,000 rows may add to the resident memory."""

IMPORT_MILLISECONDS = 60.0
"""What importing Ormolu's names may cost on top of ``import sqlalchemy.orm``."""
