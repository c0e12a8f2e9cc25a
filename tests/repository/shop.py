"""Models, repositories, and one spelling of a unit of work for both worlds."""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from ormolu import (
    CASCADE,
    CharField,
    ForeignKey,
    IntPKMixin,
    Model,
    PGUUIDPKMixin,
    TimestampMixin,
    UUIDPKMixin,
)
from ormolu.repository import AsyncRepository, AsyncUnitOfWork, Repository, UnitOfWork


class RepoUser(Model, UUIDPKMixin, TimestampMixin):
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(50), unique=True)

    class Meta:
        app_label = "repo_shop"


class RepoPet(Model, IntPKMixin):
    owner = ForeignKey(RepoUser, on_delete=CASCADE, related_name="pets")
    name = CharField(max_length=20, unique=True)

    class Meta:
        app_label = "repo_shop"


class RepoTicket(Model, PGUUIDPKMixin):
    title = CharField(max_length=20)

    class Meta:
        app_label = "repo_shop"


MODELS = [RepoUser, RepoPet, RepoTicket]


class Users(Repository[RepoUser]):
    def named(self, name: str) -> list[RepoUser]:
        return self.where(name=name).order_by("email").all()


class AsyncUsers(AsyncRepository[RepoUser]):
    async def named(self, name: str) -> list[RepoUser]:
        return await self.where(name=name).order_by("email").all()


async def said(value: Any) -> Any:
    """Return a value, awaited where it has to be."""
    return await value if inspect.isawaitable(value) else value


@asynccontextmanager
async def unit(world: Any, *using: Any) -> AsyncIterator[Any]:
    """Open a unit of work of this world."""
    if world.is_async:
        async with AsyncUnitOfWork(*using) as work:
            yield work
    else:
        with UnitOfWork(*using) as work:
            yield work


@asynccontextmanager
async def block(world: Any, manager: Any) -> AsyncIterator[Any]:
    """Enter what is a context manager of this world."""
    if world.is_async:
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value


def names(found: Any) -> list[str]:
    return [item.name for item in found]


async def people(work: Any, *given: str) -> list[RepoUser]:
    """Create users of these names."""
    users = work.repository(RepoUser)
    return [await said(users.create(name=name, email=f"{name.lower()}@example.com")) for name in given]
