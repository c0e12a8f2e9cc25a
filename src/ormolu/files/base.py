"""`File`: what storages take and give, around any file object; `ContentFile`: one that is made of text or bytes.

Source: Django's documentation, "The File object".
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

__all__ = ["ContentFile", "File", "as_file", "is_content"]

CHUNK_SIZE = 64 * 2**10


def _of_file(name: str) -> Any:
    """Return a property that is the attribute of the same name of the file object inside."""
    return property(lambda self: getattr(self.file, name), doc=f"`{name}` of the file object inside.")


class File:
    """A file object with a name, a size, and chunks.

    `file` is any object that reads bytes or text. `name` is by default its own, if that is a path.
    """

    DEFAULT_CHUNK_SIZE = CHUNK_SIZE

    def __init__(self, file: Any, name: str | os.PathLike[str] | None = None) -> None:
        self.file: Any = file
        self._name: str | None = _path_of(file) if name is None else os.fspath(name)
        if hasattr(file, "mode"):
            self.mode = file.mode

    @property
    def name(self) -> str | None:
        """The name, None where there is none."""
        return self._name

    @name.setter
    def name(self, value: str | os.PathLike[str] | None) -> None:
        self._name = None if value is None else os.fspath(value)

    def __str__(self) -> str:
        return self.name or ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name or 'None'}>"

    def __bool__(self) -> bool:
        return bool(self.name)

    def __len__(self) -> int:
        return self.size

    encoding: Any = _of_file("encoding")
    fileno: Any = _of_file("fileno")
    flush: Any = _of_file("flush")
    isatty: Any = _of_file("isatty")
    newlines: Any = _of_file("newlines")
    read: Any = _of_file("read")
    readinto: Any = _of_file("readinto")
    readline: Any = _of_file("readline")
    readlines: Any = _of_file("readlines")
    seek: Any = _of_file("seek")
    tell: Any = _of_file("tell")
    truncate: Any = _of_file("truncate")
    write: Any = _of_file("write")
    writelines: Any = _of_file("writelines")

    def readable(self) -> bool:
        """Tell whether the file is open for reading."""
        return self._can("readable", "r")

    def writable(self) -> bool:
        """Tell whether the file is open for writing."""
        return self._can("writable", "w")

    def seekable(self) -> bool:
        """Tell whether the file is open and has a position that can be set."""
        if self.closed:
            return False
        return bool(self.file.seekable()) if hasattr(self.file, "seekable") else True

    def _can(self, method: str, letter: str) -> bool:
        if self.closed:
            return False
        if hasattr(self.file, method):
            return bool(getattr(self.file, method)())
        return letter in getattr(self.file, "mode", "")

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return not self.file or bool(getattr(self.file, "closed", False))

    @property
    def size(self) -> int:
        """The size in bytes (of a file of text: in its own measure). Raises AttributeError if it can't be known."""
        known: Any = self.__dict__.get("_size")
        if known is None:
            known = _size_of(self.file)
        return int(known)

    @size.setter
    def size(self, value: int) -> None:
        self.__dict__["_size"] = value

    def chunks(self, chunk_size: int | None = None) -> Iterator[Any]:
        """Yield the content from the beginning, in pieces of 64 KiB or `chunk_size`."""
        size = chunk_size or self.DEFAULT_CHUNK_SIZE
        with contextlib.suppress(
            AttributeError, io.UnsupportedOperation
        ):  # a stream is read from where it is
            self.seek(0)
        while data := self.read(size):
            yield data

    def multiple_chunks(self, chunk_size: int | None = None) -> bool:
        """Tell whether the content is more than one piece of `chunks()`."""
        return self.size > (chunk_size or self.DEFAULT_CHUNK_SIZE)

    def __iter__(self) -> Iterator[Any]:
        """Yield the lines, with their ends: a line feed, a carriage return, or both."""
        rest: Any = None
        for chunk in self.chunks():
            lines = (chunk if rest is None else rest + chunk).splitlines(keepends=True)
            last = lines[-1]
            # A carriage return may be followed by a line feed, which stands in the next chunk.
            whole = last.endswith("\n" if isinstance(last, str) else b"\n")
            rest = None if whole else lines.pop()
            yield from lines
        if rest is not None:
            yield rest

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> Self:
        """Open the file again, or set its position to the beginning if it is open; return it.

        `mode` and what follows it go to `open()`. Raises ValueError for a closed file that is at no path.
        """
        if not self.closed:
            self.seek(0)
        elif self.name and os.path.exists(self.name):
            how: Any = mode or getattr(self, "mode", "rb")
            self.file = cast(Any, open)(self.name, how, *args, **kwargs)
        else:
            raise ValueError("The file cannot be reopened.")
        return self

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _size_of(file: Any) -> int:
    """Return the size of a file object: what it says itself, what lies at its path, or where it ends."""
    size: Any = getattr(file, "size", None)
    if size is not None and not callable(size):
        return int(size)
    if hasattr(file, "seek") and hasattr(file, "tell") and not getattr(file, "closed", False):
        place = file.tell()
        file.seek(0, os.SEEK_END)
        end = int(file.tell())
        file.seek(place)
        return end
    path = _path_of(file)
    if path is not None and os.path.exists(path):
        return os.path.getsize(path)
    raise AttributeError("Unable to determine the file's size.")


def _path_of(file: Any) -> str | None:
    """Return the name of a file object, if that is a path: a file without one may have a number."""
    name: Any = getattr(file, "name", None)
    return None if name is None or isinstance(name, int) else str(name)


class ContentFile(File):
    """A file in memory, made of text or bytes. Give it a `name` where it is to be stored."""

    def __init__(self, content: str | bytes, name: str | os.PathLike[str] | None = None) -> None:
        stream: Any = io.StringIO(content) if isinstance(content, str) else io.BytesIO(content)
        super().__init__(stream, name=name)

    def __str__(self) -> str:
        return "Raw content"

    def __bool__(self) -> bool:
        return True

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> Self:
        """Set the position to the beginning; return the file."""
        self.seek(0)
        return self

    def close(self) -> None:
        """Do nothing: the content stays."""


class LocalFile(File):
    """The file at a path, opened when it is first read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None
        self._name = path.name
        self.size = path.stat().st_size

    @property
    def file(self) -> Any:
        """The opened file."""
        if self._file is None or self._file.closed:
            self._file = self._path.open("rb")
        return self._file

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._file is None or bool(self._file.closed)

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> Self:
        """Open the file, or set its position to the beginning; return it."""
        self.file.seek(0)
        return self

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def is_content(value: Any) -> bool:
    """Tell whether a value is a file, or like one: not a name, and no expression for the database."""
    if value is None or isinstance(value, (str, bytes)):
        return False
    return isinstance(value, (File, Path)) or hasattr(value, "read")


def as_file(value: Any) -> File:
    """Return a file of ours, or of Django's, for anything that is like one.

    A `Path` is the local file there. Starlette's (FastAPI's) UploadFile, and other file objects, are called as the last
    part of their name: what a client calls its file may be a whole path. Raises TypeError for anything else.
    """
    if isinstance(value, File) or (hasattr(value, "chunks") and hasattr(value, "size")):
        return value  # type: ignore[no-any-return]
    if isinstance(value, Path):
        return LocalFile(value)
    if hasattr(value, "filename") and hasattr(value, "file"):
        return File(value.file, name=base_name(value.filename) if value.filename else None)
    if hasattr(value, "read"):
        made = File(value)
        made.name = base_name(made.name) if made.name else None
        return made
    raise TypeError(f"A file, an upload or a path is wanted, not {value!r}.")


def base_name(name: str) -> str:
    """Return the last part of a path of any system."""
    return name.replace("\\", "/").rpartition("/")[2]
