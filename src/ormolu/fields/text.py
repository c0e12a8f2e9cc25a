"""Fields that hold text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from typing_extensions import TypeVar, Unpack

from ormolu.exceptions import DataError
from ormolu.fields import validators
from ormolu.fields.base import Field
from ormolu.fields.options import FieldOptions

__all__ = ["CharField", "TextField"]

S = TypeVar("S", default=str)


class _Text(Field[S]):
    """What all text fields have in common."""

    plain_classes: ClassVar[frozenset[type]] = frozenset({str})
    own_options: ClassVar[dict[str, Any]] = {"db_collation": None}

    if TYPE_CHECKING:
        db_collation: str | None

    else:

        def __init__(self, *args, db_collation=None, **options):
            super().__init__(*args, **options)
            self.db_collation = db_collation

    def to_python(self, value: Any) -> Any:
        """Return `value` as a str."""
        return value if value is None or isinstance(value, str) else str(value)

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """Return the column's type and check in SQL, and its collation."""
        return {**super().db_parameters(connection), "collation": self.db_collation}

    def get_prep_value(self, value: Any) -> Any:
        """Return `value` as a plain str."""
        value = self.to_python(value)
        # Members of TextChoices are str, but a driver may look at the class. What is stored is the text that they
        # are, not the one that they show: that of a `class Status(str, Enum)` is "Status.DRAFT".
        return str.__str__(value) if isinstance(value, str) and type(value) is not str else value


class CharField(_Text[S]):
    """Text of at most `max_length` characters: VARCHAR.

    Storing a longer one raises DataError on every database, SQLite included.
    """

    description = "String (up to %(max_length)s)"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: CharField[str],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: CharField[str | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    @cached_property
    def validators(self) -> list[Callable[[Any], Any]]:
        """Validators of the class and the field, and one for the length."""
        return [*self.default_validators, *self._validators, *self._length_validators()]

    def _length_validators(self) -> list[Callable[[Any], Any]]:
        return [] if self.max_length is None else [validators.MaxLengthValidator(self.max_length)]

    def get_internal_type(self) -> str:
        """Return "CharField"."""
        return "CharField"

    def save_prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion that also checks the length. The function raises DataError."""
        prepare = super().save_prep_for(cls, connection)
        limit = self.max_length
        if limit is None or cls is type(None):
            return prepare

        def fit(value: Any) -> Any:
            value = value if prepare is None else prepare(value)
            if isinstance(value, str) and len(value) > limit:
                raise DataError(
                    f"Value too long for {self} (max_length={limit}): {len(value)} characters, "
                    f"beginning with {value[:40]!r}."
                )
            return value

        return fit


class TextField(_Text[S]):
    """Text of any length."""

    description = "Text"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: TextField[str],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: TextField[str | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    def get_internal_type(self) -> str:
        """Return "TextField"."""
        return "TextField"
