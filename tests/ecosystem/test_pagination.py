"""fastapi-pagination: pages of Selects, of QuerySets and of querysets' statements."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi_pagination import Page, Params, add_pagination, paginate
from fastapi_pagination.ext.sqlalchemy import apaginate as apaginate_select
from fastapi_pagination.ext.sqlalchemy import paginate as paginate_select
from fastapi_pagination.utils import disable_installed_extensions_check
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ecosystem.library import MODELS as MODELS
from ecosystem.library import EcoAuthor
from ecosystem.webs import client
from ormolu import databases

disable_installed_extensions_check()


class AuthorOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str


def test_pages_of_selects_and_querysets(db: Any) -> None:
    """Both are paged by the database; items are models."""
    EcoAuthor.objects.bulk_create([EcoAuthor(name=f"Author {number}") for number in range(5)])
    with Session(databases.get().engine) as session:
        query = sa.select(EcoAuthor).order_by(EcoAuthor.name)
        page: Any = paginate_select(session, query, Params(page=2, size=2))
        assert [author.name for author in page.items] == ["Author 2", "Author 3"]
        assert (page.total, page.pages) == (5, 3)
    page = paginate(EcoAuthor.objects.order_by("name"), Params(page=3, size=2))
    assert ([author.name for author in page.items], page.total) == (["Author 4"], 5)


@pytest.mark.worlds("async")
async def test_a_route_of_pages(db: Any, world: Any) -> None:
    """Through HTTP, over an AsyncSession."""
    await EcoAuthor.objects.abulk_create([EcoAuthor(name=f"Author {number}") for number in range(5)])
    app = FastAPI()

    @app.get("/authors")
    async def authors() -> Page[AuthorOut]:
        async with AsyncSession(databases.get().async_engine) as session:
            query = sa.select(EcoAuthor).order_by(EcoAuthor.name)
            return await apaginate_select(session, query)  # type: ignore[no-any-return]

    add_pagination(app)
    async with client(app) as web:
        found = (await web.get("/authors", params={"page": 2, "size": 3})).json()
    assert found["items"] == [{"name": "Author 3"}, {"name": "Author 4"}]
    assert (found["total"], found["pages"]) == (5, 2)
