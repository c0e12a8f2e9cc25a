"""column_property()s of expressions, on instances that no Session holds: computed by a query of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ormolu import query
from ormolu.exceptions import NotLoaded
from ormolu.models.attributes import OverAttribute, session_load
from ormolu.models.state import DB, STATE


class ExpressionColumn(OverAttribute):
    """Stand before SQLAlchemy's attribute of an expression, asked only where its value isn't there yet.

    Where a Session holds the instance, or its row doesn't exist, SQLAlchemy's own loading is used.
    """

    def __init__(self, name: str, attribute: Any) -> None:
        super().__init__(attribute)
        self.name = name

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.attribute
        values = instance.__dict__
        state = values.get(STATE)
        if DB not in values:
            if self.attribute.impl is None:  # SQLAlchemy configures mappers late
                owner.__mapper__._check_configure()
            return self.attribute.__get__(instance, owner)
        if state is not None and state.session_id is not None:
            return session_load(instance, self.name, self.attribute)
        query.fetching.fetch(self, instance)
        return values[self.name]

    def not_loaded(self, instance: Any) -> NotLoaded:
        """Return the error for async code."""
        model = instance._meta.object_name
        cure = f"load it with the query, under a name of its own: annotate(value={model}.{self.name})"
        return NotLoaded(model=instance._meta.label, attribute=self.name, cure=cure)

    def fetch_one(self, instance: Any) -> None:
        """Compute the value for one instance."""
        self.fetch_many([instance])

    def fetch_many(self, instances: Sequence[Any]) -> None:
        """Compute the values for many instances. One query; DoesNotExist if the first one's row is gone."""
        first = instances[0]
        lacking = [one for one in instances if self.name not in one.__dict__]
        by_key: dict[Any, list[Any]] = {}
        for one in lacking:
            by_key.setdefault(one.pk, []).append(one)
        queryset = first._meta.base_manager.using(first.__dict__[DB]).filter(pk__in=list(by_key))
        for key, value in queryset.values_list("pk", self.attribute):
            for one in by_key[key]:
                one.__dict__[self.name] = value
        if self.name not in first.__dict__:
            meta = first._meta
            raise meta.model.DoesNotExist(f"{meta.object_name} matching query does not exist.")
