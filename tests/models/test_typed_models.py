"""TypedModel: the annotated spelling, which does all that a Model does."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any, ClassVar

import pytest
from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ormolu import (
    CASCADE,
    SET_NULL,
    BigAutoField,
    CharField,
    Count,
    DateTimeField,
    F,
    FieldError,
    ForeignKey,
    IntegerField,
    JSONField,
    Manager,
    ManyToManyField,
    Model,
    OneToOneField,
    QuerySet,
    TypedModel,
    databases,
    key_of,
)
from ormolu.models import ReverseManager, isolated


class Potter(TypedModel):
    id: Mapped[int] = BigAutoField(primary_key=True)
    name: Mapped[str] = CharField(max_length=30)
    age: Mapped[int | None] = IntegerField(null=True, default=None)
    joined: Mapped[dt.datetime] = DateTimeField(auto_now_add=True, init=False)
    marks: Mapped[dict[str, int]] = JSONField(default=dict)
    motto: Mapped[str | None] = mapped_column(String(100), default=None)
    bowls: ClassVar[ReverseManager[Bowl]]

    class Meta:
        ordering = ["name"]


class Glaze(TypedModel):
    name: Mapped[str] = CharField(max_length=30)


class BowlQuerySet(QuerySet["Bowl"]):
    def big(self) -> BowlQuerySet:
        """Return those of much water."""
        return self.filter(litres__gte=5)


class BowlManager(Manager["Bowl"]):
    def get_queryset(self) -> BowlQuerySet:
        """Return a queryset that knows what is big."""
        return BowlQuerySet(self.model, using=self._db)

    def big(self) -> BowlQuerySet:
        """Return those of much water."""
        return self.get_queryset().big()


class Bowl(TypedModel):
    title: Mapped[str] = CharField(max_length=30)
    litres: Mapped[int] = IntegerField(default=1)
    potter: Mapped[Potter] = ForeignKey(Potter, on_delete=CASCADE, related_name="bowls")
    potter_id: Mapped[int] = key_of(potter)
    buyer: Mapped[Potter | None] = ForeignKey(
        Potter, on_delete=SET_NULL, null=True, init=False, related_name="+"
    )
    buyer_id: Mapped[int | None]
    glazes: ClassVar[ManyToManyField[Glaze]] = ManyToManyField(Glaze)
    objects: ClassVar[BowlManager] = BowlManager()


class Fired(TypedModel):
    degrees: Mapped[int] = IntegerField()
    kiln: Mapped[Potter] = ForeignKey(Potter, on_delete=CASCADE, related_name="+")
    kiln_id: Mapped[int] = key_of(kiln)

    class Meta:
        abstract = True


class Tile(Fired):
    colour: Mapped[str] = CharField(max_length=10)


class GreatTile(Tile):
    size: Mapped[int] = IntegerField()


class Lid(TypedModel):
    bowl: Mapped[Bowl] = OneToOneField(Bowl, on_delete=CASCADE, primary_key=True)


async def test_rows_come_and_go(db: Any, world: Any) -> None:
    """Objects are created, read, changed and deleted, with defaults and keys filled in."""
    ann = await world(Potter.objects.create, name="Ann", age=3)
    assert (ann.id, ann.marks, ann.motto) == (ann.pk, {}, None)
    assert ann.joined is not None
    ann.age = F("age") + 1
    await world(ann.save)
    found = await world(Potter.objects.get, name="Ann")
    assert found.age == 4
    assert await world(Potter.objects.filter(age__lt=4).count) == 0
    assert await world(Potter.objects.get_or_create, name="Ann", defaults={"age": 5}) == (found, False)
    await world(found.delete)
    assert not await world(Potter.objects.exists)


async def test_relations_are_followed(db: Any, world: Any) -> None:
    """Keys and objects are given by either name; both sides of relations, joins and prefetching work."""
    ann = await world(Potter.objects.create, name="Ann")
    bowl = await world(Bowl.objects.create, title="B", potter=ann, buyer_id=ann.pk)
    assert (bowl.potter_id, bowl.buyer_id) == (ann.pk, ann.pk)
    await world(Bowl.objects.create, title="C", potter_id=ann.pk, litres=7)
    await world(bowl.glazes.add, await world(Glaze.objects.create, name="blue"))
    (again,) = await world.list(Bowl.objects.select_related("potter").filter(glazes__name="blue"))
    assert again.potter == ann
    (potter,) = await world.list(Potter.objects.prefetch_related("bowls__glazes"))
    assert {b.title: [g.name for g in b.glazes.all()] for b in potter.bowls.all()} == {"B": ["blue"], "C": []}
    assert [b.title for b in await world.list(Bowl.objects.big())] == ["C"]
    assert await world.list(Potter.objects.annotate(n=Count("bowls")).values_list("name", "n")) == [
        ("Ann", 2)
    ]
    lid = await world(Lid.objects.create, bowl=bowl)
    assert (await world(Lid.objects.get, bowl__title="B")).pk == lid.pk == bowl.pk


async def test_models_derive_from_abstract_and_concrete_ones(db: Any, world: Any) -> None:
    """Fields of abstract bases, keys named with key_of() among them, and parents in tables of their own."""
    ann = await world(Potter.objects.create, name="Ann")
    tile = await world(Tile.objects.create, degrees=900, kiln=ann, colour="red")
    assert (tile.kiln_id, Tile._meta.get_field("kiln").attname) == (ann.pk, "kiln_id")
    great = await world(GreatTile.objects.create, degrees=900, kiln_id=ann.pk, colour="red", size=3)
    assert (await world(GreatTile.objects.get, colour="red")).size == 3
    assert await world(Tile.objects.count) == 2
    assert great.tile_ptr_id == great.pk


async def test_rows_go_in_bulk(db: Any, world: Any) -> None:
    """Bulk writes and copies of objects work as those of any model."""
    made = await world(Potter.objects.bulk_create, [Potter(name="Ann"), Potter(name="Bob", age=2)])
    assert [p.name for p in pickle.loads(pickle.dumps(made))] == ["Ann", "Bob"]
    assert await world(Potter.objects.filter(name="Bob").update, age=3) == 1
    assert (await world(Potter.objects.in_bulk, [made[1].pk]))[made[1].pk].age == 3
    assert await world(Potter.objects.only("name").get, name="Bob") == made[1]


def test_sessions_know_them(db: Any) -> None:
    """A TypedModel is SQLAlchemy's mapped class: a session loads and writes it."""
    with Session(databases.get().engine) as session:
        session.add(Potter(name="Ann"))
        session.commit()
        assert session.scalars(select(Potter).where(Potter.name == "Ann")).one().age is None
        assert Potter.objects(session).get(name="Ann").name == "Ann"


def test_the_constructor_takes_keywords_only() -> None:
    """A positional argument and an unknown name are errors that say so; rows are loaded all the same."""
    with pytest.raises(TypeError, match=r"Glaze\(\) takes its fields by name, not 'blue' by position"):
        Glaze("blue")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Did you mean 'name'"):
        Glaze(nam="blue")  # type: ignore[call-arg]
    assert Glaze.from_db("default", ["id", "name"], [1, "blue"]).name == "blue"
    assert Glaze.from_db("default", ["name"], ["blue"]).get_deferred_fields() == {"id"}


def test_a_typed_model_is_a_model() -> None:
    """TypedModel is a Model, and itself none of the tables."""
    assert issubclass(Potter, Model)
    assert not hasattr(TypedModel, "_meta")
    assert not hasattr(TypedModel, "__table__")


def test_keys_have_the_names_of_their_relations() -> None:
    """key_of() under any other name is an error, and so is one of no relation."""
    with isolated():
        with pytest.raises(
            FieldError, match="Pot.maker can't be the key of 'potter': that is called 'potter_id'"
        ):

            class Pot(TypedModel):
                potter: Mapped[Potter] = ForeignKey(Potter, on_delete=CASCADE)
                maker: Mapped[int] = key_of(potter)

        with pytest.raises(
            TypeError, match="key_of\\(\\) takes a ForeignKey or OneToOneField of the class body"
        ):
            key_of(3)


def test_init_is_an_option_of_checkers_only() -> None:
    """`init` changes nothing at run time, and isn't part of what makes the field again."""
    field = CharField(max_length=3, init=False)
    assert field.deconstruct() == CharField(max_length=3).deconstruct()
    with pytest.raises(TypeError, match="has no option 'inti'"):
        CharField(max_length=3, inti=False)  # type: ignore[call-overload]


def test_annotations_on_a_plain_model() -> None:
    """A plain Model takes annotated fields, too, and annotations of the keys that relations make."""
    with isolated():

        class Shelf(Model):
            name: Mapped[str] = CharField(max_length=3)
            potter: Mapped[Potter] = ForeignKey(Potter, on_delete=CASCADE, related_name="+")
            potter_id: Mapped[int]

        shelf = Shelf(name="a", potter_id=3)
        assert (shelf.potter_id, [f.name for f in Shelf._meta.fields]) == (3, ["id", "name", "potter"])
