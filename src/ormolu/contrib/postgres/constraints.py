"""ExclusionConstraint: rows that must not have certain things in common, PostgreSQL's EXCLUDE.

Source: Django's documentation, "PostgreSQL specific database constraints".
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import conv

from ormolu import query
from ormolu.models.checking import (
    columns_read,
    condition_holds,
    is_raw,
    other_row,
    unasked_columns,
    values_of,
)
from ormolu.models.constraints import BaseConstraint, Deferrable
from ormolu.models.ddl import Late, element_of, inner, with_values
from ormolu.models.indexes import column_of
from ormolu.query.q import Q

__all__ = ["Exclusion", "ExclusionConstraint"]

INDEX_TYPES = ("gist", "spgist", "hash")


class ExclusionConstraint(BaseConstraint):
    """No two rows meet all of these comparisons: `expressions=[("timespan", "&&"), ("room", "=")]`.

    Each expression (a name, an expression, an OpClass) stands with an operator of PostgreSQL's, of which
    `RangeOperators` has the usual ones. `index_type` is GIST or SPGIST, or HASH for one "="; `condition`, `deferrable`
    and `include` are those of a UniqueConstraint. Scalar columns in a GiST index need the extension btree_gist. Other
    databases don't have such a constraint.

    Raises ValueError for options that make no sense.
    """

    vendor = "postgresql"

    def __init__(
        self,
        *,
        name: str,
        expressions: Sequence[tuple[Any, str]],
        index_type: str | None = None,
        condition: Any = None,
        deferrable: Deferrable | None = None,
        include: Sequence[str] | None = None,
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        if index_type is not None and index_type.lower() not in INDEX_TYPES:
            raise ValueError("Exclusion constraints only support GiST, SP-GiST or hash indexes.")
        if not expressions:
            raise ValueError("At least one expression is required to define an exclusion constraint.")
        given: Sequence[Any] = expressions
        if not all(isinstance(one, (list, tuple)) and len(cast("Any", one)) == 2 for one in given):
            raise ValueError("The expressions must be a list of 2-tuples.")
        if not isinstance(condition, (Q, sa.ClauseElement, type(None))):
            raise ValueError("ExclusionConstraint.condition must be a Q instance.")
        timing: Any = deferrable
        if not isinstance(timing, (Deferrable, type(None))):
            raise ValueError("ExclusionConstraint.deferrable must be a Deferrable instance.")
        if not isinstance(include, (list, tuple, type(None))):
            raise ValueError("ExclusionConstraint.include must be a list or tuple.")
        self.expressions = expressions
        self.index_type = index_type or "GIST"
        self.condition = condition
        self.deferrable = deferrable
        self.include = tuple(include) if include else ()
        super().__init__(
            name=name,
            violation_error_code=violation_error_code,
            violation_error_message=violation_error_message,
        )

    @property
    def contains_expressions(self) -> bool:
        """True: an index over expressions holds it."""
        return True

    def __repr__(self) -> str:
        parts = [
            f"index_type={self.index_type!r}",
            f"expressions={self.expressions!r}",
            f"name={self.name!r}",
        ]
        if self.condition is not None:
            parts.append(f"condition={self.condition}")
        if self.deferrable is not None:
            parts.append(f"deferrable={self.deferrable!r}")
        if self.include:
            parts.append(f"include={self.include!r}")
        return f"<{type(self).__name__}: {' '.join(parts)}{self._own_words()}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ExclusionConstraint):
            return NotImplemented
        mine, theirs = (constraint.deconstruct()[2] for constraint in (self, other))
        return {**mine, "expressions": self._pairs()} == {**theirs, "expressions": other._pairs()}

    __hash__ = BaseConstraint.__hash__

    def _pairs(self) -> list[tuple[Any, str]]:
        return [(query.F(e) if isinstance(e, str) else e, operator) for e, operator in self.expressions]

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this constraint again."""
        path, args, kwargs = super().deconstruct()
        kwargs["expressions"] = self.expressions
        if self.index_type.lower() != "gist":
            kwargs["index_type"] = self.index_type
        for name in ("condition", "deferrable"):
            if getattr(self, name) is not None:
                kwargs[name] = getattr(self, name)
        if self.include:
            kwargs["include"] = self.include
        return path, args, kwargs

    def element(self, meta: Any, table: sa.Table) -> Any:
        """Return SQLAlchemy's constraint, added to a table that has a model's columns."""
        constraint = Exclusion(
            [(Late(meta.model, expression), operator) for expression, operator in self._pairs()],
            name=self.name,
            method=self.index_type,
            condition=None if self.condition is None else Late(meta.model, self.condition),
            include=[column_of(meta, name, "constraints").name for name in self.include],
            deferrable=self.deferrable,
        )
        constraint.ddl_if(dialect="postgresql")
        table.append_constraint(constraint)
        return constraint

    def _parts(self) -> list[Any]:
        return [*(expression for expression, _ in self._pairs()), *self.include, self.condition]

    def validation(
        self, driver: Any, model: Any, instance: Any, exclude: Collection[str] | None
    ) -> Generator[Any, Any, None]:
        """Ask the database for another row that conflicts. One query, two with a condition."""
        if driver.dialect.name != "postgresql":
            return
        meta, dialect = model._meta, driver.dialect
        parts = [(element_of(model, inner(e), dialect), operator) for e, operator in self._pairs()]
        used = {name for part, _ in parts for name in columns_read(meta, part, dialect)}
        if used & unasked_columns(meta, instance, exclude) or any(is_raw(part) for part, _ in parts):
            return
        values = values_of(meta, instance, dialect, used)
        conditions: list[Any] = [
            part.op(operator, is_comparison=True)(with_values(part, meta.table, values, dialect))
            for part, operator in parts
        ]
        if self.condition is not None:
            holds = yield from condition_holds(
                driver, model, instance, self.condition, exclude, unknown=False
            )
            if not holds:
                return
            conditions.append(element_of(model, self.condition, dialect))
        if (yield from other_row(driver, model, instance, conditions)):
            raise self.violation()


class Exclusion(sa.schema.Constraint):
    """EXCLUDE, with INCLUDE, which SQLAlchemy's own ExcludeConstraint has not."""

    def __init__(
        self,
        expressions: Sequence[tuple[Any, str]],
        *,
        name: str,
        method: str,
        condition: Any,
        include: Sequence[str],
        deferrable: Deferrable | None,
    ) -> None:
        initially = None if deferrable is None else deferrable.name
        super().__init__(name=conv(name), deferrable=deferrable is not None or None, initially=initially)
        self.expressions = list(expressions)
        self.method = method
        self.condition = condition
        self.include = list(include)
        self._timing = deferrable

    def _copy(self, **kw: Any) -> Exclusion:
        copy = Exclusion(
            self.expressions,
            name=str(self.name),
            method=self.method,
            condition=self.condition,
            include=self.include,
            deferrable=self._timing,
        )
        copy.ddl_if(dialect="postgresql")
        return copy


@compiles(Exclusion)
def _compile_exclusion(constraint: Exclusion, compiler: Any, **kw: Any) -> str:
    """Write the constraint as it stands in CREATE TABLE."""
    sql = compiler.sql_compiler
    options = {"include_table": False, "literal_binds": True}

    def part(expression: Late) -> str:
        text = str(sql.process(expression, **options))
        plain = isinstance(expression.part, query.F) and "__" not in expression.part.name
        return text if plain or hasattr(expression.part, "is_operator_class") else f"({text})"

    quote = compiler.preparer.quote
    pairs = ", ".join(
        f"{part(expression)} WITH {operator}" for expression, operator in constraint.expressions
    )
    text = f"CONSTRAINT {compiler.preparer.format_constraint(constraint)} EXCLUDE USING {constraint.method} ({pairs})"
    if constraint.include:
        text += f" INCLUDE ({', '.join(map(quote, constraint.include))})"
    if constraint.condition is not None:
        text += f" WHERE ({sql.process(constraint.condition, **options)})"
    return text + str(compiler.define_constraint_deferrability(constraint))
