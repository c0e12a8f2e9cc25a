"""Which database an object's queries go to."""

from __future__ import annotations

from typing import Any

from ormolu.databases.routing import DEFAULT_DB_ALIAS, router


def write_alias(instance: Any) -> str:
    """Return the alias that an instance is written to: as the routers say, else where it is from."""
    if router.routers_given():
        return router.db_for_write(type(instance), instance=instance)
    return _own_alias(instance)


def read_alias(instance: Any) -> str:
    """Return the alias that an instance is read from again: as the routers say, else where it is from."""
    if router.routers_given():
        return router.db_for_read(type(instance), instance=instance)
    return _own_alias(instance)


def relate(instance: Any, related: Any, cannot: str = "Cannot assign") -> None:
    """Let two objects refer to each other that may be of different databases.

    One that is in none yet will be saved where the routers say, else with the other. Raises ValueError where the
    routers don't allow it: without any, objects of different databases don't refer to each other.
    Source: Django's documentation, "Multiple databases", "allow_relation".
    """
    for one, other in ((instance, related), (related, instance)):
        if one._state.db is None:
            one._state.db = router.db_for_write(type(one), instance=other)
    if not router.allow_relation(related, instance):
        raise ValueError(
            f'{cannot} "{related!r}": it is on the database "{related._state.db}" and "{instance!r}" on '
            f'"{instance._state.db}", and no router allows that they refer to each other.'
        )


def _own_alias(instance: Any) -> str:
    """Return the alias of the database that an instance belongs to."""
    values: dict[str, Any] = instance.__dict__
    return values.get("_db") or values.get("_using") or DEFAULT_DB_ALIAS
