"""ImageField: the size of an image, and the fields that have it."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from ormolu import CharField, ImageField, IntegerField, Model
from ormolu.exceptions import MissingExtra, ValidationError
from ormolu.files import ContentFile, File, ImageFile, InMemoryStorage

kept = InMemoryStorage()


class Photograph(Model):
    width = IntegerField(null=True)
    image = ImageField(storage=kept, null=True, width_field="width", height_field="height")
    height = IntegerField(null=True)
    title = CharField(max_length=20, default="")


class Plain(Model):
    image = ImageField(storage=kept)


def png(width: int = 4, height: int = 8, name: str = "a.png") -> ContentFile:
    image = pytest.importorskip("PIL.Image")
    stream = io.BytesIO()
    image.new("RGB", (width, height)).save(stream, "PNG")
    return ContentFile(stream.getvalue(), name=name)


@pytest.fixture(autouse=True)
def _empty_storage():
    yield
    kept._files.clear()


def size(picture: Any) -> tuple[Any, Any]:
    return picture.width, picture.height


async def test_size(db, world):
    """The fields follow the image, whenever it is set: in the constructor, by assignment, by save() and delete()."""
    picture = Photograph(image=png())
    assert size(picture) == size(picture.image) == (4, 8)
    await world(picture.save)
    loaded = await world(Photograph.objects.get)
    assert size(loaded) == (4, 8)
    loaded.image = png(3, 2)
    assert size(loaded) == (3, 2)
    await world(loaded.save)
    assert size(await world(Photograph.objects.get)) == (3, 2)
    await world(loaded.image.save, "b.png", png(9, 9))
    assert size(loaded) == size(loaded.image) == (9, 9)
    await world(loaded.image.delete)
    assert size(await world(Photograph.objects.get)) == (None, None)
    picture.image = None
    assert size(picture) == (None, None)


async def test_loading_opens_no_file(db, world):
    """A row whose file is gone can be loaded and saved; only its size can't be told any more."""
    await world(Photograph.objects.create, image=png())
    kept._files.clear()
    picture = await world(Photograph.objects.get)
    picture.title = "gone"
    await world(picture.save)
    assert size(picture) == (4, 8)
    with pytest.raises(FileNotFoundError):
        _ = picture.image.width
    await world(Photograph.objects.update, width=None)
    assert (await world(Photograph.objects.get)).width is None


async def test_only_images_are_valid(db, world):
    """full_clean() looks into the content: text is no image, nor is an image under another extension."""
    Plain(image=png()).clean_fields()
    for file in (ContentFile(b"text", name="a.png"), png(name="a.exe")):
        with pytest.raises(ValidationError) as caught:
            Plain(image=file).clean_fields()
        assert list(caught.value.message_dict) == ["image"]


def test_image_file():
    """An ImageFile has its size, of any file of an image, and stays where it was read."""
    content = png(5, 6)
    file = File(content.file, name="x.png")
    file.seek(2)
    assert size(ImageFile(file)) == (5, 6)
    assert size(ImageFile(io.BytesIO(b"no image"))) == (None, None)


def test_pillow_is_missing(monkeypatch):
    """Without Pillow the error has the command that installs it."""
    monkeypatch.setitem(sys.modules, "PIL.ImageFile", None)
    with pytest.raises(MissingExtra, match=r'pip install "ormolu\[images\]"'):
        _ = ImageFile(io.BytesIO(b"x")).width
