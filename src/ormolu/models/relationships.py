"""The SQLAlchemy relationships behind relation fields, and the fields behind plain SQLAlchemy relationships."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_
from sqlalchemy.orm import RelationshipProperty, foreign, relationship, remote

from ormolu.compile.paths import PathInfo


class RelationComparator(RelationshipProperty.Comparator[Any]):
    """Give a relation's class attribute (`Article.tags`) what Django's has: `.field`, `.rel`, `.through` ..."""

    @property
    def field(self) -> Any:
        """Return the field that declares the relation."""
        return self.prop.info["field"]

    @property
    def rel(self) -> Any:
        """Return the reverse side."""
        return self.field.remote_field

    @property
    def through(self) -> Any:
        """Return the model of the table in between, of a many-to-many relation."""
        return self.rel.through

    @property
    def related_manager_cls(self) -> Any:
        """Return the class of the related manager, of a many-to-many relation."""
        return self.field.descriptor.related_manager_class

    @property
    def reverse(self) -> bool:
        """Return False: this is the side that declares the relation."""
        return False

    @property
    def RelatedObjectDoesNotExist(self) -> Any:
        """Return the error for a required relation without a value."""
        return self.field.descriptor.RelatedObjectDoesNotExist

    def is_cached(self, instance: Any) -> bool:
        """Tell whether an instance holds its related object."""
        return bool(self.field.is_cached(instance))

    def get_queryset(self, **hints: Any) -> Any:
        """Return the queryset that related objects are looked up in."""
        return self.field.descriptor.get_queryset(**hints)

    def get_prefetch_querysets(self, instances: Any, querysets: Any = None) -> Any:
        """Return the queryset of all objects that `instances` refer to, and how to hand them out."""
        return self.field.descriptor.get_prefetch_querysets(instances, querysets)

    @property
    def get_prefetch_queryset(self) -> Any:
        """Return the former method, for one queryset."""
        return self.field.descriptor.get_prefetch_queryset


def forward_relationship(field: Any) -> Any:
    """Return the relationship of a ForeignKey. Nothing of it needs the target before the mappers are configured."""

    def condition() -> Any:
        target = field.target_field.sa_column
        return foreign(field.sa_column) == remote(target)

    return relationship(
        lambda: field.related_model,
        primaryjoin=condition,
        uselist=False,
        info={"field": field},
        comparator_factory=RelationComparator,
        # Several relations may share a column, and the table in between has a model of its own.
        overlaps="__*",
    )


def object_relationship(field: Any) -> Any:
    """Return the relationship of a ForeignObject. It is for reading: assigning an object sets the columns at once."""

    def condition() -> Any:
        pairs = field.related_fields
        return and_(*(foreign(near.sa_column) == remote(far.sa_column) for near, far in pairs))

    return relationship(
        lambda: field.related_model,
        primaryjoin=condition,
        uselist=False,
        viewonly=True,
        info={"field": field},
        comparator_factory=RelationComparator,
    )


def between(field: Any) -> Any:
    """Return the table between a many-to-many field's models, joined with its parents' where these have a key."""
    through = field.remote_field.through
    keys = (field.source_key(), field.target_key())
    tables = {near.sa_column.table for key in keys for near, _ in key.related_fields}
    table = through._meta.table
    return table if tables == {table} else through.__mapper__.persist_selectable


def many_relationship(field: Any) -> Any:
    """Return the relationship of a ManyToManyField over the table in between.

    It writes where that table was made automatically, and only reads where a model of the user's stands behind it.
    """

    def near() -> Any:
        return and_(
            *(far.sa_column == foreign(near.sa_column) for near, far in field.source_key().related_fields)
        )

    def far() -> Any:
        return and_(
            *(far.sa_column == foreign(near.sa_column) for near, far in field.target_key().related_fields)
        )

    options: dict[str, Any] = {"overlaps": "__*"} if field.automatic else {"viewonly": True}
    return relationship(
        lambda: field.related_model,
        secondary=lambda: between(field),
        primaryjoin=near,
        secondaryjoin=far,
        uselist=True,
        info={"field": field},
        comparator_factory=RelationComparator,
        **options,
    )


class RelationshipField:
    """A plain SQLAlchemy relationship() as a relation of `_meta`, so that lookups can follow it."""

    is_relation = True
    concrete = False
    column = None
    auto_created = False
    editable = False
    hidden = False
    primary_key = False
    remote_field = None
    null = True

    def __init__(self, model: type[Any], prop: RelationshipProperty[Any]) -> None:
        self.model = model
        self.prop = prop
        self.name = self.attname = prop.key
        self.verbose_name = prop.key.replace("_", " ")

    def __repr__(self) -> str:
        return f"<RelationshipField: {self.name}>"

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.name}"

    @property
    def related_model(self) -> Any:
        """Return the class at the other end."""
        return self.prop.entity.class_

    @property
    def _configured(self) -> RelationshipProperty[Any]:
        """The relationship, once SQLAlchemy knows what it is: it configures mappers late."""
        self.prop.parent.registry.configure(cascade=True)
        return self.prop

    @property
    def many_to_many(self) -> bool:
        """Tell whether there is a table in between."""
        return self._configured.secondary is not None

    @property
    def one_to_many(self) -> bool:
        """Tell whether the other side has the key, and there may be several."""
        return not self.many_to_many and bool(self._configured.uselist)

    @property
    def many_to_one(self) -> bool:
        """Tell whether this side has the key."""
        return not self.many_to_many and not self._configured.uselist

    one_to_one = False

    @property
    def target_field(self) -> Any:
        """Return the primary key of the other side."""
        return self.related_model._meta.pk

    @property
    def multiple(self) -> bool:
        """Tell whether one object may have several related ones."""
        return bool(self._configured.uselist)

    def path_infos(self) -> tuple[PathInfo, ...]:
        """Return the hop, or the two hops over a secondary table."""
        prop = self._configured
        here, there = self.model._meta, self.related_model._meta
        if prop.secondary is None:
            reverse = prop.direction.name != "MANYTOONE"
            nullable = reverse or any(local.nullable for local, _ in prop.local_remote_pairs)
            pairs = tuple(prop.local_remote_pairs)
            return (self._hop(here, there, pairs, reverse and bool(prop.uselist), nullable, reverse),)
        between = TableMeta(prop.secondary)
        near = tuple((local, remote) for local, remote in prop.synchronize_pairs)
        far = tuple((remote, local) for local, remote in prop.secondary_synchronize_pairs or ())
        return (
            self._hop(here, between, near, True, True, True),
            self._hop(between, there, far, False, False, False),
        )

    def _hop(
        self, here: Any, there: Any, pairs: Any, multiple: bool, nullable: bool, reverse: bool
    ) -> PathInfo:
        return PathInfo(here, there, pairs, multiple, nullable, self, reverse)


class TableMeta:
    """Just enough of `_meta` for a table in between that has no model."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.model = None
        self.label = self.object_name = table.name
        self.pk = None
        self.fields: tuple[Any, ...] = ()
        self.concrete_fields: tuple[Any, ...] = ()

    def lookup_names(self) -> list[str]:
        """Return no names: nothing can be looked up here."""
        return []
