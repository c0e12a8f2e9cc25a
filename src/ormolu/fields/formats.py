"""Fields that hold text of a certain form: addresses, and slugs for addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from typing_extensions import Unpack

from ormolu.fields import validators
from ormolu.fields.options import FieldOptions
from ormolu.fields.text import CharField, S

__all__ = ["CommaSeparatedIntegerField", "EmailField", "SlugField", "URLField"]


class CommaSeparatedIntegerField(CharField[S]):
    """A CharField that validates integers with commas between them: what old migrations refer to.

    New models take a CharField with `validate_comma_separated_integer_list`, or an ArrayField.
    """

    description = "Comma-separated integers"
    default_validators: ClassVar[list[Callable[[Any], Any]]] = [
        validators.validate_comma_separated_integer_list
    ]


class EmailField(CharField[S]):
    """A CharField (254 characters by default) that validates an e-mail address."""

    description = "Email address"
    default_validators: ClassVar[list[Callable[[Any], Any]]] = [validators.validate_email]

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: EmailField[str],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: EmailField[str | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, *args, **options):
            options.setdefault("max_length", 254)
            super().__init__(*args, **options)


class URLField(CharField[S]):
    """A CharField (200 characters by default) that validates a URL."""

    description = "URL"
    default_validators: ClassVar[list[Callable[[Any], Any]]] = [validators.URLValidator()]
    own_options: ClassVar[dict[str, Any]] = {"max_length": 200}

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: URLField[str],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: URLField[str | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, *args, **options):
            options.setdefault("max_length", 200)
            super().__init__(*args, **options)


class SlugField(CharField[S]):
    """A CharField (50 characters by default), indexed, of letters, digits, underscores and hyphens."""

    description = "Slug (up to %(max_length)s)"
    own_options: ClassVar[dict[str, Any]] = {"max_length": 50, "db_index": True, "allow_unicode": False}
    default_validators: ClassVar[list[Callable[[Any], Any]]] = [validators.validate_slug]

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: SlugField[str],
            verbose_name: str | None = None,
            *,
            null: Literal[False] = False,
            allow_unicode: bool = False,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: SlugField[str | None],
            verbose_name: str | None = None,
            *,
            null: bool,
            allow_unicode: bool = False,
            db_collation: str | None = None,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

        allow_unicode: bool

    else:

        def __init__(self, *args, max_length=50, db_index=True, allow_unicode=False, **options):
            self.allow_unicode = allow_unicode
            if allow_unicode:
                self.default_validators = [validators.validate_unicode_slug]
            super().__init__(*args, max_length=max_length, db_index=db_index, **options)

    def get_internal_type(self) -> str:
        """Return "SlugField"."""
        return "SlugField"
