"""Q: conditions that can be combined."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from ormolu.exceptions import FieldError
from ormolu.lazy import public_path

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

AND, OR, XOR = "AND", "OR", "XOR"
# Classes for isinstance() that leave what they hold open.
_SEQUENCES: tuple[type[Any], ...] = (tuple, list)
_VIEWS: tuple[type[Any], ...] = (range, type(dict[Any, Any]().keys()), type(dict[Any, Any]().values()))
_PAIR: type[Any] = tuple


class Q:
    """A condition, or several joined by a connector.

    Positional arguments are other Qs, lookups or boolean expressions (ours or
    SQLAlchemy's); keywords are lookups. `&`, `|`, `^` and `~` combine.
    Source: Django's documentation, ref/models/querysets, "Q() objects".
    """

    __slots__ = ("children", "connector", "negated")

    AND, OR, XOR = AND, OR, XOR
    default = AND
    conditional = True

    def __init__(
        self, *args: Any, _connector: str | None = None, _negated: bool = False, **kwargs: Any
    ) -> None:
        if _connector not in (None, AND, OR, XOR):
            raise ValueError(f"_connector must be one of {AND!r}, {OR!r}, {XOR!r}, or None.")
        self.children: list[Any] = [
            *(tuple(arg) if isinstance(arg, _SEQUENCES) else arg for arg in args),
            *sorted(kwargs.items()),
        ]
        self.connector = _connector or AND
        self.negated = _negated

    @classmethod
    def create(cls, children: list[Any], connector: str = AND, negated: bool = False) -> Self:
        """Return a Q of these children."""
        made = cls.__new__(cls)
        made.children = children
        made.connector = connector
        made.negated = negated
        return made

    def _combine(self, other: Any, connector: str) -> Q:
        if not isinstance(other, Q) and not getattr(other, "conditional", False) and not is_element(other):
            raise TypeError(f"{other!r} can't be combined with a Q: it is neither a Q nor a condition.")
        if not self:
            return copy.copy(other) if isinstance(other, Q) else Q(other)
        if isinstance(other, Q) and not other:
            return copy.copy(self)
        made = Q.create([], connector)
        made.add(self, connector)
        made.add(other, connector)
        return made

    def add(self, part: Any, connector: str) -> None:
        """Take in another condition; one with the same connector is taken apart."""
        if self.connector != connector:
            self.children = [Q.create(self.children, self.connector, self.negated), part]
            self.connector, self.negated = connector, False
        elif (
            isinstance(part, Q)
            and not part.negated
            and (part.connector == connector or len(part.children) == 1)
        ):
            # Said once more it says nothing new, but that of two the one excludes the other.
            known = self.children if self.connector != XOR else ()
            self.children.extend(child for child in part.children if child not in known)
        else:
            self.children.append(part)

    def __and__(self, other: Any) -> Q:
        return self._combine(other, AND)

    def __or__(self, other: Any) -> Q:
        return self._combine(other, OR)

    def __xor__(self, other: Any) -> Q:
        return self._combine(other, XOR)

    def __rand__(self, other: Any) -> Q:
        return Q(other)._combine(self, AND)

    def __ror__(self, other: Any) -> Q:
        return Q(other)._combine(self, OR)

    def __invert__(self) -> Q:
        return self.create(list(self.children), self.connector, not self.negated)

    def __bool__(self) -> bool:
        return bool(self.children)

    def __len__(self) -> int:
        return len(self.children)

    def __copy__(self) -> Self:
        return self.create(list(self.children), self.connector, self.negated)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.create(copy.deepcopy(self.children, memo), self.connector, self.negated)

    def copy(self) -> Self:
        """Return a copy."""
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        from ormolu.query.pickling import dressed

        return self.create, (list(map(dressed, self.children)), self.connector, self.negated)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Q)
            and self.connector == other.connector
            and self.negated == other.negated
            and len(self.children) == len(other.children)
            and all(same(a, b) for a, b in zip(self.children, other.children, strict=True))
        )

    def __hash__(self) -> int:
        return hash((Q, self.connector, self.negated, tuple(freeze(child) for child in self.children)))

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.children))
        return f"(NOT ({self.connector}: {inner}))" if self.negated else f"({self.connector}: {inner})"

    def __repr__(self) -> str:
        return f"<Q: {self}>"

    def check(self, against: Mapping[str, Any], using: str = "default") -> bool:
        """Ask the database whether this condition holds for values by name, which may be expressions. One query.

        What is NULL holds, as in a CHECK constraint. One that the database refuses counts as true, and is logged.
        Raises FieldError for a name that isn't among the values.
        """
        from ormolu import databases
        from ormolu.query import given

        database = databases.get(using)
        return bool(database.driver.run(given.check, self, against, database.in_atomic_block))

    async def acheck(self, against: Mapping[str, Any], using: str = "default") -> bool:
        """Ask the database whether this condition holds for values by name. See `check()`."""
        from ormolu import databases
        from ormolu.query import given

        database = databases.get(using)
        return bool(await database.adriver.arun(given.check, self, against, database.in_atomic_block))

    def as_sqlalchemy(self, model: Any) -> ColumnElement[bool]:
        """Return this condition for SQLAlchemy's statements, about rows of a model or of `aliased(model)`.

        A condition over relations is a subquery, tied by the key. Raises FieldError for a name that the model has not.
        """
        from ormolu.query.to_sqlalchemy import converted

        return converted(self, model)

    def shape(self, shape: Any) -> Any:
        """Return the key of this condition; its values go to `shape`."""
        parts: list[Any] = [self.connector, self.negated]
        for child in self.children:
            if child.__class__ is tuple:
                parts.append(child[0])
                parts.append(shape.literal(child, child[1]))
            else:
                parts.append(shape.literal(child, child))
        return tuple(parts)

    def as_term(self, builder: Any) -> Any:
        """Return the condition as a value, for annotate() and When()."""
        from ormolu.query.expressions import condition_term

        return condition_term(builder.joined_condition(self))

    def as_condition(self, builder: Any, negated: bool = False) -> Any:
        """Return the condition."""
        return builder.joined_condition(self, negated)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return how to make this Q again: path, arguments, keywords."""
        kwargs: dict[str, Any] = {}
        if self.connector != AND:
            kwargs["_connector"] = self.connector
        if self.negated:
            kwargs["_negated"] = True
        return public_path(type(self)), tuple(self.children), kwargs

    @property
    def referenced_base_fields(self) -> set[str]:
        """The names of the model's own fields that the condition begins with, those in its expressions included."""
        found: set[str] = set()
        for child in self.children:
            name, value = cast(Any, child) if isinstance(child, tuple) else ("", child)
            if name:
                found.add(name.split("__")[0])
            if isinstance(value, Q):
                found |= value.referenced_base_fields
                continue
            for part in value.flatten() if hasattr(value, "flatten") else ():
                if isinstance(part, Q):
                    found |= part.referenced_base_fields
                elif hasattr(part, "as_outer"):
                    found.add(str(part.name).split("__")[0])
        return found

    def flatten(self) -> Any:
        """Yield this condition and all within it."""
        yield self
        for child in self.children:
            value: Any = cast(Any, child)[1] if isinstance(child, tuple) else child
            if hasattr(value, "flatten"):
                yield from value.flatten()
            else:
                yield value


def is_element(value: Any) -> bool:
    """Tell whether a value is a SQLAlchemy element."""
    from sqlalchemy.sql.elements import ClauseElement

    return isinstance(value, ClauseElement) or hasattr(value, "__clause_element__")


def same(one: Any, other: Any) -> bool:
    """Compare children; SQLAlchemy's elements by identity, for == on them makes SQL."""
    if is_element(one) or is_element(other):
        return one is other
    if isinstance(one, _PAIR) and isinstance(other, _PAIR) and len(one) == 2 and len(other) == 2:
        return bool(one[0] == other[0] and same(one[1], other[1]))
    return bool(
        one == other or (not (hasattr(one, "shape") or hasattr(other, "shape")) and alike(one, other))
    )


def alike(one: Any, other: Any) -> bool:
    """Tell whether two collections say the same: a list and a tuple of the same values, say."""
    frozen = freeze(one), freeze(other)
    return isinstance(frozen[0], tuple) and bool(frozen[0] == frozen[1])


def freeze(value: Any) -> Any:
    """Return a hashable form of a child."""
    if isinstance(value, (tuple, list, set, *_VIEWS)):
        parts: Any = value
        return tuple(freeze(part) for part in parts)
    if isinstance(value, dict):
        return tuple(sorted((key, freeze(part)) for key, part in cast(Any, value).items()))
    return value


def of_lookups(args: tuple[Any, ...], kwargs: dict[str, Any], *, negated: bool = False) -> Q:
    """Return the Q of the arguments of filter() or exclude(); values that can be read once are kept as lists."""
    children: list[Any] = list(args)
    for name, value in kwargs.items():
        children.append((name, kept(value)))
    return Q.create(children, AND, negated)


def kept(value: Any) -> Any:
    """Return a value that may be read again: iterators become lists."""
    if value.__class__ in _PLAIN or not hasattr(value, "__next__"):
        return list(value) if isinstance(value, _VIEWS) else value
    return list(value)


_PLAIN: frozenset[type] = frozenset({str, int, float, bool, type(None), bytes, list, tuple})


def check_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse internal keywords in a caller's lookups."""
    for name in ("_connector", "_negated"):
        if name in kwargs:
            raise TypeError(f"The following kwargs are invalid: {name!r}")
    if kwargs and "" in kwargs:
        raise FieldError("Cannot parse keyword query: an empty name.")
