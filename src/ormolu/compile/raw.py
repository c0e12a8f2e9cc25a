"""SQL of the caller's that finds objects: placeholders, and from the names of columns to fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ormolu.compile import hydrate
from ormolu.compile.joins import Join
from ormolu.compile.layout import Node
from ormolu.compile.names import plain_field
from ormolu.compile.params import Params
from ormolu.compile.plan import Plan, finish
from ormolu.compile.template import Template, parted
from ormolu.compile.terms import Term
from ormolu.exceptions import FieldDoesNotExist


def raw(driver: Any, query: Any, params: Params) -> Plan:
    """Make the plan of a raw query. It decodes pairs of the columns' names and the rows."""
    if query.params is None:
        # As it is, percent signs included.
        return Plan(query.sql, lambda _values: driver.no_params, Decoder(driver, query))
    pieces, names = parted(query.sql)
    bound = [bind(driver, params, *query.parameter(name)) for name in names]
    if not query.is_named and len(names) != len(query.params):
        raise TypeError(
            f"The query has {len(names)} placeholders, and {len(query.params)} parameters were given."
        )
    statement = Template("", pieces, bound, sa.types.NullType())
    return finish(driver, statement, params, Decoder(driver, query))


def bind(driver: Any, params: Params, owner: Any, value: Any, field: Any) -> Any:
    """Return a placeholder for a value, which goes out as a field of its class would send it, but with no type.

    What is compared with it gives the type, as for a literal in quotes.
    """
    convert = (
        None if field is None else field.sa_type.dialect_impl(driver.dialect).bind_processor(driver.dialect)
    )
    return params.bind(owner, value, None, convert)


class RawLayout:
    """Where each column of a raw query belongs: as `compile.layout.Layout` for those that we select ourselves."""

    def __init__(self, query: Any, names: Sequence[str]) -> None:
        meta = query.model._meta
        self.root = Node(meta, Join(meta, meta.table, None, None))
        self.terms: list[Term] = []
        self.annotations: list[tuple[str, int]] = []
        fields = query.fields
        taken: set[Any] = set()
        for place, name in enumerate(names):
            field = fields.get(name)
            if field is None:
                self.annotations.append((name, place))
                self.terms.append(Term(sa.literal_column("raw", sa.types.NullType())))
                continue
            self.terms.append(Term(field.sa_column, plain_field(field)))
            if field in taken:  # a second table's column of the same name
                continue
            taken.add(field)
            self.root.columns.append((field, place))
            if any(field is key for key in meta.pk_fields):
                self.root.key.append(place)

    def term_at(self, place: int) -> Term:
        """Return the term at a place of the row."""
        return self.terms[place]


class Decoder:
    """From the names of columns and rows to instances. What it generates is kept with the plan, by the names."""

    def __init__(self, driver: Any, query: Any) -> None:
        self.driver = driver
        self.query = query
        self.known: dict[tuple[str, ...], hydrate.Decode] = {}

    def __call__(self, found: tuple[Sequence[str], Any]) -> list[Any]:
        names, rows = tuple(found[0]), found[1]
        decode = self.known.get(names)
        if decode is None:
            decode = self.known[names] = self.make(names)
        return decode(rows)  # type: ignore[no-any-return]

    def make(self, names: tuple[str, ...]) -> hydrate.Decode:
        """Generate the function for these columns; FieldDoesNotExist where the primary key is missing."""
        layout: Any = RawLayout(self.query, self.query.translated(names))
        mode = self.query.fetch_mode
        if layout.root.is_keyed:
            return hydrate.instances(layout, self.driver, self.driver.database.alias, mode=mode)
        if self.query.needs_key:
            raise FieldDoesNotExist("Raw query must include the primary key")
        return self.without_key(hydrate.instances(layout, self.driver, self.driver.database.alias, mode=mode))

    def without_key(self, decode: hydrate.Decode) -> hydrate.Decode:
        """Return a function that makes objects of rows without a key: what the row has, and nothing can be loaded."""
        keys = {field.attname: None for field in self.query.model._meta.pk_fields}

        def decoded(rows: Any) -> list[Any]:
            found: list[Any] = decode(rows)
            for one in found:
                one.__dict__.update({**keys, **one.__dict__})
            return found

        return decoded
