"""What reading a FileField gives: the file of an object, where its storage keeps it.

Source: Django's documentation, "Model field reference", FieldFile.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Self

from ormolu.exceptions import FieldError
from ormolu.files.base import ContentFile, File, LocalFile, as_file
from ormolu.files.images import ImageFile

if TYPE_CHECKING:
    from ormolu.fields.files import FileField

__all__ = ["FieldFile", "ImageFieldFile"]


class FieldFile(File):
    """The file of one object: its `name` is what the column holds, its content what the storage has.

    It is false where there is no file. Compares with other files, and with texts, by the name. A File, an upload or a
    path that was assigned to the field is its content until the object is saved; saving puts it into the storage. What
    asks the storage may take long: in async code use the methods that begin with `a`, which do it in a thread.
    """

    def __init__(self, instance: Any, field: FileField[Any], name: str | None) -> None:
        self.instance = instance
        self.field = field
        self._name = name
        self._file: Any = None
        self._committed = True

    @property
    def storage(self) -> Any:
        """The field's storage."""
        return self.field.storage

    @property
    def name(self) -> str | None:
        """The file's name in its storage, with folders; None or "" where there is no file.

        Setting it lets the object refer to another file, or to the same one at its new place.
        """
        return self._name

    @name.setter
    def name(self, value: str | os.PathLike[str] | None) -> None:
        new = None if value is None else os.fspath(value)
        old, self._name = self._name, new
        values: dict[str, Any] = self.instance.__dict__ if self.instance is not None else {}
        if new != old and values.get(self.field.attname) is self:
            values[self.field.attname] = old  # for the record of what changed
            self._put(self)

    def _put(self, value: Any) -> None:
        """Set the object's attribute."""
        attname = self.field.attname
        attribute: Any = inspect.getattr_static(self.instance.__class__, attname)
        attribute.store(self.instance, value)

    def __eq__(self, other: object) -> bool:
        return bool(self._name == getattr(other, "name", other))

    def __hash__(self) -> int:
        return hash(self.name)

    def of(self, instance: Any, field: FileField[Any]) -> FieldFile:
        """Return the same file as that of another object, or of another field."""
        twin: FieldFile = field.attr_class(instance, field, self._name)
        twin._file, twin._committed = (self._file, False) if not self._committed else (None, True)
        return twin

    # -- the content

    def _require_file(self) -> None:
        if not self:
            raise ValueError(f"The '{self.field.name}' attribute has no file associated with it.")

    @property
    def file(self) -> Any:
        """The content: opened in the storage when it is first read. Raises ValueError where there is no file."""
        self._require_file()
        if self._file is None:
            self._file = self.storage.open(self.name, "rb")
        return self._file

    @file.setter
    def file(self, value: Any) -> None:
        self._file = value

    @file.deleter
    def file(self) -> None:
        self._file = None

    @property
    def closed(self) -> bool:
        """Whether the file isn't open."""
        return self._file is None or bool(self._file.closed)

    @property
    def path(self) -> str:
        """The local path. Raises ValueError where there is no file, NotImplementedError where it has no path."""
        self._require_file()
        return str(self.storage.path(self.name))

    @property
    def url(self) -> str:
        """The URL. Raises ValueError where there is no file."""
        self._require_file()
        return str(self.storage.url(self.name))

    @property
    def size(self) -> int:
        """The size in bytes. Raises ValueError where there is no file."""
        self._require_file()
        return int(self.storage.size(self.name) if self._committed else self.file.size)

    @size.setter
    def size(self, value: int) -> None:
        raise AttributeError("The size of a stored file can't be set.")

    def open(self, mode: str | None = "rb", *args: Any, **kwargs: Any) -> Self:
        """Open the file, or open it again in another mode, or set its position to the beginning; return it."""
        self._require_file()
        if self._file is None:
            self._file = self.storage.open(self.name, mode or "rb")
        else:
            self._file.open(mode)
        return self

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._file is not None:
            self._file.close()

    # -- changing it

    def save(self, name: str, content: Any, save: bool = True) -> None:
        """Put `content` into the storage, as `name` in the field's `upload_to`, and let the object refer to it.

        `content` is a File or like one, a `Path`, bytes or text. The storage may change the name; a file that was there
        before stays. With `save`, save the object. Raises SuspiciousFileOperation for a name that leads elsewhere.
        """
        self._store(name, content)
        if save:
            self.instance.save()

    def _store(self, name: str, content: Any) -> None:
        content = ContentFile(content) if isinstance(content, (str, bytes)) else as_file(content)
        name = self.field.generate_filename(self.instance, name)
        try:
            stored = self.storage.save(name, content, max_length=self.field.max_length)
        finally:
            if isinstance(content, LocalFile):
                content.close()
        self._became(stored, content)

    def _became(self, name: str | None, content: Any) -> None:
        """Take note of another name, and let the object refer to this file."""
        values: dict[str, Any] = self.instance.__dict__
        if values.get(self.field.attname) is self:
            values[self.field.attname] = self._name
        self._name, self._committed, self._file = name, True, None
        self.field.measure(self.instance, content)
        self._put(self)

    def delete(self, save: bool = True) -> None:
        """Delete the file in the storage, and let the object have none. With `save`, save the object.

        Does nothing where there is no file.
        """
        if self:
            self._discard()
            if save:
                self.instance.save()

    def _discard(self) -> None:
        self.close()
        self.storage.delete(self.name)
        self._became(None, None)

    def commit(self) -> None:
        """Put the content into the storage, if it isn't there. Raises FieldError where it has no name."""
        if self._committed or self._file is None:
            return
        if not self._name:
            error = FieldError(
                f"File for {self.field.name} must have the name attribute specified to be saved."
            )
            if type(self._file).__name__ == "ContentFile":  # ours, or Django's
                error.add_note("Pass a 'name' argument to ContentFile.")
            raise error
        self._store(self._name, self._file)

    # -- the same in async code

    async def asave(self, name: str, content: Any, save: bool = True) -> None:
        """Do what `save()` does, the storage's part in a thread."""
        await asyncio.to_thread(self._store, name, content)
        if save:
            await self.instance.asave()

    async def adelete(self, save: bool = True) -> None:
        """Do what `delete()` does, the storage's part in a thread."""
        if self:
            await asyncio.to_thread(self._discard)
            if save:
                await self.instance.asave()

    async def aopen(self, mode: str = "rb") -> Self:
        """Open the file in a thread; return it. It is an async context manager, which closes it."""
        return await asyncio.to_thread(self.open, mode)

    async def aread(self, size: int = -1) -> Any:
        """Read in a thread."""
        return await asyncio.to_thread(lambda: self.file.read(size))

    async def achunks(self, chunk_size: int | None = None) -> AsyncIterator[Any]:
        """Yield the content in pieces, each read in a thread."""
        chunks = self.chunks(chunk_size)
        while (piece := await asyncio.to_thread(next, chunks, None)) is not None:
            yield piece

    async def aclose(self) -> None:
        """Close the file in a thread: what was written to it may only now go to the storage."""
        await asyncio.to_thread(self.close)

    async def asize(self) -> int:
        """Return the size in bytes, asked of the storage in a thread."""
        return await asyncio.to_thread(lambda: self.size)

    async def aurl(self) -> str:
        """Return the URL, asked of the storage in a thread."""
        return await asyncio.to_thread(lambda: self.url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    # -- copies and pickles

    def __getstate__(self) -> dict[str, Any]:
        """Return the name, and whose it is. Content that isn't stored yet stays behind."""
        return {"instance": self.instance, "field": self.field, "_name": self._name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _file=None, _committed=True)


class ImageFieldFile(ImageFile, FieldFile):
    """The image of one object: a FieldFile with `width` and `height`."""

    def _became(self, name: str | None, content: Any) -> None:
        self.__dict__.pop("_size_in_pixels", None)
        super()._became(name, content)
