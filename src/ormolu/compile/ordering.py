"""ORDER BY: from names and expressions to SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import UnaryExpression

from ormolu.compile import names as paths
from ormolu.compile.elements import unwrapped
from ormolu.compile.terms import Term
from ormolu.compile.tuples import flat
from ormolu.exceptions import FieldError

if TYPE_CHECKING:
    from ormolu.compile.builder import Builder
    from ormolu.compile.joins import Join

SEP = "__"


class Order:
    """One entry of ORDER BY."""

    __slots__ = ("descending", "nulls", "term")

    def __init__(self, term: Term, descending: bool = False, nulls: str | None = None) -> None:
        self.term = term
        self.descending = descending
        self.nulls = nulls  # "first", "last" or None

    def element(self, label: Any = None) -> Any:
        """Return the SQLAlchemy element, over the label that stands for the term in the select list."""
        element = self.term.sa if label is None else label
        element = element.desc() if self.descending else element.asc()
        return element if self.nulls is None else _NullsPlaced(element, self.nulls)

    def flipped(self) -> Order:
        """Return the opposite order."""
        nulls = {"first": "last", "last": "first", None: None}[self.nulls]
        return Order(self.term, not self.descending, nulls)


class _NullsPlaced(UnaryExpression[Any]):
    """An entry of ORDER BY with NULLS FIRST or NULLS LAST."""

    inherit_cache = True

    def __init__(self, entry: Any, nulls: str) -> None:
        super().__init__(
            entry, modifier=operators.nulls_first_op if nulls == "first" else operators.nulls_last_op
        )


@compiles(_NullsPlaced)
def _compile_nulls(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.visit_unary(element, **kw))


@compiles(_NullsPlaced, "mysql", "mariadb")
def _compile_nulls_on_mysql(element: Any, compiler: Any, **kw: Any) -> str:
    """Order by whether it is NULL before all else: MySQL has NULL as its least value, and no word for it."""
    entry = element.element
    sql = str(compiler.process(entry, **kw))
    first, ascends = element.modifier is operators.nulls_first_op, entry.modifier is operators.asc_op
    if first == ascends:
        return sql
    return f"{compiler.process(entry.element, **kw)} IS NULL{' DESC' if first else ''}, {sql}"


def orders(builder: Builder) -> tuple[list[Order], bool]:
    """Return the entries of ORDER BY and whether they come from Meta.ordering."""
    query = builder.query
    if query.order_by:
        wanted, default = query.order_by, False
    elif query.default_ordering and builder.meta.ordering:
        wanted, default = builder.meta.ordering, True
    else:
        return [], False
    found: list[Order] = []
    for item in wanted:
        found.extend(order(builder, item))
    if query.reversed:
        found = [entry.flipped() for entry in found]
    # A column orders once: after its first occurrence another has nothing left to decide.
    first: dict[int, Order] = {}
    for entry in found:
        first.setdefault(id(entry.term.sa), entry)
    return list(first.values()), default


def order(builder: Builder, item: Any) -> list[Order]:
    """Return the entries for one item of order_by()."""
    if isinstance(item, str):
        if item == "?":
            random = sa.func.random() if builder.vendor != "mysql" else sa.func.rand()
            return [Order(Term(random, constant=True))]  # nothing to group by
        descending = item.startswith("-")
        return named(builder, item.lstrip("-+") if item[:1] in "+-" else item, descending)
    if hasattr(item, "as_order"):
        return each(*item.as_order(builder))
    element = item.__clause_element__() if hasattr(item, "__clause_element__") else item
    element, descending, nulls = unwrapped(element)
    return each(builder.term(element), descending, nulls)


def each(term: Term, descending: bool = False, nulls: str | None = None) -> list[Order]:
    """Return the entries for a term: one, or one for each part of a tuple."""
    return [Order(part, descending, nulls) for part in flat([term])]


def named(builder: Builder, name: str, descending: bool) -> list[Order]:
    """Return the entries for a name: an annotation, a column, or a relation's own ordering."""
    if name in builder.annotations:
        return each(builder.annotations[name], descending)
    if name in (builder.values or ()):  # what values() selects under that name
        return each(builder.shown.get(name) or builder.ref(name), descending)
    if name.split(SEP)[0] in builder.annotations:
        return each(builder.ref(name), descending)
    path = paths.resolve(builder.meta, name.split(SEP), builder.annotations, builder.filtered)
    return related(builder, path, name, descending, builder.root, ())


def related(
    builder: Builder, path: paths.Path, name: str, descending: bool, start: Join, seen: tuple[Any, ...]
) -> list[Order]:
    """Return the entries for a path: where it ends at a relation whose model has an ordering, that."""
    last = name.split(SEP)[-1]
    field = path.field
    by_relation = (
        path.is_relation
        and not path.rest
        and bool(path.meta.ordering)
        and (field.name == last or getattr(field, "attname", None) != last)  # `author_id` is the key itself
        and last != "pk"
    )
    if not by_relation:
        path.trim()
        join = builder.join(path, start)
        return each(builder.transforms(builder.value_of(join, path), path.rest, name), descending)
    join = builder.join(path, start)
    if join.path in seen:
        raise FieldError("Infinite loop caused by ordering.")
    found: list[Order] = []
    for item in path.meta.ordering:
        found.extend(below(builder, path.meta, item, descending, join, (*seen, join.path)))
    return found


def below(
    builder: Builder, meta: Any, item: Any, descending: bool, start: Join, seen: tuple[Any, ...]
) -> list[Order]:
    """Return the entries for one item of a related model's Meta.ordering."""
    if hasattr(item, "as_order") or hasattr(item, "as_term"):
        name = getattr(item, "name", None) or getattr(getattr(item, "expression", None), "name", None)
        if name is None:
            entries = builder.within(meta, start, lambda: order(builder, item))
            return [entry.flipped() for entry in entries] if descending else entries
        down = bool(getattr(item, "descending", False))
        nested = paths.resolve(meta, name.split(SEP))
        entries = related(builder, nested, name, descending ^ down, start, seen)
        nulls = getattr(item, "nulls", None)
        flip = {"first": "last", "last": "first", None: None}
        return [Order(e.term, e.descending, flip[nulls] if descending else nulls) for e in entries]
    down = item.startswith("-")
    name = item.lstrip("-+")
    nested = paths.resolve(meta, name.split(SEP))
    return related(builder, nested, name, descending ^ down, start, seen)
