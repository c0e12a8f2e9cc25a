"""Values: literals and SQL text of the caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.compile.params import roomy
from ormolu.compile.template import Template, parted
from ormolu.compile.terms import Term, unknown_type
from ormolu.query.expressions import Expression
from ormolu.query.types import field_of_value

MYSQL_TIMES = {"DateField": "DATE", "DateTimeField": "DATETIME(6)", "TimeField": "TIME(6)"}


class Value(Expression):
    """A literal. Its type is that of `output_field`, else follows from the Python value."""

    def __init__(self, value: Any, output_field: Any = None) -> None:
        super().__init__(output_field)
        self.value = value

    def shape(self, shape: Any) -> Any:
        """Return the key: the value does not count."""
        field = None if self._given is None else shape.item(self._given)
        return (Value, shape.literal(self, self.value), field)

    def as_term(self, builder: Any) -> Term:
        """Return a bind parameter."""
        field = self._output_field_or_none
        if self.value is None and field is not None and field.get_internal_type() == "JSONField":
            null: sa.ColumnElement[Any] = sa.literal_column("'null'")
            make = sa.cast if builder.vendor == "postgresql" else sa.type_coerce
            return Term(make(null, field.sa_type), field, nullable=False, constant=True)
        if self.value is None:
            type_ = field.sa_type if field is not None else None
            null = sa.null() if type_ is None else sa.type_coerce(sa.null(), type_)
            return Term(null, field, constant=True, why=unknown_type)
        convert = None if field is None else value_converter(builder, field)
        type_ = roomy(field.sa_type, self.value) if field is not None else None
        bound = builder.params.bind(self, self.value, type_, convert)
        kind = (
            MYSQL_TIMES.get(field.get_internal_type())
            if field is not None and builder.vendor == "mysql"
            else None
        )
        if kind is not None:  # else it would be a text
            bound = Template("moment", ["CAST(", f" AS {kind})"], [bound], type_)
        return Term(bound, field, nullable=False, constant=True)

    def _resolve_output_field(self) -> Any:
        return field_of_value(self.value)

    def get_group_by_cols(self) -> list[Any]:
        """Return nothing: a literal divides no groups."""
        return []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"

    @property
    def empty_result_set_value(self) -> Any:
        """What stands for this expression where no row is read."""
        return self.value


def value_converter(builder: Any, field: Any) -> Callable[[Any], Any]:
    """Return what prepares a value for the database as one of a field's."""
    own: bool = getattr(field, "_user_prepares", False)
    prepare: Callable[[Any], Any] = (
        field.prep_for(object, builder.connection) if own else field.get_prep_value
    )
    return prepare


def parents_read(builder: Any, sql: str) -> frozenset[Any]:
    """Return the joins to the tables of parent models that have a column of which SQL text holds the name."""
    table, text = builder.meta.table, sql.lower()
    inherited = (field for field in builder.meta.concrete_fields if field.sa_column.table is not table)
    columns = [field for field in inherited if field.column.lower() in text]
    return frozenset[Any]().union(*(builder.ref(field.name).joins for field in columns))


class RawSQL(Expression):
    """SQL text with %s placeholders and their values. The text is the caller's responsibility."""

    def __init__(self, sql: str, params: Sequence[Any], output_field: Any = None) -> None:
        super().__init__(output_field)
        self.sql, self.params = sql, params

    def shape(self, shape: Any) -> Any:
        """Return the key: the text counts, the values do not."""
        self._owners = [(self, n) for n in range(len(self.params))]
        values = tuple(
            shape.literal(owner, value) for owner, value in zip(self._owners, self.params, strict=True)
        )
        return (RawSQL, self.sql, values, shape.item(self._given))

    def as_term(self, builder: Any) -> Term:
        """Return the text with bind parameters in it."""
        owners = getattr(self, "_owners", None) or [(self, n) for n in range(len(self.params))]
        bound = [
            builder.params.bind(owner, value, None) for owner, value in zip(owners, self.params, strict=True)
        ]
        pieces = parted(self.sql)[0]
        return Term(
            Template(
                "raw",
                tuple(f"({piece}" if n == 0 else piece for n, piece in enumerate(pieces)),
                bound,
                self._type(),
            ),
            self._given,
            joins=parents_read(builder, self.sql),
        )

    def _type(self) -> Any:
        return self._given.sa_type if self._given is not None else sa.types.NullType()
