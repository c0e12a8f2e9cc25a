"""Keyset pagination: the rows after or before a row, found by its place in the order and not by counting.

A cursor holds the values by which a row is ordered, and a signature of that order. It is text for a URL, not a secret:
what it says becomes parameters, never SQL.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import decimal
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, Self, TypeVar, cast

import sqlalchemy as sa

from ormolu.compile import names as paths
from ormolu.compile.conditions import EVERYTHING, NOTHING, Condition, combine
from ormolu.compile.terms import Term
from ormolu.exceptions import FieldError, InvalidCursor, ValidationError
from ormolu.fields.composite import TupleField
from ormolu.query import terminals
from ormolu.query.chain import SEP, Chain, M, R
from ormolu.query.expressions import OrderBy
from ormolu.query.lookups import conclude, operand
from ormolu.query.references import F

__all__ = ["Entry", "Keyset", "Page", "Position"]

T = TypeVar("T")
OTHER_END = {"first": "last", "last": "first", None: None}


class Entry(NamedTuple):
    """One name of the order. `spellings` are the names under which a row may have its value."""

    name: str
    descending: bool
    nulls: str | None
    field: Any = None
    spellings: tuple[str, ...] = ()
    named: bool = False
    """Whether annotate() or alias() gave the name."""

    @property
    def key(self) -> tuple[str, bool, str | None]:
        """What makes two entries the same order."""
        return self.name, self.descending, self.nulls

    def flipped(self) -> Entry:
        """Return the opposite order."""
        return self._replace(descending=not self.descending, nulls=OTHER_END[self.nulls])

    def item(self) -> Any:
        """Return the entry as order_by() takes it."""
        if self.nulls is None:
            return f"-{self.name}" if self.descending else self.name
        return OrderBy(F(self.name), self.descending, **{f"nulls_{self.nulls}": True})

    def value(self, row: Any, names: Sequence[str] | None) -> Any:
        """Return the value of a row: an object, or what values() and values_list() (of `names`) make of it."""
        if names is None:
            if self.named and not hasattr(row, self.name):
                raise FieldError(
                    f"A cursor needs the value of {self.name!r}, which rows don't have: name it by annotate()."
                )
            return attribute(row, self.name)
        for name in self.spellings:
            if name in names:
                if isinstance(row, dict):
                    return cast(Any, row)[name]
                return cast(Any, row)[names.index(name)] if isinstance(row, tuple) else row
        raise FieldError(
            f"A cursor needs the value of {self.name!r}, which is not among {', '.join(names)}. Select it, too."
        )


def attribute(instance: Any, name: str) -> Any:
    """Return an attribute across relations; None where one of them leads nowhere."""
    for part in name.split(SEP) if not hasattr(instance, name) else (name,):
        instance = None if instance is None else getattr(instance, part)
    return instance


class Value:
    """The value of one entry, as the owner of its parameters."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Position:
    """The condition that a row comes after a place in the order."""

    def __init__(self, entries: Sequence[Entry], values: Sequence[Any]) -> None:
        self.entries = tuple(entries)
        self.values = tuple(Value(value) for value in values)

    def shape(self, shape: Any) -> Any:
        """Return the key."""
        literals = tuple(shape.literal(owner, owner.value) for owner in self.values)
        return (Position, tuple(entry.key for entry in self.entries), literals)

    def as_condition(self, builder: Any, negated: bool = False) -> Condition:
        """Return the comparison: of whole rows where the database can use an index for that, else column by column."""
        steps = [Step(builder, entry, owner) for entry, owner in zip(self.entries, self.values, strict=True)]
        alike = len({entry.descending for entry in self.entries}) == 1
        if alike and builder.vendor != "mysql" and len(steps) > 1 and all(step.plain for step in steps):
            return by_rows(steps)
        whole = steps[-1].later()
        for step in reversed(steps[:-1]):
            whole = combine("OR", [step.later(), combine("AND", [step.equal(), whole])])
        first = steps[0]
        if len(steps) > 1 and first.plain:  # said twice, for an index to begin there
            whole = combine("AND", [combine("OR", [first.later(), first.equal()]), whole])
        return whole


class Step:
    """One entry as a term, compared with the value that a row has there."""

    def __init__(self, builder: Any, entry: Entry, owner: Value) -> None:
        self.builder, self.descending, self.owner = builder, entry.descending, owner
        self.term: Term = builder.ref(entry.name)
        greatest = builder.vendor == "postgresql"  # what NULL is in its order; to others it is the least
        self.nulls_last = entry.nulls == "last" if entry.nulls else greatest != entry.descending

    @property
    def plain(self) -> bool:
        """Whether NULL plays no part."""
        term = self.term
        return not (term.nullable or term.aggregate or term.window or self.owner.value is None)

    def rhs(self) -> Term:
        """Return the value as a term, with a parameter of its own."""
        return operand(self.builder, self.term, self.owner.value, self.owner, None)

    def _compared(self, element: Callable[[Any, Any], Any]) -> Condition:
        rhs = self.rhs()
        return conclude(self.term, rhs, element(self.term.sa, rhs.sa), False)

    def _null(self, is_null: bool) -> Condition:
        if not self.term.nullable:
            return NOTHING if is_null else EVERYTHING
        condition = conclude(
            self.term, None, self.term.sa.is_(None) if is_null else self.term.sa.is_not(None), False
        )
        condition.rejects = frozenset() if is_null else self.term.strict
        return condition

    def equal(self) -> Condition:
        """Return the condition of rows that have the same value."""
        if self.owner.value is None:
            return self._null(True)
        return self._compared(lambda lhs, rhs: lhs == rhs)

    def later(self) -> Condition:
        """Return the condition of rows whose value comes later."""
        if self.owner.value is None:
            return NOTHING if self.nulls_last else self._null(False)
        down = self.descending
        compared = self._compared(lambda lhs, rhs: lhs < rhs if down else lhs > rhs)
        return combine("OR", [compared, self._null(True)]) if self.nulls_last else compared


def by_rows(steps: Sequence[Step]) -> Condition:
    """Return `(a, b) > (?, ?)`."""
    mine: Any = sa.tuple_(*(step.term.sa for step in steps))
    theirs: Any = sa.tuple_(*(step.rhs().sa for step in steps))
    return Condition(
        mine < theirs if steps[0].descending else mine > theirs,
        joins=frozenset[Any]().union(*(step.term.joins for step in steps)),
        rejects=frozenset[Any]().union(*(step.term.strict for step in steps)),
    )


class Page(Generic[T]):
    """Some rows of a queryset in its order; `next` and `previous` are cursors, None where nothing follows."""

    __slots__ = ("items", "next", "previous")

    def __init__(self, items: list[T], next: str | None, previous: str | None) -> None:
        self.items = items
        self.next = next
        self.previous = previous

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"<Page {self.items!r}>"


class Keyset(Chain[M, R]):
    """The part of a QuerySet that pages by keys."""

    def after(self, cursor: str | None) -> Self:
        """Return the rows that come after the one that a cursor names; from the beginning for None.

        The key is added to the order where it isn't there, so that no two rows share a place. Raises InvalidCursor
        for what is no cursor of this order, FieldError for an order by anything but names.
        """
        return self._from(cursor, False)

    def before(self, cursor: str | None) -> Self:
        """Return the rows that come before the one that a cursor names, the nearest first, as for `reverse()`."""
        return self._from(cursor, True)

    def cursor_for(self, row: Any) -> str:
        """Return the cursor of one of the queryset's rows: text that can stand in a URL. No query."""
        names = self.query.values_fields
        entries = order_of(self)
        return encoded(entries, self.model, [entry.value(row, names) for entry in entries])

    def page(self, size: int, *, after: str | None = None, before: str | None = None) -> Page[R]:
        """Return up to `size` rows after or before a cursor, in the queryset's order. One SELECT."""
        found = cast(Any, self)._run(terminals.results, self._of_page(size, after, before))
        return self._as_page(found, size, after, before)

    async def apage(self, size: int, *, after: str | None = None, before: str | None = None) -> Page[R]:
        """Return up to `size` rows after or before a cursor. See `page()`."""
        found = await cast(Any, self)._arun(terminals.results, self._of_page(size, after, before))
        return self._as_page(found, size, after, before)

    def _from(self, cursor: str | None, backwards: bool) -> Self:
        self._not_combined("before" if backwards else "after")
        entries = order_of(self)
        values = None if cursor is None else decoded(cursor, entries, self.model)
        if backwards:
            entries = [entry.flipped() for entry in entries]
        made = self.order_by(*(entry.item() for entry in entries))
        return made if values is None else made.filter(Position(entries, values))

    def _of_page(self, size: int, after: str | None, before: str | None) -> Any:
        if after is not None and before is not None:
            raise TypeError("A page is after one cursor or before one, not both.")
        if size < 1:
            raise ValueError("A page has one row at least.")
        made: Any = self.after(after) if before is None else self.before(before)
        if self.query.values_fields is None:
            entries = order_of(self)
            made = made._made_later()._loading(
                [entry.name for entry in entries if entry.field and SEP not in entry.name]
            )
            made = made.annotate(**{hidden: F(name) for name, hidden in self._hidden(entries).items()})
        return made[: size + 1]

    def _hidden(self, entries: Sequence[Entry]) -> dict[str, str]:
        """Return the names whose values objects don't have by themselves, and what a page's query calls them."""
        query = self.query
        if query.values_fields is not None:
            return {}
        selected = {op[1] for op in query.ops if op[0] == "annotate" and op[3]}
        joined: Sequence[str] = ()
        if query.select_related not in (True, False) and query.deferred == (frozenset(), True):
            joined = cast(Any, query).select_related

        def at_hand(entry: Entry) -> bool:
            if entry.named:
                return entry.name in selected
            holder = entry.name.rpartition(SEP)[0]
            return not holder or any(f"{path}{SEP}".startswith(f"{holder}{SEP}") for path in joined)

        missing = [entry.name for entry in entries if not at_hand(entry)]
        return {name: f"_cursor_{number}" for number, name in enumerate(missing)}

    def _as_page(self, found: list[R], size: int, after: str | None, before: str | None) -> Page[R]:
        more = len(found) > size
        items = found[:size]
        if before is not None:
            items.reverse()
        ahead = bool(items) and (more or before is not None)
        behind = bool(items) and (after is not None if before is None else more)
        entries, names = order_of(self), self.query.values_fields
        hidden = self._hidden(entries)

        def cursor(row: Any) -> str:
            values = [
                row.__dict__[hidden[entry.name]] if entry.name in hidden else entry.value(row, names)
                for entry in entries
            ]
            return encoded(entries, self.model, values)

        following = cursor(items[-1]) if ahead else None
        preceding = cursor(items[0]) if behind else None
        for name in hidden.values():
            for row in found:
                row.__dict__.pop(name, None)
        return Page(items if self._into is None else self._into.made(items), following, preceding)


def order_of(queryset: Any) -> list[Entry]:
    """Return the order of a queryset, with what tells rows of equal rank apart: in the direction of the last entry."""
    query = queryset.query
    meta = query.model._meta
    wanted: Sequence[Any] = (query.order_by or meta.ordering) if queryset.ordered else ()
    found: dict[str, Entry] = {}
    for item in wanted:
        for entry in entries_of(query, meta, item):
            found.setdefault(entry.name, entry.flipped() if query.reversed else entry)
    down = list(found.values())[-1].descending if found else bool(query.reversed)
    for name in ties(queryset):
        for entry in entries_of(query, meta, name):
            found.setdefault(entry.name, entry._replace(descending=down))
    return list(found.values())


def ties(queryset: Any) -> Sequence[str]:
    """Return the names that are unique together in the rows: the key, or what they are grouped by or distinct in."""
    query = queryset.query
    grouped: tuple[str, ...] = queryset._grouping_names()
    if grouped:
        return grouped
    if query.distinct and query.values_fields is not None and not query.distinct_fields:
        return query.values_fields  # type: ignore[no-any-return]
    for name in query.values_fields or ():
        if (
            name not in query.annotation_names
            and paths.resolve(query.model._meta, name.split(SEP)).first_multiple() is not None
        ):
            raise FieldError(
                f"A cursor can't tell apart the rows that {name!r} makes of one object. Give it a name with annotate() "
                "and order by that."
            )
    return [field.attname for field in query.model._meta.pk_fields]


def entries_of(query: Any, meta: Any, item: Any, prefix: str = "") -> list[Entry]:
    """Return the entries for an item of order_by(), or of the Meta.ordering of the relation that `prefix` names."""
    name, descending, nulls = named(item)
    whole = prefix + name
    if whole in query.annotation_names:
        return [Entry(whole, descending, nulls, None, (whole,), True)]
    path = paths.resolve(meta, name.split(SEP), query.annotation_names)
    if path.rest or path.first_multiple() is not None:
        raise FieldError(not_in_a_cursor(whole))
    last = name.split(SEP)[-1]
    if isinstance(path.value_field, TupleField) and (last == "pk" or not path.is_relation):
        start = whole[: len(whole) - len(last)]
        parts = [
            entry for part in path.value_field.fields for entry in entries_of(query, path.meta, part.attname)
        ]
        return [placed(e, start)._replace(descending=descending, nulls=nulls) for e in parts]
    attname = getattr(path.field, "attname", None)
    if path.is_relation and path.meta.ordering and last not in (attname, "pk"):
        below = [entry for nested in path.meta.ordering for entry in entries_of(query, path.meta, nested)]
        below = [placed(entry, whole + SEP) for entry in below]
        return [entry.flipped() for entry in below] if descending else below
    field = path.field
    start = whole[: len(whole) - len(last)]
    if attname is None:  # the key of a related object
        field, start = path.meta.pk, whole + SEP
    pk = ("pk",) if field.primary_key else ()
    spellings = tuple(start + spelling for spelling in (field.attname, field.name, *pk))
    return [Entry(spellings[0], descending, nulls, paths.plain_field(field), (whole, *spellings))]


def placed(entry: Entry, prefix: str) -> Entry:
    """Return an entry of a related model's order, as seen from here."""
    spellings = tuple(prefix + spelling for spelling in entry.spellings)
    return entry._replace(name=prefix + entry.name, spellings=spellings)


def named(item: Any) -> tuple[str, bool, str | None]:
    """Return the name, the direction and the place of NULLs of an item of order_by(); FieldError for an expression."""
    if isinstance(item, str) and item != "?":
        return item.lstrip("-+"), item.startswith("-"), None
    name = getattr(getattr(item, "expression", item), "name", None)
    if isinstance(item, OrderBy | F) and isinstance(getattr(item, "expression", item), F):
        return str(name), bool(getattr(item, "descending", False)), getattr(item, "nulls", None)
    raise FieldError(not_in_a_cursor(item))


def not_in_a_cursor(item: Any) -> str:
    """Word the error of an order whose value a row does not have."""
    return (
        f"A cursor needs the value by which a row is ordered, and a row has none for {item!r}. Give it a name with "
        "annotate() and order by that."
    )


# Text


def encoded(entries: Sequence[Entry], model: Any, values: Sequence[Any]) -> str:
    """Return a cursor as text for a URL."""
    packed = json.dumps(
        [signature(entries, model), [plain(value) for value in values]], separators=(",", ":")
    )
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def decoded(cursor: str, entries: Sequence[Entry], model: Any) -> list[Any]:
    """Return the values of a cursor. Raises InvalidCursor for what is none of this order."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        mark, given = json.loads(raw)
        values: list[Any] = [unpacked(value) for value in given]
    except (
        TypeError, ValueError, KeyError, ArithmeticError, RecursionError, binascii.Error
    ) as error:  # fmt: skip
        raise InvalidCursor(f"This is no cursor: {cursor!r}.") from error
    if mark != signature(entries, model) or len(values) != len(entries):
        order = ", ".join(f"-{entry.name}" if entry.descending else entry.name for entry in entries)
        raise InvalidCursor(
            f"This cursor is of another ordering. Here {model._meta.object_name} is ordered by {order}."
        )
    for entry, value in zip(entries, values, strict=True):
        check(entry, value)
    return values


def check(entry: Entry, value: Any) -> None:
    """Refuse a value that the field can't have."""
    if entry.field is None or value is None:
        return
    try:
        entry.field.to_python(value)
        entry.field.get_prep_value(value)
    except (TypeError, ValueError, ArithmeticError, ValidationError) as error:
        raise InvalidCursor(f"A cursor can't have {value!r} for {entry.name!r}.") from error


def signature(entries: Sequence[Entry], model: Any) -> str:
    """Return a mark that only cursors of this model and order have."""
    said = repr((model._meta.label, [entry.key for entry in entries]))
    return base64.b64encode(hashlib.blake2s(said.encode(), digest_size=6).digest()).decode()


PACKERS: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    dt.datetime: ("at", dt.datetime.isoformat, dt.datetime.fromisoformat),
    dt.date: ("on", dt.date.isoformat, dt.date.fromisoformat),
    dt.time: ("time", dt.time.isoformat, dt.time.fromisoformat),
    dt.timedelta: ("for", lambda v: [v.days, v.seconds, v.microseconds], lambda v: dt.timedelta(*v)),
    decimal.Decimal: ("number", str, decimal.Decimal),
    uuid.UUID: ("uuid", str, uuid.UUID),
    bytes: ("bytes", lambda v: base64.b64encode(v).decode(), base64.b64decode),
}
"""How JSON says a value that it has no type for: its mark, and the ways there and back."""

UNPACKERS = {mark: back for mark, _, back in PACKERS.values()}


def plain(value: Any) -> Any:
    """Return a value as JSON has it. Raises TypeError for one that can't be in a cursor."""
    if value is None or isinstance(value, str | int | float):
        return value
    for cls in type(value).__mro__:
        if cls in PACKERS:
            mark, there, _ = PACKERS[cls]
            return {mark: there(value)}
    raise TypeError(f"A value of {type(value).__name__} can't be in a cursor: {value!r}.")


def unpacked(value: Any) -> Any:
    """Return the value that JSON stands for."""
    if isinstance(value, list):
        raise TypeError("a list is no value of a cursor")
    if not isinstance(value, dict):
        return value
    ((mark, said),) = cast("dict[str, Any]", value).items()
    return UNPACKERS[mark](said)
