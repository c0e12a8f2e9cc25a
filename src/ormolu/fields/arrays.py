"""The field that holds a list of another field's values."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.exceptions import ValidationError
from ormolu.fields import validators
from ormolu.fields.base import Field, overridden
from ormolu.fields.options import FieldOptions
from ormolu.fields.types import ArrayType

__all__ = ["ArrayField"]

ListT = TypeVar("ListT", default=list[Any])


class ArrayField(Field[ListT]):
    """A list of values of `base_field`: an array on PostgreSQL, JSON text elsewhere.

    `size` is checked by validation, not by databases. A list of lists: an ArrayField of ArrayFields.
    """

    empty_strings_allowed = False
    values_immutable = False
    default_error_messages: ClassVar[dict[str, Any]] = {
        "item_invalid": "Item %(nth)s in the array did not validate:",
        "nested_array_mismatch": "Nested arrays must have the same length.",
    }
    own_options: ClassVar[dict[str, Any]] = {"base_field": None, "size": None}
    transform_for_number: ClassVar[Callable[[Any, str], Any] | None] = None
    """What makes the transforms of `tags__0` and `tags__0_2`; the query layer sets it."""
    slice_element: ClassVar[Callable[..., Any] | None] = None
    """What makes the SQL of `F("tags")[:2]`; the query layer sets it."""

    if TYPE_CHECKING:
        base_field: Field[Any]
        size: int | None

        def __init__(
            self,
            base_field: Field[Any],
            size: int | None = None,
            verbose_name: str | None = None,
            *,
            null: bool = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...

    else:

        def __init__(self, base_field, size=None, verbose_name=None, **options):
            if not isinstance(base_field, Field) or base_field.is_relation:
                raise TypeError(
                    f"ArrayField() needs a field for its items, such as IntegerField(), got {base_field!r}."
                )
            self.base_field, self.size = base_field, size
            super().__init__(verbose_name, **options)

    @property
    def description(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Text for people."""
        return f"Array of {self.base_field.description}"

    @property
    def depth(self) -> int:
        """Number of dimensions."""
        return int(getattr(self.base_field, "depth", 0)) + 1

    @property
    def item_field(self) -> Field[Any]:
        """Field of the innermost items."""
        return cast("Field[Any]", getattr(self.base_field, "item_field", self.base_field))

    @cached_property
    def validators(self) -> list[Callable[[Any], Any]]:
        """Validators of the class and the field, and one for the size."""
        size = [] if self.size is None else [validators.ArrayMaxLengthValidator(self.size)]
        return [*self.default_validators, *self._validators, *size]

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """Array type of the items' type."""
        return ArrayType(self.item_field.sa_type, self.depth)

    def set_attributes_from_name(self, name: str) -> None:
        """Give the items' field the name, too: its errors name it."""
        super().set_attributes_from_name(name)
        self.base_field.set_attributes_from_name(name)

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Become a field of the model; the items' field belongs to it as well."""
        super().contribute_to_class(cls, name, private_only)
        self.base_field.model = cls

    def get_internal_type(self) -> str:
        """Return "ArrayField"."""
        return "ArrayField"

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """Return (name, path, args, kwargs), the items' field without its name."""
        name, path, args, kwargs = super().deconstruct()
        kwargs["base_field"] = self.base_field.clone()
        return name, path, args, kwargs

    def get_transform(self, lookup_name: str) -> Any:
        """Return the transform of that name; a number is an item, two numbers are a slice."""
        found = super().get_transform(lookup_name)
        make = type(self).transform_for_number
        return make(self, lookup_name) if found is None and make is not None else found

    def to_python(self, value: Any) -> Any:
        """Return a list of converted items; a text is read as JSON. Raises ValidationError."""
        if isinstance(value, str):
            value = json.loads(value)
        if isinstance(value, (list, tuple)):
            return [self.base_field.to_python(item) for item in cast("list[Any]", value)]
        return value

    @property
    def from_db_value(self) -> Callable[[Any, Any, Any], Any] | None:
        """The conversion of what was read, where the items' field has one of its own."""
        each: Callable[[Any, Any, Any], Any] | None = getattr(self.base_field, "from_db_value", None)
        if each is None:
            return None

        def convert(value: Any, expression: Any, connection: Any) -> Any:
            return None if value is None else [each(item, expression, connection) for item in value]

        return convert

    def get_prep_value(self, value: Any) -> Any:
        """Return a list of prepared items. Raises TypeError for what is no list."""
        return self._prepared(value, self.base_field.get_prep_value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return a list of items prepared for a query on `connection`."""
        return self._prepared(value, lambda item: self.base_field.get_db_prep_value(item, connection))

    def _prepared(self, value: Any, each: Callable[[Any], Any]) -> Any:
        if value is None:
            return None
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise TypeError(f"Field {self.name!r} expected a list but got {value!r}.")
        return [None if item is None else each(item) for item in cast("list[Any]", value)]

    def prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion of lists: for a user's items, the one that knows the connection."""
        if self.item_field._user_prepares and not self._user_prepares:
            return partial(self.get_db_prep_value, connection=connection)
        return super().prep_for(cls, connection)

    def save_prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion of lists that are stored: an item that does not fit its field raises DataError.

        PostgreSQL would cut off what is too long: the list is cast to the column's type.
        """
        if cls is type(None) or self._user_prepares or overridden(type(self), "get_db_prep_save"):
            return super().save_prep_for(cls, connection)
        known: dict[type, Callable[[Any], Any] | None] = {}

        def each(item: Any) -> Any:
            kind = item.__class__
            if kind not in known:
                known[kind] = self.base_field.save_prep_for(kind, connection)
            prepare = known[kind]
            return item if prepare is None else prepare(item)

        return lambda value: self._prepared(value, each)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raise ValidationError, with the number of each item that is wrong."""
        super().validate(value, model_instance)
        self._each(value, lambda item: self.base_field.validate(item, model_instance))
        if isinstance(self.base_field, ArrayField) and len({len(item or ()) for item in value or ()}) > 1:
            raise ValidationError(self.error_messages["nested_array_mismatch"], code="nested_array_mismatch")

    def run_validators(self, value: Any) -> None:
        """Call the validators of the list, and those of the items' field on each item."""
        super().run_validators(value)
        self._each(value, self.base_field.run_validators)

    def _each(self, value: Any, check: Callable[[Any], None]) -> None:
        errors: list[ValidationError] = []
        for number, item in enumerate(value or (), 1):
            try:
                check(item)
            except ValidationError as error:
                errors += [self._of_item(number, one) for one in error.error_list]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ValidationError(errors)

    def _of_item(self, number: int, error: ValidationError) -> ValidationError:
        """Return an item's error as one of the array, which says which item it is."""
        prefix = self.error_messages["item_invalid"] % {"nth": number}
        params: dict[str, Any] = {"nth": number, **(error.params or {})}
        return ValidationError(f"{prefix} {error.messages[0]}".replace("%", "%%"), "item_invalid", params)

    def value_to_string(self, obj: Any) -> str:
        """Return the value as JSON of its items' texts."""
        values = self.value_from_object(obj)
        holder = _Holder()
        texts: list[Any] = []
        for item in values or ():
            setattr(holder, self.base_field.attname, item)
            texts.append(None if item is None else self.base_field.value_to_string(holder))
        return json.dumps(texts, ensure_ascii=False)


class _Holder:
    """Stands for an object whose attribute is an item of the array."""
