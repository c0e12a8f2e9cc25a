"""Functions of numbers.

Source: Django's documentation, ref/models/database-functions, "Math functions".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term
from ormolu.fields import DecimalField, FloatField, IntegerField
from ormolu.query.func import Func
from ormolu.query.transforms import Transform

__all__ = [
    "ACos", "ASin", "ATan", "ATan2", "Abs", "Ceil", "Cos", "Cot", "Degrees", "Exp", "Floor", "Ln", "Log", "Mod", "Pi",
    "Power", "Radians", "Random", "Round", "Sign", "Sin", "Sqrt", "Tan",
]  # fmt: skip


class Real:
    """A function whose result is a fraction also for integers: decimal if an argument is, else float."""

    def field(self, terms: list[Term]) -> tuple[Any, Callable[[], str] | None]:
        """Return the output field."""
        given: Any = cast(Any, self)._given
        if given is not None:
            return given, None
        fields = [term.field for term in terms]
        if any(isinstance(field, DecimalField) for field in fields):
            return DecimalField(max_digits=None, decimal_places=None), None
        if any(isinstance(field, IntegerField) for field in fields):
            return FloatField(), None
        return super().field(terms)  # type: ignore[misc, no-any-return]

    def _resolve_output_field(self) -> Any:
        fields = [getattr(part, "_output_field_or_none", None) for part in self.get_source_expressions()]  # type: ignore[attr-defined]
        if any(isinstance(field, DecimalField) for field in fields):
            return DecimalField(max_digits=None, decimal_places=None)
        if any(isinstance(field, IntegerField) for field in fields):
            return FloatField()
        return super()._resolve_output_field()  # type: ignore[misc]


class Exact:
    """A function that PostgreSQL has for NUMERIC only."""

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call."""
        if builder.vendor == "postgresql":
            args = [sa.cast(arg, sa.Numeric()) for arg in args]
        return super().call(builder, args, type_)  # type: ignore[misc]


class Abs(Transform):
    """The absolute value."""

    function = "ABS"
    lookup_name = "abs"
    total = True


class ACos(Real, Transform):
    """The arc cosine."""

    function = "ACOS"
    lookup_name = "acos"


class ASin(Real, Transform):
    """The arc sine."""

    function = "ASIN"
    lookup_name = "asin"


class ATan(Real, Transform):
    """The arc tangent."""

    function = "ATAN"
    lookup_name = "atan"


class ATan2(Real, Func):
    """The arc tangent of a quotient."""

    function = "ATAN2"
    arity = 2


class Ceil(Transform):
    """The smallest integer that is not less."""

    function = "CEILING"
    lookup_name = "ceil"
    total = True


class Cos(Real, Transform):
    """The cosine."""

    function = "COS"
    lookup_name = "cos"


class Cot(Real, Transform):
    """The cotangent."""

    function = "COT"
    lookup_name = "cot"

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; SQLite has the tangent only."""
        if builder.vendor == "sqlite":
            return Template("cot", ["(1 / TAN(", "))"], args, type_)
        return super().call(builder, args, type_)


class Degrees(Real, Transform):
    """An angle in radians, in degrees."""

    function = "DEGREES"
    lookup_name = "degrees"


class Exp(Real, Transform):
    """The power of e."""

    function = "EXP"
    lookup_name = "exp"


class Floor(Transform):
    """The greatest integer that is not more."""

    function = "FLOOR"
    lookup_name = "floor"
    total = True


class Ln(Real, Transform):
    """The natural logarithm."""

    function = "LN"
    lookup_name = "ln"


class Log(Exact, Real, Func):
    """The logarithm to a base, which comes first."""

    function = "LOG"
    arity = 2


class Mod(Exact, Real, Func):
    """The remainder of a division."""

    function = "MOD"
    arity = 2


class Pi(Func):
    """The number pi."""

    function = "PI"
    arity = 0
    output_field = FloatField()

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; MariaDB gives six places of it unless there is a sum."""
        found = super().call(builder, args, type_)
        return found.op("+")(sa.literal_column("0E0")) if builder.vendor == "mysql" else found


class Power(Real, Func):
    """A power."""

    function = "POWER"
    arity = 2


class Radians(Real, Transform):
    """An angle in degrees, in radians."""

    function = "RADIANS"
    lookup_name = "radians"


class Random(Func):
    """A random number from 0 up to, but not including, 1."""

    function = "RANDOM"
    arity = 0
    output_field = FloatField()

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; SQLite's own random() gives integers of 64 bits."""
        if builder.vendor == "sqlite":
            return Template("random", ["(abs(random() / 2048) / 4503599627370496.0)"], [], type_)
        return sa.func.RAND(type_=type_) if builder.vendor == "mysql" else super().call(builder, args, type_)


class Round(Exact, Transform):
    """The number, rounded to some decimal places; negative ones count to the left of the point.

    Raises ValueError for negative places on SQLite.
    """

    function = "ROUND"
    lookup_name = "round"
    total = True
    arity = None

    def __init__(self, expression: Any, precision: Any = 0, **extra: Any) -> None:
        super().__init__(expression, precision, **extra)

    def field(self, terms: list[Term]) -> tuple[Any, Callable[[], str] | None]:
        """Return the field of the number."""
        return super().field(terms[:1])

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call."""
        places = self.source_expressions[1]
        if builder.vendor == "sqlite" and not getattr(builder.driver, "checking", False):
            value = getattr(places, "value", None)
            if isinstance(value, (int, float)) and value < 0:
                raise ValueError("SQLite does not support negative precision.")
        if builder.vendor == "postgresql":
            return sa.func.ROUND(sa.cast(args[0], sa.Numeric()), args[1], type_=type_)
        return Func.call(self, builder, args, type_)

    def shape(self, shape: Any) -> Any:
        """Return the key: the sign of the places counts."""
        value = getattr(self.source_expressions[1], "value", None)
        return (*super().shape(shape), isinstance(value, (int, float)) and value < 0)


class Sign(Transform):
    """-1, 0 or 1."""

    function = "SIGN"
    lookup_name = "sign"
    total = True


class Sin(Real, Transform):
    """The sine."""

    function = "SIN"
    lookup_name = "sin"


class Sqrt(Real, Transform):
    """The square root."""

    function = "SQRT"
    lookup_name = "sqrt"


class Tan(Real, Transform):
    """The tangent."""

    function = "TAN"
    lookup_name = "tan"
