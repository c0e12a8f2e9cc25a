"""A many-to-many relation whose objects a Session has loaded: a list of them, and the related manager.

SQLAlchemy's tools ask for a relation with `selectinload()`, and expect a list under its name. So that is what stands
there then. What a related manager has (`all()`, `add()`, `set()`, ...) it has as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, SupportsIndex

__all__ = ["Collected"]


class Collected(list[Any]):
    """The loaded objects, as a list. Its changes go to SQLAlchemy's collection, and are written by the Session.

    `count`, `remove`, `clear` and `reverse` are the manager's, which write at once.
    """

    def __init__(self, manager: Any, collection: Any) -> None:
        super().__init__(collection)
        self.manager = manager
        self.collection = collection
        vars(self).update({name: getattr(manager, name) for name in ("count", "remove", "clear", "reverse")})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.manager, name)

    def append(self, item: Any) -> None:
        """Connect an object when the Session flushes."""
        self.collection.append(item)
        super().append(item)

    def extend(self, items: Iterable[Any]) -> None:
        """Connect objects when the Session flushes."""
        for item in items:
            self.append(item)

    def __iadd__(self, items: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(items)
        return self

    def insert(self, index: SupportsIndex, item: Any) -> None:
        """Connect an object when the Session flushes."""
        self.collection.insert(index, item)
        super().insert(index, item)

    def pop(self, index: SupportsIndex = -1) -> Any:
        """Disconnect an object when the Session flushes, and return it."""
        self.collection.pop(index)
        return super().pop(index)

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        del self.collection[index]
        super().__delitem__(index)

    def __setitem__(self, index: Any, item: Any) -> None:
        self.collection[index] = item
        super().__setitem__(index, item)
