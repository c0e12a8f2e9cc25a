"""strawberry-sqlalchemy-mapper: GraphQL types of models, and queries that follow their relations."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import strawberry
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from strawberry.schema.config import StrawberryConfig
from strawberry_sqlalchemy_mapper import (
    StrawberrySQLAlchemyLoader,
    StrawberrySQLAlchemyMapper,
    strawberry_sqlalchemy_scalar_map,
)

from ecosystem import library
from ecosystem.library import MODELS as MODELS
from ormolu import databases
from ormolu.contrib.strawberry import column_types

mapper: Any = StrawberrySQLAlchemyMapper(extra_sqlalchemy_type_to_strawberry_type_map=column_types())


@mapper.type(library.EcoAuthor)
class EcoAuthor:
    pass


@mapper.type(library.EcoTag)
class EcoTag:
    pass


@mapper.type(library.EcoBook)
class EcoBook:
    __exclude__ = ["tags"]  # the mapper's loader joins no table in between, whoever's models they are

    @strawberry.field
    async def words(self: Any) -> list[str]:
        return [tag.word async for tag in self.tags.order_by("word")]


mapper.finalize()


@strawberry.type
class Query:
    @strawberry.field
    async def books(self, title: str) -> list[EcoBook]:
        return [
            book async for book in library.EcoBook.objects.filter(title__startswith=title).order_by("title")
        ]  # type: ignore[misc]


schema = strawberry.Schema(
    Query,
    types=mapper.mapped_types.values(),
    config=StrawberryConfig(scalar_map=strawberry_sqlalchemy_scalar_map),
)

QUESTION = """
{ books(title: "O") {
    id title state price details inStock createdAt
    author { id name born }
    words
} }
"""


@pytest.mark.worlds("async")
async def test_a_query_follows_relations(db: Any, world: Any) -> None:
    """Columns of every kind have values of their GraphQL types; relations are loaded by the mapper's loader."""
    author = await library.EcoAuthor.objects.acreate(name="Zoe")
    book = await library.EcoBook.objects.acreate(title="One", author=author, price="3.50", details={"a": 1})
    await library.EcoBook.objects.acreate(title="Two", author=author)
    await book.tags.aadd(await library.EcoTag.objects.acreate(word="red"))
    makers = async_sessionmaker(databases.get().async_engine, class_=AsyncSession)
    loader = StrawberrySQLAlchemyLoader(async_bind_factory=makers)
    result = await asyncio.wait_for(
        schema.execute(QUESTION, context_value={"sqlalchemy_loader": loader}), timeout=30
    )
    assert result.errors is None
    (found,) = result.data["books"]  # type: ignore[index]
    assert (found["title"], found["state"], found["price"], found["inStock"]) == (
        "One",
        "draft",
        "3.50",
        True,
    )
    assert found["details"] == {"a": 1}
    assert found["author"] == {"id": str(author.pk), "name": "Zoe", "born": None}
    assert found["words"] == ["red"]
    assert found["createdAt"] == book.created_at.isoformat()
