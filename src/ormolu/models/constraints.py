"""UniqueConstraint and CheckConstraint: entries of Meta.constraints; and what becomes of Meta in the table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping, conv

from ormolu import query
from ormolu.exceptions import FieldError, ValidationError
from ormolu.fields.options import DatabaseDefault
from ormolu.models.ddl import Late, ask, columns_in, element_of, with_values
from ormolu.models.indexes import column_of, make_index
from ormolu.query.q import Q

ONE: Any = sa.select(cast("Any", sa.literal_column("1")))


class Deferrable(Enum):
    """When a unique constraint is checked: at the end of the transaction, or of each statement."""

    DEFERRED = "deferred"
    IMMEDIATE = "immediate"

    def __repr__(self) -> str:
        return f"Deferrable.{self.name}"


class BaseConstraint:
    """What all constraints have: a name, and what validation says where they don't hold."""

    default_violation_error_message = "Constraint “%(name)s” is violated."
    violation_error_code: str | None = None
    fields: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        name: str,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        self.name = name
        if violation_error_code is not None:
            self.violation_error_code = violation_error_code
        self.violation_error_message = violation_error_message or self.default_violation_error_message

    @property
    def contains_expressions(self) -> bool:
        """Whether there is more to it than fields."""
        return False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def clone(self) -> BaseConstraint:
        """Return a copy, to be given to another model."""
        _, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this constraint again."""
        kwargs: dict[str, Any] = {"name": self.name}
        if self.violation_error_message != self.default_violation_error_message:
            kwargs["violation_error_message"] = self.violation_error_message
        if self.violation_error_code != type(self).violation_error_code:
            kwargs["violation_error_code"] = self.violation_error_code
        return f"ormolu.{type(self).__name__}", (), kwargs

    def _own_words(self) -> str:
        """Return what a repr says of the error, where it isn't the usual one."""
        code = self.violation_error_code
        words = "" if code is None else f" violation_error_code={code!r}"
        if self.violation_error_message != self.default_violation_error_message:
            words += f" violation_error_message={self.violation_error_message!r}"
        return words

    def get_violation_error_message(self) -> str:
        """Return the text of the ValidationError."""
        return str(self.violation_error_message % {"name": self.name})

    def violation(self) -> ValidationError:
        """Return the ValidationError of an object for which this doesn't hold."""
        return ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    def add_to(self, meta: Any) -> Any:
        """Add the constraint to a model's table, and return it."""
        raise TypeError(f"{type(self).__name__} must define add_to()")

    def validate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = "default"
    ) -> None:
        """Raise ValidationError if the constraint doesn't hold for an instance."""
        raise TypeError(f"{type(self).__name__} must define validate()")


class CheckConstraint(BaseConstraint):
    """A condition that every row meets: a Q, an expression, or a SQLAlchemy condition."""

    def __init__(
        self,
        *,
        condition: Any = None,
        name: str,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
        check: Any = None,
    ) -> None:
        condition = check if condition is None else condition
        is_element = isinstance(condition, sa.ClauseElement) or hasattr(condition, "__clause_element__")
        if not (isinstance(condition, Q) or is_element or getattr(condition, "conditional", False)):
            raise TypeError("CheckConstraint.condition must be a Q instance or boolean expression.")
        self.condition = condition
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )

    def __repr__(self) -> str:
        return f"<CheckConstraint: condition={self.condition} name={self.name!r}{self._own_words()}>"

    @property
    def check(self) -> Any:
        """The condition, under its name before Django 5.1."""
        return self.condition

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this constraint again."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "condition": self.condition}

    def add_to(self, meta: Any) -> Any:
        """Add the constraint to a model's table, and return it."""
        constraint = sa.CheckConstraint(
            Late(meta.model, self.condition), name=conv(expand_name(self.name, meta))
        )
        meta.table.append_constraint(constraint)
        return constraint

    def validate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = "default"
    ) -> None:
        """Ask the database whether the condition is false for an instance's values. One query.

        Raises ValidationError. A condition that reads an excluded field isn't checked.
        """
        holds = condition_holds(model, instance, self.condition, exclude, using)
        if holds is False:
            raise self.violation()


class UniqueConstraint(BaseConstraint):
    """No two rows have the same values of these fields or expressions, among those that meet `condition`."""

    default_violation_error_message = "Constraint “%(name)s” is violated."

    def __init__(
        self,
        *expressions: Any,
        fields: Sequence[str] = (),
        name: str | None = None,
        condition: Any = None,
        deferrable: Deferrable | None = None,
        include: Sequence[str] | None = None,
        opclasses: Sequence[str] = (),
        nulls_distinct: bool | None = None,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        if not name:
            raise ValueError("A unique constraint must be named.")
        if not expressions and not fields:
            raise ValueError("At least one field or expression is required to define a unique constraint.")
        if expressions and fields:
            raise ValueError("UniqueConstraint.fields and expressions are mutually exclusive.")
        if (
            condition is not None
            and not isinstance(condition, Q)
            and not isinstance(condition, sa.ClauseElement)
        ):
            raise ValueError("UniqueConstraint.condition must be a Q instance.")
        if deferrable is not None:
            options: dict[str, Any] = {
                "conditions": condition,
                "include": include,
                "opclasses": opclasses,
                "expressions": expressions,
            }
            for option, value in options.items():
                if value:
                    raise ValueError(f"UniqueConstraint with {option} cannot be deferred.")
            if deferrable not in Deferrable:
                raise TypeError("UniqueConstraint.deferrable must be a Deferrable instance.")
        if not isinstance(include, (list, tuple, type(None))):
            raise TypeError("UniqueConstraint.include must be a list or tuple.")
        if not isinstance(opclasses, (list, tuple)):
            raise TypeError("UniqueConstraint.opclasses must be a list or tuple.")
        if opclasses and len(opclasses) != len(fields):
            raise ValueError(
                "UniqueConstraint.fields and UniqueConstraint.opclasses must have the same number of elements."
            )
        if nulls_distinct not in (None, True, False):
            raise TypeError("UniqueConstraint.nulls_distinct must be a bool.")
        self.expressions = tuple(query.F(e) if isinstance(e, str) else e for e in expressions)
        self.fields = tuple(fields)
        self.condition = condition
        self.deferrable = deferrable
        self.include = tuple(include) if include else ()
        self.opclasses = tuple(opclasses)
        self.nulls_distinct = nulls_distinct
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )

    @property
    def contains_expressions(self) -> bool:
        """Whether there is more to it than fields."""
        return bool(self.expressions)

    def __repr__(self) -> str:
        parts = [f"expressions={self.expressions!r}" if self.expressions else f"fields={self.fields!r}"]
        parts.append(f"name={self.name!r}")
        if self.condition is not None:
            parts.append(f"condition={self.condition}")
        rest = {
            "deferrable": self.deferrable,
            "nulls_distinct": self.nulls_distinct,
            "include": self.include or None,
            "opclasses": self.opclasses or None,
        }
        parts += [f"{name}={value!r}" for name, value in rest.items() if value is not None]
        return f"<UniqueConstraint: {' '.join(parts)}{self._own_words()}>"

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this constraint again."""
        path, _, kwargs = super().deconstruct()
        if self.fields:
            kwargs["fields"] = self.fields
        for name in ("condition", "deferrable", "nulls_distinct"):
            if getattr(self, name) is not None:
                kwargs[name] = getattr(self, name)
        for name in ("include", "opclasses"):
            if getattr(self, name):
                kwargs[name] = getattr(self, name)
        return path, self.expressions, kwargs

    def add_to(self, meta: Any) -> Any:
        """Add the constraint to a model's table: a unique index where a constraint can't say it. Return it."""
        name = expand_name(self.name, meta)
        needs_index = self.expressions or self.condition is not None or self.include or self.opclasses
        if needs_index or self.nulls_distinct is not None:
            return make_index(
                meta,
                name,
                self.fields,
                self.expressions,
                unique=True,
                condition=self.condition,
                include=self.include,
                opclasses=self.opclasses,
                nulls_distinct=self.nulls_distinct,
            )
        columns = [column_of(meta, field, "constraints") for field in self.fields]
        initially = None if self.deferrable is None else self.deferrable.name
        constraint = sa.UniqueConstraint(
            *columns,
            name=conv(name),
            deferrable=True if self.deferrable is not None else None,
            initially=initially,
        )
        if self.deferrable is not None:
            constraint.ddl_if(dialect="postgresql")
        meta.table.append_constraint(constraint)
        return constraint

    def validate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = "default"
    ) -> None:
        """Ask the database for another row with an instance's values. One query, two with a condition.

        Raises ValidationError. Nothing is checked where a field is excluded, or where NULL differs from NULL.
        """
        meta = model._meta
        table = meta.table
        dialect = dialect_of(using)
        excluded = excluded_columns(meta, exclude)
        parts: list[Any] = [column_of(meta, name, "constraints") for name in self.fields]
        parts += [element_of(model, strip_order(e), dialect) for e in self.expressions]
        used = {name for part in parts for name in columns_read(meta, part, dialect)}
        if used & excluded:
            return
        values = values_of(meta, instance, dialect)
        compared: list[Any] = [column_of(meta, name, "constraints").name for name in self.fields]
        if self.nulls_distinct is not False and any(values.get(name) is None for name in compared):
            return
        conditions: list[Any] = [
            part.is_not_distinct_from(with_values(part, table, values))
            if self.nulls_distinct is False
            else part == with_values(part, table, values)
            for part in parts
        ]
        if self.condition is not None:
            if not condition_holds(model, instance, self.condition, exclude, using, unknown=False):
                return
            conditions.append(element_of(model, self.condition, dialect))
        if not instance._state.adding and instance._is_pk_set():
            conditions += [
                f.sa_column != sa.literal(getattr(instance, f.attname), f.sa_column.type)
                for f in meta.pk_fields[:1]
            ]
        if ask(using, ONE.select_from(table).where(*conditions).limit(1)):
            raise self._error(model, instance)

    def _error(self, model: Any, instance: Any) -> ValidationError:
        if self.expressions or self.condition is not None or self._has_own_message():
            return self.violation()
        error: ValidationError = instance.unique_error_message(model, self.fields)
        return error

    def _has_own_message(self) -> bool:
        return self.violation_error_message != self.default_violation_error_message or bool(
            self.violation_error_code
        )


def excluded_columns(meta: Any, exclude: Collection[str] | None) -> set[str]:
    """Return the columns of fields that aren't to be validated."""
    names = {meta.pk.name if name == "pk" else name for name in exclude or ()}
    return {field.column for field in meta.concrete_fields if field.name in names}


def columns_read(meta: Any, element: Any, dialect: Any) -> set[str]:
    """Return the names of a model's columns that an element reads; behind a generated one, those that it is made of."""
    names = columns_in(element, meta.table)
    for field in meta.concrete_fields:
        if field.generated and field.column in names:
            names |= columns_in(element_of(meta.model, field.expression, dialect), meta.table)
    return names


def strip_order(expression: Any) -> Any:
    """Return what an ordered expression (`Lower("name").desc()`) orders by."""
    return getattr(expression, "expression", expression) if hasattr(expression, "as_order") else expression


def values_of(meta: Any, instance: Any, dialect: Any) -> dict[str, Any]:
    """Return an instance's values by column name: what the database would choose, where it is to choose."""
    values: dict[str, Any] = {}
    generated = [field for field in meta.concrete_fields if field.generated]
    for field in meta.concrete_fields:
        if field.generated:
            continue
        value = getattr(instance, field.attname)
        if isinstance(value, DatabaseDefault):
            values[field.column] = field.sa_column.server_default.arg
        else:
            values[field.column] = field.get_prep_value(value)
    computed = {
        field.column: with_values(element_of(meta.model, field.expression, dialect), meta.table, values)
        for field in generated
    }
    return {**values, **{name: Grouping(element) for name, element in computed.items()}}


def condition_holds(
    model: Any,
    instance: Any,
    condition: Any,
    exclude: Collection[str] | None,
    using: str,
    unknown: bool = True,
) -> bool | None:
    """Ask the database whether a condition holds for an instance's values. One query.

    `unknown` is the answer where the condition is NULL. None where it reads an excluded field.
    """
    meta = model._meta
    dialect = dialect_of(using)
    element = element_of(model, condition, dialect)
    excluded = excluded_columns(meta, exclude)
    try:
        used = columns_read(meta, element, dialect)
    except FieldError:
        return None
    if used & excluded:
        return None
    # In brackets: a NOT before it must reach all of it, whatever it is.
    element = Grouping(with_values(element, meta.table, values_of(meta, instance, dialect)))
    test: Any = sa.case((sa.not_(element), 0), (element, 1), else_=1 if unknown else 0)
    return ask(using, ONE.where(test == 1))


def dialect_of(using: str) -> Any:
    """Return the SQLAlchemy dialect of a database."""
    from ormolu import databases

    return databases.get(using).driver.dialect


def expand_name(name: str, meta: Any) -> str:
    """Return a name with `%(app_label)s` and `%(class)s` filled in."""
    return name % {"app_label": meta.app_label.lower(), "class": meta.model_name} if "%(" in name else name


def add_to_table(meta: Any) -> None:
    """Add Meta.unique_together, Meta.indexes and Meta.constraints to a model's table."""
    if meta.db_table_comment:
        meta.table.comment = meta.db_table_comment
    for names in meta.unique_together:
        columns = [column_of(meta, name, "unique_together") for name in names]
        meta.table.append_constraint(sa.UniqueConstraint(*columns))
    # An abstract base's Meta serves several models: each has its own copies.
    meta.indexes = [index.clone() for index in meta.indexes]
    meta.constraints = [constraint.clone() for constraint in meta.constraints]
    for part in (*meta.indexes, *meta.constraints):
        if part.name:
            part.name = expand_name(part.name, meta)
        part.add_to(meta)
