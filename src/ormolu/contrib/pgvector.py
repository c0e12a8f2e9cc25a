"""Vectors, their distances, and pgvector's indexes.

On SQLite vectors are JSON text, and distances are computed row by row: enough to develop and to test with.
"""

from __future__ import annotations

from typing import Any

from ormolu.contrib.postgres.indexes import PostgresIndex
from ormolu.fields.vectors import VectorField
from ormolu.query.postgres.vectors import CosineDistance, L1Distance, L2Distance, MaxInnerProduct

__all__ = [
    "CosineDistance", "HnswIndex", "IvfflatIndex", "L1Distance", "L2Distance", "MaxInnerProduct", "VectorField",
]  # fmt: skip


class VectorIndex(PostgresIndex):
    """Base of indexes of vectors. The operator class says for which distance: `vector_l2_ops` by default."""

    def __init__(self, *expressions: Any, opclasses: Any = (), **options: Any) -> None:
        if not opclasses and options.get("fields"):
            opclasses = ["vector_l2_ops"] * len(options["fields"])
        super().__init__(*expressions, opclasses=opclasses, **options)


class HnswIndex(VectorIndex):
    """A graph of neighbours: quick to ask, slow to build, of rows that come at any time."""

    using = suffix = "hnsw"
    parameters = ("m", "ef_construction")


class IvfflatIndex(VectorIndex):
    """Lists of vectors near each other: quick to build, from rows that are there already."""

    using = suffix = "ivfflat"
    parameters = ("lists",)
