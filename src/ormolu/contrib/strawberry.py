"""What strawberry-sqlalchemy-mapper is told of Ormolu's column types.

mapper = StrawberrySQLAlchemyMapper(extra_sqlalchemy_type_to_strawberry_type_map=column_types())
"""

from __future__ import annotations

from typing import Any

from ormolu.databases.config import need
from ormolu.fields import types

__all__ = ["column_types"]


def column_types() -> dict[type[Any], Any]:
    """Return the Python class that GraphQL shows for each column type; JSON is strawberry's scalar.

    Raises MissingExtra without strawberry.
    """
    json = need("strawberry.scalars", "ormolu.contrib.strawberry").JSON
    found: dict[type[Any], Any] = {types.JSONType: json}
    for name in (
        "BinaryType",
        "BooleanType",
        "DateTimeType",
        "DateType",
        "DecimalType",
        "FloatType",
        "TimeType",
        "UUIDType",
    ):
        cls: Any = getattr(types, name)
        found[cls] = cls.accepts[0]
    return found
