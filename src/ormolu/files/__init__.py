"""Files, and the storages that keep them. Fields that refer to files stand in `ormolu.fields`.

Source: Django's documentation, "Managing files", "File storage API" and "The File object".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.files.aliases import DefaultStorage, InvalidStorageError, Storages, default_storage, storages
    from ormolu.files.base import ContentFile, File
    from ormolu.files.filesystem import FileSystemStorage
    from ormolu.files.images import ImageFile
    from ormolu.files.memory import InMemoryStorage
    from ormolu.files.s3 import S3Storage
    from ormolu.files.storage import Storage

__all__ = [
    "ContentFile",
    "DefaultStorage",
    "File",
    "FileSystemStorage",
    "ImageFile",
    "InMemoryStorage",
    "InvalidStorageError",
    "S3Storage",
    "Storage",
    "Storages",
    "default_storage",
    "storages",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "base": "ContentFile File",
            "filesystem": "FileSystemStorage",
            "images": "ImageFile",
            "memory": "InMemoryStorage",
            "s3": "S3Storage",
            "storage": "Storage",
            "aliases": "DefaultStorage InvalidStorageError Storages default_storage storages",
        },
    )
