"""What becomes of the parts of a transaction, for those who remember what they wrote in one.

An era is what happens between two savepoints: kept or undone as a whole. Who writes a row in one notes it with the
row's object; if the era is undone, the object has values that its row hasn't, and they are to be written again.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Era", "Eras"]


class Era:
    """A part of a transaction that is kept or undone as a whole."""

    outer: Era | None = None
    """The part that this one was merged into, when its savepoint was released."""
    undone: bool | None = None

    def is_undone(self) -> bool | None:
        """Say whether what was written was undone; None as long as that is open."""
        era = self
        while era.undone is None and era.outer is not None:
            era = era.outer
        return era.undone


class Eras:
    """The open eras of one connection: that of the transaction itself, and those that savepoints begin."""

    __slots__ = ("_inner", "_whole")

    def __init__(self) -> None:
        self._whole: Era | None = None
        self._inner: dict[str, Era] = {}

    def current(self, savepoints: Sequence[str]) -> Era:
        """Return the era that a statement now belongs to. `savepoints` are those that are set, in order."""
        if savepoints:
            return self._inner.get(savepoints[-1]) or self._inner.setdefault(savepoints[-1], Era())
        era = self._whole
        if era is None:
            era = self._whole = Era()
        return era

    def merge(self, name: str, savepoints: Sequence[str]) -> None:
        """Note that a savepoint was released: what came after it belongs to what was before it."""
        if not self._inner or name not in savepoints:
            return
        place = savepoints.index(name)
        found = [self._inner.pop(one, None) for one in savepoints[place:]]
        for era in found:
            if era is not None:
                era.outer = self.current(savepoints[:place])

    def undo(self, name: str, savepoints: Sequence[str]) -> None:
        """Note that everything since a savepoint was undone."""
        if not self._inner or name not in savepoints:
            return
        for one in savepoints[savepoints.index(name) :]:
            era = self._inner.pop(one, None)
            if era is not None:
                era.undone = True

    def end(self, undone: bool) -> None:
        """Note the end of the transaction."""
        if self._whole is not None:
            self._whole.undone = undone
            self._whole = None
        if self._inner:
            for era in self._inner.values():
                era.undone = undone
            self._inner.clear()
