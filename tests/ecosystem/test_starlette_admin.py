"""starlette-admin through HTTP: list, create, edit, search, delete, with relations."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette_admin.contrib.sqla import Admin, ModelView

from ecosystem.library import MODELS as MODELS
from ecosystem.library import EcoAuthor, EcoBook, EcoTag
from ecosystem.webs import client, text_of
from ormolu import databases

pytestmark = [pytest.mark.worlds("async"), pytest.mark.backends("sqlite", "asyncpg")]


class AuthorView(ModelView):
    fields = ["id", "name", "born"]


class TagView(ModelView):
    fields = ["id", "word"]


class BookView(ModelView):
    fields = ["id", "title", "state", "price", "pages", "in_stock", "details", "author", "tags"]
    searchable_fields = ["title"]


def application(engine: Any) -> Starlette:
    app = Starlette()
    admin = Admin(engine, secret_key="no secret, as this is a test of forty letters")
    admin.add_view(AuthorView(EcoAuthor))
    admin.add_view(TagView(EcoTag))
    admin.add_view(BookView(EcoBook))
    admin.mount_to(app)
    return app


async def test_the_whole_job(db: Any, world: Any) -> None:
    """Rows are made in forms, listed with their relations, found, changed and deleted."""
    database = databases.get()
    async with client(application(database.engine if db.name == "sqlite" else database.async_engine)) as web:

        async def token(path: str) -> str:
            found = re.search(r'name="csrftoken" value="([^"]*)"', (await web.get(path)).text)
            assert found is not None
            return found[1]

        async def post(path: str, **data: Any) -> None:
            path = f"/admin/{path}"
            response = await web.post(path, data={**data, "csrftoken": await token(path)})
            assert response.status_code == 303, text_of(response)

        await post("eco-author/create", name="Zoe", born="2001-02-03")
        await post("eco-tag/create", word="red")
        await post("eco-tag/create", word="blue")
        author = await EcoAuthor.objects.aget(name="Zoe", born__year=2001)
        red, blue = [tag async for tag in EcoTag.objects.order_by("-word")]
        values: dict[str, Any] = {"pages": "3", "details": '{"a": 1}', "author": str(author.pk)}
        tags = [str(red.pk), str(blue.pk)]
        await post(
            "eco-book/create", title="One", state="draft", price="3.50", in_stock="on", tags=tags, **values
        )
        book = await EcoBook.objects.select_related("author").aget()
        assert (book.title, book.author.name, str(book.price), book.details) == (
            "One",
            "Zoe",
            "3.50",
            {"a": 1},
        )
        assert await book.tags.acount() == 2

        listed = text_of(await web.get("/admin/eco-book/list"))
        shown = f"Eco Author({author.pk}) Eco Tag({red.pk}) , Eco Tag({blue.pk}) {book.pk} One draft 3.50 3"
        assert all(word in listed for word in shown.replace(" ,", "").split())
        assert "One" not in text_of(await web.get("/admin/eco-book/list", params={"q": "Nothing"}))
        assert str(author.pk) in text_of(await web.get("/admin/eco-book/detail", params={"pk": book.pk}))

        await post(
            f"eco-book/edit?pk={book.pk}", title="Two", state="printed", price="", tags=tags[1:], **values
        )
        book = await EcoBook.objects.aget()
        assert (book.title, book.state, book.price) == ("Two", "printed", None)
        assert [tag.word async for tag in book.tags.all()] == ["blue"]

        headers = {"x-csrftoken": await token("/admin/eco-book/create")}
        gone = await web.post(
            "/admin/_api/eco-book/action", params={"pks": book.pk, "name": "delete"}, headers=headers
        )
        assert gone.status_code < 400, text_of(gone)
    assert await EcoBook.objects.acount() == 0
