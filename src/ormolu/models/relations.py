"""ForeignKey and OneToOneField."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, overload

from sqlalchemy.types import NullType
from typing_extensions import Unpack

from ormolu.compile.paths import RELATION_LOOKUPS, PathInfo
from ormolu.exceptions import ValidationError
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions
from ormolu.models.references import add_reference, reference_type, set_reference
from ormolu.models.related_fields import RelatedField, check_target
from ormolu.models.rels import ManyToOneRel, OneToOneRel

if TYPE_CHECKING:
    from ormolu.models.base import Model

    class RelationOptions(FieldOptions, total=False):
        """Keyword options of a ForeignKey, beside those that its type depends on."""

        verbose_name: str | None
        related_query_name: str | None
        limit_choices_to: Any
        parent_link: bool
        to_field: str | None
        db_constraint: bool
        swappable: bool


T = TypeVar("T")
M = TypeVar("M")


class ForeignKey(RelatedField[T], Generic[T]):
    """A many-to-one relation.

    `author = ForeignKey(Author, on_delete=CASCADE)` makes the column `author_id`, the attribute `author` with the
    related object, and `author.book_set` (or `related_name`) on the other side. The first argument may be a label
    (`"library.Author"`, resolved when that model is defined) or `"self"`.
    """

    many_to_one = True
    many_to_many = False
    one_to_many = False
    one_to_one = False
    rel_class = ManyToOneRel
    own_options: ClassVar[dict[str, Any]] = {"db_index": True}
    empty_strings_allowed: ClassVar[bool] = False
    description = "Foreign Key (type determined by related field)"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "%(model)s instance with %(field)s %(value)r is not a valid choice.",
    }
    db_constraint: bool

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: ForeignKey[M],
            to: type[M],
            on_delete: Any,
            related_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[RelationOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: ForeignKey[M | None],
            to: type[M],
            on_delete: Any,
            related_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[RelationOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: ForeignKey[Any],
            to: str,
            on_delete: Any,
            related_name: str | None = None,
            *,
            null: bool = False,
            **options: Unpack[RelationOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(
            self,
            to,
            on_delete=None,
            related_name=None,
            related_query_name=None,
            limit_choices_to=None,
            parent_link=False,
            to_field=None,
            db_constraint=True,
            swappable=True,
            **options,
        ):
            self.swappable = swappable
            name = type(self).__name__
            to = check_target(name, to)
            if on_delete is None:
                raise TypeError(
                    f"{name}.__init__() is missing on_delete: what happens to this object when the one it refers to is "
                    "deleted? CASCADE, PROTECT, RESTRICT, SET_NULL, SET_DEFAULT, SET(...), DO_NOTHING, or the "
                    "database's DB_CASCADE, DB_SET_NULL and DB_SET_DEFAULT."
                )
            if not callable(on_delete):
                raise TypeError("on_delete must be callable.")
            if to_field is None and isinstance(to, type):
                to_field = to._meta.pk.name if to._meta.pk is not None else None  # type: ignore[attr-defined]
            options.setdefault("db_index", True)
            super().__init__(**options)
            self.db_constraint = db_constraint
            self.is_relation = True
            self.remote_field = self.rel_class(
                self,
                to,
                field_name=to_field,
                related_name=related_name,
                related_query_name=related_query_name,
                limit_choices_to=limit_choices_to,
                parent_link=parent_link,
                on_delete=on_delete,
            )

    # Names and column

    def get_attname(self) -> str:
        """Return the name of the attribute with the raw value."""
        return f"{self.name}_id"

    def get_attname_column(self) -> tuple[str, str]:
        """Return the names of attribute and column."""
        attname = self.get_attname()
        return attname, self.db_column or attname

    @property
    def target_field(self) -> Any:
        """Return the field that the key refers to: `to_field`, or the target's primary key."""
        return self.remote_field.get_related_field()

    foreign_related_fields = property(lambda self: (self.target_field,))
    local_related_fields = property(lambda self: (self,))
    related_fields = property(lambda self: ((self, self.target_field),))

    @property
    def to_fields(self) -> list[str | None]:
        """Return the name of the field referred to, None for the primary key."""
        return [self.remote_field.field_name]

    @property
    def sa_type(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Return the SQLAlchemy type of the target's column, `NullType` until the target is there."""
        return reference_type(self.target_field) if self.is_resolved else NullType()

    def complete_table(self, column: Any, table: Any) -> None:
        """Add to a table what the key's column brings along: its reference, too."""
        super().complete_table(column, table)
        if self.is_resolved:
            add_reference(self, column, table)

    def connect(self, target: type[Model]) -> None:
        """Take the target, and give the column its type and its FOREIGN KEY."""
        if target._meta.is_composite_pk and self.remote_field.field_name in (None, "pk"):
            from ormolu.models.keys import not_single

            raise not_single(self, target)
        super().connect(target)
        if "sa_column" not in self.__dict__ and getattr(self, "sa_column", None) is None:
            return
        if self.remote_field.field_name is None and target._meta.pk is not None:
            self.remote_field.field_name = target._meta.pk.name
        set_reference(self)

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hop from this field's model to the target."""
        paths: tuple[PathInfo, ...] | None = self.__dict__.get("_paths")
        if paths is None:
            target = self.target_field
            paths = self._paths = (
                PathInfo(
                    from_meta=self.model._meta,
                    to_meta=self.related_model._meta,
                    pairs=((self.sa_column, target.sa_column),),
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

    # Values: all as the target's

    def prep_for(self, cls: type, connection: Any = None) -> Any:
        """Return the conversion for values of exactly this class: the target field's."""
        return self.target_field.prep_for(cls, connection)

    def save_prep_for(self, cls: type, connection: Any = None) -> Any:
        """Return the conversion for values that are stored: the target field's."""
        return self.target_field.save_prep_for(cls, connection)

    def result_converter(self, dialect: Any, **kwargs: Any) -> Any:
        """Return the conversion of values that the driver gives: the target field's."""
        return self.target_field.result_converter(dialect, **kwargs)

    @property
    def immutable(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Tell whether values can't be changed in place."""
        return bool(self.target_field.immutable) if self.is_resolved else True

    def to_python(self, value: Any) -> Any:
        """Convert as the field referred to does."""
        return self.target_field.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        """Convert as the field referred to does."""
        return self.target_field.get_prep_value(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Convert as the field referred to does."""
        return self.target_field.get_db_prep_value(value, connection, prepared)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Convert as the field referred to does; an empty text is NULL where the target takes none."""
        if value is None or (value == "" and not self.target_field.empty_strings_allowed):
            return None
        return self.target_field.get_db_prep_save(value, connection)

    def get_default(self) -> Any:
        """Return the default as a raw value, also when it was given as an object."""
        default = super().get_default()
        if hasattr(default, "_meta") and not isinstance(default, type):
            return getattr(default, self.target_field.attname)
        return default

    def get_internal_type(self) -> str:
        """Return the name of the kind of field."""
        return "ForeignKey"

    def db_type(self, connection: Any) -> Any:
        """Return the SQL type of the column."""
        target = self.target_field
        rel_db_type = getattr(target, "rel_db_type", target.db_type)
        return rel_db_type(connection)

    @property
    def unique(self) -> bool:
        """Tell whether no two rows may refer to the same object."""
        return bool(self.__dict__.get("_unique") or self.primary_key)

    def get_lookup(self, lookup_name: str) -> Any:
        """Return a lookup registered on the relation, or on its class, or what every relation has: the key's."""
        own = self.own_lookup(lookup_name)
        if own is not None:
            return None if getattr(own, "is_transform", False) else own
        return self.target_field.get_lookup(lookup_name) if lookup_name in RELATION_LOOKUPS else None

    def own_lookup(self, lookup_name: str) -> Any:
        """Return what was registered under a name on this relation, or on a class of relations."""
        from ormolu.models.foreign_objects import ForeignObject  # of which a key is one, to whoever registers

        found = self.find_registered(lookup_name, (Field,))
        return found or ForeignObject.__dict__.get("class_lookups", {}).get(lookup_name)

    def check_instance(self, related: Any) -> None:
        """Refuse an object that an UPDATE can't refer to: of another model, or unsaved. Raises ValueError."""
        if not isinstance(related, self.related_model._meta.concrete_model):
            raise ValueError(
                f'Cannot assign "{related!r}": "{self.model._meta.object_name}.{self.name}" must be a '
                f'"{self.related_model._meta.object_name}" instance.'
            )
        related.prepare_database_save(self)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Check that the object exists. One query. Raises ValidationError with code `invalid`."""
        if self.remote_field.parent_link:
            return
        super().validate(value, model_instance)
        if value is None:
            return
        name = self.remote_field.field_name or self.target_field.name
        using = model_instance._state.db if model_instance is not None else None
        queryset = self.related_model._base_manager.using(using).filter(**{name: value})
        limit = self.get_limit_choices_to()
        if limit:
            queryset = queryset.complex_filter(limit)
        if not queryset.exists():
            raise ValidationError(
                self.error_messages["invalid"],
                code="invalid",
                params={
                    "model": self.related_model._meta.verbose_name,
                    "pk": value,
                    "field": self.remote_field.field_name,
                    "value": value,
                },
            )

    def value_to_string(self, obj: Any) -> str:
        """Return the raw value as text."""
        return "" if (value := self.value_from_object(obj)) is None else str(value)

    def related_object_kwargs(self, instance: Any) -> dict[str, Any]:
        """Return the filter that finds the related object of an instance."""
        return {self.target_field.name: instance.__dict__[self.attname]}

    def deconstruct(self) -> Any:
        """Return (name, path, args, kwargs) that make this field again."""
        name, path, args, kwargs = super().deconstruct()
        rel = self.remote_field
        kwargs["on_delete"] = rel.on_delete
        kwargs.update(self.deconstructed_target())
        if rel.related_name:
            kwargs["related_name"] = rel.related_name
        if rel.related_query_name:
            kwargs["related_query_name"] = rel.related_query_name
        if rel.limit_choices_to:
            kwargs["limit_choices_to"] = rel.limit_choices_to
        if rel.parent_link:
            kwargs["parent_link"] = True
        if not self.db_constraint:
            kwargs["db_constraint"] = False
        pk = rel.resolved._meta.pk if rel.resolved is not None else None
        if rel.field_name and (pk is None or pk.name != rel.field_name):
            kwargs["to_field"] = rel.field_name
        return name, path, args, kwargs

    def clone(self) -> Any:
        """Return a new field with the same options, which belongs to no model."""
        _, _, args, kwargs = self.deconstruct()
        kwargs["to"] = self.remote_field.to
        return type(self)(*args, **kwargs)


class OneToOneField(ForeignKey[T], Generic[T]):
    """A ForeignKey whose values are unique: the other side has one object instead of a manager."""

    many_to_one = False
    one_to_one = True
    rel_class = OneToOneRel
    own_options: ClassVar[dict[str, Any]] = {"unique": True}
    description = "One-to-one relationship"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: OneToOneField[M],
            to: type[M],
            on_delete: Any,
            related_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[RelationOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: OneToOneField[M | None],
            to: type[M],
            on_delete: Any,
            related_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[RelationOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: OneToOneField[Any],
            to: str,
            on_delete: Any,
            related_name: str | None = None,
            *,
            null: bool = False,
            **options: Unpack[RelationOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, to, on_delete=None, to_field=None, **options):
            options["unique"] = True
            super().__init__(to, on_delete, to_field=to_field, **options)

    def get_internal_type(self) -> str:
        """Return the name of the kind of field."""
        return "OneToOneField"
