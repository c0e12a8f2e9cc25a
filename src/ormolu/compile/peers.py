"""Peers: objects that were loaded together, so that what one of them lacks can be fetched for all.

Each of them has, as the alias of its database, the same `Origin`: text like any other, which also knows the others.
It keeps none of them alive. As long as their list lives, it knows that alone; when the list dies before its objects,
weak references are made of them, unless it has been seen that nobody asks for them (`Habits`). So peers cost next to
nothing where they aren't used.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from sys import getrefcount
from typing import Any
from weakref import ref

DB = "_db"
PATIENCE = 8


class Habits:
    """What is known of the objects that one plan loads: their fetch mode, and whether anybody asks for their peers.

    A weak reference costs a tenth of what its object does, and few of them are ever used. So the first results of a
    plan get some when their list dies, and later ones only if somebody has asked. Who asks after that is answered by a
    search in memory: once for a plan, for from then on its results get them again.
    """

    __slots__ = ("asked", "mode", "unasked")

    def __init__(self, mode: Any = None) -> None:
        self.mode = mode  # None: the default one
        self.asked = False
        self.unasked = 0

    def worth_linking(self) -> bool:
        """Tell whether weak references may be used."""
        return self.asked or self.unasked < PATIENCE


class Origin(str):
    """The alias of the database that objects come from, with their fetch mode, and who was loaded with them."""

    __slots__ = ("habits", "holder", "links")

    habits: Habits
    holder: ref[Together]
    links: list[ref[Any]] | None  # None: the list is gone, and nobody knows which objects it had

    @classmethod
    def alone(cls, alias: str, mode: Any) -> Origin:
        """Return that of an object without peers."""
        made = cls(alias)
        made.habits = Habits(mode)
        return made

    @property
    def mode(self) -> Any:
        """The fetch mode, None for the default one."""
        return self.habits.mode

    def objects(self, model: type[Any]) -> list[Any]:
        """Return those that are still there, and are still what was loaded: objects of a model, or of its family."""
        holder = getattr(self, "holder", None)
        if holder is None:
            return []
        held: Iterable[Any] | None = holder()
        if held is None:
            self.habits.asked = True
            if self.links is None:
                recover(model)
            held = [link() for link in self.links or ()]
        return [o for o in held if getattr(o, "__dict__", {}).get(DB) is self]

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickle or deep copy is alone.
        return (str, (str(self),)) if self.mode is None else (Origin.alone, (str(self), self.mode))


class Together(list[Any]):
    """A list of objects that are peers. Who sees it needn't know that it is more than a list."""

    __slots__ = ("__weakref__", "origin", "related")

    origin: Origin
    related: list[Together]  # what was loaded for these: by a join, or by a prefetch

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return list, (list(self),)

    def __del__(self) -> None:
        origin = self.origin
        habits = origin.habits
        if not habits.worth_linking():
            origin.links = None
        elif max(map(getrefcount, self), default=0) > ALONE:
            habits.unasked += 1
            origin.links = links_to(self)
        else:
            origin.links = []
        # Objects before those that they hold: then the next list sees who holds its own.
        self.clear()
        related = getattr(self, "related", None)  # missing where a row could not be read
        while related:
            del related[0]


def together(origin: Origin, objects: Iterable[Any]) -> Together:
    """Return objects as peers."""
    made = Together(objects)
    made.origin, made.related = origin, []
    origin.holder = ref(made)
    return made


def links_to(objects: Iterable[Any]) -> list[ref[Any]]:
    """Return weak references to objects."""
    try:
        return list(map(ref, objects))
    except TypeError:  # somebody put other things into the list
        return [ref(o) for o in objects if hasattr(o, "_meta")]


def recover(model: type[Any]) -> None:
    """Find the objects of a model's family that have lost their peers, wherever they are, and link them again."""
    classes = set(family(model))
    found: dict[int, tuple[Origin, list[ref[Any]]]] = {}
    for o in gc.get_objects():
        if type(o) in classes:
            origin = o.__dict__.get(DB)
            if origin.__class__ is Origin and getattr(origin, "links", ()) is None:
                found.setdefault(id(origin), (origin, []))[1].append(ref(o))
    for origin, links in found.values():
        origin.links = links


def family(model: type[Any]) -> Iterator[type[Any]]:
    """Yield a model, its parents, and all that derives from them: rows of a query may become any of these."""
    classes = [next(cls for cls in reversed(model.__mro__) if hasattr(cls, "_meta"))]
    for cls in classes:
        yield cls
        classes.extend(cls.__subclasses__())


def may_lack(node: Any) -> bool:
    """Tell whether objects of a node of a layout may have something to fetch later: a relation or a column."""
    meta = node.meta
    return len(node.columns) < len(meta.concrete_fields) or any(f.is_relation for f in meta.get_fields())


# What getrefcount() says of an object that only one list holds.
ALONE = max(map(getrefcount, [object()]))
