"""What all storages do: in a folder, in memory, in a bucket."""

from __future__ import annotations

import datetime as dt
import io
import os
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import ormolu
from files import s3_server
from ormolu.exceptions import ImproperlyConfigured, MissingExtra, SuspiciousFileOperation
from ormolu.files import (
    ContentFile,
    FileSystemStorage,
    InMemoryStorage,
    InvalidStorageError,
    S3Storage,
    Storage,
    default_storage,
    storages,
)


@pytest.fixture(scope="module")
def bucket():
    pytest.importorskip("boto3")
    server = s3_server.start()
    yield server
    server.shutdown()
    server.server_close()


def s3(server: Any, **options: Any) -> S3Storage:
    server.objects.clear()
    return S3Storage(
        "bucket",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        access_key="key",
        secret_key="secret",
        region_name="us-east-1",
        location="media",
        **options,
    )


def read(storage: Any, name: str) -> Any:
    with storage.open(name) as file:
        return file.read()


@pytest.fixture(params=["folder", "memory", "s3"])
def storage(request, tmp_path):
    if request.param == "folder":
        return FileSystemStorage(tmp_path, base_url="/media/")
    if request.param == "memory":
        return InMemoryStorage(base_url="/media/")
    return s3(request.getfixturevalue("bucket"))


def test_files_are_kept(storage):
    """A file that is saved can be read, measured, listed and deleted; deleting it again is no error."""
    name = storage.save("a/b/c.txt", ContentFile("grüße"))
    assert name == "a/b/c.txt"
    assert storage.exists(name)
    assert not storage.exists("a/b/d.txt")
    with storage.open(name) as file:
        assert file.read() == "grüße".encode()
    with storage.open(name, "r") as file:
        assert list(file.file) == ["grüße"]
    assert storage.size(name) == 7
    storage.save("a/top.txt", ContentFile(b"x"))
    assert storage.listdir("a") == (["b"], ["top.txt"])
    assert storage.listdir("")[0] == ["a"]
    age = dt.datetime.now(dt.UTC) - storage.get_modified_time(name)
    assert abs(age) < dt.timedelta(minutes=1)
    storage.delete(name)
    storage.delete(name)
    assert not storage.exists(name)
    with pytest.raises(FileNotFoundError):
        read(storage, name)
    with pytest.raises(FileNotFoundError):
        storage.size(name)


def test_names_are_free(storage):
    """A second file of a name gets seven random letters before its extensions, and fits into max_length."""
    assert storage.save("x.tar.gz", ContentFile(b"1")) == "x.tar.gz"
    second = storage.save("x.tar.gz", ContentFile(b"2"))
    assert second != "x.tar.gz"
    assert second.startswith("x_")
    assert second.endswith(".tar.gz")
    assert len(second) == len("x.tar.gz") + 8
    assert read(storage, "x.tar.gz") == b"1"
    assert storage.save("a_long_name.txt", ContentFile(b"3"), max_length=14).endswith(".txt")
    with pytest.raises(SuspiciousFileOperation, match="can not find an available filename"):
        storage.save("x.longextension", ContentFile(b""), max_length=10)


def test_names_that_lead_elsewhere(storage):
    """No name leads out of the storage."""
    for name in ("../a", "/a", "a/../../b", "..", "", "a/..", "..\\a", "C:\\a"):
        with pytest.raises(SuspiciousFileOperation):
            storage.save(name, ContentFile(b"x"))
    with pytest.raises(SuspiciousFileOperation):
        storage.open("../../etc/passwd")
    with pytest.raises(SuspiciousFileOperation):
        storage.generate_filename("a/../../b")
    assert storage.generate_filename("a/b c(1).txt") == "a/b_c1.txt"


def test_writing(storage):
    """A file that is opened for writing has its content when it is closed."""
    with storage.open("new.txt", "wb") as file:
        file.write(b"one")
    with storage.open("new.txt", "w") as file:
        file.write("zwei ü")
    assert read(storage, "new.txt").decode() == "zwei ü"


def test_urls(storage):
    """A URL has the name quoted."""
    url = storage.url("a/b ü?.txt")
    assert url.partition("?")[0].endswith("media/a/b%20%C3%BC%3F.txt")


def test_large_files_and_streams(storage):
    """Content is read in pieces, from its beginning, whatever can be read; the source stays open."""
    source = io.BytesIO(b"0123456789" * 200_000)
    source.seek(5)
    name = storage.save("large", source)
    assert storage.size(name) == 2_000_000
    assert not source.closed


def test_s3_options(bucket):
    """What is uploaded says of what kind it is; URLs may be plain, or on a domain; names may be taken over."""
    storage = s3(bucket, querystring_auth=False, file_overwrite=True)
    assert storage.save("a.png", ContentFile(b"1")) == storage.save("a.png", ContentFile(b"2")) == "a.png"
    assert bucket.objects["media/a.png"] == (b"2", "image/png")
    assert "?" not in storage.url("a.png")
    assert "Signature=" in s3(bucket).url("a.png")
    assert s3(bucket, custom_domain="cdn.example").url("a b") == "https://cdn.example/media/a%20b"
    with pytest.raises(ValueError, match="opened to be read or written"):
        storage.open("a.png", "ab")
    with pytest.raises(NotImplementedError):
        storage.path("a.png")
    with pytest.raises(ImproperlyConfigured):
        S3Storage("")


def test_boto3_is_missing(monkeypatch):
    """Without boto3 the error has the command that installs it; making the storage needs none."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    storage = S3Storage("bucket")
    with pytest.raises(MissingExtra, match=r'pip install "ormolu\[s3\]"'):
        storage.exists("a")


def test_folders(tmp_path):
    """Permissions are those asked for; a file can be replaced, and a failed one leaves nothing behind."""
    storage = FileSystemStorage(tmp_path, file_permissions_mode=0o600, directory_permissions_mode=0o750)
    path = Path(storage.path(storage.save("a/b/c", ContentFile(b"x"))))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)] == [
        0o750
    ] * 2

    class Broken(ContentFile):
        def chunks(self, chunk_size: int | None = None) -> Any:
            yield b"some"
            raise OSError("the line is dead")

    with pytest.raises(OSError, match="dead"):
        storage.save("broken", Broken(b""))
    assert not storage.exists("broken")
    again = FileSystemStorage(tmp_path, allow_overwrite=True)
    assert again.save("a/b/c", ContentFile(b"")) == "a/b/c"
    assert path.read_bytes() == b""
    assert again.save("a_long_name.txt", ContentFile(b""), max_length=10) == "a_long.txt"
    with pytest.raises(ValueError, match="name must be given"):
        storage.delete("")
    with pytest.raises(FileExistsError, match="not a directory"):
        storage.save("a/b/c/d", ContentFile(b""))


def test_links_out_of_the_folder_are_links(tmp_path):
    """A name is judged by its text: a link that somebody put into the folder is followed."""
    (tmp_path / "in").mkdir()
    os.symlink(tmp_path / "nowhere", tmp_path / "in" / "link")
    storage = FileSystemStorage(tmp_path / "in")
    assert storage.exists("link")  # broken, but the name is taken
    assert storage.save("link", ContentFile(b"x")) != "link"


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_many_threads_get_many_names(kind, tmp_path):
    """Files of one name that are saved at once all are kept."""
    storage = FileSystemStorage(tmp_path) if kind == "folder" else InMemoryStorage()
    names: list[str] = []

    def save(number: int) -> None:
        names.append(storage.save("same.txt", ContentFile(str(number))))

    threads = [threading.Thread(target=save, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 20
    assert sorted(int(read(storage, name)) for name in names) == list(range(20))


def test_settings(tmp_path):
    """MEDIA_ROOT, MEDIA_URL and STORAGES say where files are, and may change."""
    with ormolu.conf.override(MEDIA_ROOT=tmp_path, MEDIA_URL="/m", USE_TZ=False):
        assert default_storage.save("a.txt", ContentFile(b"x")) == "a.txt"
        assert (tmp_path / "a.txt").read_bytes() == b"x"
        assert storages["default"].url("a.txt") == "/m/a.txt"
        assert default_storage.get_modified_time("a.txt").tzinfo is None
    with ormolu.conf.override(
        STORAGES={"default": {"BACKEND": InMemoryStorage}, "odd": {"BACKEND": "no.such"}}
    ):
        assert not default_storage.exists("a.txt")
        assert storages.backends["default"] == {"BACKEND": InMemoryStorage}
        with pytest.raises(InvalidStorageError, match="Did you mean 'default'"):
            storages["defualt"]
        with pytest.raises(InvalidStorageError, match=r"no\.such"):
            storages["odd"]
        with pytest.raises(InvalidStorageError, match="BACKEND"):
            storages.create_storage({})
    with pytest.raises(ValueError, match="not accessible"), ormolu.conf.override(MEDIA_URL=None):
        default_storage.url("a")


def test_storages_of_users():
    """A storage of one's own needs two methods and exists(); what it lacks, it says."""

    class Own(Storage):
        def __init__(self) -> None:
            self.kept: dict[str, bytes] = {}

        def _save(self, name: str, content: Any) -> str:
            self.kept[name] = content.read()
            return name

        def _open(self, name: str, mode: str = "rb") -> Any:
            return ContentFile(self.kept[name], name=name)

        def exists(self, name: str) -> bool:
            return name in self.kept

    storage = Own()
    assert storage.save(None, ContentFile(b"x", name="a")) == "a"
    assert read(storage, storage.save("a", io.BytesIO(b"y"))) == b"y"
    for method in ("delete", "size", "url", "listdir", "path", "get_created_time"):
        with pytest.raises(NotImplementedError, match="Own"):
            getattr(storage, method)("a")
