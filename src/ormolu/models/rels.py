"""The far side of a relation: what a ForeignKey, OneToOneField or ManyToManyField looks like from its target."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from ormolu.compile.paths import PathInfo
from ormolu.exceptions import FieldError
from ormolu.fields.choices import BLANK_CHOICE_DASH
from ormolu.fields.options import NOT_PROVIDED

if TYPE_CHECKING:
    from ormolu.models.base import Model
    from ormolu.models.related_fields import RelatedField


class FieldCacheMixin:
    """What an instance holds for a field or a relation beside its columns, under the field's `cache_name`.

    A class of one's own says `cache_name`; the object is then among the instance's `_state.fields_cache`.
    Source: the fields of Django's `django.contrib.contenttypes`, which are made this way.
    """

    @property
    def cache_name(self) -> str:
        """Return the key of what an instance holds: to be overridden."""
        name = self.get_cache_name()
        cls = type(self).__name__
        warnings.warn(
            f"Override {cls}.cache_name instead of {cls}.get_cache_name().", DeprecationWarning, stacklevel=2
        )
        return name

    def get_cache_name(self) -> str:
        """Return the key, in classes that say it by the older name. Raises NotImplementedError without it."""
        raise NotImplementedError(f"{type(self).__name__} must define cache_name.")

    def held(self, instance: Any, create: bool = False) -> MutableMapping[str, Any]:
        """Return where an instance keeps what it holds; `create`: something is about to be put there."""
        place: MutableMapping[str, Any] = instance._state.fields_cache
        return place

    def is_cached(self, instance: Any) -> bool:
        """Tell whether an instance holds something."""
        return self.cache_name in self.held(instance)

    def get_cached_value(self, instance: Any, default: Any = NOT_PROVIDED) -> Any:
        """Return what an instance holds. Raises KeyError when it holds nothing and no default is given."""
        place = self.held(instance)
        return place[self.cache_name] if default is NOT_PROVIDED else place.get(self.cache_name, default)

    def set_cached_value(self, instance: Any, value: Any) -> None:
        """Give an instance something to hold, without changing its columns."""
        self.held(instance, create=True)[self.cache_name] = value

    def delete_cached_value(self, instance: Any) -> None:
        """Let an instance forget what it holds, if anything."""
        self.held(instance).pop(self.cache_name, None)


class ForeignObjectRel(FieldCacheMixin):
    """The reverse side of a relation field, of a ForeignObject itself.

    `_meta.get_field()` of the target returns it by its query name.
    """

    auto_created = True
    concrete = False
    editable = False
    is_relation = True
    primary_key = False
    null = True
    empty_strings_allowed = False
    column = None
    one_to_many = True
    many_to_many = many_to_one = one_to_one = False
    multiple = True

    def __init__(
        self,
        field: RelatedField[Any],
        to: Any,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        parent_link: bool = False,
        on_delete: Any = None,
    ) -> None:
        self.field: Any = field
        self.to = to
        """What the declaration said: a class, a label, or "self"."""
        self.resolved: type[Model] | None = to if isinstance(to, type) else None
        self.related_name = related_name
        self.related_query_name = related_query_name
        self.limit_choices_to: Any = {} if limit_choices_to is None else limit_choices_to
        self.parent_link = parent_link
        self.on_delete = on_delete
        self.symmetrical = False

    def __repr__(self) -> str:
        target = self.resolved._meta.label if self.resolved is not None else repr(self.to)
        return f"<{type(self).__name__}: {target} from {self.field}>"

    @property
    def is_usable(self) -> bool:
        """Tell whether rows refer to the target's by columns that are there."""
        return not self.many_to_many and getattr(self.field, "problem", None) is None

    @property
    def model(self) -> Any:
        """Return the model that the relation points to. Raises UnresolvedRelation while it isn't there."""
        if self.resolved is None:
            return self.field.unresolved()
        return self.resolved

    @model.setter
    def model(self, model: type[Model]) -> None:
        self.resolved = model

    @property
    def target_label(self) -> str:
        """Return the target's label as `deconstruct()` has it: the model's name in lower case."""
        if self.resolved is not None:
            return str(self.resolved._meta.label_lower)
        app_label, dot, name = str(self.to).rpartition(".")
        return app_label + dot + name.lower()

    @property
    def to_meta(self) -> Any:
        """Return the target's `_meta`."""
        return self.model._meta

    @property
    def related_model(self) -> Any:
        """Return the model that declares the relation."""
        return self.field.model

    @property
    def remote_field(self) -> Any:
        """Return the field that declares the relation."""
        return self.field

    @property
    def target_field(self) -> Any:
        """Return the field that a value of this relation refers to: the declaring model's primary key."""
        return self.field.model._meta.pk

    @property
    def hidden(self) -> bool:
        """Tell whether the target has no accessor (`related_name="+"`)."""
        return bool(self.related_name) and str(self.related_name).endswith("+")

    def is_hidden(self) -> bool:
        """Tell whether the target has no accessor."""
        return self.hidden

    @property
    def name(self) -> str:
        """Return the name to use in lookups from the target."""
        return str(self.field.related_query_name())

    attname = name

    @property
    def verbose_name(self) -> Any:
        """Return the field's verbose name."""
        return self.field.verbose_name

    @property
    def accessor_name(self) -> str:
        """Return the attribute name on the target's instances."""
        return self.get_accessor_name() or ""

    @property
    def cache_name(self) -> str:
        """Return the key of this relation in `_prefetched_objects_cache`."""
        return self.accessor_name

    def get_cache_name(self) -> str:
        """Return the key of this relation in `_prefetched_objects_cache`."""
        return self.accessor_name

    def get_accessor_name(self, model: type[Model] | None = None) -> str | None:
        """Return the attribute name on the target's instances, or None where there is none.

        Without a `related_name`, it is the model's name, with `_set` where there may be several.
        """
        if self.symmetrical and self.resolved is self.field.model:
            return None
        if self.related_name:
            return str(self.related_name)
        name: str = self.field.model._meta.model_name
        return f"{name}_set" if self.multiple else name

    def held(self, instance: Any, create: bool = False) -> MutableMapping[str, Any]:
        """Return where an instance of the target keeps the related object or objects."""
        values: dict[str, Any] = instance.__dict__
        place: dict[str, Any] = (
            values.setdefault("_prefetched_objects_cache", {})
            if create
            else values.get("_prefetched_objects_cache", {})
        )
        return place

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hop from the target to the declaring model."""
        (forward,) = self.field.path_infos()
        return (
            PathInfo(
                from_meta=forward.to_meta,
                to_meta=forward.from_meta,
                pairs=tuple((rhs, lhs) for lhs, rhs in forward.pairs),
                multiple=self.multiple,
                nullable=True,
                join_field=self,
                reverse=True,
            ),
        )

    def get_choices(
        self,
        include_blank: bool = True,
        blank_choice: list[tuple[Any, Any]] = BLANK_CHOICE_DASH,
        limit_choices_to: Any = None,
        ordering: Iterable[str] = (),
    ) -> list[tuple[Any, Any]]:
        """Return the objects at the declaring side as (key, text) pairs. One query."""
        found = self.related_model._default_manager.complex_filter(limit_choices_to or {})
        if ordering:
            found = found.order_by(*ordering)
        pairs = [(item.pk, str(item)) for item in found]
        return [*blank_choice, *pairs] if include_blank else pairs

    def get_lookup(self, lookup_name: str) -> Any:
        """Return a lookup of the field that declares the relation."""
        return self.field.get_lookup(lookup_name)

    def get_internal_type(self) -> str:
        """Return the declaring field's internal type."""
        return str(self.field.get_internal_type())

    @property
    def db_type(self) -> Any:
        """Return the declaring field's `db_type`."""
        return self.field.db_type

    @property
    def choices(self) -> Any:
        """Return the declaring field's choices."""
        return self.field.choices

    def get_related_field(self) -> Any:
        """Return the field of the target that the relation refers to: one for tuples where there are several."""
        return self.field.target_field

    def get_extra_restriction(self, alias: Any, related_alias: Any) -> None:
        """Return None: relations have no further conditions."""
        return


class ManyToOneRel(ForeignObjectRel):
    """The reverse side of a ForeignKey."""

    def __init__(self, field: RelatedField[Any], to: Any, field_name: str | None, **options: Any) -> None:
        super().__init__(field, to, **options)
        self.field_name = field_name

    def get_related_field(self) -> Any:
        """Return the field of the target that the key refers to. Raises FieldDoesNotExist when it isn't there."""
        field = self.to_meta.get_field(self.field_name) if self.field_name else self.to_meta.pk
        if field is self.to_meta.pk and self.to_meta.is_composite_pk:
            from ormolu.models.keys import not_single

            raise not_single(self.field, self.model)
        if not getattr(field, "concrete", False):
            raise FieldError(
                f"{self.field} refers to {self.to_meta.label}.{self.field_name}, which has no column. "
                "Give to_field the name of a unique field."
            )
        return field


class OneToOneRel(ManyToOneRel):
    """The reverse side of a OneToOneField."""

    one_to_many = False
    one_to_one = True
    multiple = False


class ManyToManyRel(ForeignObjectRel):
    """The reverse side of a ManyToManyField."""

    many_to_many = True
    one_to_many = False

    def __init__(
        self,
        field: RelatedField[Any],
        to: Any,
        *,
        symmetrical: bool = False,
        through: Any = None,
        through_fields: tuple[str, str] | None = None,
        db_constraint: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(field, to, **options)
        self.symmetrical = symmetrical
        self.given_through = through
        self.through_fields = through_fields
        self.db_constraint = db_constraint

    @property
    def through(self) -> Any:
        """Return the model of the table in between. Raises UnresolvedRelation while it isn't there."""
        if self.given_through is None or isinstance(self.given_through, str):
            return self.field.unresolved_through()
        return self.given_through

    @through.setter
    def through(self, model: type[Model]) -> None:
        self.given_through = model

    @property
    def identity(self) -> tuple[Any, ...]:
        """Return what tells this relation from others."""
        return (self.field, self.related_name, self.given_through, self.through_fields)

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the two hops from the target to the declaring model."""
        return tuple(self.field.reverse_path_infos())

    def get_related_field(self) -> Any:
        """Return the field of the target that the table in between refers to."""
        return self.field.target_key().target_field
