"""ForeignObject: a relation over columns that a model has already, to a key of several columns for instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, overload

from typing_extensions import Unpack

from ormolu.compile.paths import PathInfo
from ormolu.exceptions import FieldDoesNotExist, FieldError
from ormolu.fields.composite import TupleField
from ormolu.models.related_fields import SELF, RelatedField, check_target
from ormolu.models.rels import ForeignObjectRel
from ormolu.near import near_names

if TYPE_CHECKING:
    from ormolu.fields.options import FieldOptions
    from ormolu.models.base import Model

    class ObjectOptions(FieldOptions, total=False):
        """Keyword options of a ForeignObject, beside those that its type depends on."""

        verbose_name: str | None
        related_query_name: str | None
        limit_choices_to: Any


T = TypeVar("T")
M = TypeVar("M")
Pairs = tuple[tuple[Any, Any], ...]


class ForeignObject(RelatedField[T], Generic[T]):
    """A many-to-one relation over one or several columns that are fields of their own.

    `user = ForeignObject(User, on_delete=CASCADE, from_fields=("tenant_id", "user_id"), to_fields=("tenant_id", "id"))`
    makes no column, no constraint and no index: it joins what is there. It can be read, assigned, queried, selected and
    prefetched as a ForeignKey can. Assigning an object sets the columns; None empties those that may be NULL. The
    database doesn't check that the object is there; `on_delete` says what `delete()` does to the rows that refer to it.

    Raises ValueError where `from_fields` and `to_fields` don't match, FieldError, when both models are made, for a name
    in `to_fields` that is no field with a column; for one in `from_fields`, when the relation is used or checked.
    Source: Django's documentation, "Composite primary keys and relations".
    """

    many_to_one = True
    many_to_many = False
    one_to_many = False
    one_to_one = False
    rel_class: ClassVar[type[ForeignObjectRel]] = ForeignObjectRel
    description = "A relation over existing fields"
    empty_strings_allowed: ClassVar[bool] = False

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: ForeignObject[M],
            to: type[M],
            on_delete: Any,
            from_fields: Sequence[str],
            to_fields: Sequence[str],
            *,
            related_name: str | None = None,
            null: Literal[False] = False,
            **options: Unpack[ObjectOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: ForeignObject[M | None],
            to: type[M],
            on_delete: Any,
            from_fields: Sequence[str],
            to_fields: Sequence[str],
            *,
            related_name: str | None = None,
            null: bool,
            **options: Unpack[ObjectOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: ForeignObject[Any],
            to: str,
            on_delete: Any,
            from_fields: Sequence[str],
            to_fields: Sequence[str],
            *,
            related_name: str | None = None,
            null: bool = False,
            **options: Unpack[ObjectOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(
            self,
            to,
            on_delete,
            from_fields,
            to_fields,
            rel=None,
            related_name=None,
            related_query_name=None,
            limit_choices_to=None,
            parent_link=False,
            swappable=True,
            **options,
        ):
            to = check_target(type(self).__name__, to)
            if not callable(on_delete):
                raise TypeError("on_delete must be callable.")
            self.from_fields, self.to_fields = _names(from_fields), _names(to_fields)
            if not self.from_fields or len(self.from_fields) != len(self.to_fields):
                raise ValueError(
                    "Foreign Object from and to fields must be the same non-zero length: "
                    f"from_fields={from_fields!r}, to_fields={to_fields!r}."
                )
            super().__init__(**options)
            self.swappable = swappable
            self.is_relation = True
            self.remote_field = rel or self.rel_class(
                self,
                to,
                related_name=related_name,
                related_query_name=related_query_name,
                limit_choices_to=limit_choices_to,
                parent_link=parent_link,
                on_delete=on_delete,
            )

    from_fields: tuple[str, ...]
    to_fields: tuple[str, ...]
    problem: FieldError | None = None
    """What is wrong with `from_fields`, where something is."""

    def get_attname_column(self) -> tuple[str, None]:  # type: ignore[override]
        """Return the name of the attribute; there is no column."""
        return self.name, None

    # The other side

    def check_fields(self, meta: Any) -> None:
        """Find names of this model's that aren't fields with a column: using the relation will be an error."""
        self.problem = None
        try:
            _check_names(self, meta, self.from_fields, "from_fields")
        except FieldError as error:
            self.problem = error

    def check(self, **kwargs: Any) -> list[Any]:
        """Return problems of the declaration."""
        return [*super().check(**kwargs), *([] if self.problem is None else [self.problem])]

    def connect(self, target: type[Model]) -> None:
        """Take the target. Raises FieldError for names of its that aren't fields with a column."""
        self.remote_field.model = target
        self.forget()
        _check_names(self, target._meta, self.to_fields, "to_fields")
        super().connect(target)

    def forget(self) -> None:
        """Drop what was derived from the target."""
        super().forget()
        self.__dict__.pop("_related", None)
        self.__dict__.pop("_target_field", None)

    @property
    def related_fields(self) -> Pairs:
        """Return the pairs of fields that must be equal: this model's and the target's."""
        found: Pairs | None = self.__dict__.get("_related")
        if found is None:
            if self.problem is not None:
                raise FieldError(str(self.problem))
            here, there = self.model._meta, self.related_model._meta
            found = self._related = tuple(
                (here.get_field(near), there.get_field(far))
                for near, far in zip(self.from_fields, self.to_fields, strict=True)
            )
        return found

    @property
    def local_related_fields(self) -> tuple[Any, ...]:
        """Return this model's fields of the relation."""
        return tuple(near for near, _far in self.related_fields)

    @property
    def foreign_related_fields(self) -> tuple[Any, ...]:
        """Return the target's fields of the relation."""
        return tuple(far for _near, far in self.related_fields)

    @property
    def target_field(self) -> Any:
        """Return the field that the relation's values refer to: one for tuples where there are several."""
        found = self.__dict__.get("_target_field")
        if found is None:
            fields = self.foreign_related_fields
            found = self._target_field = (
                fields[0] if len(fields) == 1 else TupleField.of(self.name, self.related_model, fields)
            )
        return found

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hop from this field's model to the target."""
        paths: tuple[PathInfo, ...] | None = self.__dict__.get("_paths")
        if paths is None:
            paths = self._paths = (
                PathInfo(
                    from_meta=self.model._meta,
                    to_meta=self.related_model._meta,
                    pairs=tuple((near.sa_column, far.sa_column) for near, far in self.related_fields),
                    multiple=False,
                    nullable=self.null,
                    join_field=self,
                    reverse=False,
                ),
            )
        return paths

    def reverse_path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hop from the target to this field's model."""
        return tuple(self.remote_field.path_infos())

    # Values

    def near_key(self, instance: Any) -> Any:
        """Return the values that an instance refers with, None where one of them is missing."""
        return _key([getattr(instance, field.attname) for field in self.local_related_fields])

    def far_key(self, related: Any) -> Any:
        """Return the values that a related object is referred to by, None where one of them is missing."""
        return _key([getattr(related, field.attname) for field in self.foreign_related_fields])

    def key_in(self, values: dict[str, Any]) -> Any:
        """Return the same as `near_key()` from an instance's `__dict__`, None where one isn't loaded, too."""
        return _key([values.get(field.attname) for field in self.local_related_fields])

    def get_local_related_value(self, instance: Any) -> tuple[Any, ...]:
        """Return the values that an instance refers with."""
        return tuple(getattr(instance, field.attname) for field in self.local_related_fields)

    def get_foreign_related_value(self, instance: Any) -> tuple[Any, ...]:
        """Return the values that a related object is referred to by."""
        return tuple(getattr(instance, field.attname) for field in self.foreign_related_fields)

    def lookups_of(self, instance: Any) -> dict[str, Any]:
        """Return the lookups that find an instance's related object."""
        return {far.name: getattr(instance, near.attname) for near, far in self.related_fields}

    def assigned(self, related: Any) -> list[tuple[Any, Any]]:
        """Return what an instance's columns are set to when it refers to an object: pairs of field and value.

        None empties the columns that may be NULL; all of them where none may.
        """
        if related is not None:
            return [(near, getattr(related, far.attname)) for near, far in self.related_fields]
        fields = self.local_related_fields
        return [(field, None) for field in [f for f in fields if f.null] or fields]

    def check_instance(self, related: Any) -> None:
        """Refuse an object that an UPDATE can't refer to: of another model, or unsaved. Raises ValueError."""
        if not isinstance(related, self.related_model._meta.concrete_model):
            raise ValueError(
                f'Cannot assign "{related!r}": "{self.model._meta.object_name}.{self.name}" must be a '
                f'"{self.related_model._meta.object_name}" instance.'
            )
        related.prepare_database_save(self)

    @property
    def immutable(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Tell whether values can't be changed in place."""
        return True

    def get_default(self) -> None:
        """Return None: the fields of the relation have their own defaults."""
        return

    def get_internal_type(self) -> str:
        """Return the name of the kind of field."""
        return "ForeignObject"

    def db_type(self, connection: Any) -> None:
        """Return None: there is no column."""
        return

    # Copies

    def deconstruct(self) -> Any:
        """Return (name, path, args, kwargs) that make this field again."""
        name, path, args, kwargs = super().deconstruct()
        rel = self.remote_field
        kwargs["on_delete"] = rel.on_delete
        kwargs["from_fields"], kwargs["to_fields"] = list(self.from_fields), list(self.to_fields)
        kwargs.update(self.deconstructed_target())
        for option in ("related_name", "related_query_name", "limit_choices_to", "parent_link"):
            if value := getattr(rel, option):
                kwargs[option] = value
        return name, path, args, kwargs

    def clone(self) -> Any:
        """Return a new field with the same options, which belongs to no model."""
        _, _, args, kwargs = self.deconstruct()
        kwargs["to"] = SELF if self.remote_field.to == SELF else self.remote_field.to
        return type(self)(*args, **kwargs)


def _names(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _key(values: list[Any]) -> Any:
    if None in values:
        return None
    return values[0] if len(values) == 1 else tuple(values)


def _check_names(field: Any, meta: Any, names: Sequence[str], option: str) -> None:
    """Raise FieldError for a name that isn't a field with a column."""
    for name in names:
        try:
            found = meta.get_field(name)
        except FieldDoesNotExist:
            found = None
        if getattr(found, "column", None) is None:
            choices = [f.name for f in meta.concrete_fields]
            near = near_names(name, choices)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise FieldError(
                f"{field.model._meta.label}.{field.name}: {option} names {name!r}, which is no field of {meta.label} "
                f"with a column.{hint} Choices are: {', '.join(choices)}"
            )
