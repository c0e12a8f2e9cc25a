"""PostgreSQL's kinds of indexes, for `Meta.indexes`. Other databases do without them.

Source: Django's documentation, "PostgreSQL specific model indexes"; PostgreSQL's documentation, "CREATE INDEX".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ormolu.models.indexes import LONGEST, Index, OpClass

__all__ = [
    "BTreeIndex", "BloomIndex", "BrinIndex", "GinIndex", "GistIndex", "HashIndex", "OpClass", "PostgresIndex",
    "SpGistIndex",
]  # fmt: skip


class PostgresIndex(Index):
    """An index of one of PostgreSQL's access methods, with its storage parameters."""

    vendor = "postgresql"
    parameters: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.max_name_length = LONGEST - len(Index.suffix) + len(cls.suffix)

    def __init__(self, *expressions: Any, **options: Any) -> None:
        self.storage = {name: options.pop(name, None) for name in self.parameters}
        super().__init__(*expressions, **options)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return (path, args, kwargs) that make this index again."""
        path, args, kwargs = super().deconstruct()
        given = {name: value for name, value in self.storage.items() if value not in (None, ())}
        return path, args, {**kwargs, **given}

    def storage_parameters(self) -> Mapping[str, Any]:
        """Return what stands in `WITH (...)`."""
        return {name: written(value) for name, value in self.storage.items() if value is not None}


def written(value: Any) -> Any:
    """Return the value of a storage parameter as SQL."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


class BTreeIndex(PostgresIndex):
    """The usual index, with `fillfactor` (10 to 100) and `deduplicate_items`."""

    using = suffix = "btree"
    parameters = ("fillfactor", "deduplicate_items")


class GinIndex(PostgresIndex):
    """Of values that have parts: arrays, JSON, the words of a SearchVectorField."""

    using = suffix = "gin"
    parameters = ("gin_pending_list_limit", "fastupdate")


class GistIndex(PostgresIndex):
    """Of values that overlap or are near each other: ranges, shapes, trigrams."""

    using = suffix = "gist"
    parameters = ("buffering", "fillfactor")


class SpGistIndex(PostgresIndex):
    """Of values that divide their space: points, ranges, texts with common beginnings."""

    using = "spgist"
    suffix = "spgist"
    parameters = ("fillfactor",)


class HashIndex(PostgresIndex):
    """For equality alone."""

    using = suffix = "hash"
    parameters = ("fillfactor",)


class BrinIndex(PostgresIndex):
    """A small one, of tables whose rows lie in the order of the column, as times do."""

    using = suffix = "brin"
    parameters = ("autosummarize", "pages_per_range")

    def __init__(self, *expressions: Any, pages_per_range: int | None = None, **options: Any) -> None:
        if pages_per_range is not None and pages_per_range <= 0:
            raise ValueError("pages_per_range must be None or a positive integer")
        super().__init__(*expressions, pages_per_range=pages_per_range, **options)


class BloomIndex(PostgresIndex):
    """For equality of any of many columns. Needs the extension bloom."""

    using = suffix = "bloom"
    parameters = ("length", "columns")

    def __init__(
        self, *expressions: Any, length: int | None = None, columns: Sequence[int] = (), **options: Any
    ) -> None:
        super().__init__(*expressions, length=length, columns=columns, **options)
        if len(self.fields) > 32:
            raise ValueError("Bloom indexes support a maximum of 32 fields.")
        if not isinstance(columns, (list, tuple)):
            raise ValueError("BloomIndex.columns must be a list or tuple.")
        if len(columns) > len(self.fields):
            raise ValueError("BloomIndex.columns cannot have more values than fields.")
        if not all(0 < bits <= 4095 for bits in columns):
            raise ValueError("BloomIndex.columns must contain integers from 1 to 4095.")
        if length is not None and not 0 < length <= 4096:
            raise ValueError("BloomIndex.length must be None or an integer from 1 to 4096.")

    def storage_parameters(self) -> Mapping[str, Any]:
        """Return what stands in `WITH (...)`: a number of bits for each column."""
        length = self.storage["length"]
        bits = {f"col{number}": count for number, count in enumerate(self.storage["columns"], 1)}
        return bits if length is None else {"length": length, **bits}
