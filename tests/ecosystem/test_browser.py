"""SQLAdmin in a real browser: what a person clicks, from an empty list to a deleted row, with screenshots.

They are kept in the folder that ORMOLU_ARTIFACTS names, else in a temporary one.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ormolu
from ecosystem.admin import application
from ecosystem.library import MODELS as MODELS
from ecosystem.library import EcoAuthor, EcoBook, EcoTag
from ormolu import databases

CHROMIUM = Path(os.environ.get("ORMOLU_CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

pytestmark = [
    pytest.mark.backends("sqlite"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}"),
    pytest.mark.slow,
]


@pytest.fixture
def address(db: Any) -> Iterator[str]:
    """Serve SQLAdmin on a free port of this machine."""
    uvicorn = pytest.importorskip("uvicorn")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        options = uvicorn.Config(application(databases.get().engine), log_level="error", lifespan="off")
        server = uvicorn.Server(options)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}/admin"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """Open a browser's page on it."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        try:
            opened = browser.new_page(base_url=address, viewport={"width": 1200, "height": 900})
            opened.set_default_timeout(10_000)
            yield opened
        finally:
            browser.close()


class Album:
    """Takes numbered screenshots."""

    def __init__(self, page: Any, folder: Path) -> None:
        self.page, self.folder, self.number = page, folder, 0
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, name: str) -> None:
        self.number += 1
        path = self.folder / f"sqladmin-{self.number:02}-{name}.png"
        self.page.screenshot(path=str(path))
        assert path.stat().st_size > 5_000


def test_a_person_keeps_a_library(page: Any, address: str, tmp_path: Path) -> None:
    """List, create, edit, search, follow a relation, delete: the page shows each step, and the rows are so."""
    ormolu.settings.SYNC_IN_ASYNC = "off"  # Playwright runs a loop in this thread
    album = Album(page, Path(os.environ.get("ORMOLU_ARTIFACTS") or tmp_path))
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))

    page.goto(f"{address}/eco-author/list")
    album.take("empty-list")
    page.get_by_role("link", name="New Author").click()
    page.fill("input[name=name]", "Zoe")
    album.take("create-author")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/eco-author/list")
    assert page.locator("tbody").get_by_text("Zoe").count() == 1

    for word in ("red", "blue"):
        page.goto(f"{address}/eco-tag/create")
        page.fill("input[name=word]", word)
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_url("**/eco-tag/list")

    page.goto(f"{address}/eco-book/create")
    page.fill("input[name=title]", "One")
    page.select_option("select[name=author]", label="Zoe")
    page.select_option("select[name=tags]", label=["red", "blue"])
    page.select_option("select[name=state]", label="In print")
    page.fill("input[name=price]", "3.50")
    page.fill("textarea[name=details]", '{"shelf": 4}')
    album.take("create-book")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/eco-book/list")
    row = page.locator("tbody tr")
    assert all(text in row.inner_text() for text in ("One", "printed", "Zoe", "red", "blue", "3.50"))
    album.take("list-of-books")
    book = EcoBook.objects.select_related("author").get()
    assert (book.title, book.author.name, book.details, book.tags.count()) == ("One", "Zoe", {"shelf": 4}, 2)

    page.goto(f"{address}/eco-book/edit/{book.pk}")
    page.fill("input[name=title]", "Two")
    page.select_option("select[name=tags]", label=["blue"])
    album.take("edit-book")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/eco-book/list")
    assert [tag.word for tag in EcoBook.objects.get(title="Two").tags.all()] == ["blue"]

    for text, number in (("Nothing", 0), ("Tw", 1)):
        page.fill("#search-input", text)
        page.click("#search-button")
        page.wait_for_url(f"**search={text}*")
        assert page.locator("tbody tr").count() == number
    album.take("search")

    page.locator("tbody").get_by_role("link", name="Zoe").click()
    page.wait_for_url("**/eco-author/details/*")
    assert page.get_by_text("Zoe").count() >= 1
    album.take("related-author")

    page.goto(f"{address}/eco-book/details/{book.pk}")
    page.locator("a", has_text="Delete").first.click()
    page.locator("#modal-delete").wait_for(state="visible")
    album.take("confirm")
    page.locator("#modal-delete-button").click()
    page.wait_for_url("**/eco-book/list")
    album.take("after-deletion")
    assert EcoBook.objects.count() == 0
    assert (EcoAuthor.objects.count(), EcoTag.objects.count()) == (1, 2)
    assert mistakes == []
