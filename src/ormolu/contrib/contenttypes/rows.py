"""The rows of content types: found, or made when they are first asked for; and their keys in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from operator import attrgetter, methodcaller
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ormolu.databases.routing import router
from ormolu.programs import OnCommit, Program, brief
from ormolu.query import terminals
from ormolu.query.prefetch import elsewhere
from ormolu.query.q import Q

if TYPE_CHECKING:
    from ormolu.contrib.contenttypes.models import ContentType, ContentTypeManager

Key = tuple[str, str]

__all__ = ["Key", "by_ids", "by_keys", "found", "key_of", "present", "type_id"]


def key_of(model: Any, for_concrete_model: bool = True) -> Key:
    """Return (app_label, model name) of a model or an object."""
    meta = model._meta
    if for_concrete_model:
        meta = meta.concrete_model._meta
    return (meta.app_label, meta.model_name)


def type_id(key: Key) -> Any:
    """Return the subquery that gives a content type's key.

    So a statement needs no other before it, and holds in every database. The texts are no parameters: they belong to
    the models, not to a query.
    """
    from ormolu.contrib.contenttypes.models import ContentType

    table = ContentType._meta.table.alias("ormolu_type")
    conditions = (column == quoted(text) for column, text in zip((table.c.app_label, table.c.model), key))
    return sa.select(table.c.id).where(*conditions).correlate(None).scalar_subquery()


def quoted(text: str) -> Any:
    """Return a text as a literal of SQL."""
    escaped = text.replace("'", "''")
    return sa.literal_column(f"'{escaped}'", sa.String())


def present(known: dict[Any, ContentType], key: Any) -> ContentType:
    """Return the content type of a key. Raises DoesNotExist."""
    from ormolu.contrib.contenttypes.models import ContentType

    try:
        return known[key]
    except KeyError:
        raise ContentType.DoesNotExist(f"ContentType matching query does not exist: {key!r}.") from None


@brief
def by_keys(driver: Any, manager: ContentTypeManager, keys: Iterable[Key]) -> Program[dict[Any, ContentType]]:
    """Return the content types of (app_label, model) pairs; those that are missing are made."""
    keys = list(dict.fromkeys(keys))
    known = yield from found(driver, manager, keys)
    alias: str = manager._db or router.db_for_write(manager.model)
    missing = [key for key in keys if key not in known]
    if missing and alias == driver.database.alias:
        known |= yield from make(driver, manager, missing)
    elif missing:
        known |= yield from elsewhere(driver, alias, make, manager, missing)
    return known


@brief
def by_ids(driver: Any, manager: ContentTypeManager, ids: Iterable[Any]) -> Program[dict[Any, ContentType]]:
    """Return the content types of primary keys, those that are there. One SELECT for all that aren't remembered."""
    known: dict[Any, ContentType] = yield from _lookup(driver, manager, ids, _among, attrgetter("pk"))
    return known


@brief
def found(driver: Any, manager: ContentTypeManager, keys: Iterable[Key]) -> Program[dict[Any, ContentType]]:
    """Return the content types of (app_label, model) pairs, those that are there."""
    known: dict[Any, ContentType] = yield from _lookup(
        driver, manager, keys, _condition, methodcaller("natural_key")
    )
    return known


def _lookup(
    driver: Any,
    manager: ContentTypeManager,
    keys: Iterable[Any],
    condition: Callable[[list[Any]], Q],
    key_of_row: Callable[[Any], Any],
) -> Program[dict[Any, ContentType]]:
    alias: str = driver.database.alias
    held = manager._cache.get(alias, {})
    keys = list(keys)
    known = {key: held[key] for key in keys if key in held}
    missing = [key for key in keys if key not in known]
    if missing:
        queryset = manager.get_queryset().using(alias).filter(condition(missing))
        rows: list[Any] = yield from terminals.results(driver, queryset)
        known.update((key_of_row(row), row) for row in rows)
        manager._remember(alias, [row for row in rows if (alias, row.natural_key()) not in manager._unsure])
    return known


def _among(ids: list[Any]) -> Q:
    return Q(pk__in=ids)


def _condition(keys: list[Key]) -> Q:
    if len(keys) == 1:
        return Q(app_label=keys[0][0], model=keys[0][1])
    whole = Q()
    for label in dict.fromkeys(label for label, _ in keys):
        whole |= Q(app_label=label, model__in=[name for other, name in keys if other == label])
    return whole


def make(driver: Any, manager: ContentTypeManager, keys: list[Key]) -> Program[dict[Any, ContentType]]:
    """Return content types that are made unless somebody else makes them now. One INSERT, one SELECT.

    They may be gone again until the transaction commits: then they are remembered.
    """
    alias: str = driver.database.alias
    new = [manager.model(app_label=label, model=name) for label, name in keys]
    yield from terminals.bulk_create(driver, manager.model, new, {"ignore_conflicts": True})
    rows: list[ContentType] = []
    committed = partial(manager._remember, alias, rows)
    for key in keys:
        manager._unsure[alias, key] = committed
    known: dict[Any, ContentType] = yield from found(driver, manager, keys)
    rows.extend(known.values())
    yield OnCommit(committed)
    return known
