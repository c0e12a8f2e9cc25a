"""SQLAdmin through HTTP: list, create, edit, search, delete, with relations of both kinds, over both engines."""

from __future__ import annotations

import decimal
import re
from typing import Any

import pytest

from ecosystem.admin import application
from ecosystem.library import MODELS as MODELS
from ecosystem.library import EcoAuthor, EcoBook, EcoCover, EcoTag, State
from ecosystem.webs import client, text_of
from ormolu import databases

pytestmark = [pytest.mark.worlds("async"), pytest.mark.backends("sqlite", "asyncpg")]


async def test_the_whole_job(db: Any, world: Any) -> None:
    """Authors, tags and books are made in forms, found, changed and deleted; what was typed is in the rows."""
    database = databases.get()
    async with client(application(database.engine if db.name == "sqlite" else database.async_engine)) as web:

        async def post(path: str, **data: Any) -> None:
            response = await web.post(f"/admin/{path}", data=data)
            assert response.status_code == 302, text_of(response)

        await post("eco-author/create", name="Zoe", born="2001-02-03")
        for word in ("red", "blue"):
            await post("eco-tag/create", word=word)
        author = await EcoAuthor.objects.aget(name="Zoe", born__year=2001)
        red, blue = [tag async for tag in EcoTag.objects.order_by("-word")]

        form = await web.get("/admin/eco-book/create")
        assert all(label in form.text for label in State.labels)
        values: dict[str, Any] = {"pages": "3", "details": '{"a": 1}', "author": str(author.pk), "blurb": "b"}
        tags = [str(red.pk), str(blue.pk)]
        await post(
            "eco-book/create", title="One", state="draft", price="3.50", in_stock="y", tags=tags, **values
        )
        book = await EcoBook.objects.select_related("author").aget()
        assert (book.title, book.author, book.price) == ("One", author, decimal.Decimal("3.50"))
        assert (book.details, book.in_stock, book.state) == ({"a": 1}, True, State.DRAFT)
        assert {tag.word async for tag in book.tags.all()} == {"red", "blue"}

        listed = text_of(await web.get("/admin/eco-book/list"))
        assert "One draft Zoe (red) (blue) 3.50" in listed.replace("(blue) (red)", "(red) (blue)")
        shown = text_of(await web.get(f"/admin/eco-book/details/{book.pk}"))
        assert "author Zoe" in shown

        edit = f"eco-book/edit/{book.pk}"
        selected = re.findall(
            r"<option selected value=\"[^\"]*\">([^<]*)", (await web.get(f"/admin/{edit}")).text
        )
        assert sorted(selected) == ["A draft", "Zoe", "blue", "red"]
        await post(edit, title="Two", state="printed", price="", tags=[str(blue.pk)], **values)
        before, book = book, await EcoBook.objects.aget()
        assert (book.title, book.state, book.price, book.in_stock) == ("Two", State.PRINTED, None, False)
        assert [tag.word async for tag in book.tags.all()] == ["blue"]
        assert book.updated_at > before.updated_at
        await post(edit, title="Two", state="printed", price="", **values)
        assert await book.tags.acount() == 0
        await EcoCover.objects.acreate(book=book, colour="red")

        assert "Two" in text_of(await web.get("/admin/eco-book/list", params={"search": "Tw"}))
        assert "Two" not in text_of(await web.get("/admin/eco-book/list", params={"search": "One"}))
        for path, pk in (("eco-book", book.pk), ("eco-author", author.pk)):
            assert (await web.delete(f"/admin/{path}/delete", params={"pks": str(pk)})).status_code == 200
    left = [await model.objects.acount() for model in (EcoBook, EcoAuthor, EcoTag, EcoCover)]
    assert left == [0, 0, 2, 0]
