"""A field for the path of a file that is there already."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from typing_extensions import Unpack

from ormolu.fields.options import FieldOptions
from ormolu.fields.text import CharField, S

__all__ = ["FilePathField"]


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
