"""Files in a folder.

Source: Django's documentation, "File storage API", FileSystemStorage.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from ormolu.conf import settings
from ormolu.exceptions import SuspiciousFileOperation
from ormolu.files import names
from ormolu.files.base import File
from ormolu.files.storage import Storage, moment

__all__ = ["FileSystemStorage", "inside"]


class FileSystemStorage(Storage):
    """Keeps files in a folder of the file system.

    `location` is the folder (setting `MEDIA_ROOT`), `base_url` where it is served (`MEDIA_URL`). New files and folders
    get the permissions given, or those of `FILE_UPLOAD_PERMISSIONS` and `FILE_UPLOAD_DIRECTORY_PERMISSIONS`. With
    `allow_overwrite` a file of the same name is replaced. Where writing fails nothing is left behind.
    """

    def __init__(
        self,
        location: str | os.PathLike[str] | None = None,
        base_url: str | None = None,
        file_permissions_mode: int | None = None,
        directory_permissions_mode: int | None = None,
        allow_overwrite: bool = False,
    ) -> None:
        self._location = location
        self._base_url = base_url
        self._file_mode = file_permissions_mode
        self._folder_mode = directory_permissions_mode
        self.allow_overwrite = allow_overwrite

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {self.location!r}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), str(self._location)))

    @property
    def base_location(self) -> str | os.PathLike[str]:
        """The folder as it was given."""
        return settings.MEDIA_ROOT if self._location is None else self._location

    @property
    def location(self) -> str:
        """The folder's absolute path."""
        return os.path.abspath(self.base_location)

    @property
    def base_url(self) -> str | None:
        """Where the folder is served, with a slash at the end."""
        url: Any = settings.MEDIA_URL if self._base_url is None else self._base_url
        return url if url is None or url.endswith("/") else f"{url}/"

    @property
    def file_permissions_mode(self) -> int | None:
        """The permissions of new files."""
        return settings.FILE_UPLOAD_PERMISSIONS if self._file_mode is None else self._file_mode

    @property
    def directory_permissions_mode(self) -> int | None:
        """The permissions of new folders."""
        given = self._folder_mode
        return settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS if given is None else given

    def path(self, name: str) -> str:
        """Return the path of a file. Raises SuspiciousFileOperation for a name that leads out of the folder."""
        return inside(self.location, name)

    def _open(self, name: str, mode: str = "rb") -> File:
        return File(open(self.path(name), mode), name)

    def _save(self, name: str, content: Any) -> str:
        while True:
            path = self.path(name)
            self._make_folder(os.path.dirname(path))
            try:
                self._write(path, content)
            except FileExistsError:
                name = self.get_available_name(name)  # somebody else was faster
                continue
            break
        if self.file_permissions_mode is not None:
            os.chmod(path, self.file_permissions_mode)
        return os.path.relpath(path, self.location).replace("\\", "/")

    def _make_folder(self, folder: str) -> None:
        mode = self.directory_permissions_mode
        try:
            if mode is None:
                os.makedirs(folder, exist_ok=True)
                return
            missing = [folder]
            while missing[-1] and not os.path.isdir(os.path.dirname(missing[-1])):
                missing.append(os.path.dirname(missing[-1]))
            for path in reversed(missing):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(path)
                    os.chmod(path, mode)  # mkdir()'s own mode is subject to the umask
        except FileExistsError:
            pass
        if not os.path.isdir(folder):
            raise FileExistsError(f"{folder} exists and is not a directory.")

    def _write(self, path: str, content: Any) -> None:
        """Write the content to a new file, or over an old one if that is allowed; leave nothing where it fails."""
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
        flags |= os.O_TRUNC if self.allow_overwrite else os.O_EXCL
        descriptor = os.open(path, flags, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if not self._moved(path, content):
                    for chunk in content.chunks():
                        file.write(chunk.encode() if isinstance(chunk, str) else chunk)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            raise

    def _moved(self, path: str, content: Any) -> bool:
        """Put a file that is only temporary in place by moving it; tell whether that was possible."""
        source = getattr(content, "temporary_file_path", None)
        if source is None:
            return False
        try:
            os.replace(source(), path)
        except OSError:  # on another device
            shutil.copyfile(source(), path)
            with contextlib.suppress(OSError):
                os.unlink(source())
        return True

    def delete(self, name: str) -> None:
        """Delete a file, or an empty folder. One that is not there is none. Raises ValueError without a name."""
        if not name:
            raise ValueError("The name must be given to delete().")
        path = self.path(name)
        with contextlib.suppress(FileNotFoundError):
            if os.path.isdir(path):
                os.rmdir(path)
            else:
                os.remove(path)

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        """Tell whether a name isn't too long, and is free or may be overwritten."""
        if self.allow_overwrite:
            return not (max_length and len(name) > max_length)
        return super().is_name_available(name, max_length)

    def get_alternative_name(self, file_root: str, file_ext: str) -> str:
        """Return another name for a file: the same one, where it may be overwritten."""
        if self.allow_overwrite:
            return file_root + file_ext
        return super().get_alternative_name(file_root, file_ext)

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        return os.path.lexists(self.path(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of the folders and of the files in a folder."""
        folders: list[str] = []
        files: list[str] = []
        with os.scandir(self.path(path)) as entries:
            for entry in entries:
                (folders if entry.is_dir() else files).append(entry.name)
        return folders, files

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return os.path.getsize(self.path(name))

    def url(self, name: str | None) -> str:
        """Return the URL of a file. Raises ValueError where MEDIA_URL is None."""
        if self.base_url is None:
            raise ValueError(
                "This file is not accessible via a URL: there is neither a base_url nor MEDIA_URL."
            )
        return urljoin(self.base_url, names.name_in_url(os.fspath(name or "")).lstrip("/"))

    def get_accessed_time(self, name: str) -> dt.datetime:
        """Return when a file was last read."""
        return moment(os.path.getatime(self.path(name)))

    def get_created_time(self, name: str) -> dt.datetime:
        """Return the system's ctime of a file: on Unix when its metadata changed."""
        return moment(os.path.getctime(self.path(name)))

    def get_modified_time(self, name: str) -> dt.datetime:
        """Return when a file was last written."""
        return moment(os.path.getmtime(self.path(name)))


def inside(folder: str, name: str | os.PathLike[str]) -> str:
    """Return the absolute path of a name in a folder. Raises SuspiciousFileOperation if it isn't in there."""
    path = os.path.abspath(os.path.join(folder, name))
    if path != folder and Path(folder) not in Path(path).parents:
        raise SuspiciousFileOperation(
            f"The joined path ({path}) is located outside of the base path component ({folder})."
        )
    return path
