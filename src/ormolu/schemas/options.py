"""A schema's `class Meta`: which model it is made of, and which of its fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ormolu.near import near_names

__all__ = ["ALL", "SchemaOptions", "named", "read_options"]

ALL = "__all__"
NAMES = ("model", "fields", "exclude", "optional", "nested", "needs", "unloaded")
UNLOADED = ("raise", "load")


@dataclass(frozen=True)
class SchemaOptions:
    """What `class Meta` says."""

    model: Any = None
    fields: tuple[str, ...] | None = None
    """Names, in order; None for all."""
    exclude: frozenset[str] = frozenset()
    optional: frozenset[str] | None = frozenset()
    """Names; None for all."""
    nested: Mapping[str, Any] = field(default_factory=dict[str, Any])
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    unloaded: str = "raise"


def read_options(owner: str, meta: type | None, inherited: SchemaOptions) -> SchemaOptions:
    """Return what a `class Meta` says, completed by what the schema inherits. Raises TypeError for what makes no sense.

    Of `fields` and `exclude` the one that is stated takes the place of both that are inherited.
    """
    given = {name: getattr(meta, name) for name in dir(meta) if not name.startswith("_")} if meta else {}
    unknown = sorted(set(given) - set(NAMES))
    if unknown:
        near = near_names(unknown[0], NAMES)
        hint = f" Did you mean {near[0]!r}?" if near else f" It has: {', '.join(NAMES)}."
        raise TypeError(f"{owner}: 'class Meta' of a schema has no {unknown[0]!r}.{hint}")
    model = given.get("model")
    if model is not None and not is_model(model):
        raise TypeError(f"{owner}: Meta.model is a model class, not {model!r}.")
    exclude = names_of(owner, "exclude", given.get("exclude", ()))
    fields = given.get("fields", ALL)
    if exclude and fields != ALL:
        raise TypeError(f"{owner}: Meta has 'fields' or 'exclude', not both.")
    changes: dict[str, Any] = {}
    if "fields" in given or "exclude" in given:
        changes["fields"] = None if fields == ALL else names_of(owner, "fields", fields)
        changes["exclude"] = frozenset(exclude)
    if "optional" in given:
        optional = given["optional"]
        changes["optional"] = (
            None if optional == ALL else frozenset(names_of(owner, "optional", optional or ()))
        )
    if "nested" in given:
        changes["nested"] = {**inherited.nested, **mapping_of(owner, "nested", given["nested"])}
    if "needs" in given:
        needs = mapping_of(owner, "needs", given["needs"])
        changes["needs"] = {
            **inherited.needs,
            **{name: names_of(owner, "needs", value) for name, value in needs.items()},
        }
    if "unloaded" in given:
        if given["unloaded"] not in UNLOADED:
            raise TypeError(f"{owner}: Meta.unloaded is 'raise' or 'load', not {given['unloaded']!r}.")
        changes["unloaded"] = given["unloaded"]
    if model is not None:
        changes["model"] = model
    return replace(inherited, **changes)


def is_model(value: Any) -> bool:
    """Tell whether a value is a model class that can have rows."""
    meta = getattr(value, "_meta", None) if isinstance(value, type) else None
    return meta is not None and hasattr(meta, "get_field")


def names_of(owner: str, option: str, value: Any) -> tuple[str, ...]:
    """Return the names of an option. A text alone is an error: it would count as its letters."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{owner}: Meta.{option} is a tuple of names, not {value!r}.")
    return tuple(map(named, cast("Any", value)))


def named(value: Any) -> str:
    """Return the name that somebody gave as a text, or as an attribute of a model (`Author.name`)."""
    if isinstance(value, str):
        return value
    key = getattr(value, "key", None)
    if not isinstance(key, str):
        raise TypeError(f"A field is named by a text, or as the model's attribute, not by {value!r}.")
    return key


def mapping_of(owner: str, option: str, value: Any) -> dict[str, Any]:
    """Return the mapping of an option."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{owner}: Meta.{option} is a dict by name, not {value!r}.")
    return {named(name): item for name, item in cast("Any", value).items()}
