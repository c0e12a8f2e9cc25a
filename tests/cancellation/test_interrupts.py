"""Ctrl-C anywhere in synchronous code leaves all or nothing, and a pool that is whole."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import ormolu
from cancellation.library import Outside, Tag, Work, Writer, make_tables
from ormolu import F, databases, transaction
from ormolu.databases import ambient
from support.backends import Backend, Backends
from support.interrupting import Interruption

ALL = os.environ.get("ORMOLU_TEST_EVERY_AWAIT", "") not in ("", "0")
PLACES = 5
"""How many places of a scenario are interrupted at when not all are."""

Scenario = Callable[[], Any]
SCENARIOS: dict[str, Scenario] = {}

# A signal's exception in a weak reference's callback, or in __del__, is reported and goes no further.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


@pytest.fixture(autouse=True)
def logging_goes_on() -> Iterator[None]:
    """Let go of the lock of the logging module, which an exception may leave taken: other threads wait for it."""
    yield
    lock: Any = logging._lock
    while lock._is_owned():
        lock.release()


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


@scenario
def reading() -> None:
    Work.objects.select_related("writer").get(pk=1)
    list(Writer.objects.prefetch_related("works__tags"))


@scenario
def connecting() -> None:
    databases.close_all()
    Tag.objects.count()


@scenario
def creating() -> None:
    Tag.objects.create(name="a")


@scenario
def saving() -> None:
    tag = Tag.objects.get(pk=1)
    tag.name = "other"
    tag.save()


@scenario
def blocks() -> None:
    with transaction.atomic():
        Tag.objects.create(name="a")
        with transaction.atomic():
            Tag.objects.create(name="b")
        Tag.objects.create(name="c")


@scenario
def failing_blocks() -> None:
    try:
        with transaction.atomic():
            Tag.objects.create(name="a")
            try:
                with transaction.atomic():
                    Tag.objects.create(name="b")
                    raise KeyError
            except KeyError:
                pass
            raise ValueError
    except ValueError:
        pass


@scenario
def failing_statements() -> None:
    try:
        with transaction.atomic():
            Tag.objects.create(name="a")
            Tag.objects.create(pk=1, name="there already")
    except ormolu.IntegrityError:
        pass
    with contextlib.suppress(ormolu.IntegrityError):
        Tag.objects.create(pk=1, name="there already")


@scenario
def hooks() -> None:
    @transaction.atomic
    def work() -> None:
        Tag.objects.create(name="a")
        transaction.on_commit(Tag.objects.count)

    work()


@scenario
def get_or_create() -> None:
    Tag.objects.get_or_create(name="new")
    Tag.objects.get_or_create(name="new")


@scenario
def bulk_create() -> None:
    Tag.objects.bulk_create([Tag(name=f"new {n}") for n in range(5)], batch_size=2)


@scenario
def bulk_update() -> None:
    works = list(Work.objects.order_by("pk"))
    for work in works:
        work.pages = F("pages") + 1
    Work.objects.bulk_update(works, ["pages"], batch_size=2)


@scenario
def deleting() -> None:
    Writer.objects.get(pk=1).delete()


@scenario
def setting() -> None:
    Work.objects.get(pk=1).tags.set([2, 3])


@scenario
def streaming() -> None:
    for _work in Work.objects.order_by("pk").iterator(chunk_size=2):
        pass


@scenario
def cursors() -> None:
    with databases.get().cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall()


@scenario
def by_hand() -> None:
    try:
        transaction.set_autocommit(False)
        Tag.objects.create(name="a")
        transaction.commit()
    finally:
        try:
            end_by_hand()
        except KeyboardInterrupt:  # not twice
            end_by_hand()
            raise


def end_by_hand() -> None:
    if not transaction.get_autocommit():
        transaction.rollback()
        transaction.set_autocommit(True)


@scenario
def advisory_locks() -> None:
    if databases.get().vendor != "postgresql":
        return
    with transaction.advisory_lock("a", wait=5):
        pass
    with transaction.atomic():
        Tag.objects.create(name="a")
        with transaction.advisory_lock("b", wait=5):
            Tag.objects.create(name="b")


@scenario
def changing_tables() -> None:
    with databases.get().schema_editor() as editor:
        editor.execute("CREATE TABLE interrupted (id integer)")
        editor.execute("DROP TABLE interrupted")


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def prepared(request: pytest.FixtureRequest, backends: Backends) -> Iterator[tuple[Backend, Outside]]:
    """A database with the tables, and the view of it from outside."""
    backend = backends.fresh(request.param)
    outside = make_tables(backend.url)
    databases.close_all()
    yield backend, outside
    outside.close()
    databases.close_all()


def configure(backend: Backend) -> None:
    """Allow one connection, so that one that is lost is missed."""
    ormolu.configure(
        DATABASES={"default": {"URL": backend.url, "POOL_SIZE": 1, "MAX_OVERFLOW": 0, "POOL_TIMEOUT": 2}}
    )


def watched(path: str) -> bool:
    """Say whether a file's functions are interrupted: ours, and SQLAlchemy's pool."""
    return "/ormolu/" in path or "/sqlalchemy/pool/" in path or path.endswith("/sqlalchemy/util/queue.py")


def faults(outside: Outside) -> list[Any]:
    """Return what is not as it is when nobody uses the database."""
    found: list[Any] = list(outside.others())
    if databases.get().ambient() is not None:
        found.append("a transaction is open")
    if (frame := ambient.current.get()) is not None and frame.open:
        found.append("a frame is open")
    driver = databases.get().driver
    if driver._pool.checkedout() != len(driver._idle):
        found.append(f"{driver._pool.checkedout()} connections are out, {len(driver._idle)} are at hand")
    return found + [
        f"{conn}: {vars(conn)}"
        for conn in driver._idle
        if conn.is_dead or conn.blocks or conn.hooks or conn.ready or conn.in_transaction()
    ]


@pytest.mark.parametrize("name", SCENARIOS)
def test_interrupted_anywhere(prepared: tuple[Backend, Outside], name: str) -> None:
    """Wherever a signal interrupts a scenario, nothing is out or open after it, and the changes are all or none."""
    backend, outside = prepared
    configure(backend)
    outside.reset()
    before = outside.rows()
    states = [before]
    for _ in range(3):
        whole = Interruption(0, watched)
        assert whole.call(SCENARIOS[name]) is None
        states.append(outside.rows())
        outside.reset()
    if name == "get_or_create":
        states = [before, states[1]]
    places = range(1, whole.places + 1)
    for place in places if ALL else sorted(random.sample(places, min(PLACES, len(places)))):
        cut = Interruption(place, watched)
        error = cut.call(SCENARIOS[name])
        where = f"{name}, interrupted at place {place} of {whole.places}: {cut.where}"
        if not isinstance(error, (KeyboardInterrupt, type(None))):
            error.add_note(where)
            raise error
        del error
        check(outside, states, where)
    print(f"{name}: {whole.places} places")
    databases.close_all()


def check(outside: Outside, states: list[Any], where: str) -> None:
    """Check that the database is as if nobody had used it, and that it can be used."""
    if faults(outside):
        gc.collect()
    give_up = time.monotonic() + 3
    while found := faults(outside):
        assert time.monotonic() < give_up, f"{where}: {found}"
        time.sleep(0.005)
    rows = outside.rows()
    assert rows in states, where
    if rows != states[0]:
        outside.reset()
    assert Tag.objects.filter(name="tag 1").exists(), where
    with transaction.atomic():
        assert Tag.objects.filter(pk=1).update(name="tag 1") == 1, where


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_interrupted_at_any_time(prepared: tuple[Backend, Outside]) -> None:
    """The same with signals of a timer, which arrive in the driver and in the operating system, too."""
    backend, outside = prepared
    configure(backend)
    outside.reset()
    before = outside.rows()
    usual = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    chance = random.Random()
    struck = 0
    names = sorted(SCENARIOS)
    known: dict[str, tuple[list[Any], float]] = {}
    for name in names:
        SCENARIOS[name]()
        outside.reset()
        start = time.perf_counter()
        SCENARIOS[name]()
        known[name] = [before, outside.rows()], time.perf_counter() - start
        outside.reset()
    try:
        for _ in range(3000 if ALL else 60):
            name = chance.choice(names)
            states, took = known[name]
            error: BaseException | None = None
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, took))
                SCENARIOS[name]()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                struck += 1
            except BaseException as raised:
                signal.setitimer(signal.ITIMER_REAL, 0)
                error = raised
            signal.setitimer(signal.ITIMER_REAL, 0)
            if error is not None:
                error.add_note(name)
                raise error
            check(outside, states, name)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)
    print(f"struck {struck} times")
    assert struck
    databases.close_all()
