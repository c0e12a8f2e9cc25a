"""Case and When: values that depend on conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from ormolu.compile.terms import Term, merge
from ormolu.compile.tuples import TupleTerm
from ormolu.query.expressions import Expression, condition_term, expression_of
from ormolu.query.func import Func


class When(Expression):
    """One branch of a Case: a condition and its value."""

    def __init__(self, condition: Any = None, then: Any = None, **lookups: Any) -> None:
        from ormolu.query.q import Q

        if lookups:
            if condition is None:
                condition = Q(**lookups)
            elif getattr(condition, "conditional", False):
                condition = Q(condition, **lookups)
        if (
            condition is None
            or not (getattr(condition, "conditional", False) or isinstance(condition, ClauseElement))
            or (isinstance(condition, Q) and lookups and not condition)
        ):
            raise TypeError("When() supports a Q object, a boolean expression, or lookups as a condition.")
        if isinstance(condition, Q) and not condition:
            raise ValueError("An empty Q() can't be used as a When() condition.")
        super().__init__()
        self.condition = condition
        self.result = expression_of(then)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (When, shape.item(self.condition), shape.item(self.result))

    def get_source_expressions(self) -> list[Any]:
        """Return condition and value."""
        return [self.condition, self.result]

    def _resolve_output_field(self) -> Any:
        return getattr(self.result, "_output_field_or_none", None)

    def __str__(self) -> str:
        return f"WHEN {self.condition!r} THEN {self.result!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class Case(Expression):
    """The value of the first When whose condition holds, else `default`."""

    def __init__(self, *cases: Any, default: Any = None, output_field: Any = None, **extra: Any) -> None:
        if not all(isinstance(case, When) for case in cases):
            raise TypeError("Positional arguments must all be When objects.")
        super().__init__(output_field)
        self.cases = list(cases)
        self.default = expression_of(default)
        self.extra = extra

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        cases = tuple(case.shape(shape) for case in self.cases)
        return (Case, cases, shape.item(self.default), shape.item(self._given))

    def get_source_expressions(self) -> list[Any]:
        """Return branches and default."""
        return [*self.cases, self.default]

    def as_term(self, builder: Any) -> Term:
        """Return CASE ... END."""
        term, joined = self.chosen(builder)
        return term.replace(joins=term.joins | joined)

    def chosen(self, builder: Any) -> tuple[Term, frozenset[Any]]:
        """Return CASE ... END, and the joins of all branches: what can't be chosen is joined, too, as Django does."""
        from ormolu.compile.conditions import EVERYTHING, NOTHING

        joined: frozenset[Any] = frozenset()
        branches: list[tuple[Any, Any]] = []
        parts: list[Term] = []
        results: list[Term] = []
        otherwise: Term | None = None
        for case in self.cases:
            condition = builder.boolean(case.condition)
            result = builder.term(case.result)
            if isinstance(result, TupleTerm):
                raise ValueError("When expression does not support composite primary keys.")
            joined |= result.joins
            if condition is NOTHING or otherwise is not None:
                continue
            results.append(result)
            if condition is EVERYTHING:
                otherwise = result
                continue
            parts.append(condition_term(condition))
            branches.append((condition.sa, result.sa))
        if otherwise is None:
            otherwise = cast(Term, builder.term(self.default))
            results.append(otherwise)
        else:
            joined |= builder.term(self.default).joins
        field, why = self.case_field(results)
        if not branches:
            return merge(otherwise.sa, field, [otherwise], why=why), joined
        element: Any = sa.case(*branches, else_=otherwise.sa)
        if field is not None:
            element = sa.type_coerce(element, field.sa_type)
        return merge(element, field, [*parts, *results], why=why, constant=False), joined

    def case_field(self, results: list[Term]) -> tuple[Any, Callable[[], str] | None]:
        """Return the output field of the branches."""
        if self._given is not None:
            return self._given, None
        return Func.field(self, results)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"CASE {', '.join(str(case) for case in self.cases)}, ELSE {self.default!r}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"
