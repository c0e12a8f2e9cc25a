"""Fields that users write themselves, in every shape of result and every way of writing, and as keys.

Source of what is expected: Django's documentation, "How to create custom model fields".
"""

from __future__ import annotations

import datetime as dt
import pickle
import uuid
from typing import Any

import pytest

import ormolu
from ormolu import (
    CASCADE,
    SET_NULL,
    Case,
    CharField,
    Coalesce,
    Count,
    F,
    Field,
    ForeignKey,
    Lookup,
    ManyToManyField,
    Max,
    Min,
    Model,
    OneToOneField,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    TextField,
    Transform,
    UUIDField,
    Value,
    When,
)
from ormolu.exceptions import IntegrityError, ValidationError
from ormolu.models import DeferredAttribute
from support.worlds import World


class Colour:
    """A colour: what people would rather have than the six digits that are stored."""

    def __init__(self, red: int, green: int, blue: int) -> None:
        self.parts = (red, green, blue)

    @classmethod
    def read(cls, text: str) -> Colour:
        """Return the colour of its digits."""
        return cls(*bytes.fromhex(text))

    @property
    def digits(self) -> str:
        """The six digits."""
        return bytes(self.parts).hex()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Colour) and other.parts == self.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        return f"Colour{self.parts}"


class ColourField(Field[Any]):
    """A colour, with a type of its own in SQL."""

    description = "A colour"

    def __init__(self, *args: Any, **options: Any) -> None:
        options["max_length"] = 6
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """Leave out what the constructor sets."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs

    def db_type(self, connection: Any) -> str:
        """Return the SQL type."""
        return "varchar(6)" if connection.vendor == "sqlite" else "char(6)"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Read what is stored."""
        return None if value is None else Colour.read(value)

    def to_python(self, value: Any) -> Any:
        """Read what forms and fixtures have."""
        if value is None or isinstance(value, Colour):
            return value
        try:
            return Colour.read(value)
        except ValueError as error:
            raise ValidationError("no colour") from error

    def get_prep_value(self, value: Any) -> Any:
        """Store the digits."""
        value = super().get_prep_value(value)
        return value.digits if isinstance(value, Colour) else value

    def value_to_string(self, obj: Any) -> str:
        """Write the digits."""
        return str(self.get_prep_value(self.value_from_object(obj)))


@ColourField.register_lookup
class Reddish(Transform):
    """The two digits of red."""

    lookup_name = "red"
    function = "SUBSTR"
    output_field = CharField(max_length=2)
    template = "%(function)s(%(expressions)s, 1, 2)"


class SecondsField(Field[Any]):
    """A length of time as whole seconds in a built-in type."""

    def get_internal_type(self) -> str:
        """Store an integer."""
        return "IntegerField"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Return the length of time."""
        return None if value is None else dt.timedelta(seconds=value)

    def to_python(self, value: Any) -> Any:
        """Return the length of time of a number."""
        return value if value is None or isinstance(value, dt.timedelta) else dt.timedelta(seconds=int(value))

    def get_prep_value(self, value: Any) -> Any:
        """Return the seconds."""
        return int(value.total_seconds()) if isinstance(value, dt.timedelta) else value


class VendorField(TextField[Any]):
    """A text that is stored with the name of the database before it, by what connection there is."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Put the database's name before the text."""
        value = super().get_db_prep_value(value, connection, prepared)
        return None if value is None else f"{connection.vendor}:{value}"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Take the database's name away again."""
        return None if value is None else value.removeprefix(f"{connection.vendor}:")


class ShoutField(CharField[Any]):
    """A text that the field itself sets from another when the row is saved."""

    def __init__(self, *args: Any, source: str = "name", **options: Any) -> None:
        self.source = source
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """Say the source, too."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Set and return the text."""
        value = getattr(model_instance, self.source).upper() + ("!" if add else "?")
        setattr(model_instance, self.attname, value)
        return value


@ShoutField.register_lookup
class Loudly(Lookup):
    """Equality without regard to the last sign, written in SQL."""

    lookup_name = "loudly"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return the condition."""
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} LIKE {rhs}", [*lhs_params, *(f"{value}_" for value in rhs_params)]


class Paint(Model):
    name = CharField(max_length=20)
    colour = ColourField(default=lambda: Colour(1, 2, 3))
    under = ColourField(null=True)
    dries = SecondsField(default=dt.timedelta(seconds=60))
    place = VendorField(default="shelf")
    shout = ShoutField(max_length=30)


class Wall(Model):
    paint = ForeignKey(Paint, CASCADE, related_name="walls", null=True)
    spare = ManyToManyField(Paint, related_name="spare_walls")


RED, GREEN, BLUE = Colour(255, 0, 0), Colour(0, 255, 0), Colour(0, 0, 255)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def seen(paint: Any) -> tuple[Any, ...]:
    """Return the values of the fields of a paint."""
    return paint.name, paint.colour, paint.under, paint.dries, paint.place, paint.shout


async def some(world: World) -> tuple[Any, Any]:
    """Make a red paint and a green one."""
    red = await world(Paint.objects.create, name="red", colour=RED, under=BLUE, dries=HOUR, place="a")
    green = await world(Paint.objects.create, name="green", colour=GREEN, place="b")
    return red, green


async def test_objects_have_the_users_values(db: Any, world: World) -> None:
    """What was given stays on the object; what is read comes through from_db_value(); defaults are called."""
    red, _green = await some(world)
    plain = await world(Paint.objects.create, name="plain")
    assert seen(red) == ("red", RED, BLUE, HOUR, "a", "RED!")
    assert seen(await world(Paint.objects.get, pk=red.pk)) == seen(red)
    assert seen(await world(Paint.objects.get, name="plain")) == (
        "plain", Colour(1, 2, 3), None, MINUTE, "shelf", "PLAIN!",
    )  # fmt: skip
    red.colour = GREEN
    await world(red.refresh_from_db)
    assert red.colour == RED
    assert pickle.loads(pickle.dumps(await world(Paint.objects.get, pk=plain.pk))).colour == Colour(1, 2, 3)
    field = Paint._meta.get_field("colour")
    assert field.value_to_string(red) == "ff0000"
    assert field.to_python("ff0000") == RED
    assert field.clone().deconstruct()[1:] == field.deconstruct()[1:]
    with pytest.raises(ValidationError, match="no colour"):
        Paint(name="x", colour="what", under=RED, shout="x").full_clean()


async def test_stored_values_are_the_prepared_ones(db: Any, world: World) -> None:
    """The columns hold what get_prep_value() and get_db_prep_value() return."""
    await some(world)
    rows = await world(
        ormolu.databases.get().fetch,
        f"SELECT colour, under, dries, place FROM {Paint._meta.db_table} ORDER BY name",
    )
    vendor = ormolu.connection.vendor
    assert [tuple(row) for row in rows] == [
        ("00ff00", None, 60, f"{vendor}:b"),
        ("ff0000", "0000ff", 3600, f"{vendor}:a"),
    ]


async def test_every_shape_of_result(db: Any, world: World) -> None:
    """values(), values_list(), annotations, aggregates, set operations, streams and raw SQL convert as well."""
    red, green = await some(world)
    paints = Paint.objects.order_by("name")
    names = ("colour", "under", "dries", "place")
    assert await world.list(paints.values(*names)) == [
        {"colour": GREEN, "under": None, "dries": MINUTE, "place": "b"},
        {"colour": RED, "under": BLUE, "dries": HOUR, "place": "a"},
    ]
    assert await world.list(paints.values_list(*names)) == [
        (GREEN, None, MINUTE, "b"),
        (RED, BLUE, HOUR, "a"),
    ]
    assert await world.list(paints.values_list("colour", flat=True)) == [GREEN, RED]
    assert [row.dries for row in await world.list(paints.values_list("dries", named=True))] == [MINUTE, HOUR]
    annotated = paints.annotate(
        again=F("colour"),
        one=Coalesce("under", "colour"),
        case=Case(When(name="red", then=F("dries")), default=Value(MINUTE, SecondsField())),
        mate=Subquery(Paint.objects.filter(name="red", pk__gte=OuterRef("pk") - 9).values("colour")[:1]),
        given=Value(BLUE, ColourField()),
    )
    found = [(p.again, p.one, p.case, p.mate, p.given) for p in await world.list(annotated)]
    assert found == [(GREEN, GREEN, MINUTE, RED, BLUE), (RED, BLUE, HOUR, RED, BLUE)]
    assert await world.list(annotated.values_list("one", "case")) == [(GREEN, MINUTE), (BLUE, HOUR)]
    totals = await world(Paint.objects.aggregate, most=Max("dries"), least=Min("colour"), n=Count("colour"))
    assert totals == {"most": HOUR, "least": GREEN, "n": 2}
    assert await world.list(paints.values("colour").annotate(n=Count("pk")).values_list("colour", "n")) == [
        (GREEN, 1), (RED, 1),
    ]  # fmt: skip
    both = Paint.objects.filter(pk=red.pk).values_list("colour", "dries")
    joined = both.union(Paint.objects.filter(pk=green.pk).values_list("colour", "dries"))
    assert set(await world.list(joined)) == {(RED, HOUR), (GREEN, MINUTE)}
    assert [p.colour async for p in world.iterator(paints)] == [GREEN, RED]
    raw = Paint.objects.raw(f"SELECT * FROM {Paint._meta.db_table} ORDER BY name")
    assert [seen(p)[1:5] for p in await world.list(raw)] == [
        (GREEN, None, MINUTE, "b"), (RED, BLUE, HOUR, "a"),
    ]  # fmt: skip
    assert (await world(Paint.objects.in_bulk, [red.pk]))[red.pk].under == BLUE
    assert await world.list(paints.distinct().values_list("dries", flat=True).order_by("dries")) == [
        MINUTE,
        HOUR,
    ]


async def test_columns_that_are_loaded_later(db: Any, world: World) -> None:
    """only() and defer() convert, and so does the column that is fetched afterwards."""
    red, _green = await some(world)
    for queryset in (Paint.objects.only("name"), Paint.objects.defer("colour", "dries", "place")):
        paint = await world(queryset.get, pk=red.pk)
        assert await world.attribute(paint, "colour") == RED
        assert await world.attribute(paint, "dries") == HOUR
        assert await world.attribute(paint, "place") == "a"


async def test_related_objects_have_them(db: Any, world: World) -> None:
    """select_related(), prefetch_related() and values over relations convert, and NULL of a missing row is None."""
    red, green = await some(world)
    wall = await world(Wall.objects.create, paint=red)
    bare = await world(Wall.objects.create)
    await world(wall.spare.add, red, green)
    joined = await world.list(Wall.objects.select_related("paint").order_by("pk"))
    assert [None if w.paint is None else seen(w.paint) for w in joined] == [seen(red), None]
    lists = Wall.objects.prefetch_related("paint", Prefetch("spare", Paint.objects.order_by("name")))
    first = (await world.list(lists.order_by("pk")))[0]
    assert first.paint.colour == RED
    assert [paint.colour for paint in first.spare.all()] == [GREEN, RED]
    assert await world.list(Wall.objects.order_by("pk").values_list("paint__colour", "paint__dries")) == [
        (RED, HOUR), (None, None),
    ]  # fmt: skip
    assert await world.list(Wall.objects.filter(spare__colour=GREEN)) == [wall]
    assert await world.list(Wall.objects.filter(paint__under__isnull=True).order_by("pk")) == [bare]


async def test_lookups_prepare_values(db: Any, world: World) -> None:
    """All lookups take the user's values; registered transforms and lookups work in sync and async."""
    red, green = await some(world)
    found: dict[Any, list[Any]] = {}
    for condition in (
        Q(colour=RED), Q(colour__exact=RED), Q(colour__in=[RED, BLUE]), Q(under__isnull=False), Q(colour="ff0000"),
        Q(dries__gt=MINUTE), Q(dries__range=(HOUR, 2 * HOUR)), Q(place="a"), Q(place__in=["a", "z"]),
        Q(colour__red="ff"), Q(colour__red__startswith="f"), Q(shout__loudly="RED"), Q(colour__gt=GREEN),
        ~Q(colour=GREEN), ~Q(colour__in=[GREEN]), Q(colour=F("colour")) & Q(dries=HOUR),
        Q(under=Value(BLUE, ColourField())),
    ):  # fmt: skip
        found[condition] = await world.list(Paint.objects.filter(condition))
    assert set(map(tuple, found.values())) == {(red,)}, {c: v for c, v in found.items() if v != [red]}
    assert await world.list(Paint.objects.exclude(colour=RED)) == [green]
    assert await world.list(
        Paint.objects.filter(colour__in=Paint.objects.filter(name="red").values("colour"))
    ) == [red]
    assert [p.pk for p in await world.list(Paint.objects.order_by("-colour"))] == [red.pk, green.pk]


async def test_every_way_of_writing(db: Any, world: World) -> None:
    """save(), update(), expressions and the bulk methods prepare values; pre_save() is asked where Django asks it."""
    red, green = await some(world)
    red.colour, red.dries, red.place = BLUE, MINUTE, "c"
    await world(red.save)
    assert seen(await world(Paint.objects.get, pk=red.pk)) == ("red", BLUE, BLUE, MINUTE, "c", "RED?")
    await world(Paint.objects.filter(pk=red.pk).update, colour=RED, dries=HOUR, place="d", under=None)
    assert seen(await world(Paint.objects.get, pk=red.pk)) == ("red", RED, None, HOUR, "d", "RED?")
    await world(Paint.objects.filter(pk=red.pk).update, under=F("colour"))
    case = Case(When(name="red", then=Value(GREEN, ColourField())), default=F("colour"))
    await world(Paint.objects.filter(pk=red.pk).update, colour=case)
    again = await world(Paint.objects.get, pk=red.pk)
    assert (again.colour, again.under) == (GREEN, RED)
    made = await world(
        Paint.objects.bulk_create,
        [Paint(name=name, colour=BLUE, dries=HOUR, place=name) for name in ("x", "y")],
    )
    assert [seen(p) for p in await world.list(Paint.objects.filter(name__in=["x", "y"]).order_by("name"))] == [
        ("x", BLUE, None, HOUR, "x", "X!"), ("y", BLUE, None, HOUR, "y", "Y!"),
    ]  # fmt: skip
    if db.vendor == "mysql":
        made = await world.list(Paint.objects.filter(name__in=["x", "y"]).order_by("name"))
    made[0].colour, made[1].colour = RED, GREEN
    made[0].place, made[1].place = "m", "n"
    await world(Paint.objects.bulk_update, made, ["colour", "place"])
    assert await world.list(
        Paint.objects.filter(name__in=["x", "y"]).order_by("name").values_list("colour", "place")
    ) == [(RED, "m"), (GREEN, "n")]
    paint, created = await world(Paint.objects.get_or_create, name="z", colour=BLUE, defaults={"dries": HOUR})
    assert (created, paint.colour, paint.dries) == (True, BLUE, HOUR)
    paint, created = await world(Paint.objects.update_or_create, colour=BLUE, defaults={"dries": MINUTE})
    assert (created, (await world(Paint.objects.get, colour=BLUE)).dries) == (False, MINUTE)
    assert (await world(Paint.objects.filter(colour=BLUE).delete))[0] == 1
    green.under = Value(RED, ColourField())
    await world(green.save)
    await world(green.refresh_from_db)
    assert green.under == RED
    await world(green.save, update_fields=["name"])
    assert (await world(Paint.objects.get, pk=green.pk)).shout == "GREEN?"


class Watched(DeferredAttribute):
    """Counts how often an attribute is read and written."""

    def __init__(self, field: Any) -> None:
        super().__init__(field)
        self.counts = {"read": 0, "written": 0}

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> Any:
        if instance is not None:
            self.counts["read"] += 1
        return super().__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        self.counts["written"] += 1
        instance.__dict__[self.attname] = value


class WatchedField(CharField[Any]):
    """A text whose attribute is watched."""

    descriptor_class = Watched


class WatchedBase(Model):
    text = WatchedField(max_length=20, default="none")

    class Meta:
        abstract = True


class Seen(WatchedBase):
    name = CharField(max_length=20)


class SeenMore(Seen):
    more = CharField(max_length=20, default="")


@pytest.mark.parametrize("model", [Seen, SeenMore])
async def test_a_field_may_bring_its_descriptor(db: Any, world: World, model: Any) -> None:
    """`descriptor_class` stands between the instance and its value; the class attribute is still one to query by."""
    counts = vars(model)["text"].counts
    counts.update(read=0, written=0)
    thing = model(name="a")
    assert (counts["written"], thing.text) == (1, "none")
    thing.text = "some"
    assert (thing.text, counts) == ("some", {"read": 2, "written": 2})
    await world(thing.save)
    thing.text = "other"
    await world(thing.save)
    assert await world.list(model.objects.values_list("text", flat=True)) == ["other"]
    assert await world.list(model.objects.filter(model.text == "other")) == [thing]
    found = await world(model.objects.only("name").get)
    assert await world.attribute(found, "text") == "other"


class Code:
    """A public identifier, `abc-12`: a class of its own, not a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Code) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: Code) -> bool:
        return self.text < other.text

    def __str__(self) -> str:
        return f"#{self.text}"

    def __repr__(self) -> str:
        return f"Code({self.text!r})"


class CodeField(CharField[Any]):
    """A key of a class of its own."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_length", 20)
        super().__init__(*args, **options)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Return the identifier."""
        return None if value is None else Code(value)

    def to_python(self, value: Any) -> Any:
        """Return the identifier of its text."""
        return value if value is None or isinstance(value, Code) else Code(str(value).removeprefix("#"))

    def get_prep_value(self, value: Any) -> Any:
        """Return the text."""
        return None if value is None else self.to_python(value).text


def new_code() -> Code:
    """Return a code that nobody has."""
    return Code(uuid.uuid4().hex[:12])


class Shop(Model):
    code = CodeField(primary_key=True, default=new_code)
    name = CharField(max_length=20)
    twin = ForeignKey("self", SET_NULL, null=True, related_name="twins")


class Good(Model):
    shop = ForeignKey(Shop, CASCADE, related_name="goods", null=True)
    also = ManyToManyField(Shop, related_name="also_goods")
    name = CharField(max_length=20)


class Sign(Model):
    shop = OneToOneField(Shop, CASCADE, primary_key=True)
    text = CharField(max_length=20)


class Branch(Shop):
    city = CharField(max_length=20)


class Country(Model):
    iso = CharField(max_length=2, primary_key=True)
    key = UUIDField(unique=True, default=uuid.uuid4)


class Town(Model):
    id = UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    country = ForeignKey(Country, CASCADE, related_name="towns")
    by_key = ForeignKey(Country, CASCADE, to_field="key", related_name="towns_by_key", null=True)
    twinned = ManyToManyField("self")


async def test_keys_of_any_class(db: Any, world: World) -> None:
    """A key of a user's class is one for get(), `pk`, in_bulk(), save(), equality, hashing and deletion."""
    one = await world(Shop.objects.create, code=Code("one"), name="One")
    two = await world(Shop.objects.create, name="Two")
    assert isinstance(two.pk, Code)
    for key in (Code("one"), "one"):
        assert await world(Shop.objects.get, pk=key) == one
        assert await world(Shop.objects.get, code=key) == one
    assert (await world(Shop.objects.get, pk="one")).pk == Code("one")
    assert {one, two} == set(await world.list(Shop.objects.filter(pk__in=[one.pk, two.pk])))
    assert await world(Shop.objects.in_bulk, [Code("one")]) == {Code("one"): one}
    one.name = "Uno"
    await world(one.save)
    assert await world(Shop.objects.count) == 2
    given = Shop(code=Code("three"), name="Three")
    await world(given.save)
    given = Shop(code=Code("three"), name="Drei")
    with pytest.raises(IntegrityError):  # a key with a default is that of a new row
        await world(given.save)
    await world(given.save, force_update=True)
    assert await world(Shop.objects.filter(name="Drei").count) == 1
    await world(given.delete)
    assert given.pk is None or given.pk == Code("three")
    assert await world(Shop.objects.count) == 2
    made = await world(Shop.objects.bulk_create, [Shop(name="a"), Shop(name="b")])
    made[0].name = "A"
    await world(Shop.objects.bulk_update, made, ["name"])
    assert await world(Shop.objects.filter(name="A").count) == 1
    assert await world(Shop.objects.contains, two)


async def test_keys_of_any_class_are_referred_to(db: Any, world: World) -> None:
    """Relations to such a key: assignment by object and by key, joins, prefetching, managers, deletion."""
    one = await world(Shop.objects.create, code=Code("one"), name="One")
    two = await world(Shop.objects.create, code=Code("two"), name="Two", twin=one)
    tea = await world(Good.objects.create, shop=one, name="tea")
    jam = await world(Good.objects.create, shop_id=Code("one"), name="jam")
    egg = await world(Good.objects.create, shop_id="two", name="egg")
    goods = Good.objects.order_by("pk")
    assert [good.shop_id for good in await world.list(goods)] == [Code("one"), Code("one"), Code("two")]
    assert await world.list(goods.values_list("shop", "shop_id", "shop__pk")) == [
        (Code("one"),) * 3, (Code("one"),) * 3, (Code("two"),) * 3,
    ]  # fmt: skip
    for condition in (
        Q(shop=one), Q(shop=Code("one")), Q(shop="one"), Q(shop_id=Code("one")), Q(shop__pk=Code("one")),
        Q(shop__in=[one]), Q(shop__in=[Code("one")]), Q(shop__name="One"), Q(shop__twins=two),
        Q(shop__in=Shop.objects.filter(name="One")), ~Q(shop=two), Q(shop__twins__pk="two"),
    ):  # fmt: skip
        assert await world.list(goods.filter(condition)) == [tea, jam], condition
    joined = await world.list(goods.select_related("shop__twin"))
    assert [good.shop.code for good in joined] == [Code("one"), Code("one"), Code("two")]
    assert joined[2].shop.twin == one
    fetched = await world.list(goods.prefetch_related("shop"))
    assert [good.shop.name for good in fetched] == ["One", "One", "Two"]
    shops = await world.list(Shop.objects.order_by("code").prefetch_related("goods", "twins", "also_goods"))
    assert [sorted(good.name for good in shop.goods.all()) for shop in shops] == [["jam", "tea"], ["egg"]]
    assert [list(shop.twins.all()) for shop in shops] == [[two], []]
    await world(one.goods.add, egg)
    await world(egg.refresh_from_db)
    assert (egg.shop_id, await world(one.goods.count)) == (Code("one"), 3)
    await world(one.goods.remove, tea)
    await world(tea.refresh_from_db)
    assert tea.shop_id is None
    await world(tea.also.add, one, Code("two"))
    await world(tea.also.add, one)
    assert sorted([s.code for s in await world.list(tea.also.all())]) == [Code("one"), Code("two")]
    await world(tea.also.set, [two])
    assert await world.list(tea.also.all()) == [two]
    assert await world.list(Shop.objects.filter(also_goods=tea)) == [two]
    await world(tea.also.remove, Code("two"))
    assert await world(tea.also.count) == 0
    made = await world(two.goods.create, name="new")
    assert made.shop_id == Code("two")
    got, created = await world(two.goods.get_or_create, name="new")
    assert (got, created) == (made, False)
    await world(Good.objects.filter(pk=made.pk).update, shop=one)
    await world(made.refresh_from_db)
    assert made.shop_id == Code("one")
    counts = Shop.objects.annotate(n=Count("goods")).order_by("code").values_list("code", "n")
    assert await world.list(counts) == [(Code("one"), 3), (Code("two"), 0)]
    total, each = await world(one.delete)
    assert (total, each[Good._meta.label], each[Shop._meta.label]) == (4, 3, 1)
    await world(two.refresh_from_db)
    assert two.twin_id is None


async def test_keys_of_any_class_are_shared(db: Any, world: World) -> None:
    """A one-to-one key, and a child model, have such a key from the row that they refer to."""
    branch = await world(Branch.objects.create, code=Code("b"), name="Bern", city="Bern")
    assert branch.pk == Code("b")
    found = await world(Branch.objects.get, pk=Code("b"))
    assert (found.code, found.shop_ptr_id, found.city) == (Code("b"), Code("b"), "Bern")
    assert (await world(Shop.objects.select_related("branch").get, pk="b")).branch == branch
    sign = await world(Sign.objects.create, shop=branch, text="open")
    assert (sign.pk, (await world(Sign.objects.get, pk=Code("b"))).shop_id) == (Code("b"), Code("b"))
    sign.text = "closed"
    await world(sign.save)
    assert await world.list(Sign.objects.values_list("pk", "text")) == [(Code("b"), "closed")]
    fresh = await world(Branch.objects.create, name="New", city="X")
    assert isinstance(fresh.pk, Code)
    assert await world(Branch.objects.filter(shop_ptr=fresh.pk).count) == 1
    await world(branch.delete)
    assert await world(Sign.objects.count) == 0


async def test_texts_and_uuids_are_keys(db: Any, world: World) -> None:
    """Keys that are texts or UUIDs, and relations to a unique column that is no key."""
    swiss = await world(Country.objects.create, iso="CH")
    bern = await world(Town.objects.create, country=swiss, by_key=swiss)
    bonn = await world(Town.objects.create, country_id="CH")
    assert (bern.by_key_id, bern.country_id) == (swiss.key, "CH")
    for condition in (
        Q(pk=bern.pk), Q(pk=str(bern.pk)), Q(pk=bern.pk.hex), Q(by_key=swiss), Q(by_key=swiss.key),
        Q(by_key=str(swiss.key)), Q(by_key__iso="CH"), Q(by_key__pk="CH"), Q(by_key__in=[swiss]),
        Q(pk__in=[str(bern.pk)]), Q(by_key__in=Country.objects.all()), Q(by_key__key=swiss.key),
    ):  # fmt: skip
        assert await world.list(Town.objects.filter(condition)) == [bern], condition
    await world(bern.twinned.add, bonn)
    assert await world.list(bonn.twinned.all()) == [bern]
    lists = await world.list(Country.objects.prefetch_related("towns", "towns_by_key"))
    assert ({t.pk for t in lists[0].towns.all()}, list(lists[0].towns_by_key.all())) == (
        {bern.pk, bonn.pk},
        [bern],
    )
    town = (await world.list(Town.objects.filter(pk=bern.pk).select_related("by_key", "country")))[0]
    assert (town.by_key, town.country) == (swiss, swiss)
    assert (await world(Town.objects.in_bulk))[bern.pk].by_key_id == swiss.key
    other = await world(Country.objects.create, iso="DE")
    bonn.by_key = other
    await world(bonn.save)
    assert await world.list(Town.objects.filter(by_key__key=other.key)) == [bonn]
    assert (await world(other.delete))[0] == 4  # the country, the town, and two rows between towns
