"""References: F, OuterRef, and slices of text."""

from __future__ import annotations

import copy
from typing import Any, Self, cast

import sqlalchemy as sa

from ormolu.compile.conditions import Condition
from ormolu.compile.terms import Term, merge
from ormolu.exceptions import NotSupportedError, OuterMissing
from ormolu.lazy import public_path
from ormolu.query.combinable import Combinable
from ormolu.query.expressions import Expression, OrderBy, freeze, is_boolean


class F(Combinable):
    """A reference to a field, an annotation, or a field across relations.

    `F("author__age")`; slices of text are SUBSTRING: `F("name")[:3]`.
    """

    allowed_default = False
    conditional = False

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def __eq__(self, other: Any) -> bool:
        return self.__class__ is other.__class__ and self.name == other.name

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __getitem__(self, part: Any) -> Any:
        return Sliced(self, part)

    def __contains__(self, other: Any) -> bool:
        raise TypeError(f"argument of type '{type(self).__name__}' is not iterable")

    def __iter__(self) -> Any:
        raise TypeError(f"{type(self).__name__!r} object is not iterable")

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (self.__class__, self.name)

    def as_term(self, builder: Any) -> Term:
        """Return the term of what the name refers to."""
        return builder.ref(self.name)  # type: ignore[no-any-return]

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return a boolean column as a condition."""
        from ormolu.compile.filtering import from_term

        term = self.as_term(builder)
        if not is_boolean(term):
            raise TypeError("Cannot filter against a non-conditional expression.")
        return from_term(term, negated)

    def as_order(self, builder: Any) -> tuple[Term, bool, str | None]:
        """Return the entry of order_by()."""
        return self.as_term(builder), False, None

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False,
        for_save: bool = False,
    ) -> Any:  # fmt: skip
        """Return what the name refers to in a query."""
        from ormolu.query.transforms import Resolved

        return self if query is None else Resolved.of(query.term(self))

    def as_outer(self) -> OuterRef:
        """Return the reference as seen from within a subquery."""
        return ResolvedOuterRef(self.name)

    def asc(self, **kwargs: Any) -> OrderBy:
        """Return an ascending order."""
        return OrderBy(self, **kwargs)

    def desc(self, **kwargs: Any) -> OrderBy:
        """Return a descending order."""
        return OrderBy(self, descending=True, **kwargs)

    def copy(self) -> Self:
        """Return a copy."""
        return copy.copy(self)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return how to make this reference again."""
        return public_path(type(self)), (self.name,), {}

    def flatten(self) -> Any:
        """Yield this reference."""
        yield self

    def replace_expressions(self, replacements: Any) -> Any:
        """Return what `replacements` gives for this; where it is a transform of a key, the transform of that."""
        found = replacements.get(self)
        if found is not None:
            return found
        first, *transforms = self.name.split("__")
        found = replacements.get(F(first)) if transforms else None
        for name in transforms if found is not None else ():
            field = getattr(found, "_output_field_or_none", None)
            transform = None if field is None else field.get_transform(name)
            if transform is None:
                return self
            found = transform(found)
        return self if found is None else found


class OuterRef(F):
    """A reference from a subquery to the enclosing query. May be nested."""

    name: Any

    def as_term(self, builder: Any) -> Term:
        """Return the term in the enclosing query."""
        if builder.outer is None:
            raise OuterMissing(
                "This queryset contains a reference to an outer query and may only be used in a subquery."
            )
        if isinstance(self.name, F):
            return self.name.as_term(builder.outer)
        term: Term = builder.outer.ref(self.name)
        if term.window:
            raise NotSupportedError(
                f"Referencing outer query window expression is not supported: {self.name}."
            )
        builder.note_outer(term)
        return term.replace(
            joins=frozenset(), strict=frozenset(), aggregate=False, constant=True, nullable=True
        )

    def as_outer(self) -> OuterRef:
        """Return the reference from one level further in."""
        outer: Any = OuterRef
        return outer(self)  # type: ignore[no-any-return]

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (self.__class__, shape.item(self.name))


class ResolvedOuterRef(OuterRef):
    """An F that was moved into a subquery by the compiler."""


class Sliced(Expression):
    """A part of a text or an array: `F("name")[2:5]`."""

    def __init__(self, source: Any, part: Any) -> None:
        super().__init__()
        if isinstance(part, int):
            if part < 0:
                raise ValueError("Negative indexing is not supported.")
            self.start: int = part + 1
            self.length: int | None = 1
        elif not isinstance(part, slice):
            raise TypeError("Argument to slice must be either int or slice instance.")
        else:
            given = cast(Any, part)
            start, stop = given.start, given.stop
            if (start is not None and start < 0) or (stop is not None and stop < 0):
                raise ValueError("Negative indexing is not supported.")
            if given.step is not None:
                raise ValueError("Step argument is not supported.")
            if stop and start and stop < start:
                raise ValueError("Slice stop must be greater than slice start.")
            self.start = (start or 0) + 1
            self.length = None if stop is None else stop - (start or 0)
        self.source = source

    def __getitem__(self, part: Any) -> Any:
        return Sliced(self, part)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What two equal slices share."""
        return (Sliced, freeze(self.source), self.start, self.length)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        return (Sliced, shape.item(self.source), self.start, self.length)

    def get_source_expressions(self) -> list[Any]:
        """Return the text."""
        return [self.source]

    def as_term(self, builder: Any) -> Term:
        """Return SUBSTRING, or what the field makes of a slice."""
        term = builder.term(self.source)
        slicer = getattr(term.field, "slice_element", None)
        if slicer is not None:
            end = None if self.length is None else self.start + self.length - 1
            part = slicer(builder, term.sa, self.start, end, term.type)
            return merge(part, term.field, [term], strict=True)
        from ormolu.fields import CharField, TextField

        field = term.field
        if field is not None and not isinstance(field, (CharField, TextField)):
            raise NotSupportedError(f"This field does not support slicing: {type(field).__name__}")
        name = sa.func.substr if builder.vendor in ("sqlite", "postgresql") else sa.func.substring
        args: list[Any] = [term.sa, sa.literal_column(str(self.start))]
        if self.length is not None:
            args.append(sa.literal_column(str(self.length)))
        return merge(name(*args, type_=sa.String()), CharField(), [term], strict=True)
