"""Flash DB's names and manners."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import ForeignKey, String, inspect
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ormolu import databases
from ormolu.conf import settings
from ormolu.exceptions import IntegrityError
from ormolu.ports import flash_db
from ormolu.ports.flash_db import F, Model, Q, Sum, TimestampMixin, atomic, get_db
from ormolu.sessions import async_session_scope

pytestmark = [pytest.mark.backends("sqlite", "postgresql"), pytest.mark.worlds("async")]


class Member(Model, TimestampMixin):
    """Declared as Flash DB's users do."""

    __tablename__ = "flash_members"

    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(50), unique=True)
    age: Mapped[int] = mapped_column(default=1)
    badges: Mapped[list[MemberBadge]] = relationship()

    def clean(self) -> None:
        if not self.name:
            raise ValueError("a name is needed")


class MemberBadge(Model):
    """What a member has several of."""

    __tablename__ = "flash_badges"

    member_id: Mapped[int] = mapped_column(ForeignKey(Member.id))


async def three(db: Any) -> None:
    """Insert three members."""
    await Member.objects.bulk_create(
        db, [{"name": name, "email": f"{name}@b.io", "age": n} for n, name in enumerate("abc")]
    )


async def test_each_write_is_committed(db: Any, world: Any) -> None:
    """Through a session of get_db(), and even where the loop is left early."""

    async def early() -> Any:
        async for session in get_db():
            return await Member.objects.create(session, name="Ann", email="a")

    ann = await early()
    assert await Member.objects.filter(pk=ann.pk).aexists()
    async with async_session_scope() as session:  # from elsewhere: its owner commits
        await Member.objects.create(session, name="Ben", email="b")
        await session.rollback()
    assert await Member.objects.acount() == 1


async def test_reading(db: Any, world: Any) -> None:
    """Conditions, lookups and Q; one, none and several; numbers and values."""
    async for session in get_db():
        await three(session)
        objects = Member.objects
        assert (await objects.get(session, Member.name == "a")).email == "a@b.io"
        for wrong in (Q(name="z"), Q(age__gte=1)):
            with pytest.raises(ValueError):
                await objects.get(session, wrong)
        with pytest.raises(flash_db.DoesNotExistError):
            await objects.get_by_pk(session, 0)
        query = objects.filter(Member.name != "b").exclude(name="c")
        assert [member.name for member in await query.fetch(session)] == ["a"]
        assert await objects.order_by("-name").limit(1).values_list(session, "name", flat=True) == ["c"]
        assert (await objects.count(session, age__gte=1), await objects.exists(session, name="z")) == (
            2,
            False,
        )
        assert (await objects.latest(session, field="age")).name == "c"
        assert await objects.aggregate(session, total=Sum("age")) == {"total": 3}
        session.expunge_all()
        [member] = await objects.filter(name="a").only("name").fetch(session)
        assert "email" in inspect(member).unloaded


async def test_writing(db: Any, world: Any) -> None:
    """Sets of rows need conditions, or all(); single objects have methods."""
    async for session in get_db():
        await three(session)
        objects = Member.objects
        with pytest.raises(ValueError, match="without filters"):
            await objects.update(session, age=9)
        assert await objects.all().update(session, age=F("age") + 10) == 3
        assert await objects.filter(name="a").delete(session) == 1
        ben = await objects.get(session, name="b")
        assert ben.age == 11
        await ben.update(session, age=5)
        assert (await objects.update(session, ben.pk, name="Ben")).age == 5
        await ben.delete(session)
        made, created = await objects.get_or_create(session, email="c@b.io", defaults={"name": "x"})
        assert (made.name, created) == ("c", False)
        made, created = await objects.update_or_create(session, email="c@b.io", defaults={"name": "x"})
        assert (made.name, created) == ("x", False)
    assert [member.name async for member in Member.objects.all()] == ["x"]


async def test_an_empty_condition_is_none(db: Any, world: Any) -> None:
    """A Q of nothing, an annotation or an order don't say which rows are meant."""
    async for session in get_db():
        await three(session)
        objects = Member.objects
        for query in (
            objects.filter(Q(Q(), ~Q())),
            objects.exclude(Q()),
            objects.order_by("name").annotate(n=F("age")),
        ):
            with pytest.raises(ValueError, match="without filters"):
                await query.delete(session)
        assert await objects.filter(Q() | Q(name="a")).delete(session) == 1


async def test_a_write_that_fails_leaves_nothing(db: Any, world: Any) -> None:
    """It is rolled back where it would have been committed, and the session is of use afterwards."""
    async for session in get_db():
        await three(session)
        ann = await Member.objects.get(session, name="a")
        twin = {"name": "Twin", "email": "a@b.io"}
        for write, given in (
            (lambda db, **values: Member.objects.create(db, **values), twin),
            (
                lambda db, **values: Member.objects.bulk_create(
                    db, [{"name": "New", "email": "new"}, values]
                ),
                twin,
            ),
            (lambda db, **values: Member.objects.filter(name="b").update(db, **values), {"email": "a@b.io"}),
            (lambda db, **values: Member(**values).save(db), twin),
        ):
            with pytest.raises(IntegrityError):
                await write(session, **given)
            assert await Member.objects.count(session) == 3
        await session.refresh(ann)
        assert ann.name == "a"


async def test_refused_values_are_not_written_later(db: Any, world: Any) -> None:
    """What clean() refuses isn't among what the next write of the session flushes; the object keeps it."""
    async for session in get_db():
        await three(session)
        ann, ben = await Member.objects.order_by("name").limit(2).fetch(session)
        with pytest.raises(ValueError, match="a name is needed"):
            await Member.objects.update_or_create(session, email="c@b.io", defaults={"name": ""})
        await session.refresh(ann)
        ann.name, ann.age = "", 50
        with pytest.raises(ValueError, match="a name is needed"):
            await ann.save(session)
        await session.refresh(ben)
        with pytest.raises(ValueError, match="a name is needed"):
            await Member.objects.bulk_create(session, [{"name": "", "email": "d"}])
        with pytest.raises(ValueError, match="a name is needed"):
            await ben.update(session, name="")
        await Member.objects.create(session, name="d", email="d")
        assert await Member.objects.order_by("name").values_list(session, "name", flat=True) == list("abcd")
        ann.name = "Ann"
        await ann.save(session)
    assert (await Member.objects.aget(email="a@b.io")).age == 50


async def test_atomic_blocks(db: Any, world: Any) -> None:
    """What fails inside is undone as a whole; an inner block is a savepoint; a decorator does the same."""
    async for session in get_db():
        with pytest.raises(ZeroDivisionError):
            async with atomic(session):
                await three(session)
                raise ZeroDivisionError
        async with atomic(session):
            await Member.objects.create(session, name="Ann", email="a")
            with pytest.raises(ZeroDivisionError):
                async with atomic(session):
                    await three(session)
                    raise ZeroDivisionError
            assert await Member.objects.acount() == 0  # not committed yet

        @atomic
        async def work(db: Any, fails: bool) -> None:
            await Member.objects.create(db, name="Ben", email=str(fails))
            if fails:
                raise ZeroDivisionError

        await work(session, False)
        with pytest.raises(ZeroDivisionError):
            await work(session, True)
        with pytest.raises(TypeError, match="given no session"):
            await work(None, True)
    assert await Member.objects.acount() == 2


async def test_clean_and_signals(db: Any, world: Any) -> None:
    """clean() is called before anything is written; signals are sent around each write."""
    seen: list[str] = []

    def note(sender: Any, instance: Any, signal: Any, **kwargs: Any) -> None:
        seen.append(f"{'pre' if 'created' in kwargs else 'post'} {instance.name}")

    flash_db.pre_save.connect(note, sender=Member)
    try:
        async for session in get_db():
            with pytest.raises(ValueError, match="a name is needed"):
                await Member.objects.create(session, name="", email="a")
            ann = await Member.objects.create(session, name="Ann", email="a")
            ann.name = "Anna"
            await ann.save(session)
    finally:
        flash_db.pre_save.disconnect(note, sender=Member)
    assert seen == ["pre Ann", "pre Anna"]
    assert (await Member.objects.aget()).name == "Anna"


async def test_prefetching(db: Any, world: Any) -> None:
    """A plain relationship is loaded along, as a collection that its session looks after."""
    async for session in get_db():
        ann = await Member.objects.create(session, name="Ann", email="a")
        await MemberBadge.objects.create(session, member_id=ann.id)
        session.expunge_all()
        [ann] = await Member.objects.all().prefetch_related("badges").fetch(session)
        ann.badges.append(MemberBadge())
        await session.commit()
    assert await MemberBadge.objects.filter(member_id=ann.id).acount() == 2


async def test_there_must_be_a_database(db: Any, world: Any) -> None:
    """get_db() before init_db() is an error; close_db() may be called at any time."""
    settings.DATABASES = {}
    await flash_db.close_db()
    with pytest.raises(RuntimeError, match="init_db"):
        await anext(get_db())
    flash_db.init_db("sqlite+aiosqlite:///:memory:", echo=True)
    assert databases.get().config.engine_options == {"echo": True}
    await flash_db.close_db()
