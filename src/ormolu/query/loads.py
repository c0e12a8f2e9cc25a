"""What a QuerySet's objects come with: related objects, and which of their columns."""

from __future__ import annotations

from typing import Any, Self, cast

from ormolu.compile.layout import check_name, relation
from ormolu.exceptions import FieldError
from ormolu.query.chain import SEP, Chain, M, R
from ormolu.query.fetch_modes import FetchMode
from ormolu.query.prefetch import as_prefetch

__all__ = ["Loads"]


class Loads(Chain[M, R]):
    """The part of a QuerySet that says what is loaded with its objects, and what is not."""

    def select_related(self, *fields: Any) -> Self:
        """Load single related objects in the same query, by JOIN.

        Names may be nested (`"author__publisher"`); with none, all forward keys that are
        not null are followed; `None` takes everything back.
        """
        self._not_combined("select_related")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call select_related() after .values() or .values_list()")
        made = self._clone()
        if fields == (None,):
            made.query.select_related = False
        elif fields:
            for name in fields:
                self._check_related(name)
            earlier = made.query.select_related
            made.query.select_related = (*(earlier if isinstance(earlier, tuple) else ()), *fields)
        else:
            made.query.select_related = True
        return made

    def _check_related(self, name: str) -> None:
        meta: Any = cast(Any, self.model)._meta
        first, _, rest = name.partition(SEP)
        filtered = self.query.filtered_relations
        if first in filtered:
            name, meta = rest, filtered[first].resolved(meta, first, filtered).meta
        for part in name.split(SEP) if name else ():
            field = relation(meta, part, {})
            meta = field.related_model._meta

    def prefetch_related(self, *lookups: Any) -> Self:
        """Load related objects with one more query per relation; `None` takes everything back."""
        self._not_combined("prefetch_related")
        made = self._clone()
        if lookups == (None,):
            made._prefetch = ()
            return made
        for lookup in lookups:
            first = as_prefetch(lookup).prefetch_to.split(SEP)[0]
            if first in self.query.annotation_names:
                raise ValueError("prefetch_related() is not supported with FilteredRelation.")
        made._prefetch = (*self._prefetch, *lookups)
        return made

    def fetch_mode(self, mode: FetchMode) -> Self:
        """Say what reading an attribute does that this query doesn't load.

        FETCH_ONE loads it for that object, FETCH_PEERS for all that were loaded together, RAISE not at all. Objects
        that are loaded for these later have the same mode. Source: Django 6.1's documentation, fetch modes.
        """
        made = self._clone()
        made.query.fetch_mode = mode
        return made

    def only(self, *fields: Any) -> Self:
        """Load these columns only (and the key); others are loaded when read."""
        self._not_combined("only")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call only() after .values() or .values_list()")
        if fields == (None,):
            raise TypeError("Cannot pass None as an argument to only().")
        if any(name.split(SEP)[0] in self.query.filtered_relations for name in fields):
            raise ValueError("only() is not supported with FilteredRelation.")
        made = self._clone()
        names = {self._column_name(name) for name in fields}
        before, defer = self.query.deferred
        # The key of an object that is known already (author.book_set.only("title")) comes along.
        known = set[str]()
        for field in self._known if names else ():
            known.update(getattr(field, "from_fields", (field.name,)))
        made.query.deferred = (frozenset(names - before if defer else names) | known, False)
        return made

    def defer(self, *fields: Any) -> Self:
        """Leave these columns out until they are read; `None` takes everything back."""
        self._not_combined("defer")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call defer() after .values() or .values_list()")
        made = self._clone()
        if fields == (None,):
            made.query.deferred = (frozenset(), True)
            return made
        names = frozenset(self._column_name(name) for name in fields)
        before, defer = self.query.deferred
        if defer:
            made.query.deferred = (before | names, True)
        elif before - names:
            made.query.deferred = (before - names, False)
        else:
            made.query.deferred = (names - before, True)
        return made

    def _column_name(self, name: str) -> str:
        meta: Any = cast(Any, self.model)._meta
        parts: list[str] = []
        first, _, rest = name.partition(SEP)
        filtered = self.query.filtered_relations
        if rest and first in filtered:
            parts, meta = [first], filtered[first].resolved(meta, first, filtered).meta
            name = rest
        for part in name.split(SEP):
            if meta is None:
                raise FieldError(f"Cannot follow {name!r}: {SEP.join(parts)!r} is not a relation.")
            field = check_name(meta, meta.pk.name if part == "pk" else part)
            parts.append(field.name)
            meta = field.related_model._meta if field.is_relation else None
        return SEP.join(parts)
