"""Loading what an instance lacks, when it is read: as its fetch mode says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any

from ormolu import databases, writes
from ormolu.programs import brief
from ormolu.query import terminals
from ormolu.query.fetch_modes import DB, RAISE, given_mode, mode_of
from ormolu.query.prefetch import prefetch

PREFETCHED = "_prefetched_objects_cache"


def in_event_loop() -> bool:
    """Tell whether this thread is running an event loop, where a query would block everybody."""
    return asyncio._get_running_loop() is not None


def fetch(fetcher: Any, instance: Any) -> None:
    """Let an instance's fetch mode load an attribute. In async code only an error can come of that."""
    mode = mode_of(instance)
    if mode is not RAISE and in_event_loop():
        raise fetcher.not_loaded(instance)
    mode.fetch(fetcher, instance)


def fetch_relation(instances: Sequence[Any], name: str) -> None:
    """Load a single relation for objects of one database. One query."""
    alias = str(instances[0].__dict__[DB])
    databases.get(alias).driver.run(prefetch, instances, [name], alias)


def lacking(instances: Sequence[Any], name: str, key_in: Callable[[dict[str, Any]], Any]) -> list[Any]:
    """Return those that refer to an object they don't hold; `key_in` gives what one refers with, of its `__dict__`."""
    return [o for o in instances if name not in o.__dict__ and key_in(o.__dict__) is not None]


def lacking_reverse(instances: Sequence[Any], name: str) -> list[Any]:
    """Return those that don't know yet which object refers to them."""
    return [instance for instance in instances if name not in instance.__dict__.get(PREFETCHED, ())]


def with_mode(queryset: Any, instance: Any) -> Any:
    """Return a queryset on an instance's database, for objects that are fetched as this one would be."""
    alias, mode = instance.__dict__.get(DB), given_mode(instance)
    if alias:
        queryset = queryset.using(str(alias))
    return queryset if mode is None else queryset.fetch_mode(mode)


def fills_many(instance: Any) -> bool:
    """Tell whether columns of many such objects can be loaded at once: no override must be heard."""
    cls: Any = instance.__class__
    return writes.overrides.is_librarys(cls.refresh_from_db)


def fetch_columns(instances: Sequence[Any], attnames: Sequence[str]) -> None:
    """Load columns for objects of one database. One query; DoesNotExist if the first one's row is gone."""
    alias = str(instances[0].__dict__[DB])
    databases.get(alias).driver.run(fill_columns, instances, attnames)


@brief
def fill_columns(driver: Any, instances: Sequence[Any], attnames: Sequence[str]) -> Generator[Any, Any, None]:
    """Load columns for all objects that lack one of them. One query."""
    todo = [o for o in instances if any(name not in o.__dict__ for name in attnames)]
    meta = todo[0]._meta
    by_key: dict[Any, list[Any]] = {}
    for instance in todo:
        by_key.setdefault(instance.pk, []).append(instance)
    queryset = meta.base_manager.using(driver.database.alias).filter(pk__in=list(by_key)).only(*attnames)
    for loaded in (yield from terminals.results(driver, queryset)):
        for instance in by_key[loaded.pk]:
            instance._take_over(loaded, missing(instance, attnames), False)
    if missing(todo[0], attnames):
        raise meta.model.DoesNotExist(f"{meta.object_name} matching query does not exist.")


def missing(instance: Any, attnames: Sequence[str]) -> list[str]:
    """Return the columns that an object lacks: what it has may have been changed."""
    return [name for name in attnames if name not in instance.__dict__]
