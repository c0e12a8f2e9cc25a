"""A page of results by its number, as web pages and reports count them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["NumberedPage", "check_page"]

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class NumberedPage(Generic[M]):
    """Some of the results: `items`, which are those of page `number` (from 1) of `size`, of `total` in all.

    A page beyond the last one has no items. Pages of a table that others write to shift; where that matters, see
    `QuerySet.page()`, which goes by keys.
    """

    items: list[M]
    total: int
    number: int
    size: int

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[M]:
        return iter(self.items)

    @property
    def pages(self) -> int:
        """How many pages there are; 0 where there are no results."""
        return -(-self.total // self.size)

    @property
    def has_next(self) -> bool:
        """Whether a page comes after this one."""
        return self.number < self.pages

    @property
    def has_previous(self) -> bool:
        """Whether a page comes before this one."""
        return self.number > 1


def check_page(number: int, size: int) -> int:
    """Return how many results come before a page. Raises ValueError for numbers below 1."""
    if number < 1 or size < 1:
        raise ValueError(f"Pages count from 1 and hold 1 at least, not page {number} of {size}.")
    return (number - 1) * size
