"""`dorm.aggregates`: what `aggregate()` and `annotate()` compute over rows."""

from ormolu.query import Aggregate, Avg, Count, Max, Min, StdDev, Sum, Variance

__all__ = ["Aggregate", "Avg", "Count", "Max", "Min", "StdDev", "Sum", "Variance"]
