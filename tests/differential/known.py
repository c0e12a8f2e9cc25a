"""Which differences are known: those that docs/django-differences.md lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .libraries import Failed
from .schemas import Schema, Table
from .source import Code, Question

# Django's SQL is refused by the database, or Django's own code fails: nobody relies on that.
BROKEN = frozenset(
    {
        "OperationalError", "ProgrammingError", "NotSupportedError", "DataError", "InternalError", "AttributeError",
        "KeyError", "IndexError", "AssertionError", "RecursionError", "OverflowError", "InvalidOperation",
        "FullResultSet", "NotImplementedError", "JSONDecodeError",
    }
)  # fmt: skip
INNER = frozenset({"inner", "queryset"})
QUOTED = re.compile(r"'(\w+)'")
MERGED = re.compile(r"\{\} [|&] \{\}")
NAMED = re.compile(r"(\w+)=\{")
NOTHING = re.compile(r"=\[(None)?\]|\.none\(\)|\[:0\]")
SELECTED = re.compile(r"\.select_related\(([^()]+)\)")


# Names that don't exist and values that a lookup refuses are errors here also where nothing reads them.
EARLY = re.compile(r"nope|year -?\d+ is out of range|isnull lookup must be True or False")
# Django refuses such an expression always, ours where its value is read or compared.
MIXED = re.compile(r"mixed types: \w+, \w+\.|Cannot infer type of")


def verdict(expected: Any, found: Any) -> str:
    """Name how two answers compare: same, both raise, Django fails, or how they differ."""
    if MIXED.search(repr(expected)) and not MIXED.search(repr(found)):
        return "mixed types"
    if isinstance(expected, Failed):
        if isinstance(found, Failed):
            same = expected.kind == found.kind or expected.kind in BROKEN
            if not same and EARLY.search(found.text):
                return "refused early"
            return "both raise" if same else "other error"
        return "Django fails" if expected.kind in BROKEN else "only Django raises"
    if isinstance(found, Failed):
        return "refused early" if EARLY.search(found.text) else "only ours raises"
    if repr(expected) == repr(found) or repr(excused(expected, found)) == repr(found):
        return "same"
    if only_ours_worked(expected, found):
        return "Django fails"
    return "other rows"


def only_ours_worked(expected: Any, found: Any) -> bool:
    """Tell whether of the same writes one failed with Django alone, by a fault of its own."""
    try:
        results = enumerate(expected[0])
        return any(failed(result) and not str(found[0][n]).startswith("raised ") for n, result in results)
    except (TypeError, KeyError, IndexError):
        return False


def failed(result: Any) -> bool:
    """Tell whether a write's result is an error that stands for a fault of Django's own."""
    return isinstance(result, str) and result.startswith("raised ") and result.split()[1] in BROKEN


def excused(expected: Any, found: Any) -> Any:
    """Return what writes gave with Django, with our errors where its own database refused what it made."""
    try:
        (results, tables), (ours, _tables) = expected, found
        return [[ours[n] if refused(result, ours[n]) else result for n, result in enumerate(results)], tables]
    except (TypeError, ValueError, IndexError):
        return expected


def refused(result: Any, ours: Any) -> bool:
    """Tell whether both are errors, Django's one that stands for a fault of its own."""
    return failed(result) and isinstance(ours, str) and ours.startswith("raised ")


def confuses_django(asked: Question, schema: Schema) -> bool:
    """Tell whether Django may take one joined table for another.

    Its negated subquery is tied to the related object that the same filter() call is about, but it finds
    that object's table by its alias: where the table is joined more than once, over another relation or
    by an earlier call, it may tie the subquery to the wrong one, or to none. Under two NOTs it joins, and what
    it takes for NULL depends on the order of the conditions.
    """
    steps = [*asked.steps, asked.end]
    if mixed_up([list(own(step)) for step in steps], asked.model, schema):
        return True
    merged = [part for part in asked.end.parts if part.kind in INNER]
    if MERGED.search(asked.end.text):  # the conditions of both stand in one query
        names = [name for part in merged for name in own(part, inside=True)]
        if mixed_up([names], asked.model, schema):
            return True
    for step in steps:
        for piece, _ in step.walk():
            if piece.kind in INNER:
                model = str(piece).split(".", 1)[0]
                if mixed_up([list(own(piece, inside=True))], model, schema):
                    return True
    return False


def chooses_by_subquery(asked: Question) -> bool:
    """Tell whether a condition on a window's value has a queryset beside it that must be read with it.

    Django selects the queryset as a value then, of which SQLite compares the first row alone.
    """
    windows = {
        name
        for step in asked.steps
        if any(piece.kind == "windowed" for piece, _ in step.walk())
        for name in NAMED.findall(step.text)
    }
    for step in asked.steps if windows else ():
        for piece, negated in step.walk():
            if not (negated or piece.negates or piece.between in (" | ", " ^ ")):
                continue
            named = {name.split("__", 1)[0] for name, _under, _lookup in own(piece)}
            if named & windows and any(inside.kind == "queryset" for inside, _ in piece.walk()):
                return True
    return False


def unites_with_nothing(asked: Question) -> bool:
    """Tell whether a union may have but one side with rows, as Django sees: then that one's rows repeat there."""
    text = str(asked)
    return ".union(" in text and NOTHING.search(text) is not None


def leaves_parents_out(asked: Question, schema: Schema) -> bool:
    """Tell whether select_related() goes from a child to another child of its parent.

    Django then takes the parent's columns of the other for loaded already; they are read by one more query.
    """
    for paths in SELECTED.findall(str(asked)):
        for path in QUOTED.findall(paths):
            table = schema.models[asked.model]
            for name in path.split("__"):
                relation = table.relations.get(name)
                if relation is None:
                    break
                other = schema.models[relation.target]
                if table.parent and other.parent and root(schema, table) == root(schema, other):
                    return True
                table = other
    return False


def own(code: Code, negated: int = 0, inside: bool = False) -> Iterator[tuple[str, int, bool]]:
    """Yield names that a piece says outside of subqueries: under how many NOTs, and whether as a lookup."""
    if code.kind in INNER and not inside:
        return
    if code.lookup is not None:
        none = any(part.text == "None" for part in code.parts)
        yield code.lookup[1] + ("__isnull" if none else ""), negated, True
    for name in QUOTED.findall(code.text):
        yield name, negated, False
    for part in code.parts:
        yield from own(part, negated + code.negates)


def mixed_up(steps: list[list[tuple[str, int, bool]]], model: str, schema: Schema) -> bool:
    """Tell whether a negated lookup may be tied to the wrong join of its first many-valued table."""
    earlier: set[str] = {root(schema, schema.models[model])}
    for names in steps:
        found = [(hops(schema, model, name), negated if lookup else 0) for name, negated, lookup in names]
        ties = [tie for passed, under in found if under for tie in [first_many(passed)] if tie is not None]
        joined = {
            (relation, table)
            for passed, under in found
            if not (under and first_many(passed))
            for relation, table, _many in passed
        }
        if any(under > 1 and passed for passed, under in found) and len(found) > 1:
            return True
        if any(shared(one, other) for one in found for other in found):
            return True
        asks_null = [
            passed for (passed, under), said in zip(found, names) if under and said[0].endswith("isnull")
        ]
        if any(
            shared((passed, 1), (other, 0))
            for passed in asks_null
            for other, _ in found
            if other is not passed
        ):
            return True
        # Asked for missing rows, the subquery keeps the table before the first with several rows, and is tied to that.
        for passed in asks_null:
            way = [(relation, table) for relation, table, _many in passed[: first_place(passed)]]
            before = [table for _relation, table in way]
            if before and (before[-1] in earlier or before[-1] in before[:-1]):
                return True
            if way and any(of == way[-1][1] and other != way[-1][0] for other, of in joined):
                return True
        for relation, table in ties:
            if sum(bool(passed) for passed, _ in found) > 1 and repeated(
                found, relation, table, schema, model
            ):
                return True
            meant = [other for other, of in joined if of == table]
            if any(other != relation for other in meant) or (meant and table in earlier):
                return True
        earlier |= {table for passed, _ in found for _, table, _many in passed}
    return False


def shared(
    one: tuple[list[tuple[str, str, bool]], int], other: tuple[list[tuple[str, str, bool]], int]
) -> bool:
    """Tell whether a negated lookup goes over a relation that another one does, which is not negated so.

    Whether Django guards it against NULL depends on how the table was joined when it came.
    """
    (passed, under), (others, above) = one, other
    return (
        bool(under) and bool(under) != bool(above) and bool({h[0] for h in passed} & {h[0] for h in others})
    )


def repeated(
    found: list[tuple[list[tuple[str, str, bool]], bool | int]],
    relation: str,
    table: str,
    schema: Schema,
    model: str,
) -> bool:
    """Tell whether a table occurs earlier on the way to a relation: its alias is a number then, which may be another's."""
    for passed, _ in found:
        names = [hop for hop, _table, _many in passed]
        if relation in names:
            before = [of for _hop, of, _many in passed[: names.index(relation)]]
            return table in (root(schema, schema.models[model]), *before)
    return False


def first_place(passed: list[tuple[str, str, bool]]) -> int:
    """Return the number of the first hop that may meet several rows, 0 without one."""
    return next((number for number, (_relation, _table, many) in enumerate(passed) if many), 0)


def first_many(passed: list[tuple[str, str, bool]]) -> tuple[str, str] | None:
    """Return the first hop that may meet several rows."""
    return next(((relation, table) for relation, table, many in passed if many), None)


def hops(schema: Schema, model: str, name: str) -> list[tuple[str, str, bool]]:
    """Return the relations that a name follows, by their place in the path, the tables, and whether to several rows."""
    found: list[tuple[str, str, bool]] = []
    so_far, table = "", schema.models[model]
    for part in name.split("__"):
        relation = table.relations.get(part)
        if relation is None:
            break
        so_far += "." + part
        if relation.through:
            found.append((so_far, relation.through, True))
        table = schema.models[relation.target]
        found.append((so_far, root(schema, table), relation.many and not relation.through))
    return found


def root(schema: Schema, table: Table) -> str:
    """Return the name of the first table of a model's chain of parents."""
    while table.parent:
        table = schema.models[table.parent]
    return table.name
