"""SQLAlchemy's sessions on the databases that are configured, for applications, workers and scripts.

    from ormolu.sessions import get_session, get_sync_session

    @app.get("/authors")
    async def authors(session: AsyncSession = Depends(get_session)): ...

    with get_sync_session() as session: ...

A session is SQLAlchemy's own, on the engine of `databases.get(alias)`: one configuration, one pool. It takes a
connection when its first statement needs one.
"""

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.models.tables import acreate_tables as create_tables_async
    from ormolu.models.tables import adrop_tables as drop_tables_async
    from ormolu.models.tables import create_tables, drop_tables
    from ormolu.sessions.dataclass_models import DataclassModel
    from ormolu.sessions.dependencies import (
        get_async_session,
        get_session,
        get_threaded_session,
        session_dependency,
        threaded_session_dependency,
    )
    from ormolu.sessions.engines import async_engine, open_database, sync_engine
    from ormolu.sessions.factories import (
        AsyncSessionFactory,
        SessionFactory,
        async_session_factory,
        session_factory,
    )
    from ormolu.sessions.scopes import async_session_scope, get_sync_session, session_scope

__all__ = [
    "AsyncSessionFactory",
    "DataclassModel",
    "SessionFactory",
    "async_engine",
    "async_session_factory",
    "async_session_scope",
    "create_tables",
    "create_tables_async",
    "drop_tables",
    "drop_tables_async",
    "get_async_session",
    "get_session",
    "get_sync_session",
    "get_threaded_session",
    "open_database",
    "session_dependency",
    "session_factory",
    "session_scope",
    "sync_engine",
    "threaded_session_dependency",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "dataclass_models": "DataclassModel",
            "dependencies": "get_async_session get_session get_threaded_session session_dependency "
            "threaded_session_dependency",
            "engines": "async_engine open_database sync_engine",
            "factories": "AsyncSessionFactory SessionFactory async_session_factory session_factory",
            "scopes": "async_session_scope get_sync_session session_scope",
            "tables": "create_tables create_tables_async drop_tables drop_tables_async",
        },
    )
