"""GeneratedField: a column that the database computes from the others of its row.

Source: Django's documentation, "Model field reference", GeneratedField.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import sqlalchemy as sa
from typing_extensions import TypeVar

from ormolu.fields.base import Field
from ormolu.fields.options import NOT_PROVIDED
from ormolu.models.ddl import Late

T = TypeVar("T", default=Any)

__all__ = ["GeneratedField"]


class GeneratedField(Field[T]):
    """A column whose value is `expression` over other columns of the row: GENERATED ALWAYS AS.

    `output_field` is the type of its values: they are read, compared and transformed as that field's.
    `db_persist` says whether it is stored when the row is written, or computed whenever it is read (PostgreSQL
    does the latter from version 18 on). It can't be assigned to; save() and create() read it back. Reading it
    from an object that isn't saved raises AttributeError.

    Raises ValueError for options that make no sense: `editable=True`, `blank=False`, a default.
    """

    generated = True

    if TYPE_CHECKING:

        @overload
        def __init__(
            self, *, expression: Any, output_field: Field[T], db_persist: bool | None = None, **options: Any
        ) -> None: ...
        @overload
        def __init__(
            self, *, expression: Any, output_field: Any, db_persist: bool | None = None, **options: Any
        ) -> None: ...
        def __init__(self, **options: Any) -> None: ...

    else:

        def __init__(self, *, expression, output_field, db_persist=None, **options):
            if options.setdefault("editable", False):
                raise ValueError("GeneratedField cannot be editable.")
            if not options.setdefault("blank", True):
                raise ValueError("GeneratedField must be blank.")
            if options.get("default", NOT_PROVIDED) is not NOT_PROVIDED:
                raise ValueError("GeneratedField cannot have a default.")
            if options.get("db_default", NOT_PROVIDED) is not NOT_PROVIDED:
                raise ValueError("GeneratedField cannot have a database default.")
            if db_persist not in (True, False):
                raise ValueError("GeneratedField.db_persist must be True or False.")
            if not isinstance(output_field, Field):
                raise TypeError(f"GeneratedField.output_field must be a field, not {output_field!r}.")
            super().__init__(**options)
            self.null = self.null or output_field.null
            self.expression = expression
            self.output_field = output_field
            self.db_persist = db_persist

    expression: Any
    output_field: Any
    db_persist: bool

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Become the field `name` of model `cls`; the output field is a field of that name, too."""
        super().contribute_to_class(cls, name, private_only)
        self.output_field = copy.copy(self.output_field)  # the one that was given may serve several models
        self.output_field.db_column = self.db_column
        self.output_field.set_attributes_from_name(self.name)
        self.output_field.model = cls
        self.output_field.null = self.null

    def deconstruct(self) -> tuple[str | None, str, list[Any], dict[str, Any]]:
        """Return (name, import path, args, kwargs) from which this field can be made again."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["blank"], kwargs["editable"]
        own = {
            "expression": self.expression,
            "output_field": self.output_field,
            "db_persist": self.db_persist,
        }
        return name, path, args, {**kwargs, **own}

    @property
    def db_returning(self) -> bool:
        """Whether the database chooses a value at insert: always."""
        return True

    def get_internal_type(self) -> str:
        """Return the name of the output field's kind."""
        return str(self.output_field.get_internal_type())

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """SQLAlchemy type of the column: the output field's."""
        found: sa.types.TypeEngine[Any] = self.output_field.sa_type
        return found

    def column_items(self) -> list[Any]:
        """Return the expression, as SQLAlchemy's Computed."""
        return [sa.Computed(Late(self.model, self.expression), persisted=self.db_persist)]

    def db_type_parameters(self, connection: Any) -> Mapping[str, Any]:
        """Return what the text of the column's type may be filled with: the output field's attributes."""
        found: Mapping[str, Any] = self.output_field.db_type_parameters(connection)
        return found

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """Return the column's type, check and collation in SQL."""
        found: dict[str, Any] = self.output_field.db_parameters(connection)
        return found
