"""Fields that hold paths of files."""

from __future__ import annotations

from ormolu import FileField, ImageField, Model


class Upload(Model):
    file = FileField()
    picture = ImageField(null=True)


async def test_no_file(db, world):
    """No file is stored as an empty path, as in Django; as NULL where the column may hold that."""
    await world(Upload.objects.create, file=None, picture=None)
    await world(Upload.objects.bulk_create, [Upload(file=None)])
    upload = await world(Upload.objects.create, file="a.txt")
    upload.file = None
    await world(upload.save)
    assert await world.list(Upload.objects.values_list("file", "picture")) == [("", None)] * 3
    assert await world(Upload.objects.filter(file="").count) == 3
