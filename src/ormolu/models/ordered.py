"""`Meta.order_with_respect_to`: objects that have a place among those that refer to the same object.

Source: Django's documentation, ref/models/options, "order_with_respect_to".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import object_session

from ormolu import query, transaction
from ormolu.exceptions import FieldDoesNotExist
from ormolu.models.related_fields import when_resolved

PLACE = "_order"
MOST = 500  # keys in one UPDATE


def prepare(meta: Any) -> None:
    """Give a model the field that holds the place, and the order by it.

    Raises TypeError where Meta has an ordering, too, FieldDoesNotExist for a relation that isn't there.
    """
    from ormolu.fields import OrderWrt

    name = meta.order_with_respect_to
    if meta.original_attrs.get("ordering"):
        raise TypeError(
            f"{meta.object_name}: 'ordering' and 'order_with_respect_to' cannot be used together in 'class Meta': "
            "the latter orders by the place that each object has."
        )
    known = (*meta.fields, *meta.local_fields, *meta.virtual_fields, *meta.private_fields)
    relation = next((field for field in known if name in (field.name, field.attname)), None)
    if relation is None:
        raise FieldDoesNotExist(f"{meta.object_name} has no field named {name!r}.{meta.near_miss(name)}")
    meta.order_with_respect_to = relation
    meta.order_fields = shared_fields(meta)
    meta.ordering = (PLACE,)
    if not any(isinstance(field, OrderWrt) for field in meta.local_fields):
        OrderWrt().contribute_to_class(meta.model, PLACE)


def shared_fields(meta: Any) -> tuple[Any, ...]:
    """Return the fields with a column whose values the objects of one order share; none without such an order."""
    relation = meta.order_with_respect_to
    if relation is None:
        return ()
    if relation.column is not None:
        return (relation,)
    generic = hasattr(relation, "ct_field")
    names = (relation.ct_field, relation.fk_field) if generic else relation.from_fields
    return tuple(meta.get_field(name) for name in names)


def install(cls: Any) -> None:
    """Give a model the methods to go along its order, and the model that it refers to those to read and set it."""
    meta = cls._meta
    for name, descending in (("get_next_in_order", False), ("get_previous_in_order", True)):
        _method(cls, name, partial(_neighbour, descending=descending))
        _method(cls, f"a{name}", partial(_aneighbour, descending=descending))
    event.listen(cls, "before_insert", _place_in_session, propagate=True)
    relation = meta.order_with_respect_to
    if relation.remote_field is not None:

        def related(queryset: Any, instance: Any) -> Any:
            return queryset.filter(**{relation.name: instance})

        when_resolved(relation, lambda target: give_methods(target, cls, related))


def give_methods(target: Any, model: Any, related: Callable[[Any, Any], Any]) -> None:
    """Give the model that ordered objects refer to the methods to read and set their order.

    `related(queryset, instance)` narrows a queryset of the ordered objects to those that refer to an instance.
    """
    name = model.__name__.lower()
    methods: dict[str, Any] = {
        f"get_{name}_order": _keys,
        f"set_{name}_order": _set_keys,
        f"aset_{name}_order": _aset_keys,
    }
    for key, function in methods.items():
        _method(target._meta.concrete_model, key, partial(function, model=model, related=related))


def _method(cls: Any, name: str, function: Callable[..., Any]) -> None:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__name__, method.__qualname__ = name, f"{cls.__qualname__}.{name}"
    method.__doc__ = function.func.__doc__ if isinstance(function, partial) else function.__doc__
    type.__setattr__(cls, name, method)


# Along the order


def _neighbours(instance: Any, descending: bool) -> Any:
    """Return the queryset of the next object, or of the one before."""
    meta = instance._meta
    manager: Any = meta.default_manager
    here = manager.filter(pk=instance.pk).values(PLACE)
    beyond = f"{PLACE}__{'lt' if descending else 'gt'}"
    shared = {field.attname: getattr(instance, field.attname) for field in shared_fields(owner(meta))}
    found = manager.filter(**shared, **{beyond: query.Subquery(here)})
    return found.order_by(f"-{PLACE}" if descending else PLACE)[:1]


def owner(meta: Any) -> Any:
    """Return what is known of the model that declares the order: this one, or one that it derives from."""
    return meta.get_field(PLACE).model._meta


def _neighbour(instance: Any, descending: bool) -> Any:
    """Return the next object in the order (or the one before). One query; DoesNotExist at the end."""
    return _neighbours(instance, descending).get()


async def _aneighbour(instance: Any, descending: bool) -> Any:
    """Return the next object in the order (or the one before). One query; DoesNotExist at the end."""
    return await _neighbours(instance, descending).aget()


# From the object that they refer to


def _keys(instance: Any, model: Any, related: Any) -> Any:
    """Return the keys of the objects that refer to this one, in their order, as a queryset."""
    return related(model._meta.default_manager.get_queryset(), instance).values_list("pk", flat=True)


def _moves(
    instance: Any, keys: Iterable[Any], using: str | None, model: Any, related: Any
) -> Iterator[tuple[Any, Any]]:
    """Yield querysets to update, and the places for their objects."""
    found = related(model._meta.base_manager.db_manager(using).get_queryset(), instance)
    keys = list(keys)
    places = [query.When(pk=key, then=query.Value(place)) for place, key in enumerate(keys)]
    for start in range(0, len(keys), MOST):
        stop = start + MOST
        yield found.filter(pk__in=keys[start:stop]), query.Case(*places[start:stop])


def _set_keys(instance: Any, id_list: Iterable[Any], using: str | None = None, **order: Any) -> None:
    """Put the objects that refer to this one into the order of these keys; others stay as they are.

    One UPDATE for some hundred keys, all in one transaction.
    """
    moves = list(_moves(instance, id_list, using, **order))
    if len(moves) > 1:
        with transaction.atomic(using=moves[0][0]._write_alias(), savepoint=False):
            for queryset, place in moves:
                queryset.update(**{PLACE: place})
    elif moves:
        moves[0][0].update(**{PLACE: moves[0][1]})


async def _aset_keys(instance: Any, id_list: Iterable[Any], using: str | None = None, **order: Any) -> None:
    """Put the objects that refer to this one into the order of these keys; others stay as they are.

    One UPDATE for some hundred keys, all in one transaction.
    """
    moves = list(_moves(instance, id_list, using, **order))
    if len(moves) > 1:
        async with transaction.aatomic(using=moves[0][0]._write_alias(), savepoint=False):
            for queryset, place in moves:
                await queryset.aupdate(**{PLACE: place})
    elif moves:
        await moves[0][0].aupdate(**{PLACE: moves[0][1]})


# In a Session


def _place_in_session(mapper: Any, connection: Any, instance: Any) -> None:
    """Give an object that a Session is about to insert its place. One SELECT."""
    if instance.__dict__.get(PLACE) is not None:
        return
    meta = owner(instance._meta)
    fields = shared_fields(meta)
    key = [getattr(instance, field.attname) for field in fields]
    place = meta.get_field(PLACE).sa_column
    conditions: list[Any] = []
    for field, value in zip(fields, key, strict=True):
        conditions.append(field.sa_column.is_(None) if value is None else field.sa_column == value)
    from ormolu.writes.collector import tables_of

    tables = tables_of(meta.model, fields)
    last = connection.scalar(sa.select(sa.func.max(place)).select_from(tables).where(*conditions))
    taken = [-1 if last is None else last]
    session = object_session(instance)
    for other in () if session is None else session.new:  # those that the same flush has given a place
        placed = isinstance(other, meta.model) and other.__dict__.get(PLACE) is not None
        if placed and [getattr(other, field.attname) for field in fields] == key:
            taken.append(other.__dict__[PLACE])
    setattr(instance, PLACE, max(taken) + 1)
