"""Validators of files."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from ormolu.fields.validators.base import Validator

__all__ = ["FileExtensionValidator", "get_available_image_extensions", "validate_image_file_extension"]


class FileExtensionValidator(Validator):
    """Refuse a file (or path) whose extension is not one of the allowed ones."""

    message = "File extension “%(extension)s” is not allowed. Allowed extensions are: %(allowed_extensions)s."
    code = "invalid_extension"

    def __init__(
        self, allowed_extensions: Iterable[str] | None = None, message: Any = None, code: str | None = None
    ) -> None:
        self.allowed_extensions = (
            None if allowed_extensions is None else [extension.lower() for extension in allowed_extensions]
        )
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code

    def _identity(self) -> object:
        return frozenset(self.allowed_extensions or ())

    def __call__(self, value: Any) -> None:
        extension = PurePath(getattr(value, "name", value)).suffix[1:].lower()
        if self.allowed_extensions is not None and extension not in self.allowed_extensions:
            raise self._refuse(
                value, extension=extension, allowed_extensions=", ".join(self.allowed_extensions)
            )


def get_available_image_extensions() -> list[str]:
    """Return the extensions that Pillow reads, none where it is not installed."""
    try:
        image: Any = importlib.import_module("PIL.Image")
    except ImportError:
        return []
    image.init()
    return [extension.lower()[1:] for extension in image.EXTENSION]


def validate_image_file_extension(value: Any) -> None:
    """Refuse a file whose extension is none of an image."""
    FileExtensionValidator(get_available_image_extensions())(value)
