"""The far side of a relation: what a ForeignKey, OneToOneField or ManyToManyField looks like from its target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ormolu.compile.paths import PathInfo
from ormolu.exceptions import FieldError
from ormolu.fields.choices import BLANK_CHOICE_DASH

if TYPE_CHECKING:
    from ormolu.models.base import Model
    from ormolu.models.relations import RelatedField


class ForeignObjectRel:
    """The reverse side of a relation field. `_meta.get_field()` of the target returns it by its query name."""

    auto_created = True
    concrete = False
    editable = False
    is_relation = True
    primary_key = False
    null = True
    empty_strings_allowed = False
    column = None
    many_to_many = many_to_one = one_to_many = one_to_one = False
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

    def is_cached(self, instance: Any) -> bool:
        """Tell whether an instance of the target holds its related object or objects."""
        return self.cache_name in instance.__dict__.get("_prefetched_objects_cache", ())

    def get_cached_value(self, instance: Any, default: Any = ...) -> Any:
        """Return what an instance of the target holds. Raises KeyError when nothing is held and no default given."""
        cache = instance.__dict__.get("_prefetched_objects_cache", {})
        return cache[self.cache_name] if default is ... else cache.get(self.cache_name, default)

    def set_cached_value(self, instance: Any, value: Any) -> None:
        """Give an instance of the target its related object or objects."""
        instance.__dict__.setdefault("_prefetched_objects_cache", {})[self.cache_name] = value

    def delete_cached_value(self, instance: Any) -> None:
        """Let an instance of the target forget its related object or objects."""
        instance.__dict__.get("_prefetched_objects_cache", {}).pop(self.cache_name, None)

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

    def get_extra_restriction(self, alias: Any, related_alias: Any) -> None:
        """Return None: relations have no further conditions."""
        return


class ObjectRel(ForeignObjectRel):
    """The reverse side of a ForeignObject."""

    one_to_many = True

    def get_related_field(self) -> Any:
        """Return the field of the target that the relation refers to: one for tuples where there are several."""
        return self.field.target_field


class ManyToOneRel(ForeignObjectRel):
    """The reverse side of a ForeignKey."""

    one_to_many = True

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
