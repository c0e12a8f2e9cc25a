"""ManyToManyField, and the model of the table in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from typing_extensions import Unpack

from ormolu.compile.names import ancestry
from ormolu.compile.paths import PathInfo
from ormolu.exceptions import FieldError
from ormolu.fields.options import FieldOptions
from ormolu.models.registry import apps as default_apps
from ormolu.models.related_fields import SELF, RelatedField, check_target, model_key
from ormolu.models.relations import ForeignKey
from ormolu.models.rels import ManyToManyRel
from ormolu.schema.names import split_table_name
from ormolu.writes.on_delete import CASCADE

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute

    from ormolu.models.base import Model
    from ormolu.models.many_related_managers import ManyRelatedManager

    class ManyOptions(FieldOptions, total=False):
        """Keyword options of a ManyToManyField."""

        verbose_name: str | None
        related_name: str | None
        related_query_name: str | None
        limit_choices_to: Any
        symmetrical: bool | None
        through: Any
        through_fields: tuple[str, str] | None
        db_constraint: bool
        db_table: str | None
        swappable: bool
        null: bool


T = TypeVar("T")
M = TypeVar("M")


class ManyToManyField(RelatedField[Any], Generic[T]):
    """A many-to-many relation.

    `tags = ManyToManyField(Tag)` makes a table in between with a model of its own, `Article.tags.through`, unless
    `through` names one of yours. `article.tags` and `tag.article_set` (or `related_name`) are related managers.
    """

    many_to_many = True
    many_to_one = False
    one_to_many = False
    one_to_one = False
    rel_class = ManyToManyRel
    description = "Many-to-many relationship"
    own_options: ClassVar[dict[str, Any]] = {}
    remote_field: ManyToManyRel
    db_table: str | None
    automatic: bool
    swappable: bool

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: ManyToManyField[M], to: type[M], *args: Any, **options: Unpack[ManyOptions]
        ) -> None: ...
        @overload
        def __init__(
            self: ManyToManyField[Any], to: str, *args: Any, **options: Unpack[ManyOptions]
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

        @overload
        def __get__(self, instance: None, owner: Any) -> ManyAttribute: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> ManyRelatedManager[T]: ...
        def __get__(self, instance: object | None, owner: Any) -> Any: ...

    else:

        def __init__(
            self,
            to,
            related_name=None,
            related_query_name=None,
            limit_choices_to=None,
            symmetrical=None,
            through=None,
            through_fields=None,
            db_constraint=True,
            db_table=None,
            swappable=True,
            **options,
        ):
            to = check_target(type(self).__name__, to)
            if through is not None and db_table is not None:
                raise ValueError("Cannot specify a db_table if an intermediary model is used.")
            if through_fields is not None and through is None:
                raise ValueError("Cannot specify through_fields without a through model")
            super().__init__(**options)
            self.is_relation = True
            self.db_table = db_table
            self.automatic = through is None
            self.has_null_arg = "null" in options
            self.swappable = swappable
            self.remote_field = ManyToManyRel(
                self,
                to,
                related_name=related_name,
                related_query_name=related_query_name,
                limit_choices_to=limit_choices_to,
                symmetrical=(to == SELF) if symmetrical is None else symmetrical,
                through=through,
                through_fields=through_fields,
                db_constraint=db_constraint,
            )

    def get_attname_column(self) -> tuple[str, None]:  # type: ignore[override]
        """Return the name of the attribute; there is no column."""
        return self.name, None

    def contribute_to_class(self, cls: type[Any], name: str, private_only: bool = False) -> None:
        """Bind the field to a model class under a name."""
        rel = self.remote_field
        self.useless_name = rel.related_name if rel.symmetrical else None
        if rel.symmetrical and (rel.to == SELF or rel.to == cls.__name__ or rel.to is cls):
            rel.related_name = f"{name}_rel_+"
        elif rel.hidden:
            # Several hidden relations between two models must still differ in their query names.
            rel.related_name = f"_{cls._meta.app_label}_{cls.__name__.lower()}_{name}_+"
        super().contribute_to_class(cls, name, private_only)

    def resolve(self) -> None:
        """Connect with the target as soon as that exists, and make the table in between or wait for its model."""
        super().resolve()
        rel = self.remote_field
        if isinstance(rel.given_through, str):
            meta = self.model._meta
            meta.apps.lazy_model_operation(
                self._connect_through, model_key(rel.given_through, meta.app_label)
            )

    def _connect_through(self, model: type[Model]) -> None:
        self.remote_field.through = model
        self.forget()

    def connect(self, target: type[Model]) -> None:
        """Take the target; make the model of the table in between if there is none."""
        if self.remote_field.given_through is None:
            for model in (target, self.model):
                if model._meta.is_composite_pk:
                    from ormolu.models.keys import not_single

                    raise not_single(self, model)
        super().connect(target)
        if self.remote_field.given_through is None:
            self.remote_field.through = make_through(self, target)

    def forget(self) -> None:
        """Drop what was derived from target and table in between."""
        super().forget()
        self.__dict__.pop("_reverse_paths", None)

    @property
    def is_resolved(self) -> bool:
        """Tell whether the target and the model of the table in between exist."""
        rel = self.remote_field
        if rel.resolved is None or not isinstance(rel.given_through, type):
            return False
        return all(f.is_resolved for f in rel.given_through._meta.local_fields if f.is_relation)  # type: ignore[attr-defined]

    def unresolved_through(self) -> Any:
        """Raise UnresolvedRelation for the model of the table in between."""
        through = self.remote_field.given_through
        return self.unresolved() if through is None else self._raise_unresolved(through, "through ")

    def source_key(self) -> Any:
        """Return the through model's key to the declaring model."""
        return self._keys()[0]

    def target_key(self) -> Any:
        """Return the through model's key to the target."""
        return self._keys()[1]

    def _keys(self) -> tuple[Any, Any]:
        rel = self.remote_field
        through = rel.through._meta
        if rel.through_fields:
            source, target = (through.get_field(name) for name in rel.through_fields[:2])
            return source, target
        here, there = self.model._meta.concrete_model, rel.model._meta.concrete_model
        keys = [f for f in through.fields if f.is_relation and f.column is not None]
        to_here = [f for f in keys if _points_to(f, here)] or _objects_to(through, here)
        to_there = [f for f in keys if _points_to(f, there)] or _objects_to(through, there)
        if here is there:
            if len(to_here) == 2:
                return to_here[0], to_here[1]
        elif len(to_here) == len(to_there) == 1:
            return to_here[0], to_there[0]
        raise self._unclear(through, here, to_here, there, to_there)

    def _unclear(
        self, through: Any, here: Any, to_here: list[Any], there: Any, to_there: list[Any]
    ) -> FieldError:
        which = f"The model is used as an intermediate model by '{self}', but it "
        for model, keys in ((here, to_here), (there, to_there)):
            if not keys:
                return FieldError(
                    f"{through.label}: {which}does not have a foreign key to '{model._meta.object_name}'."
                )
            if len(keys) > 1:
                return FieldError(
                    f"{through.label}: {which}has more than one foreign key to '{model._meta.object_name}' "
                    f"({', '.join(f.name for f in keys)}), which is ambiguous. Say which with through_fields."
                )
        return FieldError(f"{through.label}: {which}needs two foreign keys to '{here._meta.object_name}'.")

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hops to the table in between, and from there to the target."""
        paths: tuple[PathInfo, ...] | None = self.__dict__.get("_paths")
        if paths is None:
            paths = self._paths = self._over(self.source_key(), self.target_key(), self)
        return paths

    def reverse_path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hops from the target to the table in between, and from there to the declaring model."""
        paths: tuple[PathInfo, ...] | None = self.__dict__.get("_reverse_paths")
        if paths is None:
            paths = self._reverse_paths = self._over(self.target_key(), self.source_key(), self.remote_field)
        return paths

    def _over(self, near: Any, far: Any, join_field: Any) -> tuple[PathInfo, ...]:
        """Return the hops over the table in between, and over its parents' tables where these have a key."""
        through = self.remote_field.through._meta.concrete_model._meta
        down = [
            hop
            for up in reversed(ancestry(through, near.related_fields[0][0].sa_column.table))
            for hop in up.join_field.remote_field.path_infos()
        ]
        up = ancestry(through, far.related_fields[0][0].sa_column.table)
        return (self._into(near, join_field), *down, *up, self._out_of(far, join_field))

    def _into(self, key: Any, join_field: Any) -> PathInfo:
        (hop,) = key.path_infos()
        pairs = tuple((rhs, lhs) for lhs, rhs in hop.pairs)
        return PathInfo(hop.to_meta, hop.from_meta, pairs, True, True, join_field, True)

    def _out_of(self, key: Any, join_field: Any) -> PathInfo:
        (hop,) = key.path_infos()
        return PathInfo(hop.from_meta, hop.to_meta, hop.pairs, False, key.null, join_field, False)

    # Names of the table in between, as Django has them

    def m2m_db_table(self) -> str:
        """Return the name of the table in between."""
        return str(self.remote_field.through._meta.db_table)

    def m2m_field_name(self) -> str:
        """Return the name of the through model's key to the declaring model."""
        return str(self.source_key().name)

    def m2m_reverse_field_name(self) -> str:
        """Return the name of the through model's key to the target."""
        return str(self.target_key().name)

    def m2m_column_name(self) -> str:
        """Return the column of the through model's key to the declaring model."""
        return str(self.source_key().column)

    def m2m_reverse_name(self) -> str:
        """Return the column of the through model's key to the target."""
        return str(self.target_key().column)

    def m2m_target_field_name(self) -> str:
        """Return the name of the field that the through model's first key refers to."""
        return str(self.source_key().target_field.name)

    def m2m_reverse_target_field_name(self) -> str:
        """Return the name of the field that the through model's second key refers to."""
        return str(self.target_key().target_field.name)

    # Values

    def get_internal_type(self) -> str:
        """Return the name of the kind of field."""
        return "ManyToManyField"

    def db_type(self, connection: Any) -> None:
        """Return None: there is no column."""
        return

    def value_from_object(self, obj: Any) -> list[Any]:
        """Return the related objects. One query, unless they were prefetched."""
        return [] if obj.pk is None else list(getattr(obj, self.attname).all())

    def save_form_data(self, instance: Any, data: Any) -> None:
        """Make `data` the related objects of a saved instance."""
        getattr(instance, self.attname).set(data)

    def deconstruct(self) -> Any:
        """Return (name, path, args, kwargs) that make this field again."""
        name, path, args, kwargs = super().deconstruct()
        rel = self.remote_field
        if self.db_table is not None:
            kwargs["db_table"] = self.db_table
        if not rel.db_constraint:
            kwargs["db_constraint"] = False
        kwargs.update(self.deconstructed_target())
        if not self.automatic:
            kwargs["through"] = (
                rel.given_through if isinstance(rel.given_through, str) else rel.through._meta.label
            )
            if rel.through_fields:
                kwargs["through_fields"] = rel.through_fields
        if rel.related_name and not rel.related_name.endswith("_+"):
            kwargs["related_name"] = rel.related_name
        if rel.related_query_name:
            kwargs["related_query_name"] = rel.related_query_name
        if rel.limit_choices_to:
            kwargs["limit_choices_to"] = rel.limit_choices_to
        if rel.symmetrical != (rel.to == SELF):
            kwargs["symmetrical"] = rel.symmetrical
        return name, path, args, kwargs

    def clone(self) -> Any:
        """Return a new field with the same options, which belongs to no model."""
        _, _, args, kwargs = self.deconstruct()
        kwargs["to"] = self.remote_field.to
        return type(self)(*args, **kwargs)


if TYPE_CHECKING:

    class ManyAttribute(InstrumentedAttribute[Any]):  # pyright: ignore[reportIncompatibleVariableOverride]
        # `Article.tags`: SQLAlchemy's attribute, with what Django's descriptor has.
        through: Any
        field: Any
        rel: Any


def _points_to(key: Any, model: type[Any]) -> bool:
    return key.is_resolved and key.related_model._meta.concrete_model is model


def _objects_to(through: Any, model: type[Any]) -> list[Any]:
    return [field for field in through.object_fields if _points_to(field, model)]


def make_through(field: ManyToManyField[Any], target: type[Model]) -> type[Model]:
    """Return a new model for the table between a many-to-many field's two models, as Django would name it."""
    from ormolu.models.base import Model

    model = field.model
    meta = model._meta
    if target._meta.concrete_model is meta.concrete_model:
        near, far = f"from_{meta.model_name}", f"to_{meta.model_name}"
    else:
        near, far = meta.model_name, target._meta.model_name
        if near == far:  # models of one name in two applications
            near, far = f"from_{near}", f"to_{far}"
    name = f"{meta.object_name}_{field.name}"
    options: dict[str, Any] = {
        "db_table": field.db_table or f"{split_table_name(meta.db_table)[1]}_{field.name}",
        "managed": meta.managed or target._meta.managed,
        "auto_created": model,
        "app_label": meta.app_label,
        "db_tablespace": meta.db_tablespace,
        "unique_together": (near, far),
        "verbose_name": f"{near}-{far} relationship",
        "verbose_name_plural": f"{near}-{far} relationships",
    }
    if meta.apps is not default_apps:
        options["apps"] = meta.apps
    constraint = field.remote_field.db_constraint
    body = {
        "Meta": type("Meta", (), options),
        "__module__": model.__module__,
        "__qualname__": f"{model.__qualname__}_{field.name}",
        near: ForeignKey(model, CASCADE, related_name=f"{name}+", db_constraint=constraint),
        far: ForeignKey(target, CASCADE, related_name=f"{name}+", db_constraint=constraint),
    }
    made: Any = type(Model)
    through: type[Model] = made(name, (Model,), body)
    return through
