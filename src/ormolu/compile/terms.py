"""What an expression becomes while a query is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ormolu.exceptions import FieldError, OutputFieldIsNoneError
from ormolu.fields.registry import LookupRegistry

if TYPE_CHECKING:
    from ormolu.compile.joins import Join

NO_JOINS: frozenset[Any] = frozenset()
UNKNOWN_TYPE = "Cannot resolve expression type, unknown output_field"


def unknown_type() -> str:
    """Say why a term has no type where nothing gives it one."""
    return UNKNOWN_TYPE


class Term:
    """A SQLAlchemy element with what the compiler must know about it.

    `sa` is the element; `field` the output field (None where it can't be told,
    `why` then says why); `joins` are the joins it reads from; `strict` those of
    them whose missing row makes the whole term NULL; `aggregate` and `window`
    say whether it contains such a function. `origin` is the transform that made
    the term and `inner` the term it was made of: a transform may have lookups of
    its own. `convert` is applied to the value as the field reads it. `depends` are columns that
    determine it, where that is known and it need not be grouped by itself. `computed` says of a column
    of a subquery that it holds what that has computed.
    """

    __slots__ = (
        "aggregate", "computed", "constant", "convert", "depends", "field", "group", "inner", "joins", "nullable",
        "origin", "sa", "strict", "why", "window",
    )  # fmt: skip

    def __init__(
        self,
        element: Any,
        field: Any = None,
        *,
        joins: frozenset[Join] = NO_JOINS,
        strict: frozenset[Join] = NO_JOINS,
        aggregate: bool = False,
        window: bool = False,
        nullable: bool = True,
        constant: bool = False,
        why: Callable[[], str] | None = None,
        group: tuple[Any, ...] | None = None,
        origin: Any = None,
        inner: Term | None = None,
        convert: Callable[[Any], Any] | None = None,
        depends: tuple[Any, ...] | None = None,
        computed: bool = False,
    ) -> None:
        self.sa = element
        self.field = field
        self.joins = joins
        self.strict = strict
        self.aggregate = aggregate
        self.window = window
        self.nullable = nullable
        self.constant = constant
        self.why = why
        self.group = group
        self.origin = origin
        self.inner = inner
        self.convert = convert
        self.depends = depends
        self.computed = computed

    def get_lookup(self, name: str) -> Any:
        """Return the lookup of that name for this term, None where there is none."""
        if self.origin is not None:
            if chooses(self.origin, "get_lookup"):
                return self.origin.get_lookup(name)
            own = self.origin._find_lookup(name)
            if own is not None and not getattr(own, "is_transform", False):
                return own
        return self.output_field.get_lookup(name)

    def get_transform(self, name: str) -> Any:
        """Return the transform of that name for this term, None where there is none."""
        if self.origin is not None:
            if chooses(self.origin, "get_transform"):
                return self.origin.get_transform(name)
            own = self.origin._find_lookup(name)
            if own is not None and getattr(own, "is_transform", False):
                return own
        return self.output_field.get_transform(name)

    @property
    def output_field(self) -> Any:
        """The output field; FieldError where it can't be told."""
        if self.field is None:
            raise self.untyped()
        return self.field

    def untyped(self) -> FieldError:
        """Return the error that says why there is no output field."""
        text = self.why() if self.why else UNKNOWN_TYPE
        return OutputFieldIsNoneError(text) if text is UNKNOWN_TYPE else FieldError(text)

    @property
    def type(self) -> Any:
        """The SQLAlchemy type of the term."""
        return self.sa.type if self.field is None else self.field.sa_type

    def group_columns(self) -> tuple[Any, ...]:
        """What GROUP BY must name so that this term may be selected."""
        if self.group is not None:
            return self.group
        if self.aggregate or self.constant:
            return ()
        return (self.sa,)

    @property
    def is_computed(self) -> bool:
        """Whether the value is something else than what a column stores."""
        return self.computed or getattr(self.sa, "table", None) is None

    def replace(self, **changes: Any) -> Term:
        """Return a copy with some attributes changed; one with another element has no origin."""
        if "sa" in changes:
            changes.setdefault("origin", None)
        copy = Term(self.sa)
        for name in Term.__slots__:
            setattr(copy, name, changes.get(name, getattr(self, name)))
        return copy


def chooses(origin: Any, method: str) -> bool:
    """Tell whether a user's transform chooses its lookups in a way of its own."""
    return getattr(origin.__class__, method) is not getattr(LookupRegistry, method)


def merge(element: Any, field: Any, parts: list[Term], *, strict: bool = False, **extra: Any) -> Term:
    """Return the term of an element that is made of `parts`."""
    joins = frozenset[Any]().union(*(part.joins for part in parts))
    group: list[Any] | None = None
    aggregate = any(part.aggregate for part in parts)
    if aggregate:
        group = []
        for part in parts:
            group.extend(part.group_columns())
    options: dict[str, Any] = {
        "joins": joins,
        "strict": frozenset[Any]().union(*(part.strict for part in parts)) if strict else NO_JOINS,
        "aggregate": aggregate,
        "window": any(part.window for part in parts),
        "constant": bool(parts) and all(part.constant for part in parts),
        "group": None if group is None else tuple(group),
    }
    options.update(extra)
    return Term(element, field, **options)


def false() -> Any:
    """A condition that no row meets."""
    return sa.false()
