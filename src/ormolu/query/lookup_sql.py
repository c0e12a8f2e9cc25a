"""Lookups with SQL of a user's: what `process_lhs()` and `process_rhs()` give it, and the condition it becomes.

Source: Django's documentation, ref/models/lookups, "Lookup reference", and howto/custom-lookups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from sqlalchemy.sql.elements import ClauseElement

from ormolu.compile.conditions import Condition
from ormolu.compile.shape import SCALARS
from ormolu.compile.terms import Term, merge
from ormolu.compile.written import Compiler, Seen, Written, element_of, looked_at, ours, write, writes
from ormolu.fields import BooleanField
from ormolu.query.in_sql import InSQL

if TYPE_CHECKING:
    from ormolu.query.lookups import Lookup

__all__ = ["LookupSQL", "Sides", "written_lookup"]

_LISTS: tuple[type[Any], ...] = (list, tuple, set, frozenset)


class Sides:
    """The two sides of a lookup in a query, of which a user's SQL is made."""

    def __init__(self, builder: Any, lhs: Term, value: Any, owner: Any, relation: Any, prepare: bool) -> None:
        self.builder, self.lhs, self.value, self.owner = builder, lhs, value, owner
        self.relation, self.prepare = relation, prepare

    @property
    def is_plain(self) -> bool:
        """Tell whether the right-hand side is a value, and no expression."""
        value = self.value
        return not (
            hasattr(value, "as_term")
            or hasattr(value, "query")
            or isinstance(value, ClauseElement)
            or hasattr(value, "__clause_element__")
        )

    def rhs(self) -> Any:
        """Return the right-hand side as the lookup sees it: what stands for a value, or the expression."""
        if not self.is_plain or self.value is None:
            return self.value
        from ormolu.query.lookups import converter, mixed

        params, value = self.builder.params, self.value
        field = self.lhs.field
        if type(value) not in SCALARS or id(self.owner) not in params.shape.index:
            if not isinstance(value, bool):
                params.single_use = True
            if isinstance(value, _LISTS):
                each = mixed(self.builder, field, self.relation) if self.prepare else _same
                return [each(item) for item in cast(Any, value)]
            convert = converter(self.builder, field, value, self.relation) if self.prepare else None
            return value if convert is None else convert(value)
        prepare = converter(self.builder, field, value, self.relation) if self.prepare else None
        return Seen(params, self.owner, value, self.lhs.type if self.prepare else None, prepare)

    def operand(self) -> Term:
        """Return the right-hand side as a term."""
        from ormolu.query.lookups import operand

        return operand(self.builder, self.lhs, self.value, self.owner, self.relation, prepare=self.prepare)


def _same(value: Any) -> Any:
    return value


class LookupSQL(InSQL):
    """What a lookup has for the SQL of users."""

    sql_hooks: ClassVar[tuple[str, ...]] = (
        "as_sql", "resolve_expression", "process_lhs", "process_rhs", "get_rhs_op", "get_prep_lookup",
        "get_db_prep_lookup",
    )  # fmt: skip
    keyed_parts: ClassVar[frozenset[str]] = frozenset({"lhs", "rhs"})
    can_use_none_as_rhs: ClassVar[bool] = False
    lookup_name: ClassVar[str]
    lhs: Any
    rhs: Any
    sides: Sides | None = None

    def as_written(self, builder: Any) -> Term:
        """Return the lookup as a value: a user's SQL is a matter of `as_condition()`."""
        return self.as_term(builder)  # type: ignore[attr-defined,no-any-return]

    def native(self, builder: Any) -> Term:
        """Return the lookup as the library makes it."""
        from ormolu.query.expressions import condition_term

        sides = self.sides
        assert sides is not None
        cls = cast("type[Lookup]", type(self))
        value = self.rhs if not sides.is_plain else looked_at(self.rhs) if self.rhs is not None else None
        return condition_term(
            cls.build(builder, sides.lhs, value, self, False, sides.relation, self.lookup_name)
        )

    @ours
    def as_sql(self, compiler: Any, connection: Any, **extra_context: Any) -> tuple[str, Sequence[Any]]:
        """Return SQL and parameters: of both sides and the operator where these are a user's, else our own."""
        pieces = ("process_lhs", "process_rhs", "get_rhs_op", "get_db_prep_lookup")
        if all(getattr(getattr(type(self), name), "ours", False) for name in pieces):
            return super().as_sql(compiler, connection)  # type: ignore[no-any-return]
        lhs, params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} {self.get_rhs_op(connection, rhs)}", [*params, *rhs_params]

    @ours
    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> tuple[str, list[Any]]:
        """Return SQL and parameters of the left-hand side, or of what is given in its place."""
        return compiler.compile(self.lhs if lhs is None else lhs)  # type: ignore[no-any-return]

    @ours
    def process_rhs(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return SQL and parameters of the right-hand side."""
        if type(self.rhs) is Seen or self.rhs_is_direct_value():
            return self.get_db_prep_lookup(self.rhs, connection)  # type: ignore[no-any-return]
        assert self.sides is not None
        if self.sides.value is self.rhs:
            return compiler.mark(self.sides.operand())  # type: ignore[no-any-return]
        return compiler.compile(self.rhs)  # type: ignore[no-any-return]

    @ours
    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return SQL and parameters of a plain value."""
        return "%s", [value]

    @ours
    def get_prep_lookup(self) -> Any:
        """Return the plain value to compare with, as the field prepares it."""
        return self.rhs

    @ours
    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        """Return the operator and the right-hand side's SQL. Raises NotImplementedError for a lookup without one."""
        name = next((n for n in names_of(type(self)) if n in connection.operators), None)
        if name is None:
            raise NotImplementedError(f"{type(self).__name__} must define as_sql() or get_rhs_op()")
        return str(connection.operators[name] % rhs)

    def rhs_is_direct_value(self) -> bool:
        """Tell whether the right-hand side is a plain value."""
        return type(self.rhs) is Seen or not (hasattr(self.rhs, "as_term") or hasattr(self.rhs, "query"))

    def written_condition(self, sides: Sides, negated: bool) -> Condition:
        """Return the condition that a user's SQL makes of the two sides."""
        from ormolu.query.lookups import conclude

        builder, type_ = sides.builder, BooleanField().sa_type
        self.sides = sides
        compiler = Compiler(builder)
        if getattr(builder.driver, "checking", False):
            parts, element = [sides.operand()], Written("written", [""], [], type_)
        else:
            if not getattr(type(self).get_prep_lookup, "ours", False) and self.rhs_is_direct_value():
                self.rhs = self.get_prep_lookup()
            sql, params = write(self, compiler)
            element = element_of(compiler, sql, params, type_, self.literal)
            parts = [part for part in compiler.terms if part is not sides.lhs]
        rhs = parts[0] if len(parts) == 1 else merge(None, None, parts, strict=True, nullable=False)
        return conclude(sides.lhs, rhs, element, negated)


def names_of(cls: type[Any]) -> list[str]:
    """Return the names that a lookup and those it is made from have."""
    return [base.__dict__["lookup_name"] for base in cls.__mro__ if "lookup_name" in base.__dict__]


def written_lookup(
    builder: Any, found: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
) -> Condition:
    """Return the condition of a lookup with a user's SQL; `found` is its class, or a function that makes one."""
    from ormolu.query.lookups import IsNull
    from ormolu.query.transforms import Resolved

    takes_none = getattr(found, "can_use_none_as_rhs", False)
    if value is None and not takes_none:
        if name not in ("exact", "iexact"):
            raise ValueError(f"Cannot use None as a query value for the lookup {name!r}; use isnull.")
        return IsNull.build(builder, lhs, True, owner, negated, relation, "isnull")
    sides = Sides(builder, lhs, value, owner, relation, getattr(found, "prepare_rhs", True))
    lookup: Any = found(Resolved.of(lhs), sides.rhs())
    if not writes(lookup.__class__, builder.vendor):
        return lookup.build(  # type: ignore[no-any-return]
            builder, lhs, value, owner, negated, relation, name
        )
    return lookup.written_condition(sides, negated)  # type: ignore[no-any-return]
