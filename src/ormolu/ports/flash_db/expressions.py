"""Q, F and aggregates."""

from ormolu import Avg, Count, F, Max, Min, Q, Sum

__all__ = ["Avg", "Count", "F", "Max", "Min", "Q", "Sum"]
