"""Random questions, as data that either ORM can be asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

# Kind of each column: s(tring) or i(nteger), with ? where it may be NULL.
COLUMNS = {
    "P": {"name": "s", "city": "s?", "id": "i"},
    "A": {"name": "s", "age": "i", "bio": "s?", "id": "i"},
    "T": {"label": "s", "id": "i"},
    "B": {"title": "s", "pages": "i?", "year": "i", "id": "i"},
    "W": {"title": "s", "id": "i"},
}
RELATIONS = {
    "P": {"authors": "A"},
    "A": {"publisher": "P", "friends": "A", "fans": "A", "books": "B", "edited": "B", "awards": "W"},
    "T": {"books": "B"},
    "B": {"author": "A", "editor": "A", "tags": "T"},
    "W": {"author": "A"},
}
SINGLE = {"publisher", "author", "editor"}
TEXTS = ["x", "y", "z", "a", "b", "hi", "R", "t", "u", "p", "1"]
NUMBERS = [1, 2, 3, 10, 20, 30, 40, 2000, 2001]


@dataclass(frozen=True)
class Reference:
    """Stands for F(name)."""

    name: str


@dataclass
class Question:
    """A model, what is chained on its manager, and how the result is read."""

    model: str
    steps: list[tuple[str, Any]]
    end: str
    fields: list[str]
    aggregate: tuple[str, str, bool]
    having: bool
    order: str


def path(chance: Random, model: str, longest: int = 2) -> tuple[list[str], str]:
    """Return relations to follow from a model, and where they lead."""
    parts: list[str] = []
    while len(parts) < longest and chance.random() < 0.55:
        name = chance.choice(list(RELATIONS[model]))
        parts.append(name)
        model = RELATIONS[model][name]
    return parts, model


def lookup(chance: Random, model: str, negated: bool) -> tuple[str, Any]:
    """Return one keyword lookup.

    Columns of other rows are not compared under NOT: there Django loses rows whose other side is missing.
    """
    parts, target = path(chance, model)
    if parts and chance.random() < 0.2:
        name, kind = "__".join(parts), chance.random()
        if kind < 0.4:
            return f"{name}__isnull", chance.random() < 0.5
        if kind < 0.8:
            return name, chance.randint(1, 5)
        return f"{name}__in", [chance.randint(1, 5) for _ in range(chance.randint(0, 3))]
    column = chance.choice(list(COLUMNS[target]))
    kind, name = COLUMNS[target][column], "__".join([*parts, column])
    if chance.random() < 0.1:
        return f"{name}__isnull", chance.random() < 0.5
    if "?" in kind and chance.random() < 0.15:
        return name, None
    if kind[0] == "s":
        return text_lookup(chance, name)
    return number_lookup(chance, name, model, negated)


def text_lookup(chance: Random, name: str) -> tuple[str, Any]:
    """Return a lookup of a text column."""
    how = chance.choice(["", "__in", "__gt", "__lte", "__icontains", "__istartswith"])
    if how == "__in":
        return name + how, [chance.choice(TEXTS) for _ in range(chance.randint(0, 3))]
    return name + how, chance.choice(TEXTS)


def number_lookup(chance: Random, name: str, model: str, negated: bool) -> tuple[str, Any]:
    """Return a lookup of a number column."""
    how = chance.choice(["", "__in", "__gt", "__gte", "__lt", "__range"])
    if how == "__in":
        return name + how, [chance.choice(NUMBERS) for _ in range(chance.randint(0, 3))]
    if how == "__range":
        return name + how, tuple(sorted([chance.choice(NUMBERS), chance.choice(NUMBERS)]))
    if not negated and chance.random() < 0.15:
        parts, target = path(chance, model, 1)
        numbers = [column for column, kind in COLUMNS[target].items() if kind[0] == "i"]
        return name + how, Reference("__".join([*parts, chance.choice(numbers)]))
    return name + how, chance.choice(NUMBERS)


def condition(chance: Random, model: str, depth: int = 2, negated: bool = False) -> Any:
    """Return a tree of conditions: a lookup, or (connector, parts)."""
    if depth == 0 or chance.random() < 0.55:
        return lookup(chance, model, negated)
    kind = chance.choice(["AND", "OR", "NOT"])
    if kind == "NOT":
        return kind, [condition(chance, model, depth - 1, True)]
    return kind, [condition(chance, model, depth - 1, negated) for _ in range(chance.randint(2, 3))]


def aggregate(chance: Random, model: str) -> tuple[str, str, bool]:
    """Return an aggregate: its name, what of, and whether of distinct values."""
    parts, target = path(chance, model)
    if chance.random() < 0.5:
        return "Count", "__".join(parts) or "id", chance.random() < 0.3
    numbers = [column for column, kind in COLUMNS[target].items() if kind[0] == "i"]
    name = chance.choice(["Sum", "Min", "Max", "Avg", "Count"])
    return name, "__".join([*parts, chance.choice(numbers)]), False


ENDS = ["rows", "rows", "rows", "count", "values", "group", "exists", "aggregate", "order", "distinct"]


def question(chance: Random) -> Question:
    """Return a random question."""
    model = chance.choice(list(COLUMNS))
    steps: list[tuple[str, Any]] = []
    for _ in range(chance.randint(1, 3)):
        kind = chance.random()
        if kind < 0.4:
            steps.append(("filter", condition(chance, model)))
        elif kind < 0.65:
            steps.append(("exclude", condition(chance, model, 2, True)))
        elif kind < 0.72:
            steps.append(("exclude", ("AND", [lookup(chance, model, True) for _ in range(2)])))
        elif kind < 0.85 and not any(step[0] == "annotate" for step in steps):
            steps.append(("annotate", aggregate(chance, model)))
        else:
            steps.append(("filter", ("AND", [lookup(chance, model, False) for _ in range(2)])))
    parts, target = path(chance, model)
    return Question(
        model,
        steps,
        chance.choice(ENDS),
        [chance.choice(list(COLUMNS[model])) for _ in range(2)],
        aggregate(chance, model),
        chance.random() < 0.4,
        "__".join([*parts, next(iter(COLUMNS[target]))]),
    )


def lookups(tree: Any, negated: bool = False) -> list[tuple[str, bool]]:
    """Return the names of all lookups of a tree and whether they stand under NOT."""
    kind, rest = tree
    if kind not in ("AND", "OR", "NOT"):
        return [(kind, negated)]
    return [found for part in rest for found in lookups(part, negated or kind == "NOT")]


def confuses_django(asked: Question) -> bool:
    """Tell whether Django may take one joined table for another.

    Its negated subquery is tied to the related object that the same filter() call is about, but it finds
    that object's table by its alias: where the table is joined more than once, over another relation or
    by an earlier call, it may tie the subquery to the wrong one, or to none.
    """
    earlier: set[str] = set()
    for kind, tree in asked.steps:
        if kind == "annotate":
            earlier |= {table for _relation, table in hops(asked.model, tree[1])}
            continue
        found = lookups(tree, kind == "exclude")
        joined = {hop for name, _negated in found for hop in hops(asked.model, name)}
        negated = {table for name, under in found if under for _, table in hops(asked.model, name)}
        over: dict[str, set[str]] = {}
        for relation, table in joined:
            over.setdefault(table, set()).add(relation)
        often = Counter(table for name, _ in found for table in {t for _, t in hops(asked.model, name)})
        if any(len(over[table]) > 1 or (table in earlier and often[table] > 1) for table in negated):
            return True
        earlier |= set(over)
    return False


def hops(model: str, name: str) -> list[tuple[str, str]]:
    """Return the relations that a lookup follows, each with its place in the path, and the tables they lead to."""
    found: list[tuple[str, str]] = []
    so_far = ""
    for part in name.split("__"):
        if part not in RELATIONS[model]:
            break
        so_far += "." + part
        through = {"tags": "B.tags", "books": "B.tags" if model == "T" else ""}.get(part, "")
        if part in ("friends", "fans"):
            through = "A.friends"
        model = RELATIONS[model][part]
        found.append((so_far, through or model))
        if through:
            found.append((so_far, model))
    return found
