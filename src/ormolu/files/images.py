"""Sizes of images, by Pillow (the extra `images`).

Source: Django's documentation, "The File object", ImageFile.
"""

from __future__ import annotations

import contextlib
import importlib
import struct
import zlib
from collections.abc import Generator
from typing import Any

from ormolu.exceptions import MissingExtra
from ormolu.files.base import File

__all__ = ["ImageFile", "image_size", "need_pillow"]


class ImageFile(File):
    """A file that is an image: it has a `width` and a `height` in pixels (None for what isn't an image)."""

    @property
    def width(self) -> int | None:
        """The width in pixels."""
        return self._dimensions()[0]

    @property
    def height(self) -> int | None:
        """The height in pixels."""
        return self._dimensions()[1]

    def _dimensions(self) -> tuple[int | None, int | None]:
        found: tuple[int | None, int | None] | None = self.__dict__.get("_size_in_pixels")
        if found is None:
            was_closed = self.closed
            self.open()
            found = self.__dict__["_size_in_pixels"] = image_size(self, close=was_closed)
        return found


def need_pillow() -> Any:
    """Return Pillow's `ImageFile` module. Raises MissingExtra, with the pip command."""
    try:
        return importlib.import_module("PIL.ImageFile")
    except ImportError as error:
        raise MissingExtra(extra="images", package="pillow", purpose="The size of images") from error


def image_size(file: Any, close: bool = False) -> tuple[int | None, int | None]:
    """Return the width and height of an image, (None, None) for what isn't one. Reads no more than it has to.

    The position in the file stays; with `close` the file is closed afterwards.
    """
    parser: Any = need_pillow().Parser()
    with _kept(file, close):
        piece = 1024
        while data := file.read(piece):
            # Not enough data yet looks like any of these.
            with contextlib.suppress(ValueError, RuntimeError, struct.error, zlib.error):
                parser.feed(data)
            if parser.image is not None:
                width, height = parser.image.size
                return int(width), int(height)
            piece *= 2
    return None, None


@contextlib.contextmanager
def _kept(file: Any, close: bool) -> Generator[None]:
    """Read a file from its beginning, and leave its position as it was."""
    place = None if close else file.tell()
    file.seek(0)
    try:
        yield
    finally:
        if close:
            file.close()
        else:
            file.seek(place)
