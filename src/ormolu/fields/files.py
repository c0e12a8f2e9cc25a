"""Fields that hold the paths of files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from typing_extensions import Unpack

from ormolu.exceptions import ValidationError
from ormolu.fields import validators
from ormolu.fields.options import FieldOptions
from ormolu.fields.text import CharField, S

__all__ = ["FileField", "FilePathField", "ImageField"]


class FilePathField(CharField[S]):
    """A path out of a folder; `files()` lists what may be chosen."""

    description = "File path"
    own_options: ClassVar[dict[str, Any]] = {
        "path": "",
        "match": None,
        "recursive": False,
        "allow_files": True,
        "allow_folders": False,
        "max_length": 100,
    }

    if TYPE_CHECKING:
        path: str | Callable[[], str]
        recursive: bool
        allow_files: bool
        allow_folders: bool

        @overload
        def __init__(
            self: FilePathField[str],
            verbose_name: str | None = None,
            *,
            path: str | Callable[[], str] = "",
            match: str | None = None,
            recursive: bool = False,
            allow_files: bool = True,
            allow_folders: bool = False,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: FilePathField[str | None],
            verbose_name: str | None = None,
            *,
            path: str | Callable[[], str] = "",
            match: str | None = None,
            recursive: bool = False,
            allow_files: bool = True,
            allow_folders: bool = False,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(
            self,
            verbose_name=None,
            name=None,
            path="",
            match=None,
            recursive=False,
            allow_files=True,
            allow_folders=False,
            **options,
        ):
            self.path, self.match, self.recursive = path, match, recursive
            self.allow_files, self.allow_folders = allow_files, allow_folders
            options.setdefault("max_length", 100)
            super().__init__(verbose_name, name, **options)

    def get_internal_type(self) -> str:
        """Return "FilePathField"."""
        return "FilePathField"

    def files(self) -> list[str]:
        """Return the paths that the options allow, sorted."""
        folder = self.path() if callable(self.path) else self.path
        match: Any = self.__dict__["match"]
        pattern = re.compile(match) if match else None
        return sorted(
            entry.path for entry in self._entries(folder) if pattern is None or pattern.search(entry.name)
        )

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        for entry in os.scandir(folder):
            if entry.is_dir():
                if self.allow_folders and entry.name != "__pycache__":
                    yield entry
                if self.recursive:
                    yield from self._entries(entry.path)
            elif self.allow_files and entry.is_file():
                yield entry


class FileField(CharField[S]):
    """The path of a file, relative to where files are kept (100 characters by default)."""

    description = "File"
    own_options: ClassVar[dict[str, Any]] = {"max_length": 100, "upload_to": "", "storage": None}

    if TYPE_CHECKING:
        upload_to: Any
        storage: Any

        @overload
        def __init__(
            self: FileField[str],
            verbose_name: str | None = None,
            *,
            upload_to: Any = "",
            storage: Any = None,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: FileField[str | None],
            verbose_name: str | None = None,
            *,
            upload_to: Any = "",
            storage: Any = None,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, verbose_name=None, name=None, upload_to="", storage=None, **options):
            if options.get("primary_key"):
                raise TypeError(f"{type(self).__name__}() can't be a primary key.")
            self.upload_to, self.storage = upload_to, storage
            options.setdefault("max_length", 100)
            super().__init__(verbose_name, name, **options)

    def get_internal_type(self) -> str:
        """Return "FileField"."""
        return "FileField"

    @property
    def replaces_none(self) -> bool:
        """Whether a None that is saved is stored as another value: no file is "", where NULL can't be stored."""
        return not self.null

    def save_prep_for(self, cls: type, connection: Any = None) -> Callable[[Any], Any] | None:
        """Return the conversion for values that are stored in this field."""
        if cls is type(None) and not self.null:
            return lambda _none: ""
        return super().save_prep_for(cls, connection)

    def to_python(self, value: Any) -> Any:
        """Return the path as text; of a file object its name."""
        return super().to_python(getattr(value, "name", value))

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raise ValidationError for an absolute path, or one that leaves its folder."""
        super().validate(value, model_instance)
        if value and (os.path.isabs(value) or ".." in re.split(r"[\\/]", value)):
            raise ValidationError(
                "“%(value)s” is not a path inside of the folder of files.", "invalid_path", {"value": value}
            )


class ImageField(FileField[S]):
    """The path of an image; `width_field` and `height_field` name fields for its size."""

    description = "Image"
    own_options: ClassVar[dict[str, Any]] = {"width_field": None, "height_field": None}
    default_validators: ClassVar[list[Callable[[Any], Any]]] = [
        validators.FileExtensionValidator(
            ["avif", "bmp", "gif", "ico", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"]
        )
    ]

    if TYPE_CHECKING:
        width_field: str | None
        height_field: str | None

        @overload
        def __init__(
            self: ImageField[str],
            verbose_name: str | None = None,
            *,
            width_field: str | None = None,
            height_field: str | None = None,
            upload_to: Any = "",
            storage: Any = None,
            null: Literal[False] = False,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: ImageField[str | None],
            verbose_name: str | None = None,
            *,
            width_field: str | None = None,
            height_field: str | None = None,
            upload_to: Any = "",
            storage: Any = None,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

    else:

        def __init__(self, verbose_name=None, name=None, width_field=None, height_field=None, **options):
            self.width_field, self.height_field = width_field, height_field
            super().__init__(verbose_name, name, **options)
