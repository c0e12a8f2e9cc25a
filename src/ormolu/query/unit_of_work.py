"""An object written, deleted and loaded again through a session: signals and validation as elsewhere, then a flush.

Everything here is synchronous: under an AsyncSession it runs in that session's greenlet. Nothing commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy.exc
from sqlalchemy.orm import RelationshipDirection, attributes

from ormolu.databases.errors import translate_sqlalchemy
from ormolu.programs import Program, notify, run
from ormolu.query.binding import SessionConnection, SessionDriver, flush
from ormolu.query.following import follow_deletion
from ormolu.signals import post_delete, post_save, pre_delete, pre_save
from ormolu.writes.delete import delete_instances
from ormolu.writes.validating import validate
from ormolu.writes.writers import writer_for

__all__ = ["commit", "delete", "deleting", "flush", "follow_deletion", "is_pending", "refresh", "save"]


def is_pending(session: Any, instance: Any) -> bool:
    """Tell whether a session is going to insert an object."""
    return attributes.instance_state(instance).key is None and instance in session


def save(session: Any, instance: Any) -> None:
    """Add an object and flush: an INSERT if it is new, else an UPDATE of what changed. It is attached from then on.

    Sends pre_save and post_save; validates as the model's Meta says. What the database computed is loaded.
    Raises ValidationError before anything is written, and what the database refuses.
    """
    driver = SessionDriver(session, type(instance))
    conn = SessionConnection(session, None)
    created = "_db" not in instance.__dict__
    was_here = instance in session
    try:
        with session.no_autoflush:  # nobody writes the object before it was looked at
            session.add(instance)
            run(_before(driver, instance, created), conn)
        flush(session)
    except BaseException:
        if not was_here and instance in session and created:
            session.expunge(instance)
        raise
    load_computed(session, instance)
    if post_save.receivers:
        run(_announce(post_save, driver, instance, created), conn)


def commit(session: Any) -> None:
    """Commit; errors of the database are ours, which are SQLAlchemy's as well."""
    try:
        session.commit()
    except sqlalchemy.exc.DBAPIError as error:
        raise translate_sqlalchemy(error) from error.orig


def _before(driver: Any, instance: Any, created: bool) -> Program[None]:
    writer = driver.plans.get(("update", type(instance))) or writer_for(driver, type(instance))
    if pre_save.receivers:
        yield from _announce(pre_save, driver, instance, created)
    if writer.validates:
        yield from validate(writer, instance)


def _announce(signal: Any, driver: Any, instance: Any, created: bool) -> Program[None]:
    writer = driver.plans.get(("update", type(instance))) or writer_for(driver, type(instance))
    return notify(
        signal,
        writer.model,
        instance=instance,
        created=created,
        raw=False,
        using=writer.alias,
        update_fields=None,
    )


def load_computed(session: Any, instance: Any) -> None:
    """Load the columns that the database has computed in the flush: async code could not, when they are read."""
    state = attributes.instance_state(instance)
    missing = state.expired_attributes.intersection(state.mapper.column_attrs.keys())
    if missing:
        session.refresh(instance, sorted(missing))


def delete(session: Any, instance: Any, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
    """Delete an object's row, and do to those that refer to it what their on_delete says; it leaves the session.

    A model with plain relationships to many is deleted by the unit of work, as their cascades say. Sends pre_delete
    and post_delete. Return how many rows were deleted, and how many of each model. Raises ValueError for an object
    without a key, ProtectedError or RestrictedError before anything is deleted.
    """
    if is_pending(session, instance):
        flush(session)
    instance._check_deletable()
    if instance not in session:
        session.add(instance)
    driver = SessionDriver(session, type(instance))
    if _has_collections(instance) and not instance._meta.related_objects:
        return _delete_by_cascades(session, driver, instance)
    found: tuple[int, dict[str, int]] = driver.run(deleting, instance, keep_parents)
    follow_deletion(session, type(instance), [instance], found, 1)
    return found


def deleting(driver: Any, instance: Any, keep_parents: bool) -> Any:
    """Delete one object by what on_delete says; a row with a version is claimed first."""
    program = delete_instances(driver, type(instance), [instance], keep_parents=keep_parents)
    if instance._meta.version is None:
        return program
    from ormolu.writes.versions import claimed

    return claimed(driver, instance, program)


def _has_collections(instance: Any) -> bool:
    """Tell whether a model has plain relationships whose other side the unit of work looks after."""
    plain = (getattr(field, "prop", None) for field in instance._meta.private_fields)
    return any(
        prop is not None and not prop.viewonly and prop.direction is not RelationshipDirection.MANYTOONE
        for prop in plain
    )


def _delete_by_cascades(session: Any, driver: Any, instance: Any) -> tuple[int, dict[str, int]]:
    conn = SessionConnection(session, None)
    sender: Any = instance.__class__
    using = driver.database.alias
    if pre_delete.receivers:
        run(notify(pre_delete, sender, instance=instance, using=using, origin=instance), conn)
    before = set(session.deleted)
    session.delete(instance)
    gone = [one for one in session.deleted if one not in before]
    flush(session)
    if post_delete.receivers:
        run(notify(post_delete, sender, instance=instance, using=using, origin=instance), conn)
    counts: dict[str, int] = {}
    for one in gone:
        label = one._meta.label if hasattr(one, "_meta") else type(one).__name__
        counts[label] = counts.get(label, 0) + 1
    return len(gone), counts


def refresh(session: Any, instance: Any, fields: Sequence[str] | None = None) -> None:
    """Load an object's columns, or some of its attributes, again. It is attached from then on.

    Raises DoesNotExist where the row is gone.
    """
    if is_pending(session, instance):
        flush(session)
    if instance not in session:
        session.add(instance)
    try:
        session.refresh(instance, None if fields is None else list(fields))
    except sqlalchemy.exc.InvalidRequestError as error:
        if "Could not refresh" not in str(error):
            raise
        raise instance.DoesNotExist(f"{type(instance).__name__} matching query does not exist.") from error
    if fields is None:
        instance.__dict__.pop("_prefetched_objects_cache", None)
