"""QuerySet: what writes many objects with few statements."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from ormolu.query import terminals
from ormolu.query.chain import Chain, M, R
from ormolu.query.feeding import awrite_all, write_all

if TYPE_CHECKING:
    from ormolu.query.feeding import Progress, Send
    from ormolu.writes.upsert import Upserted


class BulkWriting(Chain[M, R]):
    """The bulk terminals."""

    @overload
    def bulk_create(
        self, objs: Iterable[M], batch_size: int | None = None, ignore_conflicts: bool = False,
        update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: Literal[True] = True,
        progress: Progress | None = None,
    ) -> list[M]: ...  # fmt: skip
    @overload
    def bulk_create(
        self, objs: Iterable[M], batch_size: int | None = None, ignore_conflicts: bool = False,
        update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: Literal[False],
        progress: Progress | None = None,
    ) -> int: ...  # fmt: skip
    def bulk_create(
        self, objs: Iterable[M], batch_size: int | None = None, ignore_conflicts: bool = False,
        update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: bool = True,
        progress: Progress | None = None,
    ) -> Any:  # fmt: skip
        """Insert objects with few statements, all or none; return them, with their keys set. No signals, no save().

        `objs` is any iterable. What has no length is taken in batches of `batch_size` (5,000), so that with
        `returning=False`, where nothing is read back and the result is the number of rows, any number of objects goes
        through constant memory. `progress` is called with the number written so far after each batch.
        A conflict with an existing row raises IntegrityError; `ignore_conflicts` leaves such objects out, and sets no
        keys; `update_conflicts` updates `update_fields` of the row, found by `unique_fields`, and keys are set.

        On PostgreSQL rows whose keys nobody waits for are sent by COPY, from a thousand on.
        Raises ValueError, TypeError or DataError for what does not fit, with model and field named; IntegrityError.
        Source: Django's documentation, "QuerySet API reference", bulk_create().
        """
        send = self._creating(
            batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields, returning
        )
        return write_all(self, objs, batch_size, progress, send)

    @overload
    async def abulk_create(
        self, objs: Iterable[M] | AsyncIterable[M], batch_size: int | None = None,
        ignore_conflicts: bool = False, update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: Literal[True] = True,
        progress: Progress | None = None,
    ) -> list[M]: ...  # fmt: skip
    @overload
    async def abulk_create(
        self, objs: Iterable[M] | AsyncIterable[M], batch_size: int | None = None,
        ignore_conflicts: bool = False, update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: Literal[False],
        progress: Progress | None = None,
    ) -> int: ...  # fmt: skip
    async def abulk_create(
        self, objs: Iterable[M] | AsyncIterable[M], batch_size: int | None = None,
        ignore_conflicts: bool = False, update_conflicts: bool = False, update_fields: Iterable[str] | None = None,
        unique_fields: Iterable[str] | None = None, *, returning: bool = True,
        progress: Progress | None = None,
    ) -> Any:  # fmt: skip
        """Insert objects with few statements. See `bulk_create()`; `objs` may be an asynchronous iterable."""
        send = self._creating(
            batch_size, ignore_conflicts, update_conflicts, update_fields, unique_fields, returning
        )
        return await awrite_all(self, objs, batch_size, progress, send)

    def _creating(self, *values: Any) -> Send:
        self._not_combined("bulk_create")
        names = (
            "batch_size", "ignore_conflicts", "update_conflicts", "update_fields", "unique_fields", "returning",
        )  # fmt: skip
        options = dict(zip(names, values, strict=True))
        for name in ("update_fields", "unique_fields"):
            if options[name] is not None:
                options[name] = tuple(options[name])  # asked for with each batch
        return lambda objs: (terminals.bulk_create, self.model, objs, options)

    @overload
    def bulk_upsert(
        self, objs: Iterable[M | Mapping[str, Any]], *, unique_fields: Iterable[str] | None = None,
        constraint: str | None = None, update_fields: Iterable[str] | Mapping[str, Any] | None = None,
        where: Any = None,
        batch_size: int | None = None, returning: Literal[True] = True, progress: Progress | None = None,
    ) -> Upserted[M]: ...  # fmt: skip
    @overload
    def bulk_upsert(
        self, objs: Iterable[M | Mapping[str, Any]], *, unique_fields: Iterable[str] | None = None,
        constraint: str | None = None, update_fields: Iterable[str] | Mapping[str, Any] | None = None,
        where: Any = None,
        batch_size: int | None = None, returning: Literal[False], progress: Progress | None = None,
    ) -> int: ...  # fmt: skip
    def bulk_upsert(
        self, objs: Iterable[Any], *, batch_size: int | None = None, progress: Progress | None = None, **options: Any
    ) -> Any:  # fmt: skip
        """Insert objects, and update the rows of those that are there already, with few statements, all or none.

        `objs` are instances or dictionaries of their fields, in any iterable. The same row is one that has the same
        values in `unique_fields`, or that `constraint` (the name of a unique constraint) takes for the same.
        `update_fields` name what is updated: by default all that was given, without these and without auto_now_add.
        A dictionary gives expressions: `{"stock": F("stock") + Proposed("stock")}`, where F is the row that is there
        and Proposed the one that was to be inserted. `where` is a condition for the update, which may use both. With
        no fields to update, rows that are there stay as they are. Of two objects for the same row, the later finds
        what the earlier left.

        Returns an `Upserted`: `objects`, and which of them were `inserted`, `updated` and left `unchanged`; keys are
        set. One statement a batch on PostgreSQL, two or three elsewhere and with `where`. `returning=False` reads
        nothing back, and gives how many rows were inserted or updated. No signals, no save().
        On MariaDB there must be no other unique constraint, and no `where`.

        Raises ValueError where it isn't clear which constraint is meant; FieldDoesNotExist; NotSupportedError;
        ValueError, TypeError or DataError for what does not fit; IntegrityError for other constraints.
        """
        return write_all(self, objs, batch_size, progress, self._upserting(batch_size=batch_size, **options))

    @overload
    async def abulk_upsert(
        self, objs: Iterable[M | Mapping[str, Any]] | AsyncIterable[M | Mapping[str, Any]], *,
        unique_fields: Iterable[str] | None = None, constraint: str | None = None,
        update_fields: Iterable[str] | Mapping[str, Any] | None = None, where: Any = None,
        batch_size: int | None = None, returning: Literal[True] = True, progress: Progress | None = None,
    ) -> Upserted[M]: ...  # fmt: skip
    @overload
    async def abulk_upsert(
        self, objs: Iterable[M | Mapping[str, Any]] | AsyncIterable[M | Mapping[str, Any]], *,
        unique_fields: Iterable[str] | None = None, constraint: str | None = None,
        update_fields: Iterable[str] | Mapping[str, Any] | None = None, where: Any = None,
        batch_size: int | None = None, returning: Literal[False], progress: Progress | None = None,
    ) -> int: ...  # fmt: skip
    async def abulk_upsert(
        self, objs: Any, *, batch_size: int | None = None, progress: Progress | None = None, **options: Any
    ) -> Any:  # fmt: skip
        """Insert objects, and update the rows of those that are there already. See `bulk_upsert()`."""
        return await awrite_all(
            self, objs, batch_size, progress, self._upserting(batch_size=batch_size, **options)
        )

    def _upserting(
        self,
        *,
        batch_size: int | None,
        unique_fields: Iterable[str] | None = None,
        constraint: str | None = None,
        update_fields: Iterable[str] | Mapping[str, Any] | None = None,
        where: Any = None,
        returning: bool = True,
    ) -> Send:
        self._not_combined("bulk_upsert")
        if update_fields is not None and not isinstance(update_fields, Mapping):
            update_fields = tuple(update_fields)
        options: dict[str, Any] = {
            "unique_fields": None if unique_fields is None else tuple(unique_fields),
            "constraint": constraint,
            "update_fields": update_fields,
            "where": where,
            "batch_size": batch_size,
            "returning": returning,
        }
        return lambda objs: (terminals.bulk_upsert, self.model, objs, options)

    def bulk_update(
        self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None, *,
        progress: Progress | None = None,
    ) -> int:  # fmt: skip
        """Write some fields of objects with few statements, all or none; return how many rows matched.

        No signals, no save(), no auto_now. Values may be expressions. `objs` is any iterable; what has no length is
        taken in batches of `batch_size` (5,000). `progress` is called with the number written so far after each batch.
        On a filtered queryset only rows that are in it are written.
        Raises ValueError for no fields, key fields and objects without keys; FieldDoesNotExist; DataError, ValueError
        or TypeError for what does not fit, with model and field named; IntegrityError.
        Source: Django's documentation, "QuerySet API reference", bulk_update().
        """
        return write_all(self, objs, batch_size, progress, self._updating(fields, batch_size))  # type: ignore[no-any-return]

    async def abulk_update(
        self, objs: Iterable[M] | AsyncIterable[M], fields: Iterable[str], batch_size: int | None = None, *,
        progress: Progress | None = None,
    ) -> int:  # fmt: skip
        """Write some fields of objects with few statements. See `bulk_update()`."""
        return await awrite_all(self, objs, batch_size, progress, self._updating(fields, batch_size))  # type: ignore[no-any-return]

    def _updating(self, fields: Iterable[str], batch_size: int | None) -> Send:
        names = tuple(fields)
        return lambda objs: (terminals.bulk_update, self, objs, names, batch_size)


__all__ = ["BulkWriting"]
