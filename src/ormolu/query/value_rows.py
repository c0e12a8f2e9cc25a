"""values() and values_list(): rows in place of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

from ormolu.compile import names as paths
from ormolu.exceptions import FieldError
from ormolu.query.chain import SEP, Chain, M, R, as_expression
from ormolu.query.naming import check_alias, check_selected
from ormolu.query.query import Query

if TYPE_CHECKING:
    from ormolu.query.queryset import QuerySet

__all__ = ["ValueRows"]


class ValueRows(Chain[M, R]):
    """The part of a QuerySet that says in which shape rows come."""

    def values(self, *fields: Any, **expressions: Any) -> QuerySet[M, dict[str, Any]]:
        """Return dicts in place of objects."""
        made: Any = self._values(fields, expressions)
        made.query.row_kind = "dict"
        return made  # type: ignore[no-any-return]

    async def avalues(self, *fields: Any, **expressions: Any) -> list[dict[str, Any]]:
        """Return a list of dictionaries: `await queryset.values(...)`. One SELECT."""
        return await self.values(*fields, **expressions)

    async def avalues_list(self, *fields: Any, flat: bool = False, named: bool = False) -> list[Any]:
        """Return a list of tuples, or of values: `await queryset.values_list(...)`. One SELECT."""
        return await self.values_list(*fields, flat=flat, named=named)

    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> QuerySet[M, Any]:
        """Return tuples; with `flat` the single values, with `named` named tuples."""
        if flat and named:
            raise TypeError("'flat' and 'named' can't be used together.")
        if flat and len(fields) > 1:
            raise TypeError("'flat' is not valid when values_list is called with more than one field.")
        plain: list[str] = []
        expressions: dict[str, Any] = {}
        for field in map(as_expression, fields):
            if hasattr(field, "as_term") or hasattr(field, "__clause_element__"):
                alias = self._alias_of(field, expressions, fields)
                expressions[alias] = field
                plain.append(alias)
            else:
                plain.append(field)
        made: Any = self._values(tuple(plain), expressions)
        made.query.row_kind = "flat" if flat else "named" if named else "tuple"
        return made  # type: ignore[no-any-return]

    def _alias_of(self, expression: Any, taken: dict[str, Any], fields: tuple[Any, ...]) -> str:
        try:
            prefix: str = expression.default_alias
        except (AttributeError, TypeError):
            prefix = getattr(expression, "key", None) or type(expression).__name__.lower()
        number = 1
        while (name := f"{prefix}{number}") in taken or name in fields or name in self.query.annotation_names:
            number += 1
        return name

    def _values(self, fields: tuple[Any, ...], expressions: dict[str, Any]) -> Self:
        made = self
        if expressions:
            made = made._annotate((), dict(expressions.items()), True)
            fields = (*fields, *(name for name in expressions if name not in fields))
        else:
            made = made._clone()
        names = tuple(self._value_name(made.query, name) for name in fields)
        made.query.select_related = False
        made.query.deferred = (frozenset(), True)
        made.query.all_values = not names
        if not names:
            meta: Any = cast(Any, self.model)._meta
            chosen = [op for op in made.query.ops if op[0] == "annotate" and op[3]]
            before = [op[1] for op in chosen if getattr(op[2], "comes_first", False)]
            columns = [field.attname for field in meta.concrete_fields]
            names = tuple(dict.fromkeys([*before, *columns, *(op[1] for op in chosen)]))
        made.query.values_fields = names
        made.query.ops = (*made.query.ops, ("values", names))
        return made

    def _value_name(self, query: Query, name: Any) -> str:
        if hasattr(name, "key") and not isinstance(name, str):  # a SQLAlchemy attribute
            return str(name.key)
        if not isinstance(name, str):
            raise TypeError(f"values() takes names and expressions, not {name!r}.")
        if not name.isidentifier():  # keys of JSON may be anything but SQL
            check_alias(name)
        known = query.annotation_names
        if name not in known and name in self.model._meta.concrete_names:  # type: ignore[attr-defined]
            return name
        first = name.split(SEP)[0]
        if name in known or first in known:
            check_selected(query, name if name in known else first, "select")
            return name
        path = paths.resolve(self.model._meta, name.split(SEP), known)  # type: ignore[attr-defined]
        if path.rest and (path.value_field is None or path.value_field.get_transform(path.rest[0]) is None):
            if path.is_relation:
                raise FieldError(paths.unknown(path.rest[0], paths.choices(path.meta), "field", path.meta))
            raise FieldError(
                f"Cannot resolve keyword '{path.rest[0]}' into field. Join on '{path.field.name}' not permitted."
            )
        return name
