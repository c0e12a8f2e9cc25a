"""Brief programs of async code on SQLite run in the event loop's own thread, as far as nothing has to wait."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

import ormolu
from ormolu import BigIntegerField, CharField, F, Model, RawSQL, databases, transaction
from ormolu.databases.sqlite import here
from ormolu.databases.sqlite.here import COMMITS, LOG_SIZE
from ormolu.exceptions import ImproperlyConfigured, IntegrityError
from ormolu.signals import post_save

COUNTING = "SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000000"
MUCH = f"(WITH RECURSIVE c(x) AS ({COUNTING}) SELECT max(x) FROM c)"
SEEN = (
    "CREATE TRIGGER seen_{0} AFTER {0} {1} ON here_note "
    "BEGIN UPDATE here_note SET thread = thread() WHERE id = new.id; END"
)


class Note(Model):
    text = CharField(max_length=100_000, unique=True)
    thread = BigIntegerField(null=True)

    class Meta:
        app_label = "here"


async def configured(url: Any, **options: Any) -> Any:
    """Configure a database whose SQL function thread() tells who runs the statement, and warm it up."""
    ormolu.configure(DATABASES={"default": {"URL": url, "OPTIONS": options}})
    database = databases.get()

    def prepare(native: Any, _record: Any) -> None:
        native.create_function("thread", 0, threading.get_ident)

    event.listen(database.engine, "connect", prepare)
    if database.config.memory:
        prepare(database.driver.conn.native, None)
    await ormolu.acreate_tables(Note)
    await database.aexecute(SEEN.format("INSERT", ""))
    await database.aexecute(SEEN.format("UPDATE", "OF text"))
    await warm()
    return database


async def warm() -> None:
    """Have the loop's own connection made, and the first commit after its making done."""
    await Note.objects.acount()
    async with asyncio.timeout(20):
        while await reader() != threading.get_ident():
            await asyncio.sleep(0.001)


async def reader(**filters: Any) -> int:
    """Return the thread that reads."""
    return (
        await Note.objects.filter(**filters).aaggregate(
            thread=ormolu.Max(RawSQL("thread()", ()), default=RawSQL("thread()", ()))
        )
    )["thread"]


async def writer(text: str) -> int | None:
    """Return the thread that wrote a note."""
    return (await Note.objects.aget(text=text)).thread


@pytest.fixture
def file(tmp_path: Path) -> Iterator[str]:
    """The URL of a database in a file."""
    yield f"sqlite:///{tmp_path / 'db.sqlite3'}"
    databases.close_all()
    ormolu.settings.reset()


@pytest.fixture(params=["file", "memory"])
def any_kind(request: pytest.FixtureRequest, file: str) -> str:
    """The URL of a database in a file, and of one in memory."""
    return file if request.param == "file" else "sqlite://"


async def test_what_is_brief_runs_in_the_loop(any_kind: str) -> None:
    """Reads, writes of one row, and the blocks around them never leave the loop's thread."""
    await configured(any_kind)
    me = threading.get_ident()
    await Note.objects.acreate(text="alone")
    assert await writer("alone") == me
    async with transaction.aatomic():
        note = await Note.objects.acreate(text="together")
        await note.arefresh_from_db()
        assert note.thread == me
        note.text = "changed"
        await note.asave()
        with pytest.raises(IntegrityError):
            async with transaction.aatomic():
                await Note.objects.acreate(text="alone")
        assert await reader() == me
    assert await writer("changed") == me
    assert (await Note.objects.aget_or_create(text="new"))[1]
    assert await writer("new") == me
    await note.adelete()
    assert await Note.objects.acount() == 2


async def test_an_undone_block_is_undone_here(any_kind: str) -> None:
    """An error in a block that was brief so far undoes it, and the connection is as good as before."""
    await configured(any_kind)
    with pytest.raises(ZeroDivisionError):
        async with transaction.aatomic():
            await Note.objects.acreate(text="never")
            raise ZeroDivisionError
    with pytest.raises(Note.DoesNotExist):
        await Note.objects.aget(text="never")
    assert await reader() == threading.get_ident()


async def test_what_takes_long_goes_on_in_a_worker(any_kind: str) -> None:
    """A read over the budget is broken off and done again elsewhere, also inside a block, which stays whole."""
    await configured(any_kind)
    me = threading.get_ident()
    await Note.objects.acreate(text="one")
    heavy = Note.objects.annotate(much=RawSQL(MUCH, ()), by=RawSQL("thread()", ()))
    for _ in range(2):
        note = await heavy.aget(text="one")
        assert (note.much, note.by != me) == (3000000, True)
    async with transaction.aatomic():
        await Note.objects.acreate(text="two")
        note = await heavy.aget(text="two")
        assert (note.much, note.by != me) == (3000000, True)
        await Note.objects.acreate(text="three")
    assert await Note.objects.acount() == 3
    assert await reader() == me


async def test_a_block_begins_once(any_kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that is broken off at once goes on in a worker; the block around it has begun by then."""
    monkeypatch.setattr(here, "LOOK", 3)  # which SQLite reaches at the end of BEGIN
    await configured(any_kind)
    await Note.objects.acreate(text="one")
    monkeypatch.setattr(databases.get().adriver._here, "looks", 0)
    for columns in (["id"], ["text"], ["thread"]):  # a read that took too long is not tried here again
        async with transaction.aatomic():
            async with transaction.aatomic():
                assert (await Note.objects.only(*columns).aget(pk=1)).pk == 1
            await Note.objects.acreate(text=str(columns))
    assert await Note.objects.acount() == 4


async def test_the_loop_turns_while_a_long_read_runs(file: str) -> None:
    """Other tasks go on meanwhile."""
    await configured(file)
    await Note.objects.acreate(text="one")
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    await Note.objects.annotate(much=RawSQL(MUCH, ())).aget()
    turning.cancel()
    assert turns > 10


async def test_a_lock_is_waited_for_elsewhere(file: str, tmp_path: Path) -> None:
    """Somebody holds the write lock until the loop has turned: a writer in the loop's thread would never get it."""
    await configured(file)
    for attempt in ("alone", "block", "get_or_create"):
        other = sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        async def write(text: str = attempt) -> None:
            if text == "alone":
                await Note.objects.acreate(text=text)
            elif text == "get_or_create":
                await Note.objects.aget_or_create(text=text)
            else:
                async with transaction.aatomic():
                    await Note.objects.acreate(text=text)

        writing = asyncio.create_task(write())
        await asyncio.sleep(0.05)
        assert not writing.done()
        assert await Note.objects.filter(text=attempt).acount() == 0
        other.execute("ROLLBACK")
        other.close()
        await writing
        assert await Note.objects.filter(text=attempt).aexists()
        assert await reader() == threading.get_ident()


async def test_cancelling_a_program_that_has_moved_undoes_it(file: str, tmp_path: Path) -> None:
    """Its block was opened here, its writing waits in a worker: both end, and the connection is good again."""
    await configured(file)
    other = sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(Note.objects.aget_or_create(text="x"))
    await asyncio.sleep(0.05)
    writing.cancel()
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await Note.objects.acount() == 0
    await Note.objects.acreate(text="x")
    assert await writer("x") == threading.get_ident()


async def test_a_task_that_never_waits_lets_others_run(any_kind: str) -> None:
    """Answers that are there at once must not keep the loop from turning, nor a task from being cancelled."""
    await configured(any_kind)
    await Note.objects.acreate(text="one")

    async def ask() -> None:
        while True:
            await Note.objects.aget(text="one")

    tasks = [asyncio.create_task(ask()) for _ in range(3)]
    await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    assert await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)


async def test_receivers_are_called_in_a_worker(any_kind: str) -> None:
    """A receiver may ask the database synchronously, inside the same transaction, without keeping the loop."""
    await configured(any_kind)
    seen: list[tuple[int, bool]] = []

    def receive(instance: Any, **_named: Any) -> None:
        seen.append((Note.objects.filter(text=instance.text).count(), threading.get_ident() == me))

    me = threading.get_ident()
    post_save.connect(receive, Note)
    try:
        async with transaction.aatomic():
            await Note.objects.acreate(text="heard")
    finally:
        post_save.disconnect(receive, Note)
    assert seen == [(1, False)]
    await Note.objects.acreate(text="unheard")
    assert await writer("unheard") == me


async def test_synchronous_code_in_an_async_block_waits_for_locks(file: str, tmp_path: Path) -> None:
    """It gets the connection that the loop's thread has used in haste, and the busy timeout back."""
    await configured(file)
    ormolu.settings.SYNC_IN_ASYNC = "off"
    async with transaction.aatomic():
        await Note.objects.acount()  # the connection is a hasty one now
    other = sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.1, other.execute, ("ROLLBACK",))
    timer.start()
    async with transaction.aatomic():
        Note.objects.create(text="patient")
    timer.join()
    other.close()
    assert await Note.objects.acount() == 1


async def test_the_log_is_checkpointed(file: str, tmp_path: Path) -> None:
    """Commits in the loop's thread never checkpoint; a worker does, so the log does not grow for ever."""
    await configured(file)
    text = "x" * 50_000
    size = 0
    for number in range(COMMITS * 12):
        await Note.objects.acreate(text=f"{number}{text}")
        if number % COMMITS == 0:
            await asyncio.sleep(0.05)
            size = max(size, (tmp_path / "db.sqlite3-wal").stat().st_size)
    written = COMMITS * 12 * len(text)
    assert written > 4 * LOG_SIZE
    assert size < written / 2


@pytest.mark.parametrize("options", [{"synchronous": "FULL"}, {"journal_mode": "DELETE"}])
async def test_a_commit_that_waits_for_the_disk_is_made_elsewhere(file: str, options: Any) -> None:
    """Reads stay here; what syncs when it commits does not."""
    await configured(file, **options)
    await Note.objects.acreate(text="synced")
    assert await writer("synced") != threading.get_ident()
    async with transaction.aatomic():
        await Note.objects.acreate(text="in a block")
    assert (await Note.objects.acount(), await reader()) == (2, threading.get_ident())


async def test_it_can_be_turned_off(file: str) -> None:
    """With a budget of nothing, all is handed over; nonsense is refused."""
    for url, options in (
        (f"{file}?loop_budget_ms=0", {}),
        (file, {"loop_budget_ms": 0}),
    ):
        ormolu.configure(DATABASES={"default": {"URL": url, "OPTIONS": options}})
        for _ in range(3):
            names = await databases.get().afetch("PRAGMA busy_timeout")
            await asyncio.sleep(0.01)
            assert databases.get().adriver._here is None
        assert names[0][0] == 5000
        await databases.aclose_all()
    ormolu.configure(DATABASES={"default": {"URL": "sqlite://", "OPTIONS": {"loop_budget_ms": "soon"}}})
    with pytest.raises(ImproperlyConfigured, match="loop_budget_ms must be a number of milliseconds"):
        await databases.get().afetch("SELECT 1")


async def test_a_program_that_can_not_be_made_gives_the_connection_back(any_kind: str) -> None:
    """A query whose plan can't be made fails before its first step; the next one is answered here again."""
    await configured(any_kind)
    for _ in range(2):
        with pytest.raises(TypeError, match="not an aggregate"):
            await Note.objects.aaggregate(text=F("text"))
    assert await reader() == threading.get_ident()


async def test_loops_in_threads_share_the_connection_in_turns(file: str) -> None:
    """Whoever finds it in use goes to a worker; every answer is right."""
    await configured(file)
    await Note.objects.abulk_create([Note(text=str(number)) for number in range(50)])

    async def ask(start: int) -> None:
        for number in range(200):
            text = str((start + number) % 50)
            assert (await Note.objects.aget(text=text)).text == text
            if number % 20 == 0:
                async with transaction.aatomic():
                    await Note.objects.acreate(text=f"{start} {number}")

    def work(start: int) -> None:
        asyncio.run(ask(start))

    await asyncio.gather(*(asyncio.to_thread(work, start) for start in range(3)), ask(3))
    assert await Note.objects.acount() == 50 + 4 * 10
