"""How SQLAlchemy is told of parents' tables: a chain of mappers, to whose end the further parents' tables are joined.

A SQLAlchemy mapper inherits from one other. That is the first parent's. The tables of the other parents, and of theirs,
become part of the child's own: it maps a JOIN, and so SQLAlchemy inserts, updates and deletes a row in each of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

import sqlalchemy as sa

from ormolu.models.relationships import forward_relationship, many_relationship, object_relationship

_set = type.__setattr__


def tell_parents(cls: type[Any], meta: Any) -> None:
    """Give a class about to be mapped the arguments of its mapper that say how its parents' rows are found."""
    links = {parent: link for parent, link in meta.parents.items() if link is not None}
    if not links:
        return
    joined = JoinedTables(links)
    arguments: dict[str, Any] = {
        "inherit_condition": joined.condition(),
        "inherit_foreign_keys": [link.sa_column for link in joined.links],
    }
    if joined.models:
        arguments["properties"] = joined.properties()
        table_class = getattr(cls, "__table_cls__", sa.Table)

        def make(*args: Any, **options: Any) -> Any:
            return joined.join_to(table_class(*args, **options))

        _set(cls, "__table_cls__", make)
    own = vars(cls).get("__mapper_args__")
    if own is None:
        _set(cls, "__mapper_args__", arguments)
    elif isinstance(own, dict):
        _set(cls, "__mapper_args__", {**arguments, **own})


class JoinedTables:
    """The tables that a child with these links joins to its own: those of parents that its first one doesn't have."""

    def __init__(self, links: dict[Any, Any]) -> None:
        (first, _), *others = links.items()
        self.links: list[Any] = list(links.values())  # the last are those of the tables joined
        self.models: list[Any] = []
        self.hops: list[tuple[Any, Any]] = []
        covered = {first, *first._meta.get_parent_list()}
        pending = others
        while pending:
            model, link = pending.pop(0)
            if model in covered:
                continue
            covered.add(model)
            self.models.append(model)
            self.hops.append((model, link))
            further = [(parent, up) for parent, up in model._meta.parents.items() if up is not None]
            self.links += [up for _, up in further]
            pending += further

    def condition(self) -> Any:
        """Return the equations between the keys of all rows, each with the one that isn't a link itself."""
        targets = {id(link.sa_column): link.target_field.sa_column for link in self.links}
        equations: list[Any] = []
        for link in self.links:
            target = link.target_field.sa_column
            while id(target) in targets:
                target = targets[id(target)]
            equations.append(link.sa_column == target)
        return sa.and_(*equations) if len(equations) > 1 else equations[0]

    def join_to(self, table: Any) -> Any:
        """Return a child's own table joined with these."""
        source = table
        for model, link in self.hops:
            source = source.join(model._meta.table, link.sa_column == link.target_field.sa_column)
        return source

    def properties(self) -> dict[str, Any]:
        """Return the attributes that a child has of these tables: columns and relations."""
        found: dict[str, Any] = {}
        for model in self.models:
            for field in model._meta.local_fields:
                if field.column is not None:
                    found[field.attname] = field.sa_column
                    if field.is_relation:
                        found[field.name] = forward_relationship(field)
                elif field.problem is None:
                    found[field.name] = object_relationship(field)
            for field in model._meta.local_many_to_many:
                found[field.name] = many_relationship(field)
        return found


def own_table(cls: type[Any]) -> Any:
    """Return the table of a class that was just mapped, without those that are joined to it."""
    source = cls.__mapper__.local_table
    while isinstance(source, sa.Join):
        source = source.left
    type.__delattr__(cls, "__table_cls__")
    _set(cls, "__table__", source)
    return source


def take_column(cls: type[Any], column: sa.Column[Any]) -> None:
    """Let a mapper that maps a JOIN see a column that its class's table is about to have."""
    mapper: Any = cls.__mapper__
    cls._meta.table.append_column(column)
    for source in (mapper.local_table, mapper.persist_selectable):
        source._refresh_for_new_column(column)


@contextlib.contextmanager
def one_chain(cls: type[Any]) -> Generator[None, None, None]:
    """Let a class have but one of its mapped bases inside the `with` block, for SQLAlchemy takes no more."""
    bases = cls.__bases__
    chain: list[type[Any]] = []
    mapped: Any = None
    for base in bases:
        found = next(mapped_bases(base), None)
        if mapped is not None and found is not None and found is not mapped:
            continue
        mapped = mapped or found
        chain.append(base)
    if len(chain) == len(bases):
        yield
        return
    _set(cls, "__bases__", tuple(chain))
    try:
        yield
    finally:
        _set(cls, "__bases__", bases)


def mapped_bases(cls: type[Any]) -> Iterator[type[Any]]:
    """Yield the mapped classes that a class is, or derives from through abstract ones."""
    if "__mapper__" in vars(cls):
        yield cls
    elif vars(cls).get("__abstract__"):
        for base in cls.__bases__:
            yield from mapped_bases(base)
