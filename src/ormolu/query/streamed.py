"""What `iterator()` gives."""

from __future__ import annotations

from collections.abc import Generator
from itertools import chain
from typing import Any, TypeVar

T = TypeVar("T")


class Streamed(chain[T]):
    """The items of lists that arrive one after the other. To a loop it costs what a list does."""

    _lists: Generator[list[T], None, None]

    def close(self) -> None:
        """End the statement now; what has arrived is still given."""
        self._lists.close()


def streamed(lists: Generator[list[T], None, None]) -> Streamed[T]:
    """Return the items of these lists."""
    made: Any = Streamed.from_iterable(lists)
    made._lists = lists
    return made  # type: ignore[no-any-return]
