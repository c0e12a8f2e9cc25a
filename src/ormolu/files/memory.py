"""Files in memory, for tests.

Source: Django's documentation, "File storage API", InMemoryStorage.
"""

from __future__ import annotations

import io
import os
import threading
import time
from typing import Any

from ormolu.files.base import File
from ormolu.files.filesystem import FileSystemStorage
from ormolu.files.storage import Storage, moment

__all__ = ["InMemoryStorage"]


class _Entry:
    """One file."""

    __slots__ = ("accessed", "content", "created", "modified")

    def __init__(self) -> None:
        self.content = b""
        self.created = self.modified = self.accessed = time.time()


class InMemoryStorage(FileSystemStorage):
    """Keeps files in memory, by the rules of a `FileSystemStorage`. They are gone with the storage."""

    def __init__(
        self,
        location: str | os.PathLike[str] | None = None,
        base_url: str | None = None,
        file_permissions_mode: int | None = None,
        directory_permissions_mode: int | None = None,
    ) -> None:
        super().__init__(location, base_url, file_permissions_mode, directory_permissions_mode)
        self._files: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def path(self, name: str) -> str:
        """Raise NotImplementedError: there is no path."""
        return Storage.path(self, name)  # not that of the storage whose rules it takes

    def _key(self, name: str) -> str:
        path = super().path(name)
        return os.path.relpath(path, self.location).replace("\\", "/")

    def _entry(self, name: str) -> _Entry:
        try:
            return self._files[self._key(name)]
        except KeyError:
            raise FileNotFoundError(f"There is no file {name!r}.") from None

    def _open(self, name: str, mode: str = "rb") -> File:
        if any(letter in mode for letter in "wax+"):
            with self._lock:
                key = self._key(name)
                if "x" in mode and key in self._files:
                    raise FileExistsError(f"There is a file {name!r}.")
                if "r" in mode:
                    self._entry(name)
                entry = self._files.setdefault(key, _Entry())
            return File(_stream(entry, mode), name)
        entry = self._entry(name)
        entry.accessed = time.time()
        return File(_stream(entry, mode), name)

    def _save(self, name: str, content: Any) -> str:
        entry = _Entry()
        pieces = [chunk.encode() if isinstance(chunk, str) else bytes(chunk) for chunk in content.chunks()]
        entry.content = b"".join(pieces)
        with self._lock:
            while self._files.setdefault(self._key(name), entry) is not entry:
                name = self.get_available_name(name)
        return self._key(name)

    def delete(self, name: str) -> None:
        """Delete a file. One that is not there is none."""
        self._files.pop(self._key(name), None)

    def exists(self, name: str) -> bool:
        """Tell whether there is a file, or a folder with files, of this name."""
        key = self._key(name)
        return key in self._files or any(other.startswith(f"{key}/") for other in list(self._files))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of the folders and of the files in a folder."""
        key = self._key(path)
        start = "" if key == "." else f"{key}/"
        folders: dict[str, None] = {}
        files: list[str] = []
        for name in list(self._files):
            if name.startswith(start):
                first, slash, _ = name[len(start) :].partition("/")
                if slash:
                    folders[first] = None
                else:
                    files.append(first)
        if start and not (folders or files):
            raise FileNotFoundError(f"There is no folder {path!r}.")
        return list(folders), files

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return len(self._entry(name).content)

    def get_accessed_time(self, name: str) -> Any:
        """Return when a file was last opened to be read."""
        return moment(self._entry(name).accessed)

    def get_created_time(self, name: str) -> Any:
        """Return when a file was made."""
        return moment(self._entry(name).created)

    def get_modified_time(self, name: str) -> Any:
        """Return when a file was last written."""
        return moment(self._entry(name).modified)


class _Written(io.BytesIO):
    """A stream that writes a file's content when it is flushed or closed."""

    def __init__(self, entry: _Entry, mode: str) -> None:
        super().__init__(b"" if "w" in mode or "x" in mode else entry.content)
        self.entry = entry
        if "a" in mode:
            self.seek(0, io.SEEK_END)
        self.flush()

    def flush(self) -> None:
        if not self.closed:
            self.entry.content = self.getvalue()
            self.entry.modified = time.time()

    def close(self) -> None:
        self.flush()
        super().close()


def _stream(entry: _Entry, mode: str) -> Any:
    raw = _Written(entry, mode) if any(letter in mode for letter in "wax+") else io.BytesIO(entry.content)
    return raw if "b" in mode else io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
