"""Models as migrations know them: by name, fields and options, apart from the classes of the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ormolu.exceptions import ImproperlyConfigured
from ormolu.models.base import Model
from ormolu.models.registry import Apps, isolated

__all__ = ["CreateModel", "MigrationError", "label_of", "operation_of", "render"]

OPTIONS = (
    "db_table", "db_table_comment", "db_tablespace", "managed", "order_with_respect_to", "ordering",
    "required_db_vendor", "unique_together",
)  # fmt: skip
"""What of a Meta is written down as it was given; indexes and constraints are, with their names."""


class MigrationError(ImproperlyConfigured):
    """Migrations and models, or migrations among each other, don't fit together."""


class CreateModel:
    """The operation that creates a model's table, with its indexes, constraints and many-to-many tables.

    `fields` are pairs of a name and a field, `options` those of `class Meta`, `bases` labels of models that it derives
    from by a row of its own in each.
    """

    def __init__(
        self,
        name: str,
        fields: Sequence[tuple[str, Any]],
        options: Mapping[str, Any] | None = None,
        bases: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.fields = list(fields)
        self.options = dict(options or {})
        self.bases = tuple(bases)

    def __repr__(self) -> str:
        return f"<CreateModel {self.name}: {', '.join(name for name, _ in self.fields)}>"

    @property
    def described(self) -> str:
        """What it does, in a few words."""
        return f"Create model {self.name}"

    def parts(self) -> dict[str, Any]:
        """Return what makes the table, in a form that can be compared with another one's."""
        parts = {f"field {name}": field.deconstruct()[1:] for name, field in self.fields}
        options = {f"option {name}": value for name, value in self.options.items() if name != "ordering"}
        return {**parts, **options, "bases": self.bases}

    def targets(self, app_label: str) -> set[str]:
        """Return the labels of the models that it refers to, in lower case."""
        found = {base.lower() for base in self.bases}
        for _, field in self.fields:
            if field.is_relation:
                kwargs: dict[str, Any] = field.deconstruct()[3]
                named = [kwargs.get(name) for name in ("to", "through")]
                found.update(_full(str(name), app_label) for name in named if name and name != "self")
        return found


def operation_of(model: Any) -> CreateModel:
    """Return what creates the table of a model of the program."""
    meta = model._meta
    parents = [parent for parent in meta.parents if parent is not None]
    fields = [
        (field.name, field)
        for field in (*meta.local_fields, *meta.local_many_to_many)
        if not (field.auto_created and getattr(getattr(field, "remote_field", None), "parent_link", False))
    ]
    options = {name: meta.original_attrs[name] for name in OPTIONS if meta.original_attrs.get(name)}
    if meta.original_attrs.get("managed") is False:
        options["managed"] = False
    for name in ("indexes", "constraints"):
        if getattr(meta, name):
            options[name] = list(getattr(meta, name))
    return CreateModel(model.__name__, fields, options, tuple(parent._meta.label for parent in parents))


def render(operations: Iterable[tuple[str, CreateModel]]) -> dict[str, Any]:
    """Return models of their own for operations and the applications they belong to, by label in lower case."""
    registry = Apps()
    metaclass: Any = type(Model)
    made: dict[str, Any] = {}
    with isolated(registry):
        for app_label, operation in operations:
            label = label_of(app_label, operation.name)
            bases = tuple(_base(made, base, operation) for base in operation.bases) or (Model,)
            meta: dict[str, Any] = {**operation.options, "app_label": app_label, "apps": registry}
            meta |= {
                name: [one.clone() for one in meta[name]]
                for name in ("indexes", "constraints")
                if name in meta
            }
            body: dict[str, Any] = {
                "__module__": f"ormolu.migrations.rendered.{app_label}",
                "Meta": type("Meta", (), meta),
                **{name: _anew(field, label) for name, field in operation.fields},
            }
            made[label] = metaclass(operation.name, bases, body)
    return made


def label_of(app_label: str, name: str) -> str:
    """Return a model's label in lower case."""
    return f"{app_label}.{name}".lower()


def _anew(field: Any, label: str) -> Any:
    """Return a field once more, for the model of a label.

    What relates a model to itself was "self" once, and so may be symmetrical: without a reverse accessor, that might
    clash with another one here.
    """
    if field.many_to_many:
        _, _, args, kwargs = field.deconstruct()
        if str(kwargs.get("to")).lower() == label and not kwargs.get("related_name"):
            return type(field)(*args, **{**kwargs, "to": "self"})
    return field.clone()


def _full(name: str, app_label: str) -> str:
    return name.lower() if "." in name else label_of(app_label, name)


def _base(made: Mapping[str, Any], label: str, operation: CreateModel) -> Any:
    try:
        return made[label.lower()]
    except KeyError:
        raise MigrationError(
            f"{operation.name} derives from {label!r}, which no migration before it creates."
        ) from None
