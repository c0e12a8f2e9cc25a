"""`as_schema()`: rows as Pydantic schemas, loaded with the columns and relations that these need, and no others."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, cast

from typing_extensions import TypeVar

from ormolu.compile.joins import column_field
from ormolu.exceptions import FieldError
from ormolu.query.chain import SEP, Chain, M, R
from ormolu.query.fetch_modes import RAISE
from ormolu.query.prefetch import (
    Prefetch,
    accessors,
    as_prefetch,
    is_loaded,
    loaded_values,
    prefetch,
)

if TYPE_CHECKING:
    from ormolu.query.queryset import QuerySet
    from ormolu.schemas.needs import Loop, Needs

__all__ = ["Into", "SchemaRows"]

S = TypeVar("S")
Program = Generator[Any, Any, Any]
MOST_LEVELS = 100
"""Of a schema within itself. Pydantic gives up at some more."""


@dataclass(frozen=True)
class Into:
    """What the objects of a queryset become. `before` is how the queryset loaded them without."""

    schema: Any
    loops: tuple[Loop, ...] = ()
    """Where the schema stands within itself."""
    before: tuple[Any, ...] = ()
    at_once: bool = True
    """Whether results are made schemas as soon as they are there, or later, by `made()`."""

    def __call__(self, found: list[Any]) -> list[Any]:
        """Return the results of a queryset."""
        return self.made(found) if self.at_once else found

    def made(self, found: list[Any]) -> list[Any]:
        """Return objects as schemas."""
        read = self._reader()
        return [read(instance) for instance in found]

    def deepen(self, driver: Any, found: Sequence[Any], db: str | None) -> Program:
        """Load the relations by which the schema stands within itself, level by level: one SELECT for each level.

        Raises FieldError where rows refer to each other in circles.
        """
        levels: list[tuple[Sequence[Any], tuple[Loop, ...], int]] = [(found, self.loops, 0)]
        while levels:
            objects, loops, depth = levels.pop()
            for loop in loops:
                holders = along(objects, loop.path.split(SEP)[:-1])
                if not holders:
                    continue
                if depth > MOST_LEVELS:
                    raise FieldError(
                        f"{self.schema.__name__}: {loop.path!r} has no end; rows may refer in circles."
                    )
                name, needs = loop.path.split(SEP)[-1], loop.needs()
                todo = list({id(one): one for one in holders if not is_loaded(one, name)}.values())
                if todo:
                    yield from prefetch(driver, todo, [prefetch_of(todo[0]._meta, name, needs)], db)
                levels.append((along(holders, [name]), needs.loops, depth + 1))

    def _reader(self) -> Callable[[Any], Any]:
        from ormolu.schemas.stored import reader

        return reader(self.schema)


class SchemaRows(Chain[M, R]):
    """The part of a QuerySet that makes schemas of its rows."""

    def as_schema(self, schema: type[S]) -> QuerySet[M, S]:
        """Return the queryset whose results are schemas: a `Schema`, or any other Pydantic model.

        It loads the columns that the schema's fields need, single relations by JOIN, and one SELECT for each relation
        to many, all the way down; a schema within itself (a tree) takes one for each level. Annotations are read where
        the schema has a field of that name. Where it has one that is a property of the model, all columns are loaded,
        unless the schema's `Meta.needs` says which it reads. A relation that the queryset prefetches itself stays as it
        is. Reading asks for nothing more: what a property would have to load raises NotLoaded. A session's identity map
        is neither asked nor filled.

        Raises TypeError after values() and for what is no Pydantic model; reading raises FieldError for rows that a
        schema within itself would go through in circles. Needs the extra `pydantic`.
        """
        from ormolu.schemas import needs_of

        query = self.query
        if query.values_fields is not None:
            raise TypeError("Cannot call as_schema() after .values() or .values_list()")
        made: Any = self._as_objects()._clone()
        query = made.query
        needs = needs_of(cast(Any, schema), self.model)
        before = (query.select_related, query.deferred, query.fetch_mode, made._prefetch)
        made._into = Into(schema, needs.loops, before)
        if query.combined is None:
            load(made, needs)
        else:  # the columns are those of its parts
            made._prefetch = prefetches_of(made, needs, needs.related)
            query.fetch_mode = query.fetch_mode or RAISE
        return made  # type: ignore[no-any-return]

    def _as_objects(self) -> Self:
        """Return the queryset of objects that schemas would be made of."""
        if self._into is None:
            return self
        made = self._clone()
        query = made.query
        query.select_related, query.deferred, query.fetch_mode, made._prefetch = self._into.before
        made._into = None
        return made

    def _made_later(self) -> Self:
        """Return the queryset whose results are still objects, but loaded for schemas."""
        if self._into is None:
            return self
        made = self._clone()
        made._into = replace(self._into, at_once=False)
        return made

    def _loading(self, names: list[str]) -> Self:
        """Return the queryset that loads these columns, too."""
        chosen, defer = self.query.deferred
        if defer and not chosen:
            return self
        made = self._clone()
        wanted = {cast(Any, self)._column_name(name) for name in names}
        made.query.deferred = (chosen - wanted if defer else chosen | wanted, defer)
        return made


def along(objects: Sequence[Any], names: list[str]) -> list[Any]:
    """Return the objects that relations lead to, of those that are loaded."""
    found = list(objects)
    for name in names:
        found = [related for one in found if is_loaded(one, name) for related in loaded_values(one, name)]
    return found


def load(queryset: Any, needs: Needs, links: frozenset[str] = frozenset()) -> None:
    """Let a queryset load what a schema needs, and the columns by which its rows are linked with others."""
    query = queryset.query
    meta = queryset.model._meta
    earlier = query.select_related
    queryset._prefetch = prefetches_of(queryset, needs)
    query.fetch_mode = query.fetch_mode or RAISE
    if earlier is True:
        query.deferred = (frozenset(), True)
        return
    related: list[str] = [*earlier] if earlier else []
    query.select_related = tuple(dict.fromkeys([*related, *needs.related])) or False
    names = columns_of(queryset, needs, links)
    for path in related:
        names |= {queryset._column_name(name) for name in all_of(meta, path, query)}
    known = {name for field in queryset._known for name in getattr(field, "from_fields", (field.name,))}
    query.deferred = (names | known, False) if names else (frozenset(), True)


def prefetches_of(queryset: Any, needs: Needs, more: Iterable[str] = ()) -> tuple[Any, ...]:
    """Return a queryset's own prefetches with those of the relations that a schema needs, and of `more`."""
    prefetches: list[Any] = [*queryset._prefetch]
    taken = {as_prefetch(one).prefetch_to for one in prefetches}
    prefetches += [path for path in more if path not in taken]
    for path, inner in needs.lists:
        if path in taken:
            prefetches += below(path, inner, taken)
        else:
            prefetches.append(prefetch_of(queryset.model._meta, path, inner))
    prefetches += [path for path in needs.plain if path not in taken]
    return tuple(prefetches)


def columns_of(queryset: Any, needs: Needs, links: frozenset[str]) -> frozenset[str]:
    """Return the columns that a schema needs, by the names that queries have for them. Found out once for a model."""
    key = (queryset.model, links)
    found = needs.resolved.get(key)
    if found is None:
        meta = queryset.model._meta
        names = {*needs.columns, *links}
        for path in (*(path for path, _inner in needs.lists), *(loop.path for loop in needs.loops)):
            if not any(path.startswith(f"{outer}{SEP}") for outer, _inner in needs.lists):
                names.update(near_columns(meta, path))
        found = needs.resolved[key] = frozenset(queryset._column_name(name) for name in names)
    return found


def all_of(meta: Any, path: str, query: Any) -> list[str]:
    """Return all columns of the objects on a path of single relations, and the keys that lead there."""
    names: list[str] = []
    prefix = ""
    for part in path.split(SEP):
        if part in query.filtered_relations:
            return []
        relation = accessors(meta).get(part)
        if relation is None:
            return names
        if getattr(relation, "column", None) is not None:
            names.append(prefix + part)
        prefix += part + SEP
        meta = relation.related_model._meta
        names += [prefix + field.name for field in meta.concrete_fields]
    return names


def relation_at(meta: Any, path: str) -> tuple[Any, Any, str]:
    """Return the model's `_meta` and the relation that a path ends with, and what comes before it."""
    *way, last = path.split(SEP)
    for part in way:
        meta = accessors(meta)[part].related_model._meta
    return meta, accessors(meta)[last], "".join(part + SEP for part in way)


def hops_of(relation: Any) -> Any:
    return getattr(relation, "prefetch_hops", relation.path_infos)()


def near_columns(meta: Any, path: str) -> list[str]:
    """Return the columns by which a relation's holders are found."""
    _here, relation, prefix = relation_at(meta, path)
    first = hops_of(relation)[0]
    return [prefix + str(column_field(first.from_meta, near).name) for near, _far in first.pairs]


def prefetch_of(meta: Any, path: str, needs: Needs) -> Prefetch:
    """Return what prefetches a relation to many, with what the schema of its objects needs."""
    _here, relation, _prefix = relation_at(meta, path)
    last = hops_of(relation)[-1]
    model = last.to_meta.model
    single = relation.many_to_one or relation.one_to_one
    queryset = (model._base_manager if single else model._default_manager).get_queryset()._clone()
    load(queryset, needs, far_columns(last))
    return Prefetch(path, queryset)


def far_columns(hop: Any) -> frozenset[str]:
    """Return the columns by which the objects at the end of a hop are told whose they are."""
    return frozenset(str(column_field(hop.to_meta, far).name) for _near, far in hop.pairs)


def below(path: str, needs: Needs, taken: set[str]) -> list[str]:
    """Return the paths of what lies below a relation that is prefetched already."""
    found = [f"{path}{SEP}{name}" for name in (*needs.related, *needs.plain)]
    for name, inner in needs.lists:
        found += [f"{path}{SEP}{name}", *below(f"{path}{SEP}{name}", inner, taken)]
    return [one for one in found if one not in taken]
