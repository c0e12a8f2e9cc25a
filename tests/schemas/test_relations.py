"""Schemas over relations of every kind: parents' rows, plain relationships, generic keys, keys to other columns."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import pytest
from sqlalchemy import ForeignKey as SqlForeignKey
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

import ormolu
from ormolu import CASCADE, CharField, ForeignKey, IntegerField, JSONField, Model, SlugField
from ormolu.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from ormolu.contrib.contenttypes.models import ContentType
from ormolu.schemas import schema_for
from schemas.kinds import KindPart


class RelPlace(Model):
    name = CharField(max_length=10)

    class Meta:
        app_label = "rels"


class RelCafe(RelPlace):
    stars = IntegerField(default=1)

    class Meta:
        app_label = "rels"


class RelCafeProxy(RelCafe):
    class Meta:
        app_label = "rels"
        proxy = True


class RelGuest(Model):
    code = CharField(max_length=5, primary_key=True)
    cafe = ForeignKey(RelCafe, on_delete=CASCADE, related_name="guests")
    table_number = IntegerField(db_default=7)

    class Meta:
        app_label = "rels"


class RelWriter(Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    texts: Mapped[list[RelText]] = relationship(back_populates="writer")

    class Meta:
        app_label = "rels"


class RelText(Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    writer_id: Mapped[int] = mapped_column(SqlForeignKey("rels_relwriter.id"))
    writer: Mapped[RelWriter] = relationship(back_populates="texts")

    class Meta:
        app_label = "rels"


class RelNote(Model):
    text = CharField(max_length=20)
    content_type = ForeignKey(ContentType, on_delete=CASCADE)
    object_id = IntegerField()
    item = GenericForeignKey("content_type", "object_id")

    class Meta:
        app_label = "rels"


class RelThing(Model):
    name = CharField(max_length=20)
    notes = GenericRelation(RelNote)

    class Meta:
        app_label = "rels"


class RelTopic(Model):
    slug = SlugField(unique=True)
    name = CharField(max_length=9)

    class Meta:
        app_label = "rels"


class RelPost(Model):
    topic = ForeignKey(RelTopic, to_field="slug", on_delete=CASCADE, related_name="posts")

    class Meta:
        app_label = "rels"


class RelOdd(Model):
    json = JSONField(default=dict)
    copy = CharField(max_length=3)

    class Meta:
        app_label = "rels"


MODELS: list[type[Any]] = [
    ContentType, RelPlace, RelCafe, RelGuest, RelWriter, RelText, RelNote, RelThing, RelTopic, RelPost, KindPart,
]  # fmt: skip

CafeOut = schema_for(RelCafe, name="CafeOut")
ThingOut = schema_for(RelThing, name="ThingOut")


@pytest.fixture(autouse=True)
def no_content_types() -> None:
    """Forget the content types of another test's database."""
    ContentType.objects.clear_cache()


async def test_rows_in_several_tables(db: Any, world: Any) -> None:
    """A child model's schema has its parent's columns and no link; proxies and parents read children."""
    cafe = await world(RelCafe.objects.create, name="C", stars=3)
    assert list(CafeOut.model_fields) == ["id", "name", "stars"]
    expected = {"id": cafe.pk, "name": "C", "stars": 3}
    assert (await world(RelCafe.objects.as_schema(CafeOut).get)).model_dump() == expected
    assert (await world(RelCafeProxy.objects.as_schema(CafeOut).get)).model_dump() == expected
    assert CafeOut.model_validate(await world(RelCafe.objects.get)).model_dump() == expected
    assert schema_for(RelPlace).model_validate(cafe).model_dump() == {"id": cafe.pk, "name": "C"}


async def test_there_and_back(db: Any, world: Any) -> None:
    """A list below a single relation takes one more query, whatever the model's key."""
    cafe = await world(RelCafe.objects.create, name="C")
    guest = schema_for(RelGuest, fields=("code", "table_number"), name="GuestIn")
    for code in ("a", "b"):
        await world(guest(code=code).create, cafe.guests)
    schema = schema_for(
        RelGuest, fields=("code", "cafe"), nested={"cafe": schema_for(RelCafe, nested={"guests": guest})}
    )
    with ormolu.capture_queries() as seen:
        found = await world.list(RelGuest.objects.order_by("code").as_schema(schema))
    assert sorted(one.code for one in found[0].cafe.guests) == ["a", "b"]
    assert found[0].cafe.guests[0].table_number == 7
    assert len(seen) == 2


async def test_plain_relationships(db: Any, world: Any) -> None:
    """A `relationship()` is a relation as any other: joined where it leads to one object, prefetched else."""
    writer = await world(RelWriter.objects.create, name="W")
    await world(RelText.objects.create, title="T", writer_id=writer.pk)
    text = schema_for(RelText, fields=("title",))
    up = schema_for(RelText, fields=("title", "writer"), nested={"writer": schema_for(RelWriter)})
    down = schema_for(RelWriter, fields=("name", "texts"), nested={"texts": text})
    with ormolu.capture_queries() as seen:
        assert (await world(RelText.objects.as_schema(up).get)).writer.name == "W"
    assert len(seen) == 1
    assert (await world(RelWriter.objects.as_schema(down).get)).model_dump() == {
        "name": "W",
        "texts": [{"title": "T"}],
    }
    loaded = await world(RelWriter.objects.prefetch_related("texts").get)
    assert [one.title for one in loaded.texts] == ["T"]


def test_objects_that_a_session_loaded(db: Any) -> None:
    """What SQLAlchemy loaded is read as it stands, expired columns by the session's one query."""
    with Session(ormolu.connections["default"].engine) as session:
        session.add(RelWriter(name="W", texts=[RelText(title="T")]))
        session.commit()
        schema = schema_for(RelWriter, nested={"texts": schema_for(RelText, fields=("title",))})
        writer = session.scalars(select(RelWriter).options(selectinload(RelWriter.texts))).one()
        assert [one.title for one in schema.model_validate(writer).texts] == ["T"]
        session.expire_all()
        assert schema_for(RelWriter).model_validate(writer).name == "W"


async def test_generic_keys(db: Any, world: Any) -> None:
    """A generic key shows objects by a union of schemas, one for each model; a generic relation is a list."""
    thing = await world(RelThing.objects.create, name="t")
    cafe = await world(RelCafe.objects.create, name="C")
    for item in (thing, cafe):
        await world(RelNote.objects.create, text="n", item=item)
    schema = schema_for(RelNote, fields=("item",), nested={"item": ThingOut | CafeOut})
    found = await world.list(RelNote.objects.order_by("pk").as_schema(schema))
    assert [type(one.item) for one in found] == [ThingOut, CafeOut]
    back = schema_for(RelThing, nested={"notes": schema_for(RelNote, fields=("text",))})
    assert [one.text for one in (await world(RelThing.objects.as_schema(back).get)).notes] == ["n"]


async def test_a_key_to_another_column(db: Any, world: Any) -> None:
    """A key that refers to another column than the primary key has its type, and its list finds its holders."""
    topic = await world(RelTopic.objects.create, slug="s", name="n")
    await world(RelPost.objects.create, topic=topic)
    assert schema_for(RelPost).model_fields["topic_id"].annotation is str
    schema = schema_for(RelTopic, fields=("name",), nested={"posts": schema_for(RelPost, fields=("id",))})
    assert len((await world(RelTopic.objects.as_schema(schema).get)).posts) == 1


async def test_keys_of_several_columns(db: Any, world: Any) -> None:
    """The parts of a composite key are fields; an object is found by them, and they aren't changed."""
    await world(schema_for(KindPart)(tenant="a", number=1, note="x").create)
    found = await world(KindPart.objects.as_schema(schema_for(KindPart)).get, pk=("a", 1))
    assert found.model_dump() == {"tenant": "a", "number": 1, "note": "x"}
    part = await world(KindPart.objects.get, pk=("a", 1))
    await world(schema_for(KindPart, optional="__all__")(tenant="b", note="y").update, part)
    assert [one.pk for one in await world.list(KindPart.objects.filter(note="y"))] == [("a", 1)]


def test_columns_may_be_called_as_pydantics_old_methods() -> None:
    """A column called `json` or `copy` is a field, with no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = schema_for(RelOdd)
    assert schema(json={"a": 1}, copy="x").model_dump() == {"id": None, "json": {"a": 1}, "copy": "x"}


def test_without_pydantic_the_error_names_the_extra() -> None:
    """Where Pydantic isn't installed, the error says how to install it."""
    script = (
        "import sys; sys.modules['pydantic'] = None\n"
        "import ormolu\n"
        "try:\n    ormolu.schemas.Schema\n"
        "except ormolu.MissingExtra as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert 'pip install "ormolu[pydantic]"' in done.stdout, done.stderr


def test_a_plain_relationship_may_be_set_first_of_all() -> None:
    """A `relationship()` can be assigned to before anybody has asked for the mappers to be configured."""
    with ormolu.models.isolated():

        class FirstOwner(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            items: Mapped[list[Any]] = relationship("FirstItem")

            class Meta:
                app_label = "first"

        class FirstItem(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            owner_id: Mapped[int] = mapped_column(SqlForeignKey("first_firstowner.id"))

            class Meta:
                app_label = "first"

        owner = FirstOwner(items=[FirstItem(), FirstItem()])
        assert len(owner.items) == 2
