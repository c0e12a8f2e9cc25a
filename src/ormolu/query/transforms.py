"""Transforms: functions of one value that may stand between the `__` of a lookup.

`Field.register_lookup(Length)` makes `filter(name__length__gt=10)` possible, and
`order_by("name__length")`, `values("name__length")`, `F("name__length")`.
Source: Django's documentation, ref/models/lookups, "Transform reference", and
howto/custom-lookups.
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

from ormolu.compile.terms import Term, merge
from ormolu.fields.registry import LookupRegistry
from ormolu.query.expressions import Expression
from ormolu.query.func import SPELLING, Func

__all__ = ["Resolved", "Transform"]


class Resolved(Expression):
    """A term that was made already, in the place of the expression that it was made of."""

    is_resolved = True

    def __init__(self, term: Term, expression: Any = None) -> None:
        super().__init__()
        self.term, self.expression = term, expression

    @classmethod
    def of(cls, term: Term) -> Any:
        """Return a term as an expression: the transform that made it, if one did."""
        return cls(term) if term.origin is None else term.origin

    def as_term(self, builder: Any) -> Term:
        """Return the term."""
        return self.term

    def _resolve_output_field(self) -> Any:
        return self.term.field

    def __getattr__(self, name: str) -> Any:
        expression = self.__dict__.get("expression")
        if expression is None or name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(expression, name)


class Transform(LookupRegistry, Func):
    """Base of transforms. Subclasses give `function` (or `template`) and `lookup_name`.

    With `bilateral = True` the transform is applied to the value that is compared, too.
    A transform may have lookups of its own (`register_lookup`), which come before those of
    its output field.
    """

    lookup_name: ClassVar[str]
    is_transform: ClassVar[bool] = True
    bilateral: ClassVar[bool] = False
    total: ClassVar[bool] = False  # NULL of nothing but NULL, on every database
    arity: int | None = 1

    @classmethod
    def apply(cls, builder: Any, term: Term) -> Term:
        """Return the transform of a term."""
        return builder.term(cls(Resolved.of(term)))  # type: ignore[no-any-return]

    @property
    def lhs(self) -> Any:
        """The expression that is transformed."""
        return self.source_expressions[0]

    def get_bilateral_transforms(self) -> list[type[Transform]]:
        """Return the transforms that are applied to the other side of a lookup as well."""
        inner: list[type[Transform]] = (
            self.lhs.get_bilateral_transforms() if isinstance(self.lhs, Transform) else []
        )
        return [*inner, type(self)] if self.bilateral else inner

    def as_term(self, builder: Any) -> Term:
        """Return the call; the term knows its transform, for the sake of lookups."""
        terms = self.terms(builder)
        return self.transformed(builder, terms).replace(origin=self, inner=terms[0])

    def merged(self, builder: Any, element: Any, field: Any, why: Any, parts: list[Term]) -> Term:
        """Return the term of an element that a user's SQL made."""
        term = merge(element, field, parts, why=why, strict=True, **self.conversion())
        return term.replace(origin=self, inner=builder.term(self.lhs))

    def transformed(self, builder: Any, terms: list[Term]) -> Term:
        """Return the call's term."""
        field, why = self.field(terms)
        element = self.spelled(builder, [term.sa for term in terms], None if field is None else field.sa_type)
        total = self.total and not self.respelled and SPELLING.isdisjoint(self.extra)
        nullable = not total or any(term.nullable for term in terms)
        return merge(element, field, terms, why=why, strict=True, nullable=nullable)

    @classmethod
    def other_side(cls, value: Any, owner: Any, inner: Term, transforms: list[type[Transform]]) -> Any:
        """Return a lookup's value with bilateral transforms around it."""
        if hasattr(value, "query") and hasattr(value, "model"):
            raise NotImplementedError("Bilateral transformations on nested querysets are not implemented.")
        if isinstance(value, (list, tuple, set, frozenset)):
            return [OtherSide(item, None, inner, transforms) for item in cast(Any, value)]
        return OtherSide(value, owner, inner, transforms) if value is not None else None


class OtherSide(Expression):
    """The right-hand side of a lookup, as bilateral transforms make it."""

    def __init__(self, value: Any, owner: Any, lhs: Term, transforms: list[type[Transform]]) -> None:
        super().__init__()
        self.value, self.owner, self.lhs, self.transforms = value, owner, lhs, transforms

    def as_term(self, builder: Any) -> Term:
        """Return the transformed value."""
        from ormolu.query.lookups import operand

        owner = self if self.owner is None else self.owner
        term = operand(builder, self.lhs, self.value, owner, None)
        if term.field is None:
            term = term.replace(field=self.lhs.field)
        for transform in self.transforms:
            term = transform.apply(builder, term)
        return term.replace(origin=None, inner=None)
