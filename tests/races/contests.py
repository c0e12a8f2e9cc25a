"""What the contenders do in each round, and what must be so afterwards. Written once, for threads, tasks, processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from ormolu import CharField, F, IntegerField, Model, StaleObjectError, VersionField, aatomic, atomic
from ormolu.query import Proposed


class Tally(Model):
    """One row for each round; `count` says how often it was counted."""

    code = CharField(max_length=20, unique=True)
    count = IntegerField(default=0)
    version = VersionField()

    class Meta:
        app_label = "races"


Act = Callable[[Any, str], Awaitable[Any]]
CONTESTS: dict[str, tuple[Act, Callable[[int], tuple[int, int]]]] = {}
"""Name -> what a contender does with (world, code), and the count that `n` contenders lead to, and how many made the
row, -1 where nobody knows."""


def contest(count: Callable[[int], int], made: int) -> Callable[[Act], Act]:
    """Enter a function among the contests."""

    def enter(act: Act) -> Act:
        CONTESTS[act.__name__] = act, lambda contenders: (count(contenders), made)
        return act

    return enter


@contest(lambda contenders: 7, made=1)
async def get_or_create(world: Any, code: str) -> Any:
    """One makes the row, all get it."""
    row, created = await world(Tally.objects.get_or_create, code=code, defaults={"count": 7})
    return row.pk, created


@contest(lambda contenders: 7, made=1)
async def get_or_create_inside(world: Any, code: str) -> Any:
    """The same in a transaction of the caller's."""

    async def work() -> Any:
        return await get_or_create(world, code)

    return await in_transaction(world, work)


@contest(lambda contenders: contenders, made=1)
async def update_or_create(world: Any, code: str) -> Any:
    """Whoever doesn't make the row counts it up."""
    row, created = await world(
        Tally.objects.update_or_create,
        code=code,
        defaults={"count": F("count") + 1},
        create_defaults={"count": 1},
    )
    return row.pk, created


@contest(lambda contenders: contenders, made=1)
async def update_or_create_inside(world: Any, code: str) -> Any:
    """The same in a transaction of the caller's."""

    async def work() -> Any:
        return await update_or_create(world, code)

    return await in_transaction(world, work)


@contest(lambda contenders: contenders, made=1)
async def update_or_create_repeatable(world: Any, code: str) -> Any:
    """The same where a transaction sees the rows of its beginning, and is run again if that is too old."""

    async def work() -> Any:
        return await update_or_create(world, code)

    return await in_transaction(world, work, isolation="repeatable read")


@contest(lambda contenders: 7, made=-1)
async def bulk_create(world: Any, code: str) -> Any:
    """An upsert by all of them leaves one row."""
    unique = None if vendor() == "mysql" else ["code"]
    await world(
        Tally.objects.bulk_create,
        [Tally(code=code, count=7)],
        update_conflicts=True,
        update_fields=["count"],
        unique_fields=unique,
    )
    return None, False


@contest(lambda contenders: contenders, made=-1)
async def bulk_upsert(world: Any, code: str) -> Any:
    """An upsert that adds up loses nobody's part."""
    await world(
        Tally.objects.bulk_upsert,
        [Tally(code=code, count=1)],
        unique_fields=["code"],
        update_fields={"count": F("count") + Proposed("count")},
    )
    return None, False


@contest(lambda contenders: contenders, made=1)
async def version(world: Any, code: str) -> Any:
    """Read, change, save; and again where somebody else was faster."""
    row, created = await world(Tally.objects.get_or_create, code=code)
    while True:
        row.count += 1
        try:
            await world(row.save)
        except StaleObjectError:
            await world(row.refresh_from_db)
        else:
            return row.pk, created


@contest(lambda contenders: contenders, made=1)
async def expression(world: Any, code: str) -> Any:
    """An expression is computed from the row as it is; nobody need look before."""
    row, created = await world(Tally.objects.get_or_create, code=code)
    while True:
        row.count = F("count") + 1
        try:
            await world(row.save)
        except StaleObjectError:
            await world(row.refresh_from_db)
        else:
            return row.pk, created


@contest(lambda contenders: contenders, made=1)
async def lock(world: Any, code: str) -> Any:
    """select_for_update() lets one after the other read and write."""
    row, created = await world(Tally.objects.get_or_create, code=code)

    async def work() -> None:
        held = await world(Tally.objects.select_for_update().get, code=code)
        held.count += 1
        await world(held.save)

    await in_transaction(world, work)
    return row.pk, created


async def in_transaction(world: Any, work: Callable[[], Awaitable[Any]], **terms: Any) -> Any:
    """Run a function as one transaction that writes.

    SQLite has to be told so before it reads, and serializes anyway. InnoDB ends one of two who both want the row that
    kept them from inserting theirs: it is for the caller to run it again.
    """
    if vendor() == "sqlite":
        terms = {"immediate": True}
    elif vendor() == "mysql" or terms:
        terms["retries"] = 100
    if world.is_async:
        return await aatomic(**terms)(work)()
    if "retries" not in terms:
        with atomic(**terms):
            return await work()

    def at_once() -> Any:
        body: Any = work()
        try:
            body.send(None)
        except StopIteration as stop:
            return stop.value
        raise RuntimeError("awaited in the sync world")

    return atomic(**terms)(at_once)()


def vendor() -> str:
    from ormolu import databases

    return databases.get().vendor


def faults(name: str, rounds: int, contenders: int, results: list[list[Any]]) -> list[str]:
    """Return what is not as it must be. `results` are those of each contender, round by round."""
    found = [f"{error}" for own in results for error in own if isinstance(error, str)]
    count, made = CONTESTS[name][1](contenders)
    rows = {row.code: row for row in Tally.objects.all()}
    if len(rows) != rounds or Tally.objects.count() != rounds:
        found.append(f"{Tally.objects.count()} rows after {rounds} rounds")
    for code, row in rows.items():
        if row.count != count:
            found.append(f"{code}: counted {row.count}, not {count}")
        told = [own[int(code)] for own in results if not isinstance(own[int(code)], str)]
        if made >= 0 and Counter(created for _, created in told)[True] != made:
            found.append(f"{code}: made by {[created for _, created in told]}")
        if made >= 0 and {pk for pk, _ in told} != {row.pk}:
            found.append(f"{code}: several keys {told}")
        if name == "version" and row.version != contenders + 1:
            found.append(f"{code}: version {row.version}")
    return found
