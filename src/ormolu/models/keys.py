"""Primary keys of several columns."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from ormolu.exceptions import FieldDoesNotExist, FieldError
from ormolu.fields.composite import TupleField
from ormolu.fields.options import NOT_PROVIDED
from ormolu.near import near_names

if TYPE_CHECKING:
    from ormolu.models.options import Options

__all__ = ["CompositePrimaryKey", "key_property", "no_child", "not_single"]


class CompositePrimaryKey(TupleField):
    """A primary key of several fields of the model, by their names.

    `pk = CompositePrimaryKey("tenant_id", "id")`: the table gets `PRIMARY KEY (tenant_id, id)`, and `obj.pk` is a
    tuple. It is always called `pk`, has no column of its own, and takes no option but `help_text` and `verbose_name`.

    Raises ValueError for names that are no texts, occur twice or are fewer than two, and for options that make no
    sense here; FieldError, when the model is made, for a name that is no local field with a column that is never
    NULL. Source: Django's documentation, "Composite primary keys".
    """

    description = "A composite primary key"

    def __init__(self, *field_names: str, **options: Any) -> None:
        names: tuple[Any, ...] = field_names
        if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
            raise ValueError("CompositePrimaryKey args must be unique strings.")
        if len(names) == 1:
            raise ValueError("CompositePrimaryKey must include at least two fields.")
        for option, text in _NEVER.items():
            if options.get(option, NOT_PROVIDED) not in (NOT_PROVIDED, None):
                raise ValueError(f"CompositePrimaryKey cannot have a {text}.")
        if options.setdefault("editable", False):
            raise ValueError("CompositePrimaryKey cannot be editable.")
        if not options.setdefault("primary_key", True):
            raise ValueError("CompositePrimaryKey must be a primary key.")
        if not options.setdefault("blank", True):
            raise ValueError("CompositePrimaryKey must be blank.")
        self.field_names = field_names
        super().__init__(**options)

    @cached_property
    def fields(self) -> tuple[Any, ...]:
        """The fields that make up the key, in its order."""
        meta = self.model._meta
        return tuple(meta.get_field(name) for name in self.field_names)

    def contribute_to_class(self, cls: type[Any], name: str, private_only: bool = True) -> None:
        """Become the primary key of a model. Raises FieldError under another name than `pk`."""
        if name != "pk":
            raise FieldError(f"{cls._meta.label}.{name}: 'CompositePrimaryKey' must be named 'pk'.")
        super().contribute_to_class(cls, name, private_only=True)
        cls._meta.pk = self

    def get_pk_value_on_save(self, instance: Any) -> Any:
        """Return None: a new key comes from the defaults of its fields."""
        return

    def deconstruct(self) -> Any:
        """Return (name, path, args, kwargs) that make this key again."""
        name, path, _args, kwargs = super().deconstruct()
        for option in ("editable", "primary_key", "blank"):
            kwargs.pop(option, None)
        return name, path, list(self.field_names), kwargs

    def check_fields(self, meta: Options) -> None:
        """Raise FieldError for a name that can't be a part of the key."""
        if any(field.primary_key for field in meta.local_fields):
            raise FieldError(
                f"{meta.label}: the model cannot have more than one field with 'primary_key=True', "
                "and CompositePrimaryKey is one."
            )
        seen: dict[Any, str] = {}
        for name in self.field_names:
            why = self._objection(meta, name, seen)
            if why is not None:
                raise FieldError(
                    f"{meta.label}: '{name}' cannot be included in the composite primary key. {why}"
                )

    def _objection(self, meta: Options, name: str, seen: dict[Any, str]) -> str | None:
        try:
            field = meta.get_field(name)
        except FieldDoesNotExist:
            near = near_names(name, meta.lookup_names())
            return f"'{name}' is not a valid field.{f' Did you mean {near[0]!r}?' if near else ''}"
        if getattr(field, "column", None) is None:
            return f"'{name}' field has no column."
        if field.null:
            return f"'{name}' field may not set 'null=True'."
        if field in seen:
            return f"'{name}' and '{seen[field]}' are the same fields."
        if getattr(field, "generated", False):
            return f"'{name}' field is a generated field."
        if field not in meta.local_fields:
            return f"'{name}' field is not a local field."
        seen[field] = name
        return None


_NEVER = {"default": "default", "db_default": "database default", "db_column": "db_column"}


def not_single(field: Any, model: Any) -> FieldError:
    """Return the error for a relation that needs a key of one column, where a model's has several."""
    meta = model._meta
    keys = ", ".join(part.attname for part in meta.pk_fields)
    return FieldError(
        f"{field.model._meta.label}.{field.name} defines a relation involving model {meta.object_name!r} which has a "
        f"CompositePrimaryKey ({keys}), and such relations are not supported. Use a ForeignObject with from_fields "
        "and to_fields."
    )


def no_child(child: Any, parent: Any, model: Any) -> FieldError:
    """Return the error where a child's row can't be linked with its parent's: the key of one has several columns."""
    return FieldError(
        f"{child._meta.label} can't have a row of its own beside that of {parent._meta.label}: the primary key of "
        f"{model._meta.object_name} is composite ({', '.join(model._meta.pk.field_names)}). Derive both from an "
        "abstract model, or use a proxy."
    )


def key_property(attnames: tuple[str, ...]) -> property:
    """Return the `pk` attribute of a model whose key has several columns.

    A tuple or list that is assigned sets the columns, None sets them all to None. Raises ValueError for anything else.
    """

    def get_pk(instance: Any) -> tuple[Any, ...]:
        return tuple([getattr(instance, name) for name in attnames])

    def set_pk(instance: Any, value: Any) -> None:
        if value is None:
            value = (None,) * len(attnames)
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"'pk' must be a list or a tuple. It is {value!r} for {_named(attnames)}.")
        parts = cast(Any, value)
        if len(parts) != len(attnames):
            raise ValueError(
                f"'pk' must have {len(attnames)} elements. It is {value!r} for {_named(attnames)}."
            )
        for name, part in zip(attnames, parts, strict=True):
            setattr(instance, name, part)

    return property(get_pk, set_pk, doc=f"The primary key, a tuple {_named(attnames)}.")


def _named(attnames: tuple[str, ...]) -> str:
    return f"({', '.join(attnames)})"
