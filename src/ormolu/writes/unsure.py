"""What saves have written in a transaction that is not committed: if that is undone, it is to be written again.

`_unsure` in an instance's `__dict__` maps eras (see `ormolu.databases.eras`) to the attnames written in them. Nobody
looks at it before the object is saved again, so a transaction neither keeps objects alive nor visits them at its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import LoaderCallableStatus

UNSURE = "_unsure"

NEW = ""
"""Stands among the columns of an era that a row with a version was inserted in: undone, it is new again."""
NO_VALUE = LoaderCallableStatus.NO_VALUE
_UNCHANGED = object()


def note(d: dict[str, Any], era: Any, names: Iterable[str]) -> None:
    """Note that columns were just written in an era."""
    unsure: dict[Any, dict[str, Any]] | None = d.get(UNSURE)
    if unsure is None:
        d[UNSURE] = {era: dict.fromkeys(names, _UNCHANGED)}
        return
    if era not in unsure:
        unsure = d[UNSURE] = {one: noted for one, noted in unsure.items() if one.is_undone() is not False}
        unsure[era] = {}
    unsure[era].update(dict.fromkeys(names, _UNCHANGED))


def open_one(eras: Iterable[Any]) -> Any:
    """Return the era of several statements of one program that is still open: that of the block around it, or None."""
    return next((era for era in eras if era is not None and era.is_undone() is None), None)


def note_computed(d: dict[str, Any], era: Any, expressions: dict[str, Any]) -> None:
    """Note the expressions that values came from: `note()` has their names already."""
    for name, expression in expressions.items():
        d[UNSURE][era][name] = (expression, d.get(name))


def note_version(d: dict[str, Any], era: Any, name: str, before: Any) -> None:
    """Note the version that the row had before the first write of this era."""
    note(d, era, ())
    written = d[UNSURE][era]
    first = written.get(name, _UNCHANGED)
    written[name] = (before if first is _UNCHANGED else first[0], d[name])


def note_insert(d: dict[str, Any], era: Any) -> None:
    """Note that the row itself is of this era: `note()` has its columns already."""
    d[UNSURE][era][NEW] = _UNCHANGED


def settle(instance: Any, d: dict[str, Any]) -> None:
    """Count what was undone as changed, and forget what was committed."""
    unsure: dict[Any, dict[str, Any]] = d[UNSURE]
    open_: dict[Any, dict[str, Any]] = {}
    for era, names in reversed(unsure.items()):  # what was computed last is put back first
        undone = era.is_undone()
        if undone is None:
            open_[era] = names
        elif undone:
            _count_as_changed(instance, d, names)
    if open_:
        d[UNSURE] = dict(reversed(open_.items()))
    else:
        del d[UNSURE]


def as_changed(d: dict[str, Any]) -> dict[str, Any]:
    """Return a copy's `_dirty`: what is not known to be committed counts as changed, for nobody will tell the copy."""
    dirty: dict[str, Any] = dict(d.get("_dirty") or {})
    for era, names in d[UNSURE].items():
        if era.is_undone() is not False:
            names = {name: noted for name, noted in names.items() if name != NEW}
            dirty = {**dict.fromkeys(names, NO_VALUE), **dirty}
    return dirty


def forget(d: dict[str, Any], names: Iterable[str] | None) -> None:
    """Forget columns that were loaded after they were undone: they are as the database has them."""
    for era, written in list(d[UNSURE].items()):
        if era.is_undone() is not None:
            for name in list(written) if names is None else names:
                written.pop(name, None)
            if not written:
                del d[UNSURE][era]
    if not d[UNSURE]:
        del d[UNSURE]


def mark_changed(instance: Any, d: dict[str, Any], names: Iterable[str]) -> None:
    """Count columns as changed, whatever they were before."""
    dirty = d.setdefault("_dirty", {})
    state = d.get("_sa_instance_state")
    for name in names:
        if name not in dirty:
            dirty[name] = NO_VALUE
            if state is not None and name in state.manager:
                state._modified_event(d, state.manager[name].impl, NO_VALUE)
    if not dirty:
        del d["_dirty"]


def _count_as_changed(instance: Any, d: dict[str, Any], names: dict[str, Any]) -> None:
    kept = {field.attname for field in instance._meta.kept_fields}
    if NEW in names and "_db" in d:
        d["_using"] = d.pop("_db")
    for name, computed in names.items():
        # What the database computed in vain it shall compute again, unless somebody has set another value.
        if (
            computed is not _UNCHANGED
            and name not in (d.get("_dirty") or ())
            and _same(d.get(name), computed[1])
        ):
            d[name] = computed[0]
    mark_changed(instance, d, [name for name in names if name in d and name not in kept])


def _same(value: Any, before: Any) -> bool:
    return value is before or (value.__class__ is int and bool(value == before))
