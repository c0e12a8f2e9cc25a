"""Peers: objects that were loaded together, so that what one of them lacks can be fetched for all.

Each of them has, as the alias of its database, the same `Origin`: text like any other, which also knows the others.
It keeps none of them alive. As long as their list lives, it knows that alone; only when the list dies before its
objects are weak references made of them. So peers cost next to nothing where nobody asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import getrefcount
from typing import Any
from weakref import ref

DB = "_db"


class Origin(str):
    """The alias of the database that objects come from, with their fetch mode, and who was loaded with them."""

    __slots__ = ("holder", "links", "mode")

    holder: ref[Together] | None
    links: list[ref[Any]]
    mode: Any  # None: the default one

    def __new__(cls, alias: str, mode: Any = None) -> Origin:
        made = str.__new__(cls, alias)
        made.mode = mode
        made.holder = None
        made.links = []
        return made

    def objects(self) -> list[Any]:
        """Return those that are still there, and are still what was loaded."""
        held = None if self.holder is None else self.holder()
        found: Iterable[Any] = [link() for link in self.links] if held is None else held
        return [o for o in found if getattr(o, "__dict__", {}).get(DB) is self]

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickle or deep copy is alone.
        return (str, (str(self),)) if self.mode is None else (Origin, (str(self), self.mode))


class Together(list[Any]):
    """A list of objects that are peers. Who sees it needn't know that it is more than a list."""

    __slots__ = ("__weakref__", "origin", "related")

    def __init__(self, origin: Origin, objects: Iterable[Any] = ()) -> None:
        super().__init__(objects)
        self.origin = origin
        self.related: list[Together] = []  # what was loaded for these: by a join, or by a prefetch
        origin.holder = ref(self)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return list, (list(self),)

    def __del__(self) -> None:
        if self and max(map(getrefcount, self)) > ALONE:
            self.origin.links = links_to(self)
        # Objects before those that they hold: then the next list sees who holds its own.
        self.clear()
        related = self.related[::-1]
        self.related.clear()
        while related:
            related.pop()


class Pairs(list[tuple[Any, Any]]):
    """Keys of holders with the peers that belong to them, and what was joined to these."""

    __slots__ = ("related",)

    related: list[Together]


def peers_of_pairs(pairs: list[tuple[Any, Any]]) -> list[Any]:
    """Return the objects of pairs, each once; as peers, if they were loaded as such."""
    found = list({id(o): o for _key, o in pairs}.values())
    if not isinstance(pairs, Pairs) or not found:
        return found
    together = Together(found[0].__dict__[DB], found)
    together.related = pairs.related
    return together


def links_to(objects: Iterable[Any]) -> list[ref[Any]]:
    """Return weak references to objects."""
    try:
        return list(map(ref, objects))
    except TypeError:  # somebody put other things into the list
        return [ref(o) for o in objects if hasattr(o, "_meta")]


def may_lack(node: Any) -> bool:
    """Tell whether objects of a node of a layout may have something to fetch later: a relation or a column."""
    meta = node.meta
    return len(node.columns) < len(meta.concrete_fields) or any(f.is_relation for f in meta.get_fields())


# What getrefcount() says of an object that only one list holds.
ALONE = max(map(getrefcount, [object()]))
