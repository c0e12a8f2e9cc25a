"""From rows to results, by functions generated once per plan."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict, namedtuple
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast
from weakref import ref

import sqlalchemy as sa
from sqlalchemy.engine import processors
from sqlalchemy.sql import functions

from ormolu.compile.layout import Layout, Node
from ormolu.compile.peers import Habits, Origin, Together, may_lack, together
from ormolu.compile.shells import shell_of, takes_attributes
from ormolu.compile.terms import Term
from ormolu.compile.tuples import TupleTerm, width
from ormolu.fields.types.base import nullable
from ormolu.fields.types.numeric import DecimalType
from ormolu.fields.types.temporal import read_utc, wall_clock
from ormolu.signals import post_init, pre_init

Decode = Callable[[Any], Any]

# Conversions of each row's dates, written out where the value is read: `{f}` is the function (None: the conversion
# itself), `{c}` the value, which isn't None.
_INLINE: dict[Any, tuple[str, Callable[[Any], Any] | None]] = {
    processors.str_to_datetime: ("{f}({c})", dt.datetime.fromisoformat),
    processors.str_to_date: ("{f}({c})", dt.date.fromisoformat),
    processors.str_to_time: ("{f}({c})", dt.time.fromisoformat),
    read_utc: (
        "(v if (v := {f}({c})).tzinfo is not None else v.replace(tzinfo=utc))",
        dt.datetime.fromisoformat,
    ),
    wall_clock: ("({c} if {c}.tzinfo is None else {f}({c}))", None),
}


def converter(term: Term, driver: Any) -> Callable[[Any], Any] | None:
    """Return what turns a driver's value into the field's, None where nothing does."""
    process = typed_converter(term, driver)
    custom = getattr(term.field, "from_db_value", None)
    if custom is None:
        return process
    connection = driver.database

    def convert(value: Any) -> Any:
        return custom(
            process(value) if process is not None and value is not None else value, None, connection
        )

    convert.takes_null = True  # type: ignore[attr-defined]
    return convert


def typed_converter(term: Term, driver: Any) -> Callable[[Any], Any] | None:
    """Return what turns a driver's value into one of the column's type, before a user's field sees it."""
    type_, process = term.type, None
    if driver.dialect.name == "postgresql" and isinstance(type_, (sa.Numeric, sa.Float)):
        process = (
            None if type_.asdecimal else nullable(float)
        )  # SQLAlchemy's processor asks for the server's type
    else:
        process = type_.dialect_impl(driver.dialect).result_processor(driver.dialect, None)
    return of_computed(term, process, driver.dialect) if term.is_computed else process


def of_computed(
    term: Term, process: Callable[[Any], Any] | None, dialect: Any
) -> Callable[[Any], Any] | None:
    """Return the conversion of a value that the database has computed: it may be of another numeric class.

    Raises FieldError where an expression has values of unlike types, and so none itself.
    """
    if term.field is None:
        if term.why is not None:
            raise term.untyped()
    elif process is None:
        kind = term.field.get_internal_type()
        if kind == "FloatField":
            process = float
        elif kind == "DecimalField":
            process = exact
        elif kind.endswith(("IntegerField", "AutoField")) and not counts(term.sa):
            process = int
    elif term.field.get_internal_type() == "DurationField":
        process = rounded(process)
    elif isinstance(term.type, DecimalType):
        process = term.type.computed_processor(dialect)
    after = term.convert
    if after is None or process is None:
        return after or process
    first = process
    return lambda value: after(first(value))


def counts(element: Any) -> bool:
    """Tell whether an element is a COUNT(), whose result is an integer on every database."""
    return (
        isinstance(element, functions.FunctionElement)
        and str(getattr(cast(Any, element), "name", "")).upper() == "COUNT"
    )


def rounded(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the conversion of computed microseconds, which SUM and AVG may give as decimals."""
    return lambda value: read(round(value))


def exact(value: Any) -> Decimal:
    """Return a number as a Decimal; a float's digits past the fifteenth are noise."""
    return (
        value
        if value.__class__ is Decimal
        else Decimal(format(value, ".15g") if value.__class__ is float else value)
    )


class _Source:
    """Collects the lines of a generated function and the objects it uses."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {"utc": dt.UTC}
        self.before: list[str] = []  # lines before the loop
        self.as_is: dict[str, str] = {}  # values that may need no conversion: what says so, by the expression
        self.lines: list[str] = []

    def value(self, place: int, term: Term, driver: Any) -> str:
        """Return the expression for the converted value at a place of the row."""
        if isinstance(term, TupleTerm):
            parts = [self.value(place + n, part, driver) for n, part in enumerate(term.parts)]
            return f"({', '.join(parts)},)"
        convert = converter(term, driver)
        if convert is None:
            return f"c{place}"
        never_null = not (term.nullable or term.joins or term.aggregate)
        inline = _INLINE.get(getattr(convert, "func", convert))  # the function of a partial
        if inline is not None and never_null and inline[1] is None:
            # A column has a time zone or not: the first row says it of all.
            self.scope[f"f{place}"] = convert
            first = f"rows[0][{place}]"
            self.before.append(
                f"    as_is{place} = bool(rows) and {first} is not None and {first}.tzinfo is None"
            )
            text = f"(c{place} if as_is{place} else f{place}(c{place}))"
            self.as_is[text] = f"as_is{place}"
            return text
        if inline is not None:
            text, self.scope[f"f{place}"] = inline[0], inline[1] or convert
            return f"({text.format(f=f'f{place}', c=f'c{place}')} if c{place} is not None else None)"
        self.scope[f"f{place}"] = convert
        if getattr(convert, "takes_null", False) or never_null:
            return f"f{place}(c{place})"
        return f"f{place}(c{place}) if c{place} is not None else None"

    def values(self, terms: Sequence[Term], driver: Any) -> list[str]:
        """Return the expressions for the values of terms, which stand in a row one after the other."""
        found: list[str] = []
        place = 0
        for term in terms:
            found.append(self.value(place, term, driver))
            place += width(term)
        return found

    def compile(self, name: str) -> Any:
        """Run the text and return the function."""
        exec("\n".join(self.lines), self.scope)
        return self.scope[name]


def row_names(terms: Sequence[Term], hidden: int = 0) -> str:
    """Return the target of `for ... in rows`."""
    return ", ".join(f"c{n}" for n in range(sum(map(width, terms)) + hidden)) + ","


def tuples(terms: Sequence[Term], driver: Any, *, hidden: int = 0, native: bool = True) -> Decode:
    """Return rows -> list of tuples."""
    source = _Source()
    values = source.values(terms, driver)
    if native and not hidden and all(value == f"c{n}" for n, value in enumerate(values)):
        return list
    if native and not hidden and all(v == f"c{n}" or v in source.as_is for n, v in enumerate(values)):
        source.before.append(f"    if {' and '.join(source.as_is.values())}: return list(rows)")
    source.lines = [
        "def decode(rows):",
        *source.before,
        f"    return [({', '.join(values)},) for {row_names(terms, hidden)} in rows]",
    ]
    return source.compile("decode")  # type: ignore[no-any-return]


def flat(terms: Sequence[Term], driver: Any, *, hidden: int = 0) -> Decode:
    """Return rows -> list of the first column."""
    source = _Source()
    value = source.value(0, terms[0], driver)
    source.lines = [
        "def decode(rows):",
        *source.before,
        f"    return [{value} for {row_names(terms, hidden)} in rows]",
    ]
    return source.compile("decode")  # type: ignore[no-any-return]


def dicts(names: Sequence[str], terms: Sequence[Term], driver: Any, *, hidden: int = 0) -> Decode:
    """Return rows -> list of dicts."""
    source = _Source()
    values = source.values(terms, driver)
    body = ", ".join(f"{name!r}: {value}" for name, value in zip(names, values, strict=True))
    source.lines = [
        "def decode(rows):",
        *source.before,
        f"    return [{{{body}}} for {row_names(terms, hidden)} in rows]",
    ]
    return source.compile("decode")  # type: ignore[no-any-return]


def named(names: Sequence[str], terms: Sequence[Term], driver: Any, *, hidden: int = 0) -> Decode:
    """Return rows -> list of named tuples called Row (as Django's)."""
    row = row_class(tuple(names))
    inner = tuples(terms, driver, hidden=hidden, native=False)
    make = row._make
    return lambda rows: [make(values) for values in inner(rows)]


@lru_cache(maxsize=512)
def row_class(names: tuple[str, ...]) -> Any:
    """Return the class of named tuples with these names. A pickle makes it anew."""

    def reduce(self: Any) -> tuple[Any, ...]:
        return unpickled_row, (names, tuple(self))

    base: Any = namedtuple("Row", names)  # type: ignore[misc]
    return type("Row", (base,), {"__slots__": (), "__reduce__": reduce})


def unpickled_row(names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """Return a row of a pickle."""
    return row_class(names)._make(values)


def instances(layout: Layout, driver: Any, db: str, *, hidden: int = 0, mode: Any = None) -> Decode:
    """Return rows -> list of instances, with related objects beside them.

    A related row that occurs several times becomes one object. `mode` is the fetch mode that they have.
    """

    def make(announced: bool) -> Decode:
        source, body, setup = _Source(), _Body(), _Body()
        nodes = _Nodes(source, layout, driver, _origin(db, mode), body, setup, announced)
        nodes.write(layout.root, 0, "")
        source.lines = [
            "def decode(rows):",
            *([] if announced else LISTENED),
            *source.before,
            *nodes.opening(),
            "    append = out.append",
            *setup,
            f"    for {row_names(layout.terms, hidden)} in rows:",
            *("        " + line for line in body),
            "        append(o0)",
            *nodes.closing(),
            "    return out",
        ]
        return source.compile("decode")  # type: ignore[no-any-return]

    return with_signals(make)


def key_of(node: Node) -> str:
    """Return the expression for the primary key in a row."""
    names = ", ".join(f"c{place}" for place in node.key)
    return names if len(node.key) == 1 else f"({names})"


def linked(
    layout: Layout,
    driver: Any,
    db: str,
    place: int,
    *,
    hidden: int = 0,
    mode: Any = None,
    shared: bool = True,
    back: str | None = None,
) -> Decode:
    """Return (rows, holders) -> (instances by the key at `place` of their row, all instances).

    With `shared`, a row that several holders have becomes one object, unless annotations may tell them apart. `back` is
    the attribute of an instance that refers to its holder; `holders` are these by key.
    """
    share = shared and not layout.annotations and layout.root.is_keyed
    pk, pad = key_of(layout.root), "    " if share else ""

    def make(announced: bool) -> Decode:
        source, body, setup = _Source(), _Body(), _Body()
        source.scope["defaultdict"] = defaultdict
        key = source.value(place, layout.term_at(place), driver)
        nodes = _Nodes(source, layout, driver, _origin(db, mode), body, setup, announced)
        if back is not None:
            nodes.held.append((back, "holders.get(key)"))
        nodes.write(layout.root, 0, pad)
        source.lines = [
            "def decode(rows, holders):",
            *([] if announced else [LISTENED[0], LISTENED[1].replace("(rows)", "(rows, holders)")]),
            *source.before,
            *nodes.opening(),
            "    append = out.append",
            "    groups = defaultdict(list)",
            "    seen = {}",
            *setup,
            f"    for {row_names(layout.terms, hidden)} in rows:",
            f"        key = {key}",
            *([f"        o0 = seen.get({pk})", "        if o0 is None:"] if share else []),
            *("        " + line for line in body),
            *([f"            seen[{pk}] = o0"] if share else []),
            f"        {pad}append(o0)",
            "        groups[key].append(o0)",
            *nodes.closing(),
            "    return groups, out",
        ]
        return source.compile("decode")  # type: ignore[no-any-return]

    return with_signals(make)


def _origin(db: str, mode: Any) -> str:
    """Return what an object that was loaded alone has as its alias."""
    return db if mode is None else Origin.alone(db, mode)


_Body = list[str]


def with_signals(make: Callable[[bool], Decode]) -> Decode:
    """Return a decoder that goes through `Model.from_db()`, and so sends its signals, while somebody listens."""
    announced: list[Decode] = []

    def announce(*given: Any) -> Any:
        if not announced:
            announced.append(make(True))
        return announced[0](*given)

    plain = make(False)
    plain.__globals__["announce"] = announce
    return plain


# The first lines of a decoder: asked here and not around it, for a call costs as much as a small row.
LISTENED = ["    if before.receivers or after.receivers:", "        return announce(rows)"]


def loads_itself(model: Any) -> bool:
    """Tell whether a user's `__init__` or `from_db` must see each row that is loaded (as in Django)."""
    cls: type[Any] = model
    own: Any = next((vars(base)["__init__"] for base in cls.__mro__ if "__init__" in vars(base)), None)
    generated = (
        own is vars(cls).get("_generated_init") or getattr(own, "__module__", "") == "ormolu.models.base"
    )
    if not generated and not hasattr(
        cls, "__dataclass_fields__"
    ):  # which isn't called for rows, as with SQLAlchemy
        return True
    definer = next((base for base in cls.__mro__ if "from_db" in vars(base)), None)
    return definer is not None and not definer.__module__.startswith("ormolu.")


def is_reverse(field: Any) -> bool:
    """Tell whether a relation is the far side of a key."""
    return bool(getattr(field, "auto_created", False)) and not getattr(field, "concrete", False)


class _Nodes:
    """Writes the code that makes the objects of one row."""

    def __init__(
        self,
        source: _Source,
        layout: Layout,
        driver: Any,
        db: str,
        body: list[str],
        setup: list[str],
        announced: bool,
    ) -> None:
        self.source, self.layout, self.driver = source, layout, driver
        self.body, self.setup, self.announced = body, setup, announced
        self.count = 0
        self.groups: list[int] = []  # of nodes whose objects are peers
        self.held: list[tuple[str, str]] = []  # what else the root's objects hold
        source.scope["new"] = object.__new__
        source.scope["db"] = db
        self.mode = getattr(db, "mode", None)
        source.scope.update(Origin=Origin, Together=Together, ref=ref, together=together)
        source.scope["before"], source.scope["after"] = pre_init, post_init

    def opening(self) -> list[str]:
        """Return the lines before the loop: several rows become peers, where these may have something to fetch."""
        if not self.groups:
            return ["    out = []"]
        lines = ["    if len(rows) > 1:"]
        for number in self.groups:
            self.source.scope[f"habits{number}"] = Habits(self.mode)
            lines += [f"        db{number} = Origin(db)", f"        db{number}.habits = habits{number}"]
        first = f"db{self.groups[0]}"
        return [
            *lines,
            f"        out = Together(); out.origin = {first}; {first}.holder = ref(out)",
            "    else:",
            "        out = []",
            f"        {' = '.join(f'db{number}' for number in self.groups)} = db",
        ]

    def closing(self) -> list[str]:
        """Return the lines after the loop: related objects are peers, too."""
        if not self.groups:
            return []
        groups = ", ".join(f"together(db{n}, seen{n}.values())" for n in self.groups if n)
        return ["    if len(rows) > 1:", f"        out.related = [{groups}]"]

    def write(self, node: Node, number: int, pad: str) -> None:
        """Write one node; children come first, so that a parent's dict is made at once."""
        if may_lack(node):
            self.groups.append(number)
        children: list[tuple[Node, int]] = []
        for child in node.children:
            self.count += 1
            children.append((child, self.count))
            self.child(child, self.count, pad)
        columns = [
            (field.attname, self.source.value(place, self.layout.terms[place], self.driver))
            for field, place in node.columns
        ]
        extra = self.extra(node, number, children)
        self.source.scope[f"M{number}"] = node.meta.model
        if self.announced or loads_itself(node.meta.model):
            names = f"n{number}"
            self.source.scope[names] = [name for name, _value in columns]
            values = ", ".join(value for _name, value in columns)
            self.body.append(f"{pad}o{number} = M{number}.from_db({self.db(number)}, {names}, [{values}])")
            items = ", ".join(f"{name!r}: {value}" for name, value in extra)
            self.body.append(f"{pad}o{number}.__dict__.update({{{items}}})")
        else:
            self.fill(node.meta.model, number, [*columns, *extra], pad)
        for child, at in children:
            self.link_back(child, at, number, pad)

    def db(self, number: int) -> str:
        """Return the name of what the objects of a node have as their alias."""
        return f"db{number}" if number in self.groups else "db"

    def fill(self, model: Any, number: int, entries: list[tuple[str, str]], pad: str) -> None:
        """Write how an object comes to its values: as a shell that then turns into the model, or item by item."""
        shell = shell_of(model) if all(takes_attributes(name) for name, _value in entries) else None
        target = f"o{number}"
        if shell is None:
            self.body.append(f"{pad}{target} = new(M{number})")
            self.body.append(f"{pad}d = {target}.__dict__")
            self.body.extend(f"{pad}d[{name!r}] = {value}" for name, value in entries)
            return
        self.source.scope[f"S{number}"] = shell
        self.body.append(f"{pad}{target} = S{number}()")
        for name, value in entries:
            self.body.append(f"{pad}{target}.{name} = {value}")
        self.body.append(f"{pad}{target}.__class__ = M{number}")

    def extra(self, node: Node, number: int, children: list[tuple[Node, int]]) -> list[tuple[str, str]]:
        """Return the entries beside the columns: where it came from, raw values, related objects, annotations."""
        entries = [("_db", self.db(number))]
        raw = [f"{f.attname!r}: c{place}" for f, place in node.columns if not getattr(f, "immutable", True)]
        if raw:
            entries.append(("_raw", f"{{{', '.join(raw)}}}"))
        cached: list[str] = []
        for child, at in children:
            if is_reverse(child.field) and not child.is_filtered:
                cached.append(f"{child.field.get_accessor_name()!r}: o{at}")
            else:
                entries.append((child.name, f"o{at}"))
        if cached:
            entries.append(("_prefetched_objects_cache", f"{{{', '.join(cached)}}}"))
        if number == 0:
            entries.extend(self.held)
            entries.extend(
                (name, self.source.value(place, self.layout.term_at(place), self.driver))
                for name, place in self.layout.annotations
            )
        return entries

    def child(self, child: Node, number: int, pad: str) -> None:
        """Write a related object: None where the join found nothing, the same object for the same key."""
        self.setup.append(f"    seen{number} = {{}}")
        key = key_of(child)
        missing = " or ".join(f"c{place} is None" for place in child.key)
        self.body.append(f"{pad}if {missing}:")
        self.body.append(f"{pad}    o{number} = None")
        self.body.append(f"{pad}else:")
        self.body.append(f"{pad}    o{number} = seen{number}.get({key})")
        self.body.append(f"{pad}    if o{number} is None:")
        self.write(child, number, pad + "        ")
        self.body.append(f"{pad}        seen{number}[{key}] = o{number}")

    def link_back(self, child: Node, at: int, number: int, pad: str) -> None:
        """Let the other side of a relation know its object, too, where it has only that one."""
        field = child.field
        if child.is_filtered and len(child.join.chain()) != 1:  # it may be another object's
            return
        if not getattr(field, "one_to_one", False) and not (child.is_filtered and field.one_to_many):
            return
        if is_reverse(field):
            self.body.append(f"{pad}if o{at} is not None: o{at}.__dict__[{field.field.name!r}] = o{number}")
            return
        rel = getattr(field, "remote_field", None)
        accessor = rel.get_accessor_name() if rel is not None else None
        if accessor:
            self.body.append(
                f"{pad}if o{at} is not None: "
                f"o{at}.__dict__.setdefault('_prefetched_objects_cache', {{}})[{accessor!r}] = o{number}"
            )
