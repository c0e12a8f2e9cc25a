"""The data of a query: what was asked, in order, and nothing that was computed from it."""

from __future__ import annotations

from typing import Any, Self

from ormolu.query.lookups import default_lookup


class Query:
    """What a QuerySet asks for. Copied on each step, never changed after.

    `ops` are the operations whose order matters: ("filter", Q), ("annotate", name,
    expression, selected), ("values", names). The rest is single values: the last call wins.
    `limit` and `offset` are tuples ("limit", 3), so that the number is a value of the query.
    """

    __slots__ = (
        "combined",
        "default_ordering",
        "deferred",
        "distinct",
        "distinct_fields",
        "limit",
        "model",
        "offset",
        "ops",
        "order_by",
        "pristine",
        "reversed",
        "row_kind",
        "select_for_update",
        "select_related",
        "values_fields",
    )

    def __init__(self, model: Any) -> None:
        self.model = model
        self.pristine = True  # nothing was asked yet
        self.ops: tuple[tuple[Any, ...], ...] = ()
        self.order_by: tuple[Any, ...] = ()
        self.default_ordering = True
        self.reversed = False
        self.limit: tuple[str, int] | None = None
        self.offset: tuple[str, int] | None = None
        self.distinct = False
        self.distinct_fields: tuple[str, ...] = ()
        self.select_related: Any = False
        self.deferred: tuple[frozenset[str], bool] = (frozenset(), True)
        self.values_fields: tuple[str, ...] | None = None
        self.row_kind = "object"
        self.combined: Any = None
        self.select_for_update: Any = None

    def copy(self) -> Self:
        """Return a copy."""
        made = object.__new__(type(self))
        made.model = self.model
        made.pristine = False
        made.ops = self.ops
        made.order_by = self.order_by
        made.default_ordering = self.default_ordering
        made.reversed = self.reversed
        made.limit = self.limit
        made.offset = self.offset
        made.distinct = self.distinct
        made.distinct_fields = self.distinct_fields
        made.select_related = self.select_related
        made.deferred = self.deferred
        made.values_fields = self.values_fields
        made.row_kind = self.row_kind
        made.combined = self.combined
        made.select_for_update = self.select_for_update
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Query.__slots__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def for_model(self, model: Any) -> Query:
        """Return an empty query of a model, for subqueries that the compiler makes."""
        query = Query(model)
        query.default_ordering = False
        return query

    def default_lookup(self, name: str) -> Any:
        """Return the lookup for a term of unknown type."""
        return default_lookup(name)

    @property
    def is_sliced(self) -> bool:
        """Whether there is a LIMIT or OFFSET."""
        return self.limit is not None or self.offset is not None

    def slice(self, start: int | None, stop: int | None) -> None:
        """Narrow to a slice of what is selected now."""
        low = self.offset[1] if self.offset is not None else 0
        size = self.limit[1] if self.limit is not None else None
        begin = start or 0
        if size is not None:
            begin = min(begin, size)
        count = None if stop is None else max(stop - begin, 0)
        if size is not None:
            count = size - begin if count is None else min(count, size - begin)
        self.offset = ("offset", low + begin) if low + begin else None
        self.limit = None if count is None else ("limit", count)

    def key(self, shape: Any) -> Any:
        """Return the key of this query; its values go to `shape`."""
        ops: list[Any] = []
        for op in self.ops:
            kind = op[0]
            if kind == "filter":
                ops.append(op[1].shape(shape))
            elif kind == "annotate":
                ops.append((op[1], shape.item(op[2]), op[3]))
            elif kind == "linked":
                ops.append(op[1].shape(shape))
            else:
                ops.append(op)
        limit, offset = self.limit, self.offset
        return (
            self.model,
            tuple(ops),
            tuple([item if item.__class__ is str else shape.item(item) for item in self.order_by]),
            self.default_ordering,
            self.reversed,
            None if limit is None else (shape.literal(limit, limit[1]), limit[1] <= 0),
            None if offset is None else shape.literal(offset, offset[1]),
            self.distinct,
            self.distinct_fields,
            self.select_related,
            self.deferred,
            self.values_fields,
            self.row_kind,
            None if self.combined is None else self.combined.shape(shape),
            self.select_for_update,
        )

    def shape(self, shape: Any) -> Any:
        """Return the key of this query inside another."""
        return ("query", self.key(shape))

    @property
    def annotation_names(self) -> list[str]:
        """Names given by annotate() and alias()."""
        return [op[1] for op in self.ops if op[0] == "annotate"]
