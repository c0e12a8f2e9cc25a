"""What a schema needs of a model: columns, single relations, lists. The query layer makes queries of these names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel

from ormolu.exceptions import FieldError
from ormolu.schemas.members import ATTRIBUTE, COLUMN, GENERIC, ONE, Member, member
from ormolu.schemas.reading import options_of, sources_of
from ormolu.schemas.shapes import nested_models

__all__ = ["Needs", "needs_of"]

SEP = "__"
Schemas = tuple[type[BaseModel], ...]

_known: WeakKeyDictionary[Any, dict[Any, Needs]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Needs:
    """Paths from a model: of columns, of single relations to join, of lists with what their objects need.

    `plain` are relations whose objects are loaded whole, with a query for each of their models.
    """

    columns: frozenset[str] = frozenset()
    related: tuple[str, ...] = ()
    lists: tuple[tuple[str, Needs], ...] = ()
    plain: tuple[str, ...] = ()
    loops: tuple[Loop, ...] = ()
    """Relations at which a schema stands within itself: their objects are loaded level by level, to the last."""
    resolved: dict[Any, frozenset[str]] = field(
        default_factory=dict[Any, frozenset[str]], compare=False, repr=False
    )
    """Kept by the query layer: the columns, as queries name them, by model."""


@dataclass(frozen=True)
class Loop:
    """A relation at which one of the schemas around stands again."""

    path: str
    schema: type[BaseModel]
    model: Any
    """The model of its objects."""

    def below(self, path: str) -> Loop:
        """Return the loop as seen from further out."""
        return replace(self, path=path + SEP + self.path)

    def needs(self) -> Needs:
        """Return what its objects need."""
        return needs_of(self.schema, self.model)


def _no_lists() -> dict[str, _Found]:
    return {}


@dataclass
class _Found:
    columns: set[str] = field(default_factory=set[str])
    related: dict[str, None] = field(default_factory=dict[str, None])
    lists: dict[str, _Found] = field(default_factory=_no_lists)
    plain: dict[str, None] = field(default_factory=dict[str, None])
    loops: dict[str, Loop] = field(default_factory=dict[str, Loop])

    def frozen(self) -> Needs:
        lists = tuple((path, inner.frozen()) for path, inner in self.lists.items())
        deeper = [loop.below(path) for path, inner in lists for loop in inner.loops]
        loops = (*self.loops.values(), *deeper)
        return Needs(frozenset(self.columns), tuple(self.related), lists, tuple(self.plain), loops)


def needs_of(cls: type[BaseModel], model: Any) -> Needs:
    """Return what a schema needs of a model. It is found out once.

    Raises TypeError for what is no Pydantic model, or one of another model.
    """
    if not (isinstance(cls, type) and issubclass(cls, BaseModel)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"as_schema() takes a Pydantic model, not {cls!r}.")
    kept = _known.setdefault(cls, {})
    if model not in kept:
        found = _Found()
        collect((cls,), model, "", found, ())
        kept[model] = found.frozen()
    return kept[model]


def collect(schemas: Schemas, model: Any, prefix: str, found: _Found, within: Schemas) -> None:
    """Add what schemas need of a model that a path leads to. `within` are the schemas around them."""
    if not schemas:
        all_columns(model, prefix, found)
    for cls in schemas:
        wanted = options_of(cls).model
        if wanted is not None and not issubclass(model, wanted._meta.concrete_model):
            if len(schemas) > 1:
                continue  # a union: it is another one's turn
            raise TypeError(
                f"{cls.__name__} reads objects of {wanted._meta.label}, not of {model._meta.label}."
            )
        nested = nested_models(cls)
        for source in sources_of(cls, model, nested):
            here, path = model, prefix
            for one in source.members:
                shown = nested.get(source.name, ()) if one is source.last else None
                add(cls, one, here, path, found, shown, (*within, cls))
                if one is None or one.kind != ONE:
                    break
                here, path = one.related_model, path + one.name + SEP


def add(
    cls: type[BaseModel],
    one: Member | None,
    model: Any,
    prefix: str,
    found: _Found,
    shown: Schemas | None,
    within: Schemas,
) -> None:
    """Add what one name of a schema needs. `shown` are the schemas of a relation's objects; None on the way."""
    if one is None:
        return
    if one.kind == COLUMN:
        found.columns.add(prefix + one.field.name)
    elif one.kind == ATTRIBUTE:
        add_attribute(cls, one.name, model, prefix, found)
    elif one.kind == ONE:
        if getattr(one.field, "column", None) is not None:
            found.columns.add(prefix + one.field.name)
        if shown and add_loop(one, prefix, found, shown, within):
            return
        found.related[prefix + one.name] = None
        if shown is not None:
            collect(shown, one.related_model, prefix + one.name + SEP, found, within)
    elif one.kind == GENERIC:
        found.columns.update((prefix + one.field.ct_field, prefix + one.field.fk_field))
        found.plain[prefix + one.name] = None
    elif not (shown and add_loop(one, prefix, found, shown, within)):
        inner = found.lists.setdefault(prefix + one.name, _Found())
        if shown:
            collect(shown, one.related_model, "", inner, within)
        inner.columns.update(field.name for field in one.related_model._meta.pk_fields)


def add_loop(one: Member, prefix: str, found: _Found, shown: Schemas, within: Schemas) -> bool:
    """Add a relation at which a schema stands within itself; tell whether it is one."""
    again = [cls for cls in shown if cls in within]
    for cls in again:
        path = prefix + one.name
        found.loops[path] = Loop(path, cls, one.related_model)
    return bool(again)


def all_columns(model: Any, prefix: str, found: _Found) -> None:
    """Add all columns of a model."""
    found.columns.update(prefix + field.name for field in model._meta.concrete_fields)


def add_attribute(cls: type[BaseModel], name: str, model: Any, prefix: str, found: _Found) -> None:
    """Add what a property or a method of the model reads: what the schema says it does, else all columns."""
    display = name.removeprefix("get_").removesuffix("_display")
    said = options_of(cls).needs.get(name)
    if said is None and name == f"get_{display}_display" and member(model, display) is not None:
        said = (display,)
    if said is None:
        all_columns(model, prefix, found)
        return
    for path in said:
        here, way = model, prefix
        for part in path.split(SEP):
            one = member(here, part)
            if one is None or one.kind == ATTRIBUTE:
                raise FieldError(
                    f"{cls.__name__}: Meta.needs names {path!r}, and {here._meta.object_name} has no such field."
                )
            last = part == path.split(SEP)[-1]
            add(cls, one, here, way, found, () if last else None, ())
            if one.kind == ONE:
                here, way = one.related_model, way + one.name + SEP
