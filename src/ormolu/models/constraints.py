"""UniqueConstraint and CheckConstraint: entries of Meta.constraints.

Source: Django's documentation, "Constraints reference".
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Generator, Sequence
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, DropConstraint, DropIndex
from sqlalchemy.sql.elements import Grouping, conv

from ormolu import databases, query
from ormolu.exceptions import ValidationError
from ormolu.lazy import public_path
from ormolu.models.checking import (
    columns_read,
    condition_holds,
    is_raw,
    other_row,
    unasked_columns,
    values_of,
)
from ormolu.models.ddl import Late, columns_named, element_of, inner, with_values
from ormolu.models.indexes import column_of, make_index
from ormolu.query.q import Q
from ormolu.schema.statements import adding


class Deferrable(Enum):
    """When a unique constraint is checked: at the end of the transaction, or of each statement."""

    DEFERRED = "deferred"
    IMMEDIATE = "immediate"

    def __repr__(self) -> str:
        return f"Deferrable.{self.name}"


class BaseConstraint:
    """What all constraints have: a name, and what validation says where they don't hold.

    A subclass of your own defines `constraint_sql()`, `create_sql()`, `remove_sql()` and `validate()`, or, for one
    that SQLAlchemy can say, `element()` and `validation()`.
    """

    default_violation_error_message = "Constraint “%(name)s” is violated."
    violation_error_code: str | None = None
    fields: tuple[str, ...] = ()
    vendor: str | None = None
    """The only kind of database that has such constraints."""

    def __init__(
        self,
        *args: Any,
        name: str | None = None,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        if args:
            warnings.warn(
                f"Passing positional arguments to {type(self).__name__} is deprecated.",
                DeprecationWarning,
                stacklevel=2,
            )
            name, violation_error_message = (*args, violation_error_message)[:2]
        if name is None:
            raise TypeError(f"{type(self).__name__}() is missing its keyword argument 'name'.")
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
        return public_path(type(self)), (), kwargs

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

    # -- the database's part

    def element(self, meta: Any, table: sa.Table) -> Any:
        """Return SQLAlchemy's constraint, or index, added to a table that has a model's columns."""
        raise NotImplementedError(f"{type(self).__name__} must define element().")

    def add_to(self, meta: Any) -> Any:
        """Add the constraint to a model's table, and return it."""
        return self.element(meta, meta.table)

    def constraint_sql(self, model: Any, schema_editor: Any) -> str | None:
        """Return the constraint's part of CREATE TABLE, None where it is an index or the database has none such."""
        element = self._made(model, schema_editor)
        if isinstance(element, sa.Index):
            return None
        statement = schema_editor.statement(adding(element))
        return None if statement is None else schema_editor.constraint_text(element)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that adds the constraint, None where the database has none such."""
        element = self._made(model, schema_editor)
        make: Any = CreateIndex if isinstance(element, sa.Index) else adding
        return schema_editor.statement(make(element), self._columns(model, schema_editor))

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """Return the statement that removes the constraint, None where it was never made."""
        element = self._made(model, schema_editor)
        make: Any = DropIndex if isinstance(element, sa.Index) else DropConstraint
        return schema_editor.statement(make(element))

    def _made(self, model: Any, schema_editor: Any) -> Any:
        if type(self).element is BaseConstraint.element:
            raise NotImplementedError(f"{type(self).__name__} must define this method, or element().")
        return self.element(model._meta, schema_editor.bare_table(model))

    def _parts(self) -> list[Any]:
        """Return the names, conditions and expressions that it is about."""
        return list(self.fields)

    def _columns(self, model: Any, schema_editor: Any) -> set[str]:
        return columns_named(model, [p for p in self._parts() if p is not None], schema_editor.dialect)

    # -- validation

    def validation(
        self, driver: Any, model: Any, instance: Any, exclude: Collection[str] | None
    ) -> Generator[Any, Any, None]:
        """Return the program that raises ValidationError if the constraint doesn't hold for an instance."""
        raise NotImplementedError(f"{type(self).__name__} must define validate() or validation().")

    def validate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = "default"
    ) -> None:
        """Raise ValidationError if the constraint doesn't hold for an instance. One query, two with a condition.

        Nothing is checked where the constraint is about a field in `exclude`.
        """
        if type(self).validation is BaseConstraint.validation:
            raise NotImplementedError(f"{type(self).__name__} must define validate() or validation().")
        databases.get(using).driver.run(self.validation, model, instance, exclude)

    async def avalidate(
        self, model: Any, instance: Any, exclude: Collection[str] | None = None, using: str = "default"
    ) -> None:
        """Raise ValidationError if the constraint doesn't hold for an instance. See `validate()`."""
        await databases.get(using).adriver.arun(self.validation, model, instance, exclude)


class CheckConstraint(BaseConstraint):
    """A condition that every row meets: a Q, an expression, or a SQLAlchemy condition.

    Raises TypeError for what is no condition.
    """

    def __init__(
        self,
        *,
        condition: Any = None,
        name: str,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
        check: Any = None,
    ) -> None:
        if check is not None:
            _warn_of_check()
            condition = check
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
        _warn_of_check()
        return self.condition

    @check.setter
    def check(self, condition: Any) -> None:
        _warn_of_check()
        self.condition = condition

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this constraint again."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "condition": self.condition}

    def element(self, meta: Any, table: sa.Table) -> Any:
        """Return SQLAlchemy's constraint, added to a table that has a model's columns."""
        constraint = sa.CheckConstraint(Late(meta.model, self.condition), name=conv(self.name))
        table.append_constraint(constraint)
        return constraint

    def _parts(self) -> list[Any]:
        return [self.condition]

    def validation(
        self, driver: Any, model: Any, instance: Any, exclude: Collection[str] | None
    ) -> Generator[Any, Any, None]:
        """Ask the database whether the condition is false for an instance's values.

        SQL text can't be asked about, and is taken to hold.
        """
        if (yield from condition_holds(driver, model, instance, self.condition, exclude)) is False:
            raise self.violation()


def _warn_of_check() -> None:
    warnings.warn(
        "CheckConstraint.check is deprecated in favor of `.condition`.", DeprecationWarning, stacklevel=3
    )


class UniqueConstraint(BaseConstraint):
    """No two rows have the same values of these fields or expressions, among those that meet `condition`.

    `deferrable` says when it is checked (PostgreSQL alone; others don't have such a constraint), `include` adds
    columns to its index and `opclasses` gives operator classes (PostgreSQL; left out elsewhere), `nulls_distinct=False`
    lets there be but one NULL (PostgreSQL 15; others don't have such a constraint).

    Raises ValueError for options that don't go together, TypeError for values of the wrong type.
    """

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
        if not isinstance(condition, (Q, sa.ClauseElement, type(None))):
            raise ValueError("UniqueConstraint.condition must be a Q instance.")
        timing: Any = deferrable
        if not isinstance(timing, (Deferrable, type(None))):
            raise TypeError("UniqueConstraint.deferrable must be a Deferrable instance.")
        if not isinstance(include, (list, tuple, type(None))):
            raise TypeError("UniqueConstraint.include must be a list or tuple.")
        if not isinstance(opclasses, (list, tuple)):
            raise TypeError("UniqueConstraint.opclasses must be a list or tuple.")
        if nulls_distinct not in (None, True, False):
            raise TypeError("UniqueConstraint.nulls_distinct must be a bool.")
        beside = {
            "condition": condition is not None,
            "include": bool(include),
            "opclasses": bool(opclasses),
            "expressions": bool(expressions),
        }
        for option, given in beside.items():
            if deferrable is not None and given:
                raise ValueError(f"UniqueConstraint with {option} cannot be deferred.")
        if expressions and opclasses:
            raise ValueError(
                "UniqueConstraint.opclasses cannot be used with expressions. Use OpClass() instead."
            )
        if opclasses and len(opclasses) != len(fields):
            raise ValueError(
                "UniqueConstraint.fields and UniqueConstraint.opclasses must have the same number of elements."
            )
        self.expressions = tuple(query.F(e) if isinstance(e, str) else e for e in expressions)
        self.fields = tuple(fields)
        self.condition = condition
        self.deferrable = deferrable
        self.include = tuple(include) if include else ()
        self.opclasses = opclasses
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

    @property
    def is_index(self) -> bool:
        """Whether it is a unique index in the database: a constraint can't say all of it."""
        return bool(self.expressions or self.condition is not None or self.include or self.opclasses)

    def element(self, meta: Any, table: sa.Table) -> Any:
        """Return SQLAlchemy's constraint, or its unique index, added to a table that has a model's columns."""
        if self.is_index:
            return make_index(
                meta,
                table,
                self.name,
                self.fields,
                self.expressions,
                unique=True,
                condition=self.condition,
                include=self.include,
                opclasses=self.opclasses,
                nulls_distinct=self.nulls_distinct,
            )
        columns = [column_of(meta, field, "constraints", table) for field in self.fields]
        options: dict[str, Any] = {}
        if self.deferrable is not None:
            options.update(deferrable=True, initially=self.deferrable.name)
        if self.nulls_distinct is not None:
            options["postgresql_nulls_not_distinct"] = not self.nulls_distinct
        constraint = sa.UniqueConstraint(*columns, name=conv(self.name), **options)
        if self.deferrable is not None or self.nulls_distinct is False:
            constraint.ddl_if(dialect="postgresql")
        table.append_constraint(constraint)
        return constraint

    def _parts(self) -> list[Any]:
        return [*self.fields, *self.include, *self.expressions, self.condition]

    def validation(
        self, driver: Any, model: Any, instance: Any, exclude: Collection[str] | None
    ) -> Generator[Any, Any, None]:
        """Ask the database for another row with an instance's values. One query, two with a condition.

        Nothing is checked where NULL differs from NULL.
        """
        meta, dialect = model._meta, driver.dialect
        table = meta.table
        parts: list[Any] = [column_of(meta, name, "constraints") for name in self.fields]
        parts += [element_of(model, inner(e), dialect) for e in self.expressions]
        used = {name for part in parts for name in columns_read(meta, part, dialect)}
        if used & unasked_columns(meta, instance, exclude) or any(map(is_raw, parts)):
            return
        values = values_of(meta, instance, dialect, used)
        compared: list[Any] = [column_of(meta, name, "constraints").name for name in self.fields]
        if self.nulls_distinct is not False and any(values.get(name) is None for name in compared):
            return
        # In brackets: SQLAlchemy would make IS NULL of a comparison with NULL, which equals nothing.
        conditions: list[Any] = [
            part.is_not_distinct_from(with_values(part, table, values, dialect))
            if self.nulls_distinct is False
            else part == Grouping(with_values(part, table, values, dialect))
            for part in parts
        ]
        if self.condition is not None:
            holds = yield from condition_holds(
                driver, model, instance, self.condition, exclude, unknown=False
            )
            if not holds:
                return
            conditions.append(element_of(model, self.condition, dialect))
        if (yield from other_row(driver, model, instance, conditions)):
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
