"""What a user's SQL may ask of the database it is for: `connection.vendor`, `.features`, `.ops`, `.operators`.

The names are those of Django's connections, so that code written for them says the same here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ormolu.near import near_names

if TYPE_CHECKING:
    from ormolu.compile.builder import Builder

__all__ = ["Connection", "Features", "Operations"]

EVERYWHERE: dict[str, Any] = {
    "has_case_insensitive_like": False,
    "has_json_object_function": True,
    "interprets_empty_strings_as_nulls": False,
    "supports_boolean_expr_in_select_clause": True,
    "supports_comparing_boolean_expr": True,
    "supports_json_field": True,
    "supports_over_clause": True,
    "supports_regex_backreferencing": True,
    "supports_subqueries_in_group_by": True,
    "time_cast_precision": 6,
}
# name -> what holds on SQLite, on PostgreSQL, on MySQL and MariaDB
DIFFERENT: dict[str, tuple[Any, Any, Any]] = {
    "can_distinct_on_fields": (False, True, False),
    "greatest_least_ignores_nulls": (False, True, False),
    "has_json_operators": (False, True, False),
    "has_native_duration_field": (False, True, False),
    "has_native_json_field": (False, True, False),
    "has_native_uuid_field": (False, True, False),
    "has_select_for_update": (False, True, True),
    "max_query_params": (32_766, 65_535, None),
    "nulls_order_largest": (False, True, False),
    "only_supports_unbounded_with_preceding_and_following": (False, True, False),
    "order_by_nulls_first": (True, False, True),
    "supports_aggregate_filter_clause": (True, True, False),
    "supports_cast_with_precision": (False, True, True),
    "supports_default_in_lead_lag": (True, True, False),
    "supports_frame_exclusion": (True, True, False),
    "supports_frame_range_fixed_distance": (True, False, True),
    "supports_json_field_contains": (False, True, True),
    "supports_logical_xor": (False, False, True),
    "supports_order_by_nulls_modifier": (True, True, False),
    "supports_timezones": (False, True, False),
}
VENDORS = ("sqlite", "postgresql", "mysql")


class Features:
    """What a database can do, by Django's names; raises AttributeError for one that is not known.

    Names that begin with `test_`, with which a backend tells Django's test suite how to write its SQL, are None.
    """

    def __init__(self, vendor: str) -> None:
        place = VENDORS.index(vendor) if vendor in VENDORS else 0
        self.__dict__.update(EVERYWHERE)
        self.__dict__.update({name: values[place] for name, values in DIFFERENT.items()})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("test_"):
            return None
        known = sorted(self.__dict__)
        near = near_names(name, known)
        hint = f" Did you mean {near[0]!r}?" if near else f" Known are: {', '.join(known)}."
        raise AttributeError(f"connection.features has no {name!r}.{hint}")


class Operations:
    """What of a database's spelling a user's SQL may ask for."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def quote_name(self, name: str) -> str:
        """Return a name in the database's quotes."""
        if name[:1] == name[-1:] and name[:1] in ('"', "`") and len(name) > 1:
            return name
        return str(self._builder.driver.dialect.identifier_preparer.quote_identifier(name))

    def date_extract_sql(self, lookup_type: str, sql: str, params: Any = ()) -> tuple[str, Any]:
        """Return SQL for a part of a date: "year", "month", "day"."""
        if self._builder.vendor == "sqlite":
            return f"ormolu_extract('{lookup_type.lower()}', {sql}, 'UTC')", params
        return f"EXTRACT({lookup_type.upper()} FROM {sql})", params

    def combine_expression(self, connector: str, sub_expressions: list[str]) -> str:
        """Return SQL for an operator between expressions."""
        if connector == "^":
            return f"POWER({', '.join(sub_expressions)})"
        return f" {connector} ".join(sub_expressions)

    def prep_for_like_query(self, value: Any) -> str:
        """Return a text in which what LIKE takes for wildcards stands for itself, after a backslash."""
        return str(value).replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


class Connection:
    """What a user's SQL may ask of the database it is for."""

    operators = {"exact": "= %s", "gt": "> %s", "gte": ">= %s", "lt": "< %s", "lte": "<= %s"}

    def __init__(self, builder: Builder) -> None:
        self.vendor: str = builder.vendor
        self.alias: str | None = builder.alias
        self.ops = Operations(builder)

    @property
    def features(self) -> Features:
        """What the database can do."""
        return Features(self.vendor)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            "The connection given to as_sql() has vendor, alias, features, ops and operators, but no "
            f"{name!r}."
        )
