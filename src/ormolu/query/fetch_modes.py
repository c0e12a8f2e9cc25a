"""Fetch modes: what reading an attribute does that wasn't loaded.

Source: Django 6.1's documentation, topics/db/fetch-modes. The default is the setting `FETCH_MODE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ormolu.compile.peers import Origin
from ormolu.conf import settings
from ormolu.exceptions import FieldFetchBlocked

DB = "_db"
STATE = "_sa_instance_state"


class Fetcher(Protocol):
    """What loads one attribute of a model: a relation or a column."""

    @property
    def name(self) -> str:
        """The attribute."""
        ...

    def fetch_one(self, instance: Any) -> None:
        """Load it for one object."""

    def fetch_many(self, instances: Sequence[Any]) -> None:
        """Load it with one query for all of these that lack it."""


class FetchMode:
    """A way to load what is missing. Override `fetch()` for one of your own; it is called in synchronous code only."""

    name = "custom"

    def fetch(self, fetcher: Fetcher, instance: Any) -> None:
        """Load an attribute of an object, or raise."""
        raise NotImplementedError(f"{type(self).__name__} must define fetch(fetcher, instance)")

    def __repr__(self) -> str:
        return f"<fetch mode {self.name}>"


class FetchOne(FetchMode):
    """Load for the one object that was asked."""

    name = "one"

    def fetch(self, fetcher: Fetcher, instance: Any) -> None:
        """Send one query."""
        fetcher.fetch_one(instance)

    def __reduce__(self) -> str:
        return "FETCH_ONE"


class FetchPeers(FetchMode):
    """Load for all objects that were loaded together with that one."""

    name = "peers"

    def fetch(self, fetcher: Fetcher, instance: Any) -> None:
        """Send one query for all."""
        peers = peers_of(instance)
        if len(peers) > 1:
            fetcher.fetch_many(peers)
        else:
            fetcher.fetch_one(instance)

    def __reduce__(self) -> str:
        return "FETCH_PEERS"


class Raise(FetchMode):
    """Load nothing that the query didn't."""

    name = "raise"

    def fetch(self, fetcher: Fetcher, instance: Any) -> None:
        """Raise FieldFetchBlocked."""
        name = fetcher.name
        cure = (
            f'its fetch mode is RAISE: let the query load it (select_related("{name}"), '
            f'prefetch_related("{name}"), no defer()), or ask for it by await obj.aload("{name}")'
        )
        raise FieldFetchBlocked(model=instance._meta.label, attribute=name, cure=cure)

    def __reduce__(self) -> str:
        return "RAISE"


FETCH_ONE = FetchOne()
FETCH_PEERS = FetchPeers()
RAISE = Raise()
MODES: dict[str, FetchMode] = {mode.name: mode for mode in (FETCH_ONE, FETCH_PEERS, RAISE)}


def mode_of(instance: Any) -> FetchMode:
    """Return the fetch mode of an object: that of its query, or the default one."""
    mode: FetchMode | None = given_mode(instance)
    return mode or MODES[settings.FETCH_MODE]


def given_mode(instance: Any) -> FetchMode | None:
    """Return the fetch mode that an object was given, None for the default one."""
    return getattr(instance.__dict__.get(DB), "mode", None)


def take_mode(queryset: Any, instance: Any) -> None:
    """Let a new queryset of an object's related objects have the object's mode, where that was given one."""
    mode = given_mode(instance)
    if mode is not None:
        queryset.query.fetch_mode = mode


def give_mode(instance: Any, mode: FetchMode | None) -> None:
    """Give an object with a row another fetch mode. It leaves its peers."""
    values = instance.__dict__
    values[DB] = Origin.alone(values[DB], mode)


def peers_of(instance: Any) -> list[Any]:
    """Return the objects that were loaded together with one and are still there, itself included.

    Objects in a Session are left out: it loads what they lack.
    """
    origin = instance.__dict__.get(DB)
    if not isinstance(origin, Origin):
        return [instance]
    found = [o for o in origin.objects(instance.__class__) if o is not instance and not in_session(o)]
    return [instance, *found] if found else [instance]


def in_session(instance: Any) -> bool:
    """Tell whether a Session holds an object."""
    state = instance.__dict__.get(STATE)
    return state is not None and state.session_id is not None
