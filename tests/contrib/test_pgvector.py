"""VectorField and distances: pgvector's SQL on PostgreSQL, functions of ours on SQLite."""

import math
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

import ormolu
from ormolu import F, Model, TextField
from ormolu.contrib.pgvector import (
    CosineDistance,
    HnswIndex,
    IvfflatIndex,
    L1Distance,
    L2Distance,
    MaxInnerProduct,
    VectorField,
)
from ormolu.exceptions import NotSupportedError, ValidationError
from ormolu.fields.vectors import read_vector, vector_text
from support.backends import Backend
from support.worlds import World


class VPassage(Model):
    text = TextField(default="")
    embedding = VectorField(dimensions=3, null=True)

    class Meta:
        indexes = [
            HnswIndex(fields=["embedding"], opclasses=["vector_cosine_ops"], m=16, name="v_hnsw"),
            IvfflatIndex(fields=["embedding"], lists=100, name="v_ivfflat"),
        ]


@pytest.mark.backends("sqlite")
async def test_on_sqlite(db: Backend, world: World) -> None:
    """Vectors come back, distances order and filter, and a change in place is written."""
    for text, embedding in [
        ("x", [1, 0, 0]),
        ("y", (0.0, 2.0, 0.0)),
        ("xy", numpy.array([1, 1, 0])),
        ("-", None),
    ]:
        await world(VPassage.objects.create, text=text, embedding=embedding)
    near = VPassage.objects.exclude(embedding=None).order_by(L2Distance("embedding", [1, 0.1, 0]))
    assert await world.list(near.values_list("text", flat=True)) == ["x", "xy", "y"]
    found = await world(VPassage.objects.get, text="xy")
    assert found.embedding == [1.0, 1.0, 0.0]
    distances = VPassage.objects.filter(text="y").annotate(
        l2=L2Distance("embedding", [0, 0, 0]),
        l1=L1Distance("embedding", [1, 1, 1]),
        inner=MaxInnerProduct("embedding", [3, 4, 5]),
        cosine=CosineDistance("embedding", [5, 0, 0]),
        own=CosineDistance("embedding", F("embedding")),
    )
    assert await world.list(distances.values_list("l2", "l1", "inner", "cosine", "own")) == [
        (2.0, 3.0, -8.0, 1.0, 0.0)
    ]
    close = VPassage.objects.annotate(d=CosineDistance("embedding", [2, 0, 0])).filter(d__lt=0.1)
    assert await world.list(close.values_list("text", flat=True)) == ["x"]
    found.embedding[0] = 7
    await world(found.save)
    assert (await world(VPassage.objects.get, embedding=[7, 1, 0])).text == "xy"


@pytest.mark.backends("mariadb")
def test_distances_need_functions(db: Backend) -> None:
    """Where there are none, the error says what is needed; vectors are stored nevertheless."""
    VPassage.objects.create(embedding=[1, 2, 3])
    assert VPassage.objects.get().embedding == [1, 2, 3]
    with pytest.raises(NotSupportedError, match="needs PostgreSQL with pgvector, or SQLite"):
        list(VPassage.objects.order_by(L2Distance("embedding", [1, 2, 3])))


def test_sql_of_pgvector() -> None:
    """The column, the indexes and the operators are pgvector's; the driver gets text."""
    dialect = postgresql.psycopg.dialect()
    table = VPassage._meta.table
    assert "embedding vector(3)" in str(CreateTable(table).compile(dialect=dialect)).replace('"', "")
    indexes = {
        str(i.name): str(CreateIndex(i).compile(dialect=dialect)).replace('"', "") for i in table.indexes
    }
    assert "USING hnsw (embedding vector_cosine_ops) WITH (m = 16)" in indexes["v_hnsw"]
    assert "USING ivfflat (embedding vector_l2_ops) WITH (lists = 100)" in indexes["v_ivfflat"]
    ormolu.configure("postgresql://nobody@127.0.0.1:1/none")
    try:
        for distance, symbol in [
            (L2Distance, "<->"), (MaxInnerProduct, "<#>"), (CosineDistance, "<=>"), (L1Distance, "<+>"),
        ]:  # fmt: skip
            sql = str(VPassage.objects.order_by(distance("embedding", [1, 2, 3]))[:5].query)
            assert f"embedding\" {symbol} '[1.0,2.0,3.0]'::vector" in sql or symbol in sql, sql
    finally:
        ormolu.databases.close_all()


numbers = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(numbers, min_size=1))
def test_text_goes_there_and_back(value: list[float]) -> None:
    """What is written as a vector's text is read back to the last digit."""
    assert read_vector(vector_text(value)) == value


def test_validation() -> None:
    """A vector is a list of as many numbers as there are dimensions."""
    field: VectorField[Any] = VectorField(dimensions=2)
    assert field.clean([1, "2.5"], None) == [1.0, 2.5]
    for wrong in ([1], [1, 2, 3], "nothing", [1, "x"], 5):
        with pytest.raises(ValidationError):
            field.clean(wrong, None)
    with pytest.raises(ValidationError, match="3 dimensions is needed; this one has 2"):
        VPassage.objects.filter(embedding=[1, 2])
    with pytest.raises(ValueError, match="at least 1"):
        VectorField(dimensions=0)
    assert field.deconstruct()[1:] == ("ormolu.contrib.pgvector.VectorField", [], {"dimensions": 2})
    assert math.isclose(sum(field.to_python("[0.5, 0.5]")), 1)
