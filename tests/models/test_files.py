"""Fields that refer to files: what may be assigned, when content is stored, what is written to the row."""

from __future__ import annotations

import asyncio
import copy
import io
import pickle
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import ormolu
from ormolu import CharField, F, FileField, Model, capture_queries
from ormolu.exceptions import (
    DataError,
    FieldError,
    IntegrityError,
    NotLoaded,
    SuspiciousFileOperation,
    ValidationError,
)
from ormolu.fields import FieldFile
from ormolu.files import ContentFile, File, InMemoryStorage, storages

kept = InMemoryStorage(base_url="/kept/")


class Slow(InMemoryStorage):
    """A storage that waits for somebody before it keeps anything."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.waits = False

    def _save(self, name: str, content: Any) -> str:
        if self.waits and not self.goes_on.wait(5):
            raise TimeoutError("The event loop stood still.")
        return super()._save(name, content)


slow = Slow()


def by_title(instance: Any, filename: str) -> Path:
    return Path("titles") / instance.title / filename


class Upload(Model):
    title = CharField(max_length=20, default="none")
    file = FileField(storage=kept, upload_to="files")
    perhaps = FileField(storage=kept, upload_to=by_title, null=True, blank=True)


class Short(Model):
    file = FileField(storage=kept, max_length=20, unique=True)


class Slowly(Model):
    file = FileField(storage=slow)


class Special(Upload):
    extra = FileField(storage=kept)


def new(text: str = "content", name: str = "a.txt") -> ContentFile:
    return ContentFile(text, name=name)


@pytest.fixture(autouse=True)
def _empty_storage():
    yield
    kept._files.clear()
    slow._files.clear()


async def test_no_file(db, world):
    """No file is stored as an empty name, as in Django; as NULL where the column may hold that."""
    await world(Upload.objects.create, file=None, perhaps=None)
    await world(Upload.objects.bulk_create, [Upload(file=None)])
    upload = await world(Upload.objects.create, file="a.txt")
    upload.file = None
    await world(upload.save)
    assert await world.list(Upload.objects.values_list("file", "perhaps")) == [("", None)] * 3
    assert await world(Upload.objects.filter(file="").count) == 3
    loaded = await world(Upload.objects.first)
    assert (loaded.file.name, loaded.perhaps.name) == ("", None)
    assert not loaded.file
    assert not loaded.perhaps
    assert isinstance(loaded.perhaps, FieldFile)
    with pytest.raises(ValueError, match="'file' attribute has no file"):
        _ = loaded.file.url


async def test_content_is_stored_when_the_object_is(db, world):
    """An assigned file stays where it is until save(); then the column has the name that the storage gave it."""
    upload = Upload(file=new())
    assert (upload.file.name, upload.file.size, upload.file.read()) == ("a.txt", 7, "content")
    assert kept.listdir("") == ([], [])
    await world(upload.save)
    assert upload.file == "files/a.txt"
    assert upload.file.read() == b"content"
    assert upload.file.url == "/kept/files/a.txt"
    again = await world(Upload.objects.create, file=new("more"))
    assert again.file.name != upload.file.name
    assert await world.list(Upload.objects.order_by("pk").values_list("file", flat=True)) == [
        upload.file,
        again.file,
    ]
    with capture_queries() as queries:
        await world(upload.save)
    assert not any("UPDATE" in query.sql for query in queries)


async def test_bulk_create_stores_content(db, world):
    """bulk_create() stores content, too."""
    uploads = [Upload(file=new(name=f"{n}.txt"), perhaps=None if n else new()) for n in range(3)]
    await world(Upload.objects.bulk_create, uploads)
    assert await world.list(Upload.objects.order_by("pk").values_list("file", flat=True)) == [
        "files/0.txt",
        "files/1.txt",
        "files/2.txt",
    ]
    assert [bool(upload.perhaps) for upload in uploads] == [True, False, False]


async def test_update_fields_store_no_other_content(db, world):
    """save(update_fields=...) stores the files of those fields alone."""
    upload = await world(Upload.objects.create, title="x")
    upload.file, upload.perhaps = new(name="one"), new(name="two")
    await world(upload.save, update_fields=["file"])
    assert kept.listdir("files")[1] == ["one"]
    assert not kept.exists("titles")
    await world(upload.save)
    assert upload.perhaps == "titles/x/two"


async def test_save_and_delete_of_the_file(db, world):
    """file.save() stores content and saves the object; file.delete() deletes both, and leaves no file."""
    upload = Upload()
    await world(upload.file.save, "b c.txt", "text")
    assert (await world(Upload.objects.get)).file == "files/b_c.txt"
    first = upload.file
    await world(upload.file.save, "b.txt", io.BytesIO(b"bytes"), save=False)
    assert upload.file.read() == b"bytes"
    assert first is upload.file
    assert (await world(Upload.objects.get)).file == "files/b_c.txt"
    await world(upload.save)
    await world(upload.file.delete)
    assert upload.file.name is None
    assert (await world(Upload.objects.get)).file.name == ""
    assert kept.listdir("files")[1] == ["b_c.txt"]  # what was there before stays
    await world(upload.file.delete)  # nothing to delete


async def test_a_new_name_is_a_change(db, world):
    """Setting the name of a file changes the object, as assigning one does; D9 writes it."""
    await world(Upload.objects.create, file="old.txt")
    upload = await world(Upload.objects.get)
    upload.file.name = "new.txt"
    await world(upload.save)
    assert (await world(Upload.objects.get)).file == "new.txt"
    upload.title = "other"
    with capture_queries() as queries:
        await world(upload.save)
    assert ["file" in query.sql for query in queries if "UPDATE" in query.sql] == [False]


async def test_files_of_other_objects(db, world):
    """A file of another object, or of another field, is the same file; its own object keeps it."""
    one = await world(Upload.objects.create, file=new(), title="one")
    two = Upload(file=one.file, perhaps=one.file)
    assert two.file == two.perhaps == one.file
    assert (two.file.instance, two.perhaps.field.name, one.file.instance) == (two, "perhaps", one)
    await world(two.save)
    two.file.name = "elsewhere"
    assert one.file == "files/a.txt"
    twin = copy.copy(one)
    assert twin.file.instance is twin
    assert one.file.instance is one


async def test_loaded_later(db, world):
    """A deferred file is loaded as a column is; refresh_from_db() gives a file of the object itself."""
    await world(Upload.objects.create, file="a.txt")
    upload = await world(Upload.objects.defer("file").get)
    if world.is_async:
        with pytest.raises(NotLoaded):
            _ = upload.file
    assert await world.attribute(upload, "file") == "a.txt"
    await world(Upload.objects.update, file="b.txt")
    await world(upload.refresh_from_db)
    assert upload.file == "b.txt"
    assert upload.file.instance is upload


async def test_expressions_and_lookups(db, world):
    """Files are compared by name; an expression may be assigned, and content can't be where none is stored."""
    upload = await world(Upload.objects.create, file=new(), title="files/x")
    assert await world(Upload.objects.filter(file=upload.file).count) == 1
    assert await world(Upload.objects.filter(file__startswith="files/").count) == 1
    upload.file = F("title")
    await world(upload.save)
    assert upload.file == "files/x"
    with pytest.raises(ValueError, match="done by save"):
        await world(Upload.objects.update, file=new())
    with pytest.raises(ValueError, match="done by save"):
        await world(Upload.objects.filter(file=new()).count)


async def test_names_that_lead_elsewhere(db, world):
    """A name that leads out of the storage is refused; what a client calls its upload is cut to its last part."""
    for name in ("../a.txt", "/etc/passwd", "a/../../b"):
        with pytest.raises(SuspiciousFileOperation):
            await world(Upload(file=File(io.BytesIO(b"x"), name=name)).save)
    with pytest.raises(SuspiciousFileOperation):
        await world(Upload(title="..", perhaps=new()).save)
    assert kept.listdir("") == ([], [])

    class Sent:
        filename, file = "..\\..\\evil.txt", io.BytesIO(b"x")

        async def read(self) -> bytes:
            return b""

    upload = await world(Upload.objects.create, file=Sent())
    assert upload.file == "files/evil.txt"
    with pytest.raises(FieldError, match="must have the name") as caught:
        await world(Upload(file=ContentFile(b"x")).save)
    assert caught.value.__notes__ == ["Pass a 'name' argument to ContentFile."]


async def test_length(db, world):
    """The storage is asked for a name that fits; one that is given and does not fit is an error."""
    first = await world(Short.objects.create, file=new(name="filename.ext"))
    second = await world(Short.objects.create, file=new(name="filename.ext"))
    assert first.file == "filename.ext"
    assert len(second.file.name) <= 20
    with pytest.raises(DataError, match="max_length=20"):
        await world(Short.objects.create, file="x" * 21)
    with pytest.raises(IntegrityError):
        await world(Short.objects.create, file="filename.ext")


async def test_inheritance(db, world):
    """A parent's file and the child's are stored by one save()."""
    special = await world(Special.objects.create, file=new(name="up"), extra=new(name="down"))
    assert sorted(name for name in kept._files) == ["down", "files/up"]
    loaded = await world(Special.objects.get)
    assert (loaded.file, loaded.extra) == (special.file, special.extra)


async def test_kinds_of_content(db, world, tmp_path):
    """Paths, open files, Django's files and Starlette's uploads may be assigned."""
    from django.core.files.base import ContentFile as DjangosContent
    from django.core.files.uploadedfile import SimpleUploadedFile

    path = tmp_path / "local.txt"
    path.write_text("local")
    given: list[Any] = [
        path,
        path.open("rb"),
        DjangosContent(b"local", name="local.txt"),
        SimpleUploadedFile("local.txt", b"local"),
    ]
    datastructures = pytest.importorskip("starlette.datastructures")
    given.append(datastructures.UploadFile(io.BytesIO(b"local"), filename="local.txt"))
    for content in given:
        upload = await world(Upload.objects.create, file=content)
        assert upload.file.name.startswith("files/local")
        assert upload.file.read() == b"local"
    given[1].close()
    assert path.exists()


async def test_djangos_storages(db, world, tmp_path):
    """A storage of Django's serves: it is asked for what its own fields ask it for."""
    from django.conf import settings
    from django.core.files.storage import FileSystemStorage

    if not settings.configured:
        settings.configure()

    class Djangos(Model):
        file = FileField(storage=FileSystemStorage(location=tmp_path, base_url="/d/"), upload_to="in")

        class Meta:
            app_label = "djangos"

    assert Djangos._meta.get_field("file").generate_filename(None, "a b") == "in/a_b"
    file = Djangos(file=new()).file
    file.save("x.txt", "text", save=False)
    assert (tmp_path / "in" / "x.txt").read_text() == "text"
    assert (file.path, file.url, file.read()) == (str(tmp_path / "in" / "x.txt"), "/d/in/x.txt", b"text")
    file.close()


@pytest.mark.worlds("async")
async def test_the_event_loop_goes_on(db, world):
    """Storing a file in asave(), acreate(), abulk_create() and file.asave() happens in a thread."""

    async def meanwhile() -> None:
        await asyncio.sleep(0.01)
        slow.goes_on.set()

    slow.waits = True
    try:
        for save in (
            Slowly(file=new()).asave,
            lambda: Slowly.objects.acreate(file=new()),
            lambda: Slowly.objects.abulk_create([Slowly(file=new()), Slowly(file=new())]),
            lambda: Slowly().file.asave("x", new()),
        ):
            slow.goes_on.clear()
            await asyncio.gather(save(), meanwhile())
    finally:
        slow.waits = False
    assert await Slowly.objects.acount() == 5


@pytest.mark.worlds("async")
@pytest.mark.backends("sqlite", "postgresql")
async def test_a_synchronous_save_in_a_loop(db, world):
    """save() in an event loop blocks it, but works."""
    with ormolu.conf.override(SYNC_IN_ASYNC="off"):
        upload = Upload(file=new())
        upload.save()
        assert upload.file == "files/a.txt"


@pytest.mark.worlds("async")
async def test_reading_asynchronously(db, world):
    """The methods of a file that ask the storage have asynchronous forms."""
    upload = await Upload.objects.acreate(file=new("x" * 100_000))
    assert await upload.file.asize() == 100_000
    assert await upload.file.aurl() == upload.file.url
    async with await upload.file.aopen() as file:
        assert await file.aread(3) == b"xxx"
        assert [len(piece) async for piece in file.achunks(60_000)] == [60_000, 40_000]
    assert upload.file.closed


async def test_sessions(db, world):
    """A Session stores content when it flushes, and notes another name as a change."""
    if world.is_async or db.name == "asyncpg":
        pytest.skip("SQLAlchemy's own session, synchronous")
    engine = ormolu.databases.get().engine
    with sa.orm.Session(engine) as session:
        upload = Upload(file=new(), title="s")
        session.add(upload)
        session.commit()
        assert upload.file == "files/a.txt"
        upload.file.name = "other.txt"
        session.commit()
        assert session.scalars(sa.select(Upload.file)).all() == ["other.txt"]
        upload.file = None
        session.commit()
        assert session.execute(sa.select(Upload.file, Upload.perhaps)).all() == [("", None)]
        session.execute(sa.insert(Upload).values(title="x", file=Upload(file="named").file))
        assert session.scalar(sa.select(Upload.file).where(Upload.title == "x")) == "named"


async def test_pickles(db, world):
    """An object with a file, and the file, can be pickled; content that isn't stored is left behind."""
    upload = await world(Upload.objects.create, file=new())
    assert upload.file.read() == b"content"
    other = pickle.loads(pickle.dumps(upload))
    assert (other.file, other.file.instance, other.file.url) == (upload.file, upload, upload.file.url)
    file = pickle.loads(pickle.dumps(upload.file))
    assert (file, file.field, file.instance, file.storage) == (upload.file, upload.file.field, upload, kept)


async def test_validation(db, world):
    """full_clean() takes a file, and misses one that is required."""
    Upload(file=new()).clean_fields()
    with pytest.raises(ValidationError) as caught:
        Upload().clean_fields()
    assert caught.value.message_dict == {"file": ["This field cannot be blank."]}


def test_form_data():
    """save_form_data(): None leaves the file, False clears it."""
    upload, field = Upload(file="a"), Upload._meta.get_field("file")
    for data, name in ((None, "a"), ("b", "b"), (False, "")):
        field.save_form_data(upload, data)
        assert upload.file == name
        assert field.value_to_string(upload) == name
    upload.file = new()
    assert field.value_to_string(upload) == "a.txt"


def test_upload_to_has_the_date():
    """Codes of strftime() in upload_to stand for the time of the upload."""
    field = FileField(storage=kept, upload_to="a/%Y/%m")
    assert field.generate_filename(None, "x y.txt") == time.strftime("a/%Y/%m/x_y.txt")
    assert FileField(upload_to="a").deconstruct()[3] == {"upload_to": "a"}


def test_storages_of_fields():
    """A storage is given as an object, as what makes one, or as an alias that the settings explain later."""
    assert FileField(storage=InMemoryStorage).storage.listdir("") == ([], [])
    field = FileField(storage="attic")
    with ormolu.conf.override(
        STORAGES={"attic": {"BACKEND": "ormolu.files.InMemoryStorage", "OPTIONS": {"base_url": "/attic/"}}}
    ):
        assert field.storage.url("a") == "/attic/a"
        assert field.storage.save("a", new()) == "a"
        assert storages["attic"].exists("a")
        assert field.deconstruct()[3] == {"storage": "attic"}
    with pytest.raises(TypeError, match="must be a storage"):
        FileField(storage=object)
    with pytest.raises(TypeError, match="primary key"):
        FileField(primary_key=True)
