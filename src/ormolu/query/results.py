"""Reading what a lazy query finds: once, in synchronous code or in async code."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any, Generic, TypeVar

from ormolu.query.later import Fetchable

__all__ = ["Results"]

R = TypeVar("R")


class Results(Fetchable[list[R]], Generic[R]):
    """What is read as a list of rows, and awaited for one."""

    @abstractmethod
    def _fetch_all(self) -> list[R]:
        """Return all rows; they are read at the first call."""

    @abstractmethod
    async def _afetch_all(self) -> list[R]:
        """Return all rows, in async code."""

    def __iter__(self) -> Iterator[R]:
        return iter(self._fetch_all())

    def __await__(self) -> Generator[Any, Any, list[R]]:
        return self._afetch_all().__await__()

    async def __aiter__(self) -> AsyncIterator[R]:
        for item in await self._afetch_all():
            yield item

    def __len__(self) -> int:
        return len(self._fetch_all())

    def __bool__(self) -> bool:
        return bool(self._fetch_all())

    def __contains__(self, item: object) -> bool:
        return item in self._fetch_all()
