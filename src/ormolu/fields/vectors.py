"""The field that holds a vector of numbers: the type of the extension pgvector, JSON text elsewhere.

Source: pgvector's documentation, "Getting Started" and "Reference".
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast, overload

import sqlalchemy as sa
from typing_extensions import TypeVar, Unpack

from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions
from ormolu.fields.types.base import Processor, ValueType, literal_text, nullable

__all__ = ["VectorField", "VectorType", "read_vector", "vector_text"]

VectorT = TypeVar("VectorT", default=list[float])


def vector_text(value: Any) -> str:
    """Return a vector as pgvector writes it, which is JSON, too."""
    return "[" + ",".join(repr(number) for number in value) + "]"


def read_vector(value: Any) -> list[float]:
    """Return the list of a vector's text, or of what a driver has made of it."""
    if isinstance(value, str):
        return [float(number) for number in json.loads(value)]
    return [float(number) for number in (value.to_list() if hasattr(value, "to_list") else value)]


class _Vector(sa.types.UserDefinedType[Any]):
    """pgvector's type, written and read as text: so no driver has to know it."""

    cache_ok = True
    render_bind_cast = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **kw: Any) -> str:
        return "vector" if self.dimensions is None else f"vector({self.dimensions})"


class VectorType(ValueType):
    """A vector of numbers."""

    impl = sa.Text
    accepts = (list, tuple)
    is_text = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions
        super().__init__()

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(
            _Vector(self.dimensions) if dialect.name == "postgresql" else sa.Text()
        )

    def bind_processor(self, dialect: sa.Dialect) -> Processor | None:
        return nullable(vector_text)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Processor | None:
        return nullable(read_vector)

    def literal_processor(self, dialect: sa.Dialect) -> Any:
        def literal(value: Any) -> str:
            return literal_text(None if value is None else vector_text(value))

        return literal


class VectorField(Field[VectorT]):
    """A list of floats, an embedding for instance: a VECTOR column on PostgreSQL, JSON text elsewhere.

    `dimensions` is how many they are; any number of them without it. The extension pgvector must be there
    (`CREATE EXTENSION vector`). NumPy's arrays are taken, too; read are lists.
    """

    empty_strings_allowed = False
    values_immutable = False
    public_home = "ormolu.contrib.pgvector"
    description = "Vector"
    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "“%(value)s” is not a list of numbers.",
        "dimensions": "A vector of %(dimensions)s dimensions is needed; this one has %(count)s.",
    }
    own_options: ClassVar[dict[str, Any]] = {"dimensions": None}

    if TYPE_CHECKING:
        dimensions: int | None

        @overload
        def __init__(
            self: VectorField[list[float]],
            dimensions: int | None = None,
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: VectorField[list[float] | None],
            dimensions: int | None = None,
            verbose_name: str | None = None,
            *,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, dimensions=None, verbose_name=None, **options):
            if dimensions is not None and (not isinstance(dimensions, int) or dimensions < 1):
                raise ValueError(f"dimensions is a number of at least 1, not {dimensions!r}.")
            self.dimensions = dimensions
            super().__init__(verbose_name, **options)

    @cached_property
    def sa_type(self) -> sa.types.TypeEngine[Any]:
        """VECTOR, or JSON text."""
        return VectorType(self.dimensions)

    def get_internal_type(self) -> str:
        """Return "VectorField"."""
        return "VectorField"

    def to_python(self, value: Any) -> Any:
        """Return a list of floats; a text is read as JSON. Raises ValidationError."""
        if value is None:
            return None
        try:
            given = json.loads(value) if isinstance(value, str) else value
            found = [float(number) for number in cast("list[Any]", given)]
        except (TypeError, ValueError) as error:
            raise self._invalid("invalid", value) from error
        if self.dimensions is not None and len(found) != self.dimensions:
            raise self._invalid("dimensions", value, dimensions=self.dimensions, count=len(found))
        return found

    def get_prep_value(self, value: Any) -> Any:
        """Return a list of floats. Raises ValidationError for what is none, or has another length."""
        return self.to_python(value)

    def value_to_string(self, obj: Any) -> str:
        """Return the value as JSON."""
        return json.dumps(self.value_from_object(obj))
