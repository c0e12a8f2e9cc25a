"""Querysets on a SQLAlchemy Connection: there is no session, so objects belong to nobody, as those of the ambient door.

Writes are those of the library itself, in the connection's transaction, which nobody here commits.
"""

from __future__ import annotations

from typing import Any

from ormolu.programs import run
from ormolu.query.after_commit import after_commit_of_connection
from ormolu.query.binding import SessionConnection, SessionDriver
from ormolu.query.chain import M, R
from ormolu.query.queryset import QuerySet
from ormolu.writes.overrides import is_librarys

__all__ = ["ConnectionBinding", "ConnectionDriver", "ConnectionQuerySet"]


class ConnectionSteps(SessionConnection):
    """Runs steps on a Connection, in its transaction."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection, connection)

    def on_commit(self, callback: Any, robust: bool = False) -> None:
        """Call a function when the connection's transaction is committed."""
        after_commit_of_connection(self.connection, callback, robust)


class ConnectionDriver(SessionDriver):
    """Stands in for a database's driver: runs programs on one Connection."""

    def __init__(self, connection: Any) -> None:
        self.session = self.using = connection
        self._share(connection.engine)

    def run(self, program: Any, *args: Any) -> Any:
        """Drive a program on the connection."""
        return run(program(self, *args), ConnectionSteps(self.connection()))

    def flush(self) -> None:
        """Do nothing: nothing is pending."""

    def connection(self) -> Any:
        """Return the connection, with the SQL functions that lookups use."""
        return self._with_functions(self.session)

    def adopt(self, found: list[Any], locked: bool = False) -> list[Any]:
        """Return the objects as they are: no session holds them."""
        return found


class ConnectionBinding:
    """Ties a queryset to a Connection."""

    def __init__(self, connection: Any, model: Any) -> None:
        self.session = connection
        self.model = model

    @property
    def driver(self) -> ConnectionDriver:
        """The stand-in for a driver."""
        return ConnectionDriver(self.session)

    @property
    def place(self) -> Any:
        """What two questions share that are asked on one connection."""
        return id(self.session)

    def run(self, program: Any, *args: Any) -> Any:
        """Drive a program on the connection."""
        return self.driver.run(program, *args)

    async def arun(self, program: Any, *args: Any) -> Any:
        """Drive a program on the AsyncConnection that this connection belongs to."""
        from sqlalchemy.ext.asyncio import AsyncConnection

        owner: Any = AsyncConnection._retrieve_proxy_for_target(self.session, regenerate=False)
        if owner is None:
            raise TypeError(
                f"{self.model.__name__}.objects is bound to a synchronous Connection, which can't be awaited: take the "
                "plain methods, or an AsyncConnection."
            )

        def drive(_connection: Any) -> Any:
            return self.run(program, *args)

        return await owner.run_sync(drive)


class ConnectionQuerySet(QuerySet[M, R]):
    """A QuerySet on a Connection."""

    _hears_overrides = False

    def create(self, **kwargs: Any) -> M:
        """Make an object, insert it and return it. One INSERT; nothing commits."""
        cls: Any = self.model
        if is_librarys(cls.save):
            return super().create(**kwargs)
        self._not_combined("create")
        self._check_reverse(kwargs)
        instance = cls(**kwargs)
        instance.save(force_insert=True, using=self._binding.session)
        self._give_mode(instance)
        return instance  # type: ignore[no-any-return]
