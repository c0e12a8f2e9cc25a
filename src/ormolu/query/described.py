"""What an expression says of itself: what it contains, what it would be grouped by, its lookups.

Source: Django's documentation, ref/models/expressions, "Expression API", and ref/models/lookups, "The Query Expression
API".
"""

from __future__ import annotations

from typing import Any, Self, cast

from ormolu.compile.written import ours

__all__ = ["Described", "replaced"]


class Contains:
    """Whether an expression, or one within it, says so: `contains_aggregate`. A class may say it itself."""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any) -> bool:
        if instance is None:
            return False
        return any(getattr(part, self.name, False) for part in instance.get_source_expressions())


class Described:
    """What an expression says of itself. `get_source_expressions()` gives what it is made of."""

    contains_aggregate: Any = Contains()
    contains_over_clause: Any = Contains()
    filterable = True
    window_compatible = False
    allowed_default = False
    allows_composite_expressions = False
    constraint_validation_compatible = True
    set_returning = False
    is_summary = False
    empty_result_set_value: Any = (
        NotImplemented  # what stands for the result where no row is read; else it is asked
    )

    @property
    def declared(self) -> dict[str, Any]:
        """What the class or its user says of the SQL, as options of a term: that it is an aggregate by itself."""
        says = self.__dict__.get("contains_aggregate", type(self).contains_aggregate)
        return {"aggregate": True, "group": ()} if says is True else {}

    def get_group_by_cols(self) -> list[Any]:
        """Return what a query of this would be grouped by: the expression, or what stands in it beside aggregates."""
        if not self.contains_aggregate:
            return [self]
        sources = [
            part for part in cast(Any, self).get_source_expressions() if hasattr(part, "get_group_by_cols")
        ]
        return [column for part in sources for column in part.get_group_by_cols()]

    def get_lookup(self, lookup_name: str) -> Any:
        """Return the lookup of that name for the expression's type, None where there is none."""
        return cast(Any, self).output_field.get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        """Return the transform of that name for the expression's type, None where there is none."""
        return cast(Any, self).output_field.get_transform(lookup_name)

    def reverse_ordering(self) -> Any:
        """Return what sorts the other way round; an expression without a direction is what it was."""
        return self

    def get_expression_for_validation(self) -> Any:
        """Return what a constraint validates: the one source, of an expression that says it is not for validation."""
        if self.constraint_validation_compatible:
            return self
        try:
            (source,) = cast(Any, self).get_source_expressions()
        except ValueError:
            raise ValueError(
                "Expressions with constraint_validation_compatible set to False must have only one source "
                "expression."
            ) from None
        return source

    @ours
    def convert_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Return a result of this expression as Python is to have it: what its field has made of it. For subclasses."""
        return value

    def replace_expressions(self, replacements: Any) -> Any:
        """Return this with the expressions that are keys of `replacements` replaced by what these give."""
        found = replacements.get(self)
        if found is not None:
            return found
        sources = cast(Any, self).get_source_expressions()
        if not sources:
            return self
        made = cast(Any, self).copy()
        made.set_source_expressions([replaced(source, replacements) for source in sources])
        return made

    def relabeled_clone(self, change_map: Any) -> Self:
        """Return a copy. Tables get their aliases when a query is compiled: there are none to change."""
        return cast(Self, cast(Any, self).copy())


def replaced(source: Any, replacements: Any) -> Any:
    """Return an expression with others in the places of some; what isn't one stays."""
    return source.replace_expressions(replacements) if hasattr(source, "replace_expressions") else source
