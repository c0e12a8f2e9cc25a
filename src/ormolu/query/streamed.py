"""What `iterator()` gives."""

from __future__ import annotations

from collections.abc import Generator
from itertools import chain
from typing import Self, TypeVar

T = TypeVar("T")


class Streamed(chain[T]):
    """The items of lists that arrive one after the other. To a loop it costs what a list does."""

    _lists: Generator[list[T], None, None]

    @classmethod
    def of(cls, lists: Generator[list[T], None, None]) -> Self:
        """Return the items of these lists."""
        made = cls.from_iterable(lists)
        made._lists = lists  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        return made  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    def close(self) -> None:
        """End the statement now; what has arrived is still given."""
        self._lists.close()
