"""What all relations share: a target, perhaps one that is not there yet, and what it is called from both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ormolu.compile.paths import PathInfo
from ormolu.conf import SettingsReference
from ormolu.exceptions import FieldError, UnresolvedRelation
from ormolu.fields.base import Field
from ormolu.fields.choices import BLANK_CHOICE_DASH
from ormolu.models.registry import Apps, current
from ormolu.models.rels import FieldCacheMixin, ForeignObjectRel
from ormolu.writes.on_delete import OnDelete

if TYPE_CHECKING:
    from ormolu.models.base import Model

T = TypeVar("T")
M = TypeVar("M")

SELF = "self"


def model_key(to: str, app_label: str) -> tuple[str, str]:
    """Return (app_label, name) for a label as written in a relation: `Author` or `library.Author`."""
    label, dot, name = to.rpartition(".")
    return (label if dot else app_label, name)


class RelatedField(FieldCacheMixin, Field[T], Generic[T]):
    """A field that points to another model, named by its class, by its label, or as `"self"`."""

    remote_field: Any
    swappable: bool = True
    rel_class: ClassVar[type[ForeignObjectRel]]

    def contribute_to_class(self, cls: type[Any], name: str, private_only: bool = False) -> None:
        """Bind the field to a model class under a name."""
        super().contribute_to_class(cls, name, private_only)
        self.opts = cls._meta
        rel = self.remote_field
        if not cls._meta.abstract:
            place = {
                "class": cls.__name__.lower(),
                "model_name": cls._meta.model_name,
                "app_label": cls._meta.app_label.lower(),
            }
            related_name = rel.related_name or cls._meta.default_related_name
            rel.related_name = related_name % place if related_name else None
            if rel.related_query_name:
                rel.related_query_name = rel.related_query_name % place
            check_policy(self)

    def resolve(self) -> None:
        """Connect the field with its target as soon as that exists. Called once the field's own model does."""
        rel = self.remote_field
        if rel.to == SELF:
            self.connect(self.model)
        elif isinstance(rel.to, str):
            self.model._meta.apps.lazy_model_operation(
                self.connect, model_key(rel.to, self.model._meta.app_label)
            )
        else:
            self.connect(rel.to)

    def connect(self, target: type[Model]) -> None:
        """Take `target` as the model that the relation points to, and give that its accessor."""
        from ormolu.models.accessors import connect_reverse

        self.remote_field.model = target
        self.forget()
        connect_reverse(self)

    def forget(self) -> None:
        """Drop what was derived from the target."""
        self.__dict__.pop("_paths", None)
        self.__dict__.pop("_target", None)

    def check(self, **kwargs: Any) -> list[Any]:
        """Return what is wrong with the declaration: messages of `ormolu.checks`."""
        from ormolu.models.relation_checks import relation_problems

        return list(relation_problems(self, kwargs.get("databases")))

    @property
    def is_resolved(self) -> bool:
        """Tell whether the target exists."""
        return self.remote_field.resolved is not None

    @property
    def related_model(self) -> Any:
        """Return the target. Raises UnresolvedRelation with near misses while it doesn't exist."""
        return self.remote_field.model

    def unresolved(self) -> Any:
        """Raise UnresolvedRelation for the target."""
        return self._raise_unresolved(self.remote_field.to, "")

    def _raise_unresolved(self, to: Any, role: str) -> Any:
        model = getattr(self, "model", None)
        if model is None:
            raise UnresolvedRelation(f"A {type(self).__name__} to {to!r} doesn't belong to a model.")
        meta = model._meta
        known = meta.apps.near_misses(to if "." in to else f"{meta.app_label}.{to}")
        raise UnresolvedRelation(
            f"{meta.label}.{self.name} {role}refers to the model {to!r}, which doesn't exist (yet).{known} "
            "Name it as 'app_label.ModelName', and import the module that defines it."
        )

    @property
    def swappable_setting(self) -> str | None:
        """Return the name of the setting that chooses the target (`Meta.swappable`), None where none does."""
        if not self.swappable:
            return None
        model = self.__dict__.get("model")
        registry: Apps = model._meta.apps if model is not None else current()
        return registry.get_swappable_settings_name(self.remote_field.target_label)

    def deconstructed_target(self) -> dict[str, Any]:
        """Return what `deconstruct()` says of the target: its label, or the setting that it comes from."""
        label, setting = self.remote_field.target_label, self.swappable_setting
        found: dict[str, Any] = {"to": label if setting is None else SettingsReference(label, setting)}
        if not self.swappable:
            found["swappable"] = False
        return found

    def related_query_name(self) -> str:
        """Return the name by which lookups from the target reach this relation."""
        rel = self.remote_field
        return str(rel.related_query_name or rel.related_name or self.model._meta.model_name)

    @property
    def target_field(self) -> Any:
        """Return the field that the relation's values refer to."""
        return self.related_model._meta.pk

    def get_cache_name(self) -> str:
        """Return the key in an instance's `__dict__` that holds the related object."""
        return str(self.name)

    @property
    def cache_name(self) -> str:
        """Return the key in an instance's `__dict__` that holds the related object."""
        return str(self.name)

    def held(self, instance: Any, create: bool = False) -> MutableMapping[str, Any]:
        """Return where an instance keeps its related object: among its attributes."""
        values: dict[str, Any] = instance.__dict__
        return values

    def get_limit_choices_to(self) -> Any:
        """Return the condition that `limit_choices_to` gives, called if it is callable."""
        limit = self.remote_field.limit_choices_to
        return limit() if callable(limit) else limit

    def get_choices(
        self,
        include_blank: bool = True,
        blank_choice: list[tuple[Any, Any]] = BLANK_CHOICE_DASH,
        limit_choices_to: Any = None,
        ordering: Iterable[str] = (),
    ) -> list[tuple[Any, Any]]:
        """Return the objects that may be chosen as (value, text) pairs. One query."""
        limit = limit_choices_to or self.get_limit_choices_to()
        found = self.related_model._default_manager.complex_filter(limit)
        if ordering:
            found = found.order_by(*ordering)
        attname = self.remote_field.get_related_field().attname
        pairs = [(getattr(item, attname), str(item)) for item in found]
        return [*blank_choice, *pairs] if include_blank else pairs

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hops from this field's model to the target."""
        raise TypeError(f"{type(self).__name__} has no path")


def check_policy(field: Any) -> None:
    """Raise FieldError for an `on_delete` that a relation's own options rule out: SET_NULL without null, and so on."""
    policy = field.remote_field.on_delete
    problem = policy.problem_of(field) if isinstance(policy, OnDelete) else ""
    if problem:
        raise FieldError(f"{field.model._meta.label}.{field.name} can't have on_delete={policy}: {problem}.")


def when_resolved(field: Any, function: Callable[[Any], None]) -> None:
    """Call a function with a relation's target: now, or as soon as that exists."""
    rel = field.remote_field
    if rel.resolved is not None:
        function(rel.resolved)
    else:
        meta = field.model._meta
        meta.apps.lazy_model_operation(function, model_key(rel.to, meta.app_label))


def lazy_related_operation(
    function: Callable[..., Any], model: type[Model], *related_models: type[Model] | str, **kwargs: Any
) -> None:
    """Call `function(model, *models, **kwargs)` as soon as all the models exist.

    They are named as in a relation of `model`: by class, by label (`"Author"`, `"library.Author"`), or as `"self"`.
    """
    meta = model._meta
    keys: list[tuple[str, str]] = []
    for related in (model, *related_models):
        if related == SELF:
            related = model
        if isinstance(related, str):
            keys.append(model_key(related, meta.app_label))
        else:
            keys.append((related._meta.app_label, related._meta.model_name))
    meta.apps.lazy_model_operation(partial(function, **kwargs), *keys)


def check_target(field_class: str, to: Any) -> Any:
    """Return the target of a relation if it can be one: a model class or a label."""
    if isinstance(to, str):
        return to
    meta: Any = getattr(to, "_meta", None) if isinstance(to, type) else None
    if meta is not None:
        if meta.abstract:
            raise TypeError(
                f"{field_class} cannot define a relation with abstract class {meta.object_name}. "
                "Name one of its concrete subclasses."
            )
        return to
    raise TypeError(
        f"{field_class}({to!r}) is invalid. First parameter to {field_class} must be either a model, "
        "a model name, or the string 'self'"
    )
