"""A session's objects, kept in step with rows that were deleted past its unit of work."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

__all__ = ["follow_deletion"]

Deleted = tuple[int, dict[str, int]]
POLICIES_THAT_LEAVE = frozenset({"CASCADE", "PROTECT", "RESTRICT", "DO_NOTHING", "DB_CASCADE"})
AT_ONCE = 1_000


def follow_deletion(session: Any, model: Any, gone: Collection[Any], found: Deleted, told: int) -> None:
    """Let objects whose rows are gone leave a session, and keys that on_delete has set follow.

    `gone` are those whose rows were to be deleted, `told` is how many rows that were, and `found` what was. Only for
    models whose rows may be concerned, and of which the session has objects, one SELECT asks which are still there.
    """
    for instance in gone:
        if instance in session:
            session.expunge(instance)
    deleted = {label for label, number in found[1].items() if number}
    if not deleted:
        return
    own = model._meta
    targets = deleted | {own.label, own.concrete_model._meta.label}
    if found[1].get(own.label, 0) <= told:
        deleted.discard(own.label)  # no others than those
    held: dict[Any, list[Any]] = {}
    for instance in session.identity_map.values():
        if hasattr(instance, "_meta"):
            held.setdefault(type(instance), []).append(instance)
    for cls, instances in held.items():
        meta = cls._meta
        links = [field for field in meta.concrete_fields if is_set(field, targets)]
        if links or {meta.label, meta.concrete_model._meta.label} & deleted or goes_along(meta, targets):
            follow(session, cls, instances, links)


def is_set(field: Any, targets: set[str]) -> bool:
    """Tell whether a field is a key that gets another value when a row of certain models is deleted."""
    return policy_of(field, targets) not in POLICIES_THAT_LEAVE | {None}


def goes_along(meta: Any, targets: set[str]) -> bool:
    """Tell whether the database itself deletes rows of a model with those of others."""
    return any(policy_of(field, targets) == "DB_CASCADE" for field in meta.concrete_fields)


def policy_of(field: Any, targets: set[str]) -> str | None:
    """Return the name of the on_delete of a key that refers to one of certain models; None for any other field."""
    if not field.is_relation or field.remote_field is None:
        return None
    target = field.related_model._meta
    if not {target.label, target.concrete_model._meta.label} & targets:
        return None
    return getattr(field.remote_field.on_delete, "name", "SET")


def follow(session: Any, cls: Any, instances: list[Any], links: list[Any]) -> None:
    """Let objects of a model leave whose rows are gone, and give the others the keys that their rows have now."""
    names = [link.attname for link in links]
    rows: dict[Any, Any] = {}
    for keys in parts([instance.pk for instance in instances]):
        asked = cls._base_manager(session).filter(pk__in=keys).values_list("pk", *names)
        rows.update((row[0], row[1:]) for row in asked)
    for instance in instances:
        row = rows.get(instance.pk)
        if row is None:
            session.expunge(instance)
            continue
        values = instance.__dict__
        for link, name, value in zip(links, names, row):
            if name in values and values[name] != value:
                set_committed_value(instance, name, value)
                values.pop(link.name, None)


def parts(keys: list[Any]) -> Iterator[list[Any]]:
    """Yield keys in lists that a statement can take."""
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
