"""Arithmetic and bit operators of expressions."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement


class Combinable:
    """What can stand in arithmetic: `F("a") + 1`, `F("flags").bitand(4)`."""

    ADD, SUB, MUL, DIV, POW, MOD = "+", "-", "*", "/", "^", "%%"
    BITAND, BITOR, BITLEFTSHIFT, BITRIGHTSHIFT, BITXOR = "&", "|", "<<", ">>", "#"

    def as_sqlalchemy(self, model: Any) -> ColumnElement[Any]:
        """Return this expression for SQLAlchemy's statements, about rows of a model or of `aliased(model)`.

        One over relations is a subquery, tied by the key. Raises FieldError for a name that the model has not.
        """
        from ormolu.query.to_sqlalchemy import converted

        return converted(self, model)

    def _combine(self, other: Any, connector: str, reversed: bool) -> Any:
        from ormolu.query.expressions import CombinedExpression

        if not hasattr(other, "as_term") and not hasattr(other, "__clause_element__"):
            from sqlalchemy.sql.elements import ClauseElement

            if not isinstance(other, ClauseElement):
                other = operand(other)
        return (
            CombinedExpression(other, connector, self)
            if reversed
            else CombinedExpression(self, connector, other)
        )

    def __neg__(self) -> Any:
        return self._combine(-1, self.MUL, False)

    def __add__(self, other: Any) -> Any:
        return self._combine(other, self.ADD, False)

    def __sub__(self, other: Any) -> Any:
        return self._combine(other, self.SUB, False)

    def __mul__(self, other: Any) -> Any:
        return self._combine(other, self.MUL, False)

    def __truediv__(self, other: Any) -> Any:
        return self._combine(other, self.DIV, False)

    def __mod__(self, other: Any) -> Any:
        return self._combine(other, self.MOD, False)

    def __pow__(self, other: Any) -> Any:
        return self._combine(other, self.POW, False)

    def __and__(self, other: Any) -> Any:
        return self._logical(
            other, "AND", "Use .bitand(), .bitor(), and .bitxor() for bitwise logical operations."
        )

    def __or__(self, other: Any) -> Any:
        return self._logical(
            other, "OR", "Use .bitand(), .bitor(), and .bitxor() for bitwise logical operations."
        )

    def __xor__(self, other: Any) -> Any:
        return self._logical(
            other, "XOR", "Use .bitand(), .bitor(), and .bitxor() for bitwise logical operations."
        )

    def _logical(self, other: Any, connector: str, hint: str) -> Any:
        from ormolu.query.q import Q

        if getattr(self, "conditional", False) and getattr(other, "conditional", False):
            return Q(self)._combine(other if isinstance(other, Q) else Q(other), connector)
        raise NotImplementedError(hint)  # Django's class for this misuse

    def bitand(self, other: Any) -> Any:
        """Return the bitwise AND."""
        return self._combine(other, self.BITAND, False)

    def bitor(self, other: Any) -> Any:
        """Return the bitwise OR."""
        return self._combine(other, self.BITOR, False)

    def bitxor(self, other: Any) -> Any:
        """Return the bitwise exclusive OR."""
        return self._combine(other, self.BITXOR, False)

    def bitleftshift(self, other: Any) -> Any:
        """Return the bits shifted to the left."""
        return self._combine(other, self.BITLEFTSHIFT, False)

    def bitrightshift(self, other: Any) -> Any:
        """Return the bits shifted to the right."""
        return self._combine(other, self.BITRIGHTSHIFT, False)

    def __radd__(self, other: Any) -> Any:
        return self._combine(other, self.ADD, True)

    def __rsub__(self, other: Any) -> Any:
        return self._combine(other, self.SUB, True)

    def __rmul__(self, other: Any) -> Any:
        return self._combine(other, self.MUL, True)

    def __rtruediv__(self, other: Any) -> Any:
        return self._combine(other, self.DIV, True)

    def __rmod__(self, other: Any) -> Any:
        return self._combine(other, self.MOD, True)

    def __rpow__(self, other: Any) -> Any:
        return self._combine(other, self.POW, True)

    def __rand__(self, other: Any) -> Any:
        return self.__and__(other)

    def __ror__(self, other: Any) -> Any:
        return self.__or__(other)

    def __rxor__(self, other: Any) -> Any:
        return self.__xor__(other)

    def __invert__(self) -> Any:
        from ormolu.query.expressions import NegatedExpression

        return NegatedExpression(self)


def operand(value: Any) -> Any:
    """Return a plain value, or a queryset, as an expression."""
    if isinstance(value, datetime.timedelta):
        return duration(value)
    if hasattr(value, "query"):
        from ormolu.query.subqueries import Subquery

        return Subquery(value)
    from ormolu.query.values import Value

    return Value(value)


def duration(value: datetime.timedelta) -> Any:
    """Return a timedelta as an expression of type duration."""
    from ormolu.fields import DurationField
    from ormolu.query.values import Value

    return Value(value, output_field=DurationField())
