"""SELECT ... FOR UPDATE: which tables' rows are locked, and how.

Source: Django's documentation, ref/models/querysets, "select_for_update()".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ormolu.exceptions import FieldError, NotSupportedError

if TYPE_CHECKING:
    from ormolu.compile.joins import Join
    from ormolu.compile.layout import Node
    from ormolu.compile.select import Parts


class Lock(NamedTuple):
    """What select_for_update() was asked for. Without `of` all tables; None: the model's own, if that can be said."""

    nowait: bool = False
    skip_locked: bool = False
    of: tuple[str, ...] | None = ()
    no_key: bool = False
    shared: bool = False


OWN = Lock(of=None)
SHARED = Lock(of=None, shared=True)
"""Others may lock the rows so, too. It reads what is committed, whatever the transaction has seen before."""


class Place(NamedTuple):
    """A model in the row: its options, its table if that is joined, and what select_related() loads beside it."""

    meta: Any
    join: Join | None
    node: Node | None


def locked(parts: Parts, select: Any, root: Node | None = None) -> Any:
    """Return the Select with the lock that its query asks for. SQLite has none: there, it begins to write.

    `root` is where the layout of objects begins. Raises NotSupportedError for an option that the database hasn't,
    FieldError for a name in `of` that the query doesn't load.
    """
    lock: Lock | None = parts.builder.query.select_for_update
    if lock is None:
        return select
    if parts.builder.vendor == "sqlite":
        return select.with_for_update()  # which its dialect doesn't spell out
    check(parts.builder.driver.dialect, lock)
    return select.with_for_update(
        nowait=lock.nowait,
        skip_locked=lock.skip_locked,
        key_share=lock.no_key,
        read=lock.shared,
        of=tables(parts, lock, root) or None,
    )


def check(dialect: Any, lock: Lock) -> None:
    """Refuse what a database would not understand, or worse, what SQLAlchemy would leave out."""
    if dialect.name not in ("mysql", "mariadb"):
        return
    maria = bool(getattr(dialect, "is_mariadb", False))
    version = getattr(dialect, "server_version_info", None) or ()
    missing = {
        "NOWAIT": lock.nowait and version < ((10, 3) if maria else (8, 0, 1)),
        "SKIP LOCKED": lock.skip_locked and version < ((10, 6) if maria else (8, 0, 1)),
        "FOR UPDATE OF": lock.of and not tells_tables(dialect),
        "FOR NO KEY UPDATE": lock.no_key,
    }
    for name, asked in missing.items():
        if asked:
            raise NotSupportedError(f"{name} is not supported on this database backend.")


def tells_tables(dialect: Any) -> bool:
    """Tell whether FOR UPDATE OF exists."""
    return dialect.name == "postgresql" or bool(getattr(dialect, "supports_for_update_of", False))


def tables(parts: Parts, lock: Lock, root: Node | None) -> list[Any]:
    """Return the tables of FOR UPDATE OF."""
    builder = parts.builder
    if lock.of is None:
        return [builder.root.table] if tells_tables(builder.driver.dialect) else []
    used = {builder.root, *parts.joins()}
    start = Place(builder.meta, builder.root, root)
    found: list[Any] = []
    invalid: list[str] = []
    for name in lock.of:
        place = named(builder.tree, start, name)
        if place is None:
            invalid.append(name)
        elif place.join is not None and place.join in used:
            found.append(place.join.table)
    if invalid and root is not None:  # of values() nothing can be told
        raise FieldError(
            f"Invalid field name(s) given in select_for_update(of=(...)): {', '.join(invalid)}. Only relational fields "
            f"followed in the query are allowed. Choices are: {', '.join(choices(builder.tree, start))}."
        )
    return found


def named(tree: Any, start: Place, name: str) -> Place | None:
    """Return the model that a name in `of` stands for, None where there is none."""
    if name == "self":
        return start
    place = start
    for part in name.split("__"):
        found = dict(beside(tree, place)).get(part)
        if found is None:
            return None
        place = found
    return place


def choices(tree: Any, start: Place) -> Iterator[str]:
    """Yield all names that `of` may have, the nearest first."""
    yield "self"
    waiting = [("", start)]
    while waiting:
        path, place = waiting.pop(0)
        for name, other in beside(tree, place):
            yield path + name
            waiting.append((f"{path}{name}__", other))


def beside(tree: Any, place: Place) -> Iterator[tuple[str, Place]]:
    """Yield the models next to one by name: its parents, and what select_related() loads."""
    for parent, link in place.meta.parents.items():
        if link is None:  # a proxy's parent has the same table
            yield from beside(tree, Place(parent._meta, place.join, None))
            continue
        join = None if place.join is None else tree.find(place.join, link.path_infos()[0], None)
        yield link.name, Place(parent._meta, join, None)
    if place.node is not None:
        for child in place.node.children:
            yield child.name, Place(child.meta, child.join, child)
