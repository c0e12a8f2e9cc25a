"""What stands under a relation's name on a model: related objects forward, objects and managers backward."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ormolu import query
from ormolu.exceptions import FieldError, NotLoaded, ObjectDoesNotExist
from ormolu.models.attributes import OverAttribute, PrefetchesByHand, Setter, session_load
from ormolu.models.routing import relate
from ormolu.models.state import DB, DEFAULT_ALIAS, PREFETCHED, STATE, USING

new = object.__new__

if TYPE_CHECKING:
    from ormolu.models.prefetching import Parts


class Forward(PrefetchesByHand, OverAttribute):
    """`book.author`: the object that a ForeignKey or OneToOneField refers to.

    On the class it is SQLAlchemy's attribute. On an instance it is asked only where the object isn't held yet.
    """

    def __init__(self, field: Any, attribute: Any) -> None:
        super().__init__(attribute)
        self.field = field

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.attribute
        return self.load(instance)

    @cached_property
    def RelatedObjectDoesNotExist(self) -> type[ObjectDoesNotExist]:
        """The error for a required relation without a value."""
        return missing_object(self.field.related_model, f"{self.field.model.__qualname__}.{self.field.name}")

    def is_cached(self, instance: Any) -> bool:
        """Tell whether an instance holds its related object."""
        return bool(self.field.is_cached(instance))

    def get_queryset(self, **hints: Any) -> Any:
        """Return the queryset that related objects are looked up in."""
        return self.field.related_model._base_manager.db_manager(hints=hints).all()

    def get_prefetch_querysets(self, instances: Any, querysets: Sequence[Any] | None = None) -> Parts:
        """Return the queryset of all objects that `instances` refer to, and how to hand them out."""
        from ormolu.models.prefetching import forward, the_queryset

        return forward(self.field, instances, the_queryset(querysets, self.get_queryset))

    @property
    def name(self) -> str:
        """The attribute."""
        return str(self.field.name)

    def load(self, instance: Any) -> Any:
        """Fetch the related object as the instance's fetch mode says, and keep it.

        Raises NotLoaded in async code, RelatedObjectDoesNotExist where the relation is required and empty.
        """
        field = self.field
        values = instance.__dict__
        state = values.get(STATE)
        if state is not None and state.session_id is not None:
            return session_load(instance, field.name, self.attribute)
        if self.key_of(instance) is None:
            if field.null:
                hold_forward(field, instance, None)
                return None
            raise self._missing(instance)
        held = values.get(PREFETCHED)
        if held is not None and field.name in held:  # it was looked for, and isn't there
            raise self._missing(instance)
        if not self.fetch_here(instance):
            query.fetching.fetch(self, instance)
        return values[field.name]

    def key_of(self, instance: Any) -> Any:
        """Return what an instance refers with, None where it refers to nothing."""
        return getattr(instance, self.field.attname)

    def key_in(self, values: dict[str, Any]) -> Any:
        """Return the same from an instance's `__dict__`, None where it isn't loaded, too."""
        return values.get(self.field.attname)

    def lookups_of(self, instance: Any) -> dict[str, Any]:
        """Return the lookups that find an instance's related object."""
        return {self.field.target_field.name: self.key_of(instance)}

    def _missing(self, instance: Any) -> ObjectDoesNotExist:
        return self.RelatedObjectDoesNotExist(f"{instance._meta.object_name} has no {self.name}.")

    def fetch_here(self, instance: Any) -> bool:
        """Take the object that the parent of a child model holds in this relation, which is that parent's."""
        field, values = self.field, instance.__dict__
        link = instance._meta.get_ancestor_link(field.model) if field.model is not type(instance) else None
        holder = values.get(link.name) if link is not None else None
        if holder is None:
            return False
        if field.name not in holder.__dict__ and not self.fetch_here(holder):
            return False
        if self.key_in(holder.__dict__) != self.key_in(values):
            return False
        values[field.name] = holder.__dict__[field.name]
        return True

    def not_loaded(self, instance: Any) -> NotLoaded:
        """Return the error for async code."""
        return not_loaded(instance, self.name)

    def fetch_one(self, instance: Any) -> None:
        """Load the object of one instance. DoesNotExist if it isn't there."""
        queryset = query.fetching.with_mode(self.get_queryset(instance=instance), instance)
        hold_forward(self.field, instance, queryset.get(**self.lookups_of(instance)))

    def fetch_many(self, instances: Sequence[Any]) -> None:
        """Load the objects of many instances; an object that isn't there is an error of the first instance alone."""
        name = self.name
        todo = query.fetching.lacking(instances, name, self.key_in)
        query.fetching.fetch_relation(todo, name)
        for instance in todo:
            values = instance.__dict__
            if values.get(name) is None:
                values.pop(name, None)
                values.get(PREFETCHED, {}).pop(name, None)
        if name not in instances[0].__dict__:
            self.fetch_one(instances[0])


def not_loaded(instance: Any, name: str) -> NotLoaded:
    """Return the error for a relation that was touched in async code before it was loaded."""
    cure = (
        f'select_related("{name}") or prefetch_related("{name}") in the query, or await obj.aload("{name}")'
    )
    return NotLoaded(model=instance._meta.label, attribute=name, cure=f"use {cure}")


def hold_forward(field: Any, instance: Any, related: Any) -> None:
    """Keep a related object that was loaded, on both sides where the relation is one-to-one."""
    instance.__dict__[field.name] = related
    if related is not None and not field.remote_field.multiple and not field.remote_field.hidden:
        field.remote_field.set_cached_value(related, instance)


def forward_setter(field: Any, attribute: Any, set_key: Setter) -> Setter:
    """Return the function behind `book.author = author`. It raises ValueError for an object of another model."""
    name: str = field.name
    attname: str = field.attname
    one_to_one = not field.remote_field.multiple

    def set_related(instance: Any, related: Any) -> None:
        model, target = field.__dict__.get("_target") or resolve_target(field)
        if related is None:
            key = None
        elif isinstance(related, model):
            related_values = related.__dict__
            values = instance.__dict__
            if (
                related_values.get(DB, DEFAULT_ALIAS) != values.get(DB, DEFAULT_ALIAS)
                or USING in values
                or USING in related_values
            ):
                relate(instance, related)
            key = related_values[target] if target in related_values else getattr(related, target)
        else:
            raise wrong_model(field, instance, related)
        values = instance.__dict__
        if one_to_one:
            _let_go(field, values.get(name), related)
        if STATE in values:
            set_key(instance, key)
            attribute.__set__(instance, related)
            if values.get(name, related) is not related:  # a validator took another
                related = values[name]
                key = None if related is None else getattr(related, target)
                set_key(instance, key)
                values[name] = related
            values[attname] = key
        else:
            values.pop(name, None)
            set_key(instance, key)
            values[name] = related
        if one_to_one and related is not None and not field.remote_field.hidden:
            field.remote_field.set_cached_value(related, instance)

    return set_related


def resolve_target(field: Any) -> tuple[type[Any], str]:
    """Return the class of a key's objects and the attname that it refers to, and keep them with the field."""
    found = field._target = (field.related_model._meta.concrete_model, field.target_field.attname)
    return found


def wrong_model(field: Any, instance: Any, related: Any) -> ValueError:
    """Return the error for an object that a relation can't refer to."""
    return ValueError(
        f'Cannot assign "{related!r}": "{instance._meta.object_name}.{field.name}" must be a '
        f'"{field.related_model._meta.object_name}" instance.'
    )


def _let_go(field: Any, before: Any, related: Any) -> None:
    """Let the object that a one-to-one relation referred to forget this side."""
    if related is None and before is not None:
        field.remote_field.set_cached_value(before, None)
    elif before is not None and before is not related:
        field.remote_field.delete_cached_value(before)


class ReverseOneToOne(PrefetchesByHand):
    """`place.restaurant`: the object whose OneToOneField refers to this one."""

    def __init__(self, rel: Any) -> None:
        self.rel = rel
        self.field = rel.field

    @property
    def related(self) -> Any:
        """Return the relation."""
        return self.rel

    @cached_property
    def RelatedObjectDoesNotExist(self) -> type[ObjectDoesNotExist]:
        """The error where there is no such object."""
        return missing_object(
            self.rel.related_model, f"{self.rel.model.__qualname__}.{self.rel.accessor_name}"
        )

    def is_cached(self, instance: Any) -> bool:
        """Tell whether an instance holds the object."""
        return bool(self.rel.is_cached(instance))

    def get_queryset(self, **hints: Any) -> Any:
        """Return the queryset that the object is looked up in."""
        return self.rel.related_model._base_manager.db_manager(hints=hints).all()

    def get_prefetch_querysets(self, instances: Any, querysets: Sequence[Any] | None = None) -> Parts:
        """Return the queryset of all objects that refer to `instances`, and how to hand them out."""
        from ormolu.models.prefetching import backward, the_queryset

        return backward(self.rel, instances, the_queryset(querysets, self.get_queryset))

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        name = self.rel.cache_name
        held = instance.__dict__.get(PREFETCHED, {})
        found = held[name] if name in held else self.load(instance)
        if found is None:
            raise self.RelatedObjectDoesNotExist(
                f"{instance._meta.object_name} has no {self.rel.accessor_name}."
            )
        return found

    @property
    def name(self) -> str:
        """The attribute."""
        return str(self.rel.accessor_name)

    def load(self, instance: Any) -> Any:
        """Fetch the object as the instance's fetch mode says, and keep it; None where there is none."""
        key = getattr(instance, self.field.target_field.attname)
        if key is None:
            self.rel.set_cached_value(instance, None)
        else:
            query.fetching.fetch(self, instance)
        return instance.__dict__[PREFETCHED][self.rel.cache_name]

    def not_loaded(self, instance: Any) -> NotLoaded:
        """Return the error for async code."""
        return not_loaded(instance, self.name)

    def fetch_one(self, instance: Any) -> None:
        """Load the object of one instance."""
        field = self.field
        queryset = query.fetching.with_mode(self.get_queryset(instance=instance), instance)
        key = getattr(instance, field.target_field.attname)
        try:
            found = queryset.get(**{field.attname: key})
        except self.rel.related_model.DoesNotExist:
            found = None
        if found is not None:
            field.set_cached_value(found, instance)
        self.rel.set_cached_value(instance, found)

    def fetch_many(self, instances: Sequence[Any]) -> None:
        """Load the objects of many instances."""
        query.fetching.fetch_relation(
            query.fetching.lacking_reverse(instances, self.rel.cache_name), self.name
        )

    def __set__(self, instance: Any, value: Any) -> None:
        rel, field = self.rel, self.field
        if value is None:
            before = instance.__dict__.get(PREFETCHED, {}).get(rel.cache_name)
            if before is not None:
                rel.delete_cached_value(instance)
                setattr(before, field.name, None)
            return
        if not isinstance(value, rel.related_model):
            raise ValueError(
                f'Cannot assign "{value!r}": "{instance._meta.object_name}.{rel.accessor_name}" must be a '
                f'"{rel.related_model._meta.object_name}" instance.'
            )
        setattr(value, field.name, instance)


class ReverseMany:
    """`author.book_set`: a manager of the objects whose ForeignKey refers to this one."""

    def __init__(self, rel: Any) -> None:
        self.rel = rel
        self.field = rel.field
        self._manager_class: Any = None

    @property
    def related_manager_class(self) -> Any:
        """Return the manager's class, made of the related model's default manager."""
        if self._manager_class is None:
            from ormolu.models.related_managers import reverse_manager_class

            self._manager_class = reverse_manager_class(self.rel)
        return self._manager_class

    related_manager_cls = related_manager_class

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        manager: Any = new(self._manager_class or self.related_manager_class)
        manager.__init__(
            instance
        )  # not by a call of the class: what a manager was made with is of no interest
        return manager

    def __set__(self, instance: Any, value: Any) -> None:
        raise TypeError(
            f"Direct assignment to the reverse side of a related set is prohibited. "
            f"Use {self.rel.accessor_name}.set() instead."
        )


class ManyToMany(OverAttribute):
    """`article.tags`, and `tag.article_set` from the other side: a manager of the related objects."""

    def __init__(self, rel: Any, reverse: bool, attribute: Any = None) -> None:
        super().__init__(attribute)
        self.rel = rel
        self.field = rel.field
        self.reverse = reverse
        self._manager_class: Any = None

    @property
    def through(self) -> Any:
        """Return the model of the table in between."""
        return self.rel.through

    @property
    def related_manager_class(self) -> Any:
        """Return the manager's class, made of the related model's default manager."""
        if self._manager_class is None:
            from ormolu.models.many_related_managers import many_manager_class

            self._manager_class = many_manager_class(self.rel, self.reverse)
        return self._manager_class

    related_manager_cls = related_manager_class

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self if self.attribute is None else self.attribute
        values = instance.__dict__
        collection = None if self.reverse else values.get(self.field.name)
        if collection is not None and DB not in values:
            return collection  # of an object that a Session will insert: SQLAlchemy's own
        manager: Any = new(self._manager_class or self.related_manager_class)
        manager.__init__(
            instance
        )  # not by a call of the class: what a manager was made with is of no interest
        if collection is not None:
            from ormolu.models.collected import Collected

            return Collected(manager, collection)
        return manager

    def __set__(self, instance: Any, value: Any) -> None:
        """Set SQLAlchemy's collection, of an object that a Session holds or will insert. Otherwise that's `set()`."""
        if self.attribute is not None and not self.reverse and self.field.automatic:
            held = instance.__dict__.get(STATE)
            if DB not in instance.__dict__ or (held is not None and held.session_id is not None):
                _ = instance._sa_instance_state  # which has the mapper configured
                self.attribute.__set__(instance, list(value))
                return
        side = "reverse" if self.reverse else "forward"
        name = self.rel.accessor_name if self.reverse else self.field.name
        raise TypeError(
            f"Direct assignment to the {side} side of a many-to-many set is prohibited. Use {name}.set() instead."
        )


def missing_object(model: Any, name: str) -> type[ObjectDoesNotExist]:
    """Return the error class for a related object that isn't there: the related model's, and an AttributeError."""
    return type(
        "RelatedObjectDoesNotExist",
        (model.DoesNotExist, AttributeError),
        {"__module__": model.__module__, "__qualname__": f"{name}.RelatedObjectDoesNotExist"},
    )


def connect_reverse(field: Any) -> None:
    """Give the target of a relation its accessor, and list the relation there.

    Raises FieldError where the accessor or the query name is taken.
    """
    rel = field.remote_field
    meta = rel.to_meta.concrete_model._meta
    meta.reverse_relations[:] = [r for r in meta.reverse_relations if not _replaces(rel, r)] + [rel]
    meta.apps.clear_cache()
    if rel.hidden:
        return
    name = rel.get_accessor_name()
    if name is not None:
        check_clash(field, name)
        accessor = ManyToMany(rel, reverse=True) if field.many_to_many else (
            ReverseMany(rel) if rel.multiple else ReverseOneToOne(rel)
        )  # fmt: skip
        type.__setattr__(rel.model._meta.concrete_model, name, accessor)


def _replaces(new: Any, old: Any) -> bool:
    """Tell whether a relation is the same as one of a model that was defined before under the same label."""
    return new is old or (
        new.field.name == old.field.name and new.field.model._meta.label == old.field.model._meta.label
    )


def check_clash(field: Any, name: str) -> None:
    """Raise FieldError if the accessor or the query name of a relation is a field or another relation's."""
    rel = field.remote_field
    meta = rel.to_meta
    own = f"{field.model._meta.label}.{field.name}"
    cure = f"Add or change a related_name argument to the definition for '{own}'."
    for other in (*meta.fields, *meta.many_to_many):
        if other.name == name or getattr(other, "attname", None) == name:
            raise FieldError(
                f"Reverse accessor '{meta.object_name}.{name}' for '{own}' clashes with field name "
                f"'{meta.label}.{other.name}'. Rename that field, or: {cure}"
            )
        if other.name == rel.name:
            raise FieldError(
                f"Reverse query name for '{own}' clashes with field name '{meta.label}.{other.name}'. "
                f"Rename that field, or: {cure}"
            )
    for other in meta.all_related:
        if other is rel or other.hidden:
            continue
        if other.get_accessor_name() == name or other.name == rel.name:
            what = "Reverse accessor" if other.get_accessor_name() == name else "Reverse query name"
            raise FieldError(
                f"{what} '{meta.object_name}.{name}' for '{own}' clashes with the one for "
                f"'{other.field.model._meta.label}.{other.field.name}'. {cure}"
            )
