"""`connection` and `connections`, as Django's users know them: the databases by alias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from ormolu import databases
from ormolu.databases.routing import DEFAULT_DB_ALIAS

if TYPE_CHECKING:
    from ormolu.databases.database import Database

__all__ = ["Connections", "connection", "connections"]


class Connections(Mapping[str, "Database"]):
    """The configured databases by alias: `connections["replica"]` is `databases.get("replica")`.

    Iteration gives the aliases. Nothing is connected by either.
    """

    def __getitem__(self, alias: str) -> Database:
        return databases.get(alias)

    def __iter__(self) -> Iterator[str]:
        return iter(databases.aliases())

    def __len__(self) -> int:
        return len(databases.aliases())

    def __contains__(self, alias: object) -> bool:
        return alias in databases.aliases()

    def all(self) -> list[Database]:
        """Return all configured databases."""
        return [databases.get(alias) for alias in self]

    def close_all(self) -> None:
        """Close the idle connections of all databases. They open again when needed."""
        databases.close_all()


class _Default:
    """The database "default", whatever the settings say that it is now."""

    def __getattr__(self, name: str) -> Any:
        return getattr(databases.get(DEFAULT_DB_ALIAS), name)

    def __repr__(self) -> str:
        return repr(databases.get(DEFAULT_DB_ALIAS))

    def __eq__(self, other: object) -> bool:
        return other is self or other is databases.get(DEFAULT_DB_ALIAS)

    def __hash__(self) -> int:
        return hash(databases.get(DEFAULT_DB_ALIAS))


connections = Connections()
connection: Database = cast("Any", _Default())
