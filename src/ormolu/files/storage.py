"""`Storage`: what keeps files. Derive from it to keep them elsewhere.

Source: Django's documentation, "File storage API" and "How to write a custom storage class".
"""

from __future__ import annotations

import datetime as dt
import os
import pathlib
from typing import Any

from ormolu.conf import settings
from ormolu.exceptions import SuspiciousFileOperation
from ormolu.files import names
from ormolu.files.base import File, as_file, is_content

__all__ = ["Storage", "moment"]


class Storage:
    """Keeps files under names.

    A storage of your own defines `_open(name, mode)`, which returns a File, and `_save(name, content)`, which returns
    the name that the file has got; `exists()`, `delete()`, and what of `size()`, `url()`, `path()`, `listdir()` and the
    times it can tell. Any object with these methods serves: Django's storages do.
    """

    def open(self, name: str, mode: str = "rb") -> Any:
        """Return the file of a name, opened."""
        return self._open(name, mode)

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """Keep a file under a name, or under a similar one if there is such a file; return the name it has got.

        `content` is a File or anything like one; without a `name` its own is used. Raises SuspiciousFileOperation for a
        name that leads elsewhere, or that can't be made to fit into `max_length`.
        """
        if name is None:
            name = content.name
        if not hasattr(content, "chunks"):
            content = File(content, name) if not is_content(content) else as_file(content)
        name = self.get_available_name(os.fspath(name or ""), max_length=max_length)
        stored = self._save(name, content)
        return names.check_name(stored, with_folders=True)

    def _open(self, name: str, mode: str = "rb") -> Any:
        raise self._lacks("_open")

    def _save(self, name: str, content: Any) -> str:
        raise self._lacks("_save")

    def get_valid_name(self, name: str) -> str:
        """Return a name without characters that this storage doesn't take."""
        return names.valid_name(name)

    def get_alternative_name(self, file_root: str, file_ext: str) -> str:
        """Return another name for a file, where the first is taken."""
        return names.alternative_name(file_root, file_ext)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return a name that no file has, of at most `max_length` characters. Raises SuspiciousFileOperation."""
        name = str(name).replace("\\", "/")
        folder, last = os.path.split(name)
        names.check_name(name, with_folders=True)
        root, extension = names.split(last)
        while self.is_name_available(name, max_length) is False:
            name = os.path.join(folder, self.get_alternative_name(root, extension))
            if max_length is None or len(name) <= max_length:
                continue
            root = names.shortened(root, extension, name, max_length)
            name = os.path.join(folder, self.get_alternative_name(root, extension))
        return name

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        """Tell whether a name isn't too long, and no file has it."""
        return not (max_length and len(name) > max_length) and not self.exists(name)

    def generate_filename(self, filename: str | os.PathLike[str]) -> str:
        """Return the name under which a file is to be saved: its last part made valid, its folders as they are."""
        text = str(filename).replace("\\", "/")
        folder, last = os.path.split(text)
        if ".." in pathlib.PurePath(folder).parts:
            raise SuspiciousFileOperation(f"Detected path traversal attempt in '{folder}'.")
        return os.path.normpath(os.path.join(folder, self.get_valid_name(last)))

    def path(self, name: str) -> str:
        """Return the local path of a file. Raises NotImplementedError where there is none."""
        raise NotImplementedError(f"{type(self).__name__} keeps no local files: there is no path.")

    def delete(self, name: str) -> None:
        """Delete a file. A file that is not there is none."""
        raise self._lacks("delete")

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        raise self._lacks("exists")

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of the folders and of the files in a folder."""
        raise self._lacks("listdir")

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        raise self._lacks("size")

    def url(self, name: str | None) -> str:
        """Return the URL of a file."""
        raise self._lacks("url")

    def get_accessed_time(self, name: str) -> dt.datetime:
        """Return when a file was last read: aware with USE_TZ, else naive local time."""
        raise self._lacks("get_accessed_time")

    def get_created_time(self, name: str) -> dt.datetime:
        """Return when a file was made."""
        raise self._lacks("get_created_time")

    def get_modified_time(self, name: str) -> dt.datetime:
        """Return when a file was last written."""
        raise self._lacks("get_modified_time")

    def _lacks(self, method: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} has no {method}(): a storage has to define it.")


def moment(seconds: float) -> dt.datetime:
    """Return a moment as storages tell it: aware with USE_TZ, else naive local time."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC if settings.USE_TZ else None)
