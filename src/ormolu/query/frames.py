"""Rows as tables of Arrow, Polars and pandas: by columns, with their types, and no object for each row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Literal

from ormolu import databases
from ormolu.compile import statements
from ormolu.compile.layout import load_mask
from ormolu.exceptions import EmptyResultSet
from ormolu.query import terminals
from ormolu.query.chain import M, R
from ormolu.query.value_rows import ValueRows

if TYPE_CHECKING:
    import pandas
    import polars

    from ormolu.query.arrow import Frame

__all__ = ["Frames"]

CHUNK = 10_000
Backend = Literal["numpy_nullable", "pyarrow", "numpy"]


class Frames(ValueRows[M, R]):
    """The part of a QuerySet that gives its values as columns.

    The columns are those of `values()`, else the model's (as `only()` and `defer()` leave them) and what is annotated.
    The rows are read in chunks of `chunk_size`, from a cursor on the server where there is one, so that there is
    never more in memory than the table and a chunk.
    """

    def to_arrow(self, *, chunk_size: int = CHUNK) -> Any:
        """Return the rows as a `pyarrow.Table`. One SELECT. Needs the extra "arrow", else MissingExtra."""
        frame, plan, params = self._frame(self._stream_driver(), chunk_size)
        if params is not None:
            for rows in self._stream(plan, params, chunk_size):
                frame.take(rows)
        return frame.table()

    async def ato_arrow(self, *, chunk_size: int = CHUNK) -> Any:
        """Return the rows as a `pyarrow.Table`. See `to_arrow()`."""
        frame, plan, params = self._frame(await self._astream_driver(), chunk_size)
        if params is not None:
            async for rows in self._astream(plan, params, chunk_size):
                frame.take(rows)
        return frame.table()

    def to_polars(self, *, chunk_size: int = CHUNK) -> polars.DataFrame:
        """Return the rows as a `polars.DataFrame`. One SELECT. Needs the extra "polars", else MissingExtra."""
        frame: polars.DataFrame = as_polars(self.to_arrow(chunk_size=chunk_size))
        return frame

    async def ato_polars(self, *, chunk_size: int = CHUNK) -> polars.DataFrame:
        """Return the rows as a `polars.DataFrame`. See `to_polars()`."""
        frame: polars.DataFrame = as_polars(await self.ato_arrow(chunk_size=chunk_size))
        return frame

    def to_pandas(
        self, *, chunk_size: int = CHUNK, dtype_backend: Backend = "numpy_nullable"
    ) -> pandas.DataFrame:
        """Return the rows as a `pandas.DataFrame`. One SELECT. Needs the extra "pandas", else MissingExtra.

        `dtype_backend` chooses the types: "numpy_nullable" (Int64, boolean, string: NULL stays NULL), "pyarrow", or
        "numpy", where an integer column with a NULL becomes one of floats.
        """
        return as_pandas(self.to_arrow(chunk_size=chunk_size), dtype_backend)

    async def ato_pandas(
        self, *, chunk_size: int = CHUNK, dtype_backend: Backend = "numpy_nullable"
    ) -> pandas.DataFrame:
        """Return the rows as a `pandas.DataFrame`. See `to_pandas()`."""
        return as_pandas(await self.ato_arrow(chunk_size=chunk_size), dtype_backend)

    def _frame(self, driver: Any, chunk_size: int) -> tuple[Frame, Any, Any]:
        """Return what takes the rows in, their plan, and its parameters: None where no row can be found."""
        from ormolu.query.arrow import Frame

        if chunk_size <= 0:
            raise ValueError("Chunk size must be strictly positive.")
        query = self._of_columns().query
        plan, values = statements.plan_for(driver, query, "columns", statements.columns)
        if plan.empty:
            names, terms = empty_columns(driver, query).extra
            return Frame(names, terms, driver), plan, None
        names, terms = plan.extra
        frame = Frame(names, terms, driver)
        try:
            return frame, plan, plan.bind(values)
        except EmptyResultSet:
            return frame, plan, None

    def _of_columns(self) -> Any:
        """Return a queryset of values: the columns that objects would have."""
        query = self.query
        if query.values_fields is not None:
            return self
        mask = load_mask(query.model._meta, query)
        if mask is None:
            return self.values()
        names = [f.attname for f in query.model._meta.concrete_fields if f.name in mask or f.attname in mask]
        chosen = [op[1] for op in query.ops if op[0] == "annotate" and op[3]]
        return self.values(*names, *dict.fromkeys(chosen))

    def _stream_driver(self) -> Any:
        queryset: Any = self
        driver: Any = (
            databases.get(queryset._alias()).driver if self._binding is None else self._binding.driver
        )
        if not getattr(driver, "acquainted", True):
            driver.run(terminals.nothing)
        return driver

    async def _astream_driver(self) -> Any:
        queryset: Any = self
        driver: Any = (
            databases.get(queryset._alias()).adriver if self._binding is None else self._binding.adriver
        )
        if not getattr(driver, "acquainted", True):
            await driver.arun(terminals.nothing)
        return driver

    def _stream(self, plan: Any, params: Any, size: int) -> Iterator[list[Any]]:
        queryset: Any = self
        queryset._check_lock(plan)
        return self._stream_driver().stream(plan.sql, params, size)  # type: ignore[no-any-return]

    async def _astream(self, plan: Any, params: Any, size: int) -> AsyncIterator[list[Any]]:
        queryset: Any = self
        queryset._check_lock(plan)
        stream = (await self._astream_driver()).stream(plan.sql, params, size)
        try:
            async for rows in stream:
                yield rows
        finally:
            await stream.aclose()


def empty_columns(driver: Any, query: Any) -> Any:
    """Return the plan of a query that can't find anything, made without its conditions: its columns are the same."""
    bare = query.copy()
    bare.ops = tuple(op for op in query.ops if op[0] not in ("filter", "merged", "nothing"))
    bare.limit = bare.offset = None
    return statements.plan_for(driver, bare, "columns", statements.columns)[0]


def as_polars(table: Any) -> Any:
    """Return a table as a Polars data frame."""
    from ormolu.query.arrow import imported

    return imported("polars", "polars").from_arrow(table)


def as_pandas(table: Any, dtype_backend: str) -> Any:
    """Return a table as a pandas data frame."""
    from ormolu.query.arrow import imported

    pandas = imported("pandas", "pandas")
    pa = imported("pyarrow", "arrow")
    if dtype_backend == "pyarrow":
        return table.to_pandas(types_mapper=pandas.ArrowDtype)
    if dtype_backend == "numpy":
        return table.to_pandas()
    if dtype_backend != "numpy_nullable":
        raise ValueError(f"dtype_backend is 'numpy_nullable', 'pyarrow' or 'numpy', not {dtype_backend!r}.")
    nullable = {
        pa.int64(): pandas.Int64Dtype(),
        pa.float64(): pandas.Float64Dtype(),
        pa.bool_(): pandas.BooleanDtype(),
        pa.string(): pandas.StringDtype(),
    }
    return table.to_pandas(types_mapper=nullable.get)
