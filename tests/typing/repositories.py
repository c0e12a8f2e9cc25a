"""What a checker sees of repositories and units of work, in both worlds."""

from typing import assert_type

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from models import Author
from ormolu import AsyncRepository, AsyncUnitOfWork, Repository, UnitOfWork, databases
from ormolu.repository import AsyncSelection, NumberedPage, Selection, load


class Authors(Repository[Author]):
    def adults(self) -> list[Author]:
        return self.where(Author.age >= 18).order_by(Author.name).all()


class AsyncAuthors(AsyncRepository[Author]):
    async def adults(self) -> list[Author]:
        return await self.where(Author.age >= 18).order_by(Author.name).all()


def synchronous(session: Session) -> None:
    authors = Repository(session, Author)
    assert_type(authors, Repository[Author])
    assert_type(authors.get(1), Author | None)
    assert_type(authors.find_by(name="Ann"), Author | None)
    assert_type(authors.all(), list[Author])
    assert_type(authors.one(), Author)
    assert_type(authors.create(name="Ann"), Author)
    assert_type(authors.where(name="Ann").limit(3), Selection[Author])
    assert_type(authors.where(name="Ann").first(), Author | None)
    assert_type(authors.paginate(2), NumberedPage[Author])
    assert_type(authors.paginate(2).items, list[Author])
    assert_type(authors.bulk_insert([{"name": "Ann"}], on_conflict="nothing"), list[Author])
    assert_type(Authors(session).adults(), list[Author])
    assert_type(load(Author, {"name": "Ann"}), Author)


async def asynchronous(session: AsyncSession) -> None:
    authors = AsyncRepository(session, Author)
    assert_type(await authors.get(1), Author | None)
    assert_type(await authors.count(), int)
    assert_type(authors.where(name="Ann"), AsyncSelection[Author])
    assert_type(await authors.where(name="Ann"), list[Author])
    assert_type(await authors.where(name="Ann").one_or_none(), Author | None)
    assert_type(await authors.save(Author(name="Ann")), Author)
    assert_type(await AsyncAuthors(session).adults(), list[Author])


def units() -> None:
    with UnitOfWork() as work:
        assert_type(work.repository(Author), Repository[Author])
        assert_type(work.repository(Authors), Authors)
    with databases.get().repository(Author) as authors:
        assert_type(authors, Repository[Author])
    with databases.get().repository(Authors) as own:
        assert_type(own, Authors)


async def async_units() -> None:
    async with AsyncUnitOfWork() as work:
        assert_type(work.repository(Author), AsyncRepository[Author])
        assert_type(work.repository(AsyncAuthors), AsyncAuthors)
    async with databases.get().repository(Author) as authors:
        assert_type(authors, AsyncRepository[Author])
    async with databases.get().repository(AsyncAuthors) as own:
        assert_type(own, AsyncAuthors)
