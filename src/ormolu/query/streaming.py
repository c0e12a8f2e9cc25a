"""QuerySet: `iterator()`, which keeps nothing of what it gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from itertools import chain
from typing import Any, TypeVar, cast

from ormolu import databases
from ormolu.compile import statements
from ormolu.programs import FetchLocked, no_transaction
from ormolu.query import terminals
from ormolu.query.asking import Asking
from ormolu.query.chain import M, R
from ormolu.query.prefetch import prefetch

__all__ = ["Streamed", "Streaming", "streamed"]

T = TypeVar("T")
CHUNK = 2_000


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


class Streaming(Asking[M, R]):
    """Reads the rows as they arrive."""

    def _prepare_iterator(self, chunk_size: int | None) -> int:
        if chunk_size is None:
            if self._prefetch:
                raise ValueError(
                    "chunk_size must be provided when using QuerySet.iterator() after prefetch_related()."
                )
            return CHUNK
        if chunk_size <= 0:
            raise ValueError("Chunk size must be strictly positive.")
        return chunk_size

    def iterator(self, chunk_size: int | None = None) -> Iterator[R]:
        """Yield the rows as they arrive, keeping none: constant memory."""
        size = self._prepare_iterator(chunk_size)
        return streamed(self._chunks(size))

    def _chunks(self, size: int) -> Generator[list[R], None, None]:
        driver = databases.get(self._alias()).driver if self._binding is None else self._binding.driver
        if not getattr(driver, "acquainted", True):
            driver.run(terminals.nothing)
        plan, values = statements.plan_for(driver, self.query, "rows", statements.rows)
        if plan.empty:
            return
        self._check_lock(plan)
        for chunk in driver.stream(plan.sql, plan.bind(values), size):
            found = plan.decode(chunk)  # type: ignore[misc]
            if self.query.values_fields is not None:
                yield found
                continue
            if self._binding is not None and self._into is None:
                found = cast(Any, driver).adopt(found, self.query.select_for_update is not None)
            self._attach(found)
            if self._prefetch:
                driver.run(prefetch, found, self._prefetch, self._db)
            if self._into is not None:
                if self._into.loops:
                    driver.run(self._into.deepen, found, self._db)
                found = self._into(found)
            yield found

    def _check_lock(self, plan: Any) -> None:
        if (
            plan.step is FetchLocked
            and self._binding is None
            and not databases.get(self._alias()).in_atomic_block
        ):
            raise no_transaction()

    def _attach(self, found: list[Any]) -> None:
        if self._known:
            terminals.attach_known(found, self._known)

    async def aiterator(self, chunk_size: int = CHUNK) -> AsyncIterator[R]:
        """Yield the rows as they arrive, keeping none: constant memory."""
        if chunk_size <= 0:
            raise ValueError("Chunk size must be strictly positive.")
        driver = databases.get(self._alias()).adriver if self._binding is None else self._binding.adriver
        if not getattr(driver, "acquainted", True):
            await driver.arun(terminals.nothing)
        plan, values = statements.plan_for(driver, self.query, "rows", statements.rows)
        if plan.empty:
            return
        self._check_lock(plan)
        stream = driver.stream(plan.sql, plan.bind(values), chunk_size)
        try:
            async for chunk in stream:
                found = plan.decode(chunk)  # type: ignore[misc]
                if self.query.values_fields is None:
                    found = await self._completed(driver, found)
                for item in found:
                    yield item
        finally:
            await stream.aclose()

    async def _completed(self, driver: Any, found: list[Any]) -> list[Any]:
        """Return the objects of a chunk with what belongs to them."""
        self._attach(found)
        if self._prefetch:
            await driver.arun(prefetch, found, self._prefetch, self._db)
        if self._into is None:
            return found
        if self._into.loops:
            await driver.arun(self._into.deepen, found, self._db)
        return self._into(found)  # type: ignore[no-any-return]
