"""What an instance does to its row through a session or connection that it is given: `await user.save(session)`.

With an asynchronous one each of these returns a coroutine. Nothing commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ormolu.exceptions import FieldDoesNotExist
from ormolu.models.state import DB
from ormolu.near import near_names
from ormolu.programs import Program
from ormolu.query import unit_of_work
from ormolu.query.binding import SessionDriver, is_async, real, sync_of
from ormolu.query.connection_binding import ConnectionDriver
from ormolu.writes.overrides import is_librarys
from ormolu.writes.save import save as saving

__all__ = ["delete", "refresh", "save", "update"]


def within(name: str, session: Any, instance: Any, work: Callable[..., Any], *args: Any) -> Any:
    """Do something on the synchronous side of a session; return its result, or a coroutine of it."""
    target = real(session, f"{type(instance).__name__}.{name}(session)")
    inner = sync_of(target)
    if not is_async(target):
        return work(inner, instance, *args)

    def call(_inner: Any) -> Any:
        return work(inner, instance, *args)

    return target.run_sync(call)


def save(
    instance: Any, session: Any, force_insert: Any, force_update: bool, update_fields: Iterable[str] | None
) -> Any:
    """Do what `save(session)` says."""
    return within("save", session, instance, _save, force_insert, force_update, update_fields)


def _save(
    session: Any, instance: Any, force_insert: Any, force_update: bool, update_fields: Iterable[str] | None
) -> None:
    if not hasattr(session, "identity_map"):
        ConnectionDriver(session).run(_saving, instance, force_insert, force_update, update_fields)
        return
    new = DB not in instance.__dict__
    if update_fields is None and not force_update and (new or not force_insert):
        unit_of_work.save(session, instance)
        return
    if not new:
        session.add(instance)
    with session.no_autoflush:  # the program says which columns are written
        SessionDriver(session, type(instance)).run(
            _saving, instance, force_insert, force_update, update_fields
        )


def _saving(
    driver: Any, instance: Any, force_insert: Any, force_update: bool, update_fields: Iterable[str] | None
) -> Program[None]:
    return saving(
        driver, instance, force_insert=force_insert, force_update=force_update, update_fields=update_fields
    )


def update(instance: Any, session: Any, values: dict[str, Any]) -> Any:
    """Do what `update(session, **values)` says."""
    check_names(instance, values)
    return within("update", session, instance, _update, values)


def _update(session: Any, instance: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(instance, name, value)
    if is_librarys(instance.__class__.save):
        _save(session, instance, False, False, None)
    else:
        instance.save(session)


def check_names(instance: Any, values: dict[str, Any]) -> None:
    """Raise FieldDoesNotExist for a name that is no column or relation of an object, before any is set."""
    cls: Any = instance.__class__
    for name in values:
        known = name == "pk" or name in cls._setters or isinstance(getattr(cls, name, None), property)
        if not known:
            near = near_names(name, cls._setters)
            hint = (
                f" Did you mean {near[0]!r}?" if near else f" Choices are: {', '.join(sorted(cls._setters))}"
            )
            raise FieldDoesNotExist(f"{cls._meta.object_name} has no field named {name!r}.{hint}")


def delete(instance: Any, session: Any, keep_parents: bool) -> Any:
    """Do what `delete(session)` says."""
    return within("delete", session, instance, _delete, keep_parents)


def _delete(session: Any, instance: Any, keep_parents: bool) -> tuple[int, dict[str, int]]:
    if hasattr(session, "identity_map"):
        return unit_of_work.delete(session, instance, keep_parents)
    instance._check_deletable()
    driver = ConnectionDriver(session)
    found: tuple[int, dict[str, int]] = driver.run(unit_of_work.deleting, instance, keep_parents)
    return found


def refresh(instance: Any, session: Any, fields: Sequence[str] | None) -> Any:
    """Do what `refresh(session)` says."""
    return within("refresh", session, instance, _refresh, fields)


def _refresh(session: Any, instance: Any, fields: Sequence[str] | None) -> None:
    if hasattr(session, "identity_map"):
        unit_of_work.refresh(session, instance, fields)
        return
    names = instance._names_to_refresh(fields)
    if names is not None and not names:
        return
    manager: Any = instance._meta.base_manager
    queryset = manager(session).filter(pk=instance.pk)
    found = (queryset if names is None else queryset.only(*names)).get()
    instance._take_over(found, names, fields is None)
