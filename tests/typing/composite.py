"""What a checker sees of keys of several columns, and of relations to them."""

from typing import Any, assert_type

from models import Author
from ormolu import CASCADE, CompositePrimaryKey, ForeignKey, ForeignObject, IntegerField, Model


class Draft(Model):
    pk = CompositePrimaryKey("author_id", "number")
    author = ForeignKey(Author, on_delete=CASCADE)
    number = IntegerField()


class Remark(Model):
    author_number = IntegerField()
    draft_number = IntegerField(null=True)
    draft = ForeignObject(
        Draft,
        on_delete=CASCADE,
        from_fields=("author_number", "draft_number"),
        to_fields=("author_id", "number"),
        null=True,
    )
    first = ForeignObject(Draft, CASCADE, ["author_number"], ["number"], related_name="+")


def keys(draft: Draft, remark: Remark) -> None:
    key: tuple[Any, ...] = draft.pk
    draft.pk = key
    draft.pk = (1, 2)
    assert_type(Draft.objects.get(pk=(1, 2)), Draft)
    assert_type(remark.draft, Draft | None)
    assert_type(remark.first, Draft)
    remark.draft = None
    remark.draft = draft
