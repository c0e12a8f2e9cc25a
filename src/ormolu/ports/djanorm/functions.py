"""`dorm.functions`: the functions of expressions.

`Cast` takes the name of a type as well as a field. `Coalesce` and `Concat` mix texts of any kind, where the core asks
for an `output_field` as Django does: `Coalesce(F("bio"), Value("none"))` of a TextField.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ormolu import fields
from ormolu.near import near_names
from ormolu.query import Case, Func, When
from ormolu.query.functions import Abs, Greatest, Least, Length, Lower, Now, NullIf, Round, Trim, Upper
from ormolu.query.functions import Cast as CoreCast
from ormolu.query.functions import Coalesce as CoreCoalesce
from ormolu.query.functions import Concat as CoreConcat

__all__ = [
    "Abs", "Case", "Cast", "Coalesce", "Concat", "Func", "Greatest", "Least", "Length", "Lower", "Now", "NullIf",
    "Round", "Trim", "Upper", "When",
]  # fmt: skip

TYPES: dict[str, Callable[[], Any]] = {
    "bigint": fields.BigIntegerField,
    "boolean": fields.BooleanField,
    "char": fields.TextField,
    "date": fields.DateField,
    "datetime": fields.DateTimeField,
    "decimal": lambda: fields.DecimalField(max_digits=38, decimal_places=10),
    "double": fields.FloatField,
    "float": fields.FloatField,
    "integer": fields.IntegerField,
    "int": fields.IntegerField,
    "numeric": lambda: fields.DecimalField(max_digits=38, decimal_places=10),
    "real": fields.FloatField,
    "smallint": fields.SmallIntegerField,
    "text": fields.TextField,
    "time": fields.TimeField,
    "timestamp": fields.DateTimeField,
    "uuid": fields.UUIDField,
    "varchar": fields.TextField,
}
"""The names that `Cast` knows, and the fields that they stand for."""


class Coalesce(CoreCoalesce):
    """The first value that is not NULL."""

    def field(self, terms: list[Any]) -> Any:
        """Return the output field: of texts of several kinds, a TextField."""
        found, why = super().field(terms)
        known = [term.field for term in terms if term.field is not None]
        if (
            found is None
            and known
            and all(isinstance(one, (fields.CharField, fields.TextField)) for one in known)
        ):
            return fields.TextField(), None
        return found, why


class Concat(CoreConcat):
    """Texts, one after the other; a NULL among them counts as empty."""

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        super().__init__(*expressions, **{"output_field": fields.TextField(), **extra})


class Cast(CoreCast):
    """A value as one of another type, which a field or a name says: `Cast(F("age"), output_field="text")`.

    Raises ValueError for a name that is not among TYPES.
    """

    def __init__(self, expression: Any, output_field: Any) -> None:
        super().__init__(expression, _field(output_field) if isinstance(output_field, str) else output_field)


def _field(name: str) -> Any:
    make = TYPES.get(name.strip().lower())
    if make is None:
        close = near_names(name.lower(), TYPES)
        hint = f"Did you mean {close[0]!r}?" if close else f"Choices are: {', '.join(TYPES)}."
        raise ValueError(f"Cast() knows no type {name!r}. {hint} A field says any type: DecimalField(...).")
    return make()
