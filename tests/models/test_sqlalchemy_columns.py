"""What SQLAlchemy does with columns holds for models: its own UPDATE, composite values."""

import dataclasses
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, column_property, composite, mapped_column, validates

import ormolu
from ormolu import CASCADE, CharField, ForeignKey, JSONField, Model, NotLoaded
from ormolu.signals import post_init

pytestmark = pytest.mark.worlds("sync")


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Place(Model):
    name = CharField(max_length=20)
    extra = JSONField(default=dict)
    x: Mapped[int] = mapped_column(default=0)
    y: Mapped[int] = mapped_column(default=0)
    point: Mapped[Point] = composite("x", "y")

    class Meta:
        app_label = "columns"


class Owner(Model):
    name = CharField(max_length=20)

    class Meta:
        app_label = "columns"


class Pet(Model):
    """With SQLAlchemy's validators."""

    name = CharField(max_length=20)
    nick: Mapped[str | None] = mapped_column(sa.String(20), default=None)
    owner = ForeignKey(Owner, CASCADE, null=True)

    class Meta:
        app_label = "columns"

    @validates("name", "nick")
    def check_names(self, key: str, value: str | None) -> str | None:
        if value == "":
            raise ValueError(f"no {key}")
        return f"{value}!" if value else value

    @validates("owner")
    def check_owner(self, key: str, value: Owner | None) -> Owner | None:
        if value is not None and value.name == "nobody":
            raise ValueError("nobody")
        return value


MODELS = [Place, Owner, Pet]


def session() -> Session:
    return Session(ormolu.databases.get().engine)


@pytest.mark.parametrize("how", ["auto", "evaluate", "fetch"])
def test_an_update_of_the_sessions(db: Any, how: str) -> None:
    """A session's UPDATE sets the objects that it holds, which then have nothing to write."""
    Place.objects.create(name="a", extra={"n": 1})
    with session() as s:
        place = s.scalars(sa.select(Place)).one()
        statement = sa.update(Place).where(Place.name == "a").values(name="b", extra={"n": 2})
        s.execute(statement, execution_options={"synchronize_session": how})
        assert (place.name, place.extra) == ("b", {"n": 2})
        assert not s.is_modified(place)
        place.extra["n"] = 3
        s.commit()
    assert Place.objects.get(name="b").extra == {"n": 3}


def test_composite_values(db: Any) -> None:
    """composite() reads and writes its columns, with a session and without one."""
    place = Place(name="a", point=Point(1, 2))
    assert (place.x, place.y) == (1, 2)
    place.save()
    place = Place.objects.get()
    assert place.point == Point(1, 2)
    place.point = Point(3, 4)
    place.save()
    with session() as s:
        found = s.scalars(sa.select(Place).where(Place.point == Point(3, 4))).one()
        assert found.point == Point(3, 4)


def test_validators(db: Any) -> None:
    """@validates sees what the constructor is given and what is set, and no defaults."""
    pet = Pet(name="Rex")
    assert (pet.name, pet.nick) == ("Rex!", None)
    pet.nick = "R"
    pet.save()
    pet = Pet.objects.get()
    assert (pet.name, pet.nick) == ("Rex!", "R!")  # what is loaded isn't validated again
    with pytest.raises(ValueError, match="no name"):
        pet.name = ""
    assert pet.name == "Rex!"
    assert "_dirty" not in pet.__dict__
    pet.name = "Max"
    pet.save(update_fields=["name"])
    assert Pet.objects.create(name="Ida").name == "Ida!"
    assert sorted(Pet.objects.values_list("name", flat=True)) == ["Ida!", "Max!"]
    with pytest.raises(ValueError, match="no nick"):
        Pet(name="Bo", nick="")


def test_validators_of_relations(db: Any) -> None:
    """A relation's validator sees the object that is assigned."""
    ann = Owner.objects.create(name="Ann")
    pet = Pet.objects.create(name="Rex", owner=ann)
    assert Pet.objects.get().owner_id == ann.pk
    with pytest.raises(ValueError, match="nobody"):
        Pet(name="Rex", owner=Owner(name="nobody"))
    with pytest.raises(ValueError, match="nobody"):
        pet.owner = Owner(pk=7, name="nobody")
    assert pet.owner is ann
    pet.owner = None
    pet.save()
    assert Pet.objects.get().owner is None


def test_validators_and_listeners(db: Any) -> None:
    """While somebody listens, rows go through the constructor: they aren't validated there."""
    Pet.objects.create(name="Rex")
    seen: list[Any] = []
    post_init.connect(
        lambda instance, **kwargs: seen.append(instance.pk), sender=Pet, weak=False, dispatch_uid="p"
    )
    try:
        assert Pet.objects.get().name == "Rex!"
        assert Pet.objects.only("nick").get().name == "Rex!"
    finally:
        post_init.disconnect(sender=Pet, dispatch_uid="p")


class Shop(Model):
    name = CharField(max_length=20)
    loud = column_property(sa.func.upper(sa.literal_column("name")))

    class Meta:
        app_label = "columns"


class Sale(Model):
    shop = ForeignKey(Shop, CASCADE)

    class Meta:
        app_label = "columns"


SALES: Any = (
    sa.select(sa.func.count(Sale.__table__.c.id))
    .where(Sale.__table__.c.shop_id == Shop.__table__.c.id)
    .correlate(Shop.__table__)
    .scalar_subquery()
)
Shop.sales = column_property(SALES)  # type: ignore[attr-defined]
MODELS += [Shop, Sale]


def test_expressions(db: Any) -> None:
    """column_property() is computed where no session holds the object, for all that were read together."""
    for name in ("a", "b"):
        Shop.objects.create(name=name)
    first: Any = Shop.objects.get(name="a")
    Sale.objects.create(shop=first)
    shops: list[Any] = list(Shop.objects.order_by("name"))
    with ormolu.capture_queries() as queries:
        assert [shop.sales for shop in shops] == [1, 0]
    assert len(queries) == 1
    assert [shop.loud for shop in shops] == ["A", "B"]
    Sale.objects.create(shop=first)
    shops[0].name = "c"
    shops[0].save()
    assert shops[0].sales == 1
    shops[0].refresh_from_db()
    assert (shops[0].sales, shops[0].loud) == (2, "C")
    assert first.sales == 2
    assert Shop.objects.filter(Shop.sales > 1).get() == first  # type: ignore[attr-defined]
    with session() as s:
        s.add(first)
        assert s.scalars(sa.select(Shop.sales).where(Shop.name == "c")).one() == 2  # type: ignore[attr-defined]
        assert first.loud
        found: Any = s.get(Shop, shops[1].pk)
        assert found.sales == 0
    assert Shop(name="x").sales is None  # type: ignore[attr-defined]


@pytest.mark.worlds("async")
async def test_expressions_in_async_code(db: Any) -> None:
    """There they would be a query that nobody awaited."""
    await Shop.objects.acreate(name="a")
    shop: Any = await Shop.objects.aget()
    with pytest.raises(NotLoaded, match=r"annotate\(value=Shop.loud\)"):
        _ = shop.loud
    annotated: Any = await Shop.objects.annotate(value=Shop.loud).aget()
    assert annotated.value == "A"
