"""Repositories: the objects of one model behind a SQLAlchemy session, and units of work over several of them.

    repo = Repository(session, User)               # AsyncRepository(async_session, User): the same, awaited
    user = repo.find_by(email="ann@example.com")
    adults = repo.where(User.age >= 18).order_by(User.name).all()
    repo.bulk_insert(rows, on_conflict="nothing", unique_fields=["email"])

They stand on the querysets that are bound to sessions: what is read is attached, what is written is flushed, and the
transaction is the caller's. `Database.repository(User)`, `UnitOfWork` and `AsyncUnitOfWork` have a transaction of
their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.repository.asynchronous import AsyncRepository
    from ormolu.repository.data import DataMixin, dump_model, load, to_dict
    from ormolu.repository.pages import NumberedPage
    from ormolu.repository.selections import AsyncSelection, Selection
    from ormolu.repository.synchronous import Repository
    from ormolu.repository.units import AsyncUnitOfWork, UnitOfWork

__all__ = [
    "AsyncRepository",
    "AsyncSelection",
    "AsyncUnitOfWork",
    "DataMixin",
    "NumberedPage",
    "Repository",
    "Selection",
    "UnitOfWork",
    "dump_model",
    "load",
    "to_dict",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "asynchronous": "AsyncRepository",
            "data": "DataMixin dump_model load to_dict",
            "pages": "NumberedPage",
            "selections": "AsyncSelection Selection",
            "synchronous": "Repository",
            "units": "AsyncUnitOfWork UnitOfWork",
        },
    )
