"""Files in a bucket of S3, or of a store that speaks its language (MinIO, R2, Ceph), by boto3 (the extra `s3`)."""

from __future__ import annotations

import datetime as dt
import importlib
import io
import mimetypes
import posixpath
import tempfile
import threading
from typing import Any

from ormolu.conf import settings
from ormolu.exceptions import ImproperlyConfigured, MissingExtra, SuspiciousFileOperation
from ormolu.files import names
from ormolu.files.base import File
from ormolu.files.storage import Storage

__all__ = ["S3Storage"]

IN_MEMORY = 2**20
"""Bytes of a file that are read into memory; a larger one goes to a temporary file."""


class S3Storage(Storage):
    """Keeps files in a bucket.

    `location` is a folder in it. `access_key`, `secret_key`, `session_token` and `region_name` are found as boto3 finds
    them where they aren't given; `endpoint_url` leads to another store than Amazon's. `default_acl` and
    `object_parameters` go with each upload. URLs are signed and last `querystring_expire` seconds, unless
    `querystring_auth` is off; with `custom_domain` they are `https://domain/name`. With `file_overwrite` a file of the
    same name is replaced; else another name is found for the new one.
    """

    def __init__(
        self,
        bucket_name: str,
        *,
        location: str = "",
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        default_acl: str | None = None,
        object_parameters: dict[str, Any] | None = None,
        querystring_auth: bool = True,
        querystring_expire: int = 3600,
        custom_domain: str | None = None,
        file_overwrite: bool = False,
        client_options: dict[str, Any] | None = None,
    ) -> None:
        if not bucket_name:
            raise ImproperlyConfigured("S3Storage needs a bucket_name.")
        self.bucket_name = bucket_name
        self.location = location.strip("/")
        self.default_acl = default_acl
        self.object_parameters = dict(object_parameters or {})
        self.querystring_auth = querystring_auth
        self.querystring_expire = querystring_expire
        self.custom_domain = custom_domain
        self.file_overwrite = file_overwrite
        self._options = {
            "aws_access_key_id": access_key,
            "aws_secret_access_key": secret_key,
            "aws_session_token": session_token,
            "region_name": region_name,
            "endpoint_url": endpoint_url,
            **(client_options or {}),
        }
        self._client: Any = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {posixpath.join(self.bucket_name, self.location)!r}>"

    @property
    def client(self) -> Any:
        """The client of boto3, made on first use; it serves all threads. Raises MissingExtra without boto3."""
        if self._client is None:
            try:
                boto3: Any = importlib.import_module("boto3")
            except ImportError as error:
                raise MissingExtra(extra="s3", package="boto3", purpose="S3Storage") from error
            with self._lock:  # sessions of boto3 are not safe across threads; clients are
                if self._client is None:
                    self._client = boto3.session.Session().client("s3", **self._options)
        return self._client

    def key(self, name: str) -> str:
        """Return the key of a file in the bucket. Raises SuspiciousFileOperation for a name that leads out of it."""
        path = posixpath.normpath(
            posixpath.join("/", self.location, str(name).replace("\\", "/").lstrip("/"))
        )
        root = posixpath.join("/", self.location)
        if path != root and not path.startswith(root.rstrip("/") + "/"):
            raise SuspiciousFileOperation(f"Detected path traversal attempt in '{name}'.")
        return path.lstrip("/")

    def _open(self, name: str, mode: str = "rb") -> File:
        if any(letter in mode for letter in "ax+"):
            raise ValueError(f"Files of S3Storage are opened to be read or written anew, not with {mode!r}.")
        stream: Any = _Upload(self, name) if "w" in mode else self._download(name)
        return File(stream if "b" in mode else io.TextIOWrapper(stream, encoding="utf-8"), name)

    def _download(self, name: str) -> Any:
        body: Any = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+b")  # noqa: SIM115
        try:
            self.client.download_fileobj(self.bucket_name, self.key(name), body)
        except Exception as error:
            body.close()
            if is_missing(error):
                raise FileNotFoundError(f"There is no file {name!r} in {self!r}.") from error
            raise
        body.seek(0)
        return body

    def _save(self, name: str, content: Any) -> str:
        name = names.check_name(name, with_folders=True)
        options = dict(self.object_parameters)
        guessed = getattr(content, "content_type", None) or mimetypes.guess_type(name)[0]
        options.setdefault("ContentType", guessed or "application/octet-stream")
        if self.default_acl:
            options.setdefault("ACL", self.default_acl)
        self.client.upload_fileobj(
            _Reader(_as_bytes(content)), self.bucket_name, self.key(name), ExtraArgs=options
        )
        return name

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        """Tell whether a name isn't too long, and is free or may be overwritten."""
        if self.file_overwrite:
            return not (max_length and len(name) > max_length)
        return super().is_name_available(name, max_length)

    def get_alternative_name(self, file_root: str, file_ext: str) -> str:
        """Return another name for a file: the same one, where it may be overwritten."""
        if self.file_overwrite:
            return file_root + file_ext
        return super().get_alternative_name(file_root, file_ext)

    def _head(self, name: str) -> Any:
        try:
            return self.client.head_object(Bucket=self.bucket_name, Key=self.key(name))
        except Exception as error:
            if is_missing(error):
                raise FileNotFoundError(f"There is no file {name!r} in {self!r}.") from error
            raise

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        try:
            self._head(name)
        except FileNotFoundError:
            return False
        return True

    def delete(self, name: str) -> None:
        """Delete a file. One that is not there is none."""
        self.client.delete_object(Bucket=self.bucket_name, Key=self.key(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the names of the folders and of the files in a folder."""
        key = self.key(path)
        prefix = f"{key}/" if key else ""
        folders: list[str] = []
        files: list[str] = []
        pages = self.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket_name, Prefix=prefix, Delimiter="/"):
            folders += [
                entry["Prefix"][len(prefix) :].rstrip("/") for entry in page.get("CommonPrefixes", ())
            ]
            files += [
                entry["Key"][len(prefix) :] for entry in page.get("Contents", ()) if entry["Key"] != prefix
            ]
        return folders, files

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return int(self._head(name)["ContentLength"])

    def get_modified_time(self, name: str) -> dt.datetime:
        """Return when a file was last written."""
        found: dt.datetime = self._head(name)["LastModified"]
        return found if settings.USE_TZ else found.astimezone().replace(tzinfo=None)

    def url(self, name: str | None) -> str:
        """Return the URL of a file: signed, unless `querystring_auth` is off or there is a `custom_domain`."""
        key = self.key(name or "")
        if self.custom_domain:
            return f"https://{self.custom_domain}/{names.name_in_url(key)}"
        signed: str = self.client.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.bucket_name, "Key": key},
            ExpiresIn=self.querystring_expire,
        )
        return signed if self.querystring_auth else signed.partition("?")[0]


def is_missing(error: Exception) -> bool:
    """Tell whether an error of boto3 says that there is no such object."""
    response: Any = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code")) in {"404", "NoSuchKey", "NotFound"}


def _as_bytes(content: Any) -> Any:
    """Return content from its beginning, in bytes: of a text nobody knows how many it has before it is encoded."""
    first: Any = next(iter(content.chunks()), b"")
    if isinstance(first, str):
        return io.BytesIO("".join(content.chunks()).encode())
    content.seek(0)
    return content


class _Reader:
    """The content for boto3, which would close the file when it has read it."""

    def __init__(self, content: Any) -> None:
        self.read, self.seek, self.tell = content.read, content.seek, content.tell

    def close(self) -> None:
        """Do nothing."""


class _Upload(io.BytesIO):
    """A stream whose content becomes the file when it is closed."""

    def __init__(self, storage: S3Storage, name: str) -> None:
        super().__init__()
        self.storage = storage
        self.name = name

    def close(self) -> None:
        if not self.closed:
            self.storage._save(self.name, File(io.BytesIO(self.getvalue()), self.name))
        super().close()
