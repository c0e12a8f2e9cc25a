"""What async code can do to a database: a scenario for each method, named for it, and some for what they make together.

A scenario is an async function that gets the objects of `Given`, fresh for each run. Where its changes are all made in
one call, that call is a transaction: whatever happens all of it is there, or nothing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

import ormolu
from cancellation.library import Sticker, Stubborn, Tag, Work, Writer
from ormolu import F, Model, QuerySet, Sum, databases, signals, transaction
from ormolu.contrib.contenttypes.models import ContentType
from ormolu.databases.by_hand import ByHand
from ormolu.databases.database import Database
from ormolu.query.async_session_querysets import AsyncSessionQuerySet
from ormolu.query.raw import RawQuerySet


class Given:
    """Objects that a scenario starts from, loaded before."""

    def __init__(self, writer: Writer, work: Work, tag: Tag) -> None:
        self._all = (writer, work, tag)
        self.writer, self.work, self.tag = writer, work, tag

    def fresh(self) -> Given:
        """Return copies that no run has changed."""
        return Given(*deepcopy(self._all))


Scenario = Callable[[Given], Awaitable[Any]]
SCENARIOS: dict[str, Scenario] = {}
LEFT_OUT = {
    "QuerySet.ato_pandas", "AsyncSessionQuerySet.to_pandas",  # as ato_arrow, which they call
    "QuerySet.ato_polars", "AsyncSessionQuerySet.to_polars",
    "Database.aclose", "Database.drop_async_engine", "databases.aclose_all",  # nothing is used after them
    "models.acreate_tables", "models.adrop_tables", "Database.achange_schema",  # their changes are not of rows
}  # fmt: skip


HANDED_ON = {
    "ormolu.query.manager_methods", "ormolu.query.managers", "ormolu.query.queryset", "ormolu.query.keyset",
}  # fmt: skip
"""Where managers have their methods from that do what the queryset's do."""


def scenario(*names: str) -> Callable[[Scenario], Scenario]:
    """Register a scenario, for the methods that it names."""

    def register(function: Scenario) -> Scenario:
        for name in names or (function.__name__,):
            SCENARIOS[name] = function
        return function

    return register


# -- what there is


def asynchronous(home: Any) -> set[str]:
    """Return the names of what is asynchronous in a class, a module or an object."""
    found: set[str] = set()
    for name in dir(home):
        if name.startswith("_") and name not in ("__aiter__", "__await__"):
            continue
        value = inspect.getattr_static(home, name)
        value = getattr(value, "__func__", value)
        if (
            name in ("__aiter__", "__await__")
            or inspect.iscoroutinefunction(inspect.unwrap(value) if callable(value) else value)
            or inspect.isasyncgenfunction(value)
        ):
            found.add(name)
    return found


def inventory() -> set[str]:
    """Return the name of every asynchronous method, those that managers hand on to querysets left out."""
    writer, work = Writer(pk=1), Work(pk=1)
    found = {f"QuerySet.{name}" for name in asynchronous(QuerySet)}
    own = {
        "Manager": type(Writer.objects),
        "RelatedManager": type(writer.works),
        "ManyRelatedManager": type(work.tags),
        "GenericRelatedManager": type(writer.labels),
        "ContentTypeManager": type(ContentType.objects),
    }
    for title, manager in own.items():
        for name in asynchronous(manager):
            home = getattr(manager, name).__module__
            if home not in HANDED_ON or (title, name) == ("Manager", "aget"):
                found.add(f"{title}.{name}")
    found |= {f"Model.{name}" for name in asynchronous(Model)}
    found |= {f"RawQuerySet.{name}" for name in asynchronous(RawQuerySet)}
    found |= {f"AsyncSessionQuerySet.{name}" for name in asynchronous(AsyncSessionQuerySet) if name[0] != "a"}
    found |= {f"AsyncSessionQuerySet.{name}" for name in ("aggregate",)}
    found |= {f"Q.{name}" for name in asynchronous(ormolu.Q)}
    found |= {f"Database.{name}" for name in asynchronous(Database) - asynchronous(ByHand)}
    for module in (transaction, databases):
        place = module.__name__.partition(".")[2]
        found |= {f"{place}.{name}" for name in module.__all__ if name in asynchronous_names(module)}
    for place in ("query", "models"):
        module = getattr(ormolu, place)
        found |= {f"{place}.{name}" for name in module.__all__ if name in asynchronous_names(module)}
    found.discard("models.aprefetch_related_objects")  # that of query
    found |= {"transaction.aatomic"}
    return found - LEFT_OUT


def asynchronous_names(module: Any) -> set[str]:
    """Return the coroutine functions among a module's public names."""
    return {name for name in module.__all__ if inspect.iscoroutinefunction(getattr(module, name))}


# -- reading


async def reads(objects: Any, name: str, *args: Any, **kwargs: Any) -> None:
    """Await one reading method."""
    await getattr(objects, name)(*args, **kwargs)


def reading(name: str, *args: Any, **kwargs: Any) -> None:
    """Register a method of querysets that reads, and its plain name in an AsyncSession."""

    async def ambient(_given: Given) -> None:
        await getattr(Work.objects.select_related("writer").order_by("pk"), name)(*args, **kwargs)

    async def bound(_given: Given) -> None:
        async with AsyncSession(databases.get().async_engine) as session:
            await getattr(Work.objects(session).order_by("pk"), name[1:])(*args, **kwargs)

    SCENARIOS[f"QuerySet.{name}"] = ambient
    if hasattr(AsyncSessionQuerySet, name[1:]):
        SCENARIOS[f"AsyncSessionQuerySet.{name[1:]}"] = bound


reading("aget", pk=1)
reading("aget_or_none", pk=1)
reading("afirst")
reading("alast")
reading("aearliest", "pages")
reading("alatest", "pages")
reading("acount")
reading("aexists")
reading("aaggregate", total=Sum("pages"))
reading("ain_bulk", [1, 2, 3])
reading("aexplain")
reading("apage", 2)
reading("ato_arrow")
reading("afetch_many")
reading("avalues", "pages")
reading("avalues_list", "pages", flat=True)


@scenario("QuerySet.acontains")
async def _(given: Given) -> None:
    await Work.objects.acontains(given.work)


@scenario("AsyncSessionQuerySet.contains")
async def _(given: Given) -> None:
    async with AsyncSession(databases.get().async_engine) as session:
        await Work.objects(session).contains(given.work)


@scenario("QuerySet.__aiter__", "QuerySet.__await__")
async def _(_given: Given) -> None:
    async for work in Work.objects.select_related("writer").prefetch_related("tags"):
        assert work.title
    await Writer.objects.prefetch_related("works__tags", "labels")


@scenario("AsyncSessionQuerySet.__aiter__", "AsyncSessionQuerySet.__await__", "AsyncSessionQuerySet.fetch")
async def _(_given: Given) -> None:
    async with AsyncSession(databases.get().async_engine) as session:
        async for work in Work.objects(session).order_by("pk"):
            assert work.title
        await Work.objects(session).fetch()


@scenario("QuerySet.aiterator")
async def _(_given: Given) -> None:
    async for work in Work.objects.order_by("pk").aiterator(chunk_size=2):
        assert work.title


@scenario("QuerySet.araw", "RawQuerySet.__await__", "RawQuerySet.__aiter__")
async def _(_given: Given) -> None:
    sql = f"SELECT id, title, pages, writer_id FROM {Work._meta.db_table}"
    await Work.objects.araw(sql)
    async for work in Work.objects.raw(sql):
        assert work.title


@scenario("RawQuerySet.aiterator")
async def _(_given: Given) -> None:
    async for work in Work.objects.raw(f"SELECT id FROM {Work._meta.db_table}").aiterator(chunk_size=2):
        assert work.pk


@scenario("Manager.aget", "Q.acheck")
async def _(_given: Given) -> None:
    await Work.objects.aget(pk=1)
    await ormolu.Q(pages__gt=1).acheck({"pages": 2})


@scenario("query.afetch_many")
async def _(_given: Given) -> None:
    await ormolu.afetch_many(
        Work.objects.filter(pages__gt=10), Writer.objects.prefetch_related("works"), Tag.objects.later.count()
    )


@scenario("query.aprefetch_related_objects")
async def _(given: Given) -> None:
    await ormolu.aprefetch_related_objects([given.writer], "works__tags")


@scenario("Model.aload", "Model.arefresh_from_db")
async def _(given: Given) -> None:
    await given.work.arefresh_from_db()
    await given.work.aload("writer")


@scenario(
    "Model.afull_clean",
    "Model.aclean",
    "Model.aclean_fields",
    "Model.avalidate_unique",
    "Model.avalidate_constraints",
)
async def _(given: Given) -> None:
    given.work.title = "another"
    await given.work.afull_clean()


# -- writing


@scenario("QuerySet.acreate")
async def _(_given: Given) -> None:
    await Work.objects.acreate(title="new", pages=1)


@scenario("QuerySet.aget_or_create")
async def _(_given: Given) -> None:
    await Tag.objects.aget_or_create(name="new")


@scenario("QuerySet.aupdate_or_create")
async def _(_given: Given) -> None:
    await Work.objects.aupdate_or_create({"pages": 99}, title="work 1")


@scenario("aupdate_or_create that creates")
async def _(_given: Given) -> None:
    await Work.objects.aupdate_or_create({"pages": 99}, title="new")


@scenario("QuerySet.abulk_create")
async def _(_given: Given) -> None:
    await Tag.objects.abulk_create([Tag(name=f"new {n}") for n in range(5)], batch_size=2)


@scenario("abulk_create with conflicts")
async def _(_given: Given) -> None:
    await Work.objects.abulk_create(
        [Work(title=f"work {n}", pages=0) for n in range(1, 9)],
        update_conflicts=True,
        unique_fields=["title"],
        update_fields=["pages"],
        batch_size=3,
    )


@scenario("abulk_create by COPY, and in batches of an iterator")
async def _(_given: Given) -> None:
    tags = (Tag(name=f"new {number}") for number in range(2_500))
    await Tag.objects.abulk_create(tags, batch_size=1_200, returning=False)


@scenario("QuerySet.abulk_upsert")
async def _(_given: Given) -> None:
    works = [{"title": f"work {number}", "pages": 0} for number in range(1, 9)]
    await Work.objects.abulk_upsert(works, unique_fields=["title"], batch_size=3)


@scenario("QuerySet.abulk_update")
async def _(_given: Given) -> None:
    works = await Work.objects.order_by("pk")
    for work in works:
        work.pages += 1
    await Work.objects.abulk_update(works, ["pages"], batch_size=2)


@scenario("QuerySet.aupdate")
async def _(_given: Given) -> None:
    await Work.objects.filter(pages__gt=10).aupdate(pages=F("pages") + 1)


@scenario("QuerySet.adelete")
async def _(_given: Given) -> None:
    await Writer.objects.filter(pk=1).adelete()


@scenario("Model.asave", "Model.asave_base")
async def _(given: Given) -> None:
    given.work.title = "changed"
    await given.work.asave()


@scenario("asave of a new object")
async def _(_given: Given) -> None:
    await Writer(name="new").asave()


@scenario("Model.adelete")
async def _(given: Given) -> None:
    await given.writer.adelete()


# -- relations


@scenario("RelatedManager.aadd")
async def _(given: Given) -> None:
    await given.writer.works.aadd(*await Work.objects.filter(pk__in=[4, 5]))


@scenario("aadd of several objects, saved one by one")
async def _(given: Given) -> None:
    await given.writer.works.aadd(Work(title="a"), Work(title="b"), bulk=False)


@scenario("RelatedManager.acreate")
async def _(given: Given) -> None:
    await given.writer.works.acreate(title="new")


@scenario("RelatedManager.aget_or_create")
async def _(given: Given) -> None:
    await given.writer.works.aget_or_create(title="new")


@scenario("RelatedManager.aupdate_or_create")
async def _(given: Given) -> None:
    await given.writer.works.aupdate_or_create({"pages": 7}, title="new")


@scenario("RelatedManager.aset")
async def _(given: Given) -> None:
    await given.writer.works.aset(await Work.objects.filter(pk__in=[1, 4]))


@scenario("RelatedManager.aremove")
async def _(given: Given) -> None:
    await given.writer.works.aremove(given.work)


@scenario("RelatedManager.aclear")
async def _(given: Given) -> None:
    await given.writer.works.aclear()


@scenario("ManyRelatedManager.aadd")
async def _(given: Given) -> None:
    await given.work.tags.aadd(Tag(pk=2), Tag(pk=3))


@scenario("ManyRelatedManager.acreate")
async def _(given: Given) -> None:
    await given.work.tags.acreate(name="new")


@scenario("ManyRelatedManager.aget_or_create")
async def _(given: Given) -> None:
    await given.work.tags.aget_or_create(name="new")


@scenario("ManyRelatedManager.aupdate_or_create")
async def _(given: Given) -> None:
    await given.work.tags.aupdate_or_create({"name": "newer"}, name="new")


@scenario("ManyRelatedManager.aset")
async def _(given: Given) -> None:
    await given.work.tags.aset([Tag(pk=2), Tag(pk=3)])


@scenario("ManyRelatedManager.aremove")
async def _(given: Given) -> None:
    await given.work.tags.aremove(given.tag)


@scenario("ManyRelatedManager.aclear")
async def _(given: Given) -> None:
    await given.work.tags.aclear()


@scenario("ManyRelatedManager.acount", "ManyRelatedManager.aexists")
async def _(given: Given) -> None:
    await given.work.tags.acount()
    await given.work.tags.aexists()


@scenario("GenericRelatedManager.aadd")
async def _(given: Given) -> None:
    await given.writer.labels.aadd(Sticker(text="a"), Sticker(text="b"), bulk=False)


@scenario("GenericRelatedManager.acreate")
async def _(given: Given) -> None:
    await given.writer.labels.acreate(text="new")


@scenario("GenericRelatedManager.aget_or_create")
async def _(given: Given) -> None:
    await given.writer.labels.aget_or_create(text="new")


@scenario("GenericRelatedManager.aupdate_or_create")
async def _(given: Given) -> None:
    await given.writer.labels.aupdate_or_create({"text": "newer"}, text="new")


@scenario("GenericRelatedManager.aset")
async def _(given: Given) -> None:
    await given.writer.labels.aset([await Sticker.objects.aget(pk=1)])


@scenario("GenericRelatedManager.aremove")
async def _(given: Given) -> None:
    await given.writer.labels.aremove(await Sticker.objects.aget(pk=1))


@scenario("GenericRelatedManager.aclear")
async def _(given: Given) -> None:
    await given.writer.labels.aclear()


@scenario(
    "ContentTypeManager.aget_by_natural_key", "ContentTypeManager.aget_for_id", "ContentTypeManager.aget_for_model",
    "ContentTypeManager.aget_for_models",
)  # fmt: skip
async def _(_given: Given) -> None:
    ContentType.objects.clear_cache()
    kind = await ContentType.objects.aget_for_model(Writer)
    ContentType.objects.clear_cache()
    await ContentType.objects.aget_for_models(Writer)
    ContentType.objects.clear_cache()
    await ContentType.objects.aget_for_id(kind.pk)
    ContentType.objects.clear_cache()
    await ContentType.objects.aget_by_natural_key(*kind.natural_key())


# -- sessions


def in_session(name: str, *args: Any, **kwargs: Any) -> None:
    """Register a writing method of an AsyncSession's querysets, committed with the session."""

    async def bound(_given: Given) -> None:
        async with AsyncSession(databases.get().async_engine) as session:
            await getattr(Work.objects(session).filter(pages__gt=10), name)(*deepcopy(args), **kwargs)
            await session.commit()

    SCENARIOS[f"AsyncSessionQuerySet.{name}"] = bound


in_session("create", title="new")
in_session("get_or_create", title="new")
in_session("update_or_create", {"pages": 5}, title="new")
in_session("update", pages=5)
in_session("delete")


@scenario(
    "AsyncSessionQuerySet.bulk_create", "AsyncSessionQuerySet.bulk_update", "AsyncSessionQuerySet.bulk_upsert"
)
async def _(_given: Given) -> None:
    async with AsyncSession(databases.get().async_engine) as session:
        await Tag.objects(session).bulk_create([Tag(name="a"), Tag(name="b")])
        works = await Work.objects(session).fetch()
        for work in works:
            work.pages += 1
        await Work.objects(session).bulk_update(works, ["pages"])
        await Tag.objects(session).bulk_upsert([{"name": "c"}], unique_fields=["name"])
        await session.commit()


# -- SQL by hand


@scenario("Database.aexecute")
async def _(_given: Given) -> None:
    await databases.get().aexecute(f"UPDATE {Work._meta.db_table} SET pages = pages + 1")


@scenario("Database.afetch")
async def _(_given: Given) -> None:
    await databases.get().afetch(f"SELECT * FROM {Work._meta.db_table}")


# -- transactions


@scenario("transaction.aatomic")
async def _(given: Given) -> None:
    async with transaction.aatomic():
        await Tag.objects.acreate(name="outer")
        async with transaction.aatomic():
            await Tag.objects.acreate(name="inner")
            await given.work.tags.aadd(Tag(pk=3))
        try:
            async with transaction.aatomic():
                await Tag.objects.acreate(name="undone")
                raise LookupError
        except LookupError:
            pass
        async with transaction.aatomic(savepoint=False):
            await asyncio.sleep(0)
            await given.writer.works.acreate(title="new")
        await Work.objects.aupdate(pages=0)


@scenario("aatomic as a decorator, with hooks")
async def _(_given: Given) -> None:
    called: list[str] = []

    async def hook() -> None:
        called.append("hook")
        await Tag.objects.acount()
        called.append("done")

    @transaction.aatomic
    async def work() -> None:
        await Tag.objects.acreate(name="a")
        transaction.on_commit(hook)
        transaction.on_commit(lambda: called.append("plain"))
        await Tag.objects.acreate(name="b")

    await work()
    assert called == ["hook", "done", "plain"]


@scenario("aatomic that fails")
async def _(_given: Given) -> None:
    try:
        async with transaction.aatomic():
            await Tag.objects.acreate(name="a")
            await Tag.objects.acreate(name="a")
    except ormolu.IntegrityError:
        pass


@scenario("aatomic with terms and retries")
async def _(_given: Given) -> None:
    calls: list[int] = []

    @transaction.aatomic(isolation="serializable", retries=2)
    async def work() -> None:
        calls.append(1)
        await Tag.objects.acreate(name="a")
        if len(calls) == 1:
            lost = ormolu.OperationalError("lost")
            lost.retryable = True
            raise lost
        await Tag.objects.acreate(name="b")

    await work()


@scenario("aatomic that only reads")
async def _(_given: Given) -> None:
    async with transaction.aatomic(read_only=True):
        await Work.objects.acount()
        async for work in Work.objects.order_by("pk").aiterator(chunk_size=2):
            assert work.title


@scenario("transaction.asavepoint", "transaction.asavepoint_commit", "transaction.asavepoint_rollback")
async def _(_given: Given) -> None:
    async with transaction.aatomic():
        await Tag.objects.acreate(name="a")
        first = await transaction.asavepoint()
        await Tag.objects.acreate(name="b")
        await transaction.asavepoint_rollback(first)
        await Tag.objects.acreate(name="c")
        await transaction.asavepoint_commit(first)


@scenario("transaction.aset_autocommit", "transaction.acommit", "transaction.arollback")
async def _(_given: Given) -> None:
    await transaction.aset_autocommit(False)
    try:
        await Tag.objects.acreate(name="undone")
        await transaction.arollback()
        await Tag.objects.acreate(name="a")
        await Tag.objects.acreate(name="b")
        await transaction.acommit()
    finally:
        try:
            await transaction.arollback()
        finally:
            await transaction.aset_autocommit(True)


@scenario("advisory locks")
async def _(_given: Given) -> None:
    if databases.get().vendor != "postgresql":
        return
    async with transaction.aadvisory_lock("a", wait=5):
        await Tag.objects.acount()
        async with transaction.aatomic():
            async with transaction.aadvisory_lock("b", wait=5), transaction.aadvisory_lock("c", wait=False):
                await Tag.objects.acreate(name="a")
            await Tag.objects.acreate(name="b")


@scenario("transaction.aon_commit")
async def _(_given: Given) -> None:
    async def hook() -> None:
        await Tag.objects.acreate(name="hooked")

    await transaction.aon_commit(hook)


@scenario("streams in a block, and abandoned")
async def _(_given: Given) -> None:
    async with transaction.aatomic():
        await Tag.objects.acreate(name="a")
        async for work in Work.objects.order_by("pk").aiterator(chunk_size=2):
            await Work.objects.filter(pk=work.pk).aupdate(pages=0)
    stream = Work.objects.order_by("pk").aiterator(chunk_size=2)
    async for _work in stream:
        break
    await stream.aclose()


@scenario("an overridden save()")
async def _(_given: Given) -> None:
    async with transaction.aatomic():
        await Stubborn.objects.acreate(name="a")
        await Tag.objects.acreate(name="b")


@scenario("an async receiver")
async def _(_given: Given) -> None:
    async def count(**_named: Any) -> None:
        await Tag.objects.acount()
        await asyncio.sleep(0)

    signals.post_save.connect(count, sender=Writer)
    try:
        await Writer.objects.aupdate_or_create({"score": 5}, name="new")
    finally:
        signals.post_save.disconnect(count, sender=Writer)
