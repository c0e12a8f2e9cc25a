"""Which database one of SQLAlchemy's engines belongs to: what sessions and connections stand on, by alias."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from ormolu import databases
from ormolu.conf import settings
from ormolu.exceptions import ImproperlyConfigured

__all__ = ["alias_of", "note"]

_aliases: WeakKeyDictionary[sa.Engine, str] = WeakKeyDictionary()
_guesses: WeakKeyDictionary[sa.Engine, tuple[object, str | None]] = WeakKeyDictionary()
"""Of engines that programs made themselves, with the configuration of that time."""


def note(engine: sa.Engine, alias: str) -> None:
    """Remember whose engine this is. An asynchronous one is known by its `sync_engine`."""
    _aliases[engine] = alias


def alias_of(engine: sa.Engine) -> str | None:
    """Return the alias of an engine's database, None where no configured one has its address.

    An engine that a program has made itself belongs to the first database with the same address, whichever driver
    it takes.
    """
    found = _aliases.get(engine)
    if found is not None:
        return found
    configured = settings.DATABASES
    guess = _guesses.get(engine)
    if guess is None or guess[0] is not configured:
        guess = _guesses[engine] = (configured, _guess(engine))
    return guess[1]


def _guess(engine: sa.Engine) -> str | None:
    address = _address(engine.url)
    for alias in databases.aliases():
        with suppress(ImproperlyConfigured):  # which its own users are told
            if _address(databases.get(alias).config.url) == address:
                return alias
    return None


def _address(url: sa.URL) -> Any:
    backend = url.get_backend_name()
    kind = "mysql" if backend == "mariadb" else backend
    return kind, url.host, url.port, url.database, dict(url.query).get("host")
