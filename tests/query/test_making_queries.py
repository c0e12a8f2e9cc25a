"""Each statement that Django's guide to queries makes, about objects of ours.

Source: Django's documentation, topics/db/queries, in the order of that page.
"""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from ormolu import (
    CASCADE,
    KT,
    CharField,
    DateField,
    EmailField,
    F,
    FieldError,
    ForeignKey,
    IntegerField,
    JSONField,
    Manager,
    ManyToManyField,
    Min,
    Model,
    OneToOneField,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Sum,
    TextField,
    Value,
)
from support.backends import Backend
from support.worlds import World


class Station(Model):
    name = CharField(max_length=100)
    slogan = TextField()

    def __str__(self) -> str:
        return self.name


class ThemedStation(Station):
    theme = CharField(max_length=20)


class Announcer(Model):
    name = CharField(max_length=200)
    email = EmailField()

    def __str__(self) -> str:
        return self.name


class AiredManager(Manager["Show"]):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(aired__year__lt=2020)

    def loud(self) -> Any:
        return self.get_queryset().filter(calls__gt=5)


class Show(Model):
    station: Any = ForeignKey(Station, on_delete=CASCADE)
    title = CharField(max_length=255)
    notes = TextField()
    aired = DateField()
    changed = DateField(default=dt.date.today)
    announcers: Any = ManyToManyField(Announcer)
    calls = IntegerField(default=0)
    letters = IntegerField(default=0)
    stars = IntegerField(default=5)

    objects = Manager["Show"]()
    old = AiredManager()

    def __str__(self) -> str:
        return self.title


class ShowDetail(Model):
    show: Any = OneToOneField(Show, on_delete=CASCADE)
    details = TextField()


class Guest(Model):
    show: Any = ForeignKey(Show, on_delete=CASCADE, null=True, related_name="guests")
    name = CharField(max_length=20)


class Hound(Model):
    name = CharField(max_length=200)
    data = JSONField(null=True)


def made_show(station: Station, title: str, year: int, **values: Any) -> Show:
    return Show.objects.create(station=station, title=title, aired=dt.date(year, 6, 1), **values)


@pytest.fixture
def air(db: Backend) -> Any:
    """Two stations, four shows and three announcers, as the page's note has them."""
    jazz = Station.objects.create(name="Jazz Radio", slogan="All that")
    pop = Station.objects.create(name="Pop Radio", slogan="Only that")
    one = made_show(jazz, "New Monk Biography", 2008, calls=9, letters=3, changed=dt.date(2008, 6, 9))
    two = made_show(jazz, "New Monk Biography in Paperback", 2009, calls=2, changed=dt.date(2010, 1, 1))
    three = made_show(pop, "Best Albums of 2008", 2008, letters=4, stars=2, changed=dt.date(2008, 6, 2))
    four = made_show(pop, "Monk Would Have Loved Hip Hop", 2020, calls=1, changed=dt.date(2020, 6, 3))
    joe, ann, jazzy = [Announcer.objects.create(name=name) for name in ("Joe", "Ann", "Jazz Radio")]
    one.announcers.add(joe, ann)
    two.announcers.add(jazzy)
    return SimpleNamespace(
        jazz=jazz, pop=pop, one=one, two=two, three=three, four=four, joe=joe, ann=ann, jazzy=jazzy
    )


async def titles(world: World, queryset: Any) -> list[str]:
    return sorted(str(item) for item in await world.list(queryset))


async def test_creating_and_saving(db: Backend, world: World, queries):
    """save() inserts, returns nothing, and updates what is there; nothing is sent before."""
    station = Station(name="Jazz Radio", slogan="All that")
    assert len(queries) == 0
    assert await world(station.save) is None
    assert queries[-1].sql.startswith("INSERT")
    station.name = "New name"
    await world(station.save)
    assert queries[-1].sql.startswith("UPDATE")
    assert (await world(Station.objects.get, pk=station.pk)).name == "New name"


async def test_saving_relations(air, world: World):
    """A key is assigned an object; a many-to-many relation is added to; a wrong object is refused."""
    show = await world(Show.objects.get, pk=air.one.pk)
    show.station = air.pop
    await world(show.save)
    assert (await world(Show.objects.get, station=air.pop, title__startswith="New")).pk == show.pk
    more = [await world(Announcer.objects.create, name=name) for name in ("John", "Paul", "George", "Ringo")]
    await world(show.announcers.add, *more)
    assert await world(show.announcers.count) == 6
    with pytest.raises(ValueError, match="must be a"):
        show.station = air.joe
    with pytest.raises(TypeError):
        await world(show.announcers.add, air.jazz)


def test_managers_belong_to_classes(db: Backend):
    """An instance has none."""
    assert isinstance(Station.objects, Manager)
    with pytest.raises(AttributeError, match="Manager isn't accessible via Station instances"):
        Station(name="Foo").objects


async def test_filters_and_chains(air, world: World):
    """Each refinement is a new queryset; the first one stays as it was."""
    assert await titles(world, Show.objects.filter(aired__year=2008)) == [str(air.three), str(air.one)]
    q1 = Show.objects.filter(title__startswith="New")
    q2 = q1.exclude(aired__gte=dt.date(2009, 1, 1))
    q3 = q1.filter(aired__gte=dt.date(2009, 1, 1))
    assert await titles(world, q2) == [str(air.one)]
    assert await titles(world, q3) == [str(air.two)]
    assert await titles(world, q1) == [str(air.one), str(air.two)]


async def test_querysets_are_lazy(air, world: World, queries):
    """Three refinements, one query."""
    queries.clear()
    q = Show.objects.filter(title__startswith="New")
    q = q.filter(aired__lte=dt.date(2019, 1, 1)).exclude(notes__icontains="food")
    assert len(queries) == 0
    assert len(await world.list(q)) == 2
    assert len(queries) == 1


async def test_get(air, world: World):
    """One object, or an error that says whether there is none or are several."""
    assert await world(Show.objects.get, pk=air.one.pk) == air.one
    with pytest.raises(Show.DoesNotExist):
        await world(Show.objects.get, pk=0)
    with pytest.raises(Show.MultipleObjectsReturned):
        await world(Show.objects.get, title__startswith="New")


async def test_limits(air, world: World):
    """Slices are LIMIT and OFFSET; steps run; an index is one object; negative ones aren't supported."""
    ordered = Show.objects.order_by("pk")
    assert await world.list(ordered[:2]) == [air.one, air.two]
    assert await world.list(ordered[2:10]) == [air.three, air.four]
    with pytest.raises(ValueError, match="Negative indexing is not supported"):
        Show.objects.all()[-1]
    with pytest.raises(TypeError):
        ordered[:2].filter(pk=1)
    with pytest.raises(TypeError):
        ordered[:2].order_by("title")
    assert await world(Show.objects.order_by("title")[0:1].get) == air.three
    with pytest.raises(Show.DoesNotExist):
        await world(Show.objects.none()[0:1].get)
    if not world.is_async:
        assert ordered[:4:2] == [air.one, air.three]
        assert Show.objects.order_by("title")[0] == air.three
        with pytest.raises(IndexError):
            Show.objects.none()[0]


async def test_lookups(air, world: World):
    """A text for a date; the key by its `_id`; exact, implied or not; the case-insensitive ones."""
    assert await world(Show.objects.filter(aired__lte="2008-12-31").count) == 2
    assert await world(Show.objects.filter(station_id=air.jazz.pk).count) == 2
    assert await world(Show.objects.get, title__exact="Best Albums of 2008") == air.three
    assert await world(Station.objects.get, id__exact=air.pop.pk) == air.pop
    assert await world(Station.objects.get, id=air.pop.pk) == air.pop
    assert await world(Station.objects.get, name__iexact="jAzz rADIO") == air.jazz
    assert await world(Show.objects.filter(title__contains="Monk").count) == 3
    assert await world(Show.objects.filter(title__contains="monk").count) == 0
    assert await world(Show.objects.filter(title__icontains="monk").count) == 3
    assert await world(Show.objects.get, title__endswith="Hip Hop") == air.four
    with pytest.raises(FieldError):
        Show.objects.filter(nonsense=1).count()


async def test_lookups_span_relations(air, world: World):
    """Forward, backward, and over both; what is missing is as if all were NULL."""
    assert await titles(world, Show.objects.filter(station__name="Pop Radio")) == [
        str(air.three),
        str(air.four),
    ]
    found = Station.objects.filter(show__title__contains="Paperback")
    assert await world.list(found) == [air.jazz]
    assert await world.list(Station.objects.filter(show__announcers__name="Joe")) == [air.jazz]
    nameless = await world(Announcer.objects.create, name="x")
    assert await world.list(Station.objects.filter(show__announcers__name__isnull=True)) == [air.pop, air.pop]
    both = Q(show__announcers__isnull=False, show__announcers__name__isnull=True)
    assert await world.list(Station.objects.filter(both)) == []
    assert await world.list(Announcer.objects.filter(show__isnull=True)) == [nameless]


async def test_conditions_on_many_related_objects(air, world: World):
    """In one filter() they are about the same related object, in two about any; exclude() takes each by itself."""
    one_call = Station.objects.filter(show__title__contains="Monk", show__aired__year=2008)
    assert await world.list(one_call) == [air.jazz]
    two_calls = Station.objects.filter(show__title__contains="Monk").filter(show__aired__year=2008)
    assert await world.list(two_calls.order_by("pk")) == [air.jazz, air.jazz, air.pop]
    each = Station.objects.exclude(show__title__contains="Monk", show__aired__year=2008)
    assert await world.list(each) == []
    same = Show.objects.filter(title__contains="Monk", aired__year=2008)
    assert await world.list(Station.objects.exclude(show__in=same)) == [air.pop]


async def test_filters_refer_to_fields(air, world: World):
    """Also with arithmetic, over relations, and with a timedelta."""
    assert await titles(world, Show.objects.filter(calls__gt=F("letters"))) == sorted(
        map(str, (air.one, air.two, air.four))
    )
    assert await titles(world, Show.objects.filter(calls__gt=F("letters") * 3)) == sorted(
        map(str, (air.two, air.four))
    )
    assert await titles(world, Show.objects.filter(stars__lt=F("calls") + F("letters"))) == sorted(
        map(str, (air.one, air.three))
    )
    assert await world.list(Show.objects.filter(announcers__name=F("station__name"))) == [air.two]
    late = Show.objects.filter(changed__gt=F("aired") + dt.timedelta(days=3))
    assert await titles(world, late) == sorted(map(str, (air.one, air.two)))
    bits = Show.objects.annotate(bit=F("calls").bitand(8), either=F("calls").bitor(16)).get
    found = await world(bits, pk=air.one.pk)
    assert (found.bit, found.either) == (8, 25)


async def test_expressions_refer_to_transforms(air, world: World):
    """Years are compared, aggregated and grouped by."""
    same = Show.objects.filter(aired__year=F("changed__year"))
    assert await titles(world, same) == sorted(map(str, (air.one, air.three, air.four)))
    assert await world(Show.objects.aggregate, first=Min("aired__year")) == {"first": 2008}
    best = Show.objects.filter(aired__year=OuterRef("aired__year")).order_by("-stars").values("stars")[:1]
    by_year = Show.objects.values("aired__year").annotate(top=Subquery(best), total=Sum("calls"))
    assert await world.list(by_year.order_by("aired__year")) == [
        {"aired__year": 2008, "top": 5, "total": 9},
        {"aired__year": 2009, "top": 5, "total": 2},
        {"aired__year": 2020, "top": 5, "total": 1},
    ]


async def test_pk(air, world: World):
    """It stands for the key, with any lookup and across relations."""
    assert await world(Station.objects.get, pk=air.pop.pk) == air.pop
    assert await world(Station.objects.filter(pk__in=[air.pop.pk, 0]).count) == 1
    assert await world(Station.objects.filter(pk__gt=air.jazz.pk).count) == 1
    for condition in ("station__id__exact", "station__id", "station__pk", "station"):
        assert await world(Show.objects.filter(**{condition: air.pop.pk}).count) == 2


async def test_percent_signs_and_underscores(air, world: World):
    """They are characters like others."""
    await world(Show.objects.filter(pk=air.one.pk).update, title="100% of_it")
    for text in ("%", "_", "00% of_"):
        assert await world.list(Show.objects.filter(title__contains=text)) == [air.one]
    assert await world(Show.objects.filter(title__startswith="1_0").count) == 0


async def test_results_are_kept(air, world: World, queries):
    """Reading all keeps them; an index or a slice before that doesn't."""
    queryset = Show.objects.all()
    queries.clear()
    await world.list(queryset)
    await world.list(queryset)
    assert len(queries) == 1
    if not world.is_async:
        assert queryset[3] == queryset[3]
        assert len(queries) == 1
        queryset = Show.objects.all()
        assert queryset[3] == queryset[3]
        assert len(queries) == 3
        repr(queryset)
        assert queryset._result_cache is None
        assert air.one in queryset
        assert bool(queryset)
        assert len(queries) == 5


@pytest.fixture
def hounds(db: Backend) -> None:
    Hound.objects.create(name="Max", data=None)
    Hound.objects.create(name="Archie", data=Value(None, JSONField()))
    pets = [{"name": "Fishy"}]
    Hound.objects.create(
        name="Rufus", data={"breed": "labrador", "owner": {"name": "Bob", "other_pets": pets}}
    )
    Hound.objects.create(name="Meg", data={"breed": "collie", "owner": None})
    Hound.objects.create(name="Shep", data={"breed": ["spitz", "lhasa apso"], "home": "Rome"})
    Hound.objects.create(name="Merry", data={"breed": "pekingese", "tricks": ["fetch", "dance"]})
    Hound.objects.create(name="Fred", data={})


async def hounds_of(world: World, *conditions: Any, **lookups: Any) -> list[str]:
    found = Hound.objects.filter(*conditions, **lookups).order_by("name")
    return await world.list(found.values_list("name", flat=True))


async def test_json_null(hounds, world: World):
    """None is JSON's null in a condition; isnull asks for SQL's."""
    assert await hounds_of(world, data=None) == ["Archie"]
    assert await hounds_of(world, data=Value(None, JSONField())) == ["Archie"]
    assert await hounds_of(world, data__isnull=True) == ["Max"]
    assert await world(Hound.objects.filter(data__isnull=False).count) == 6


async def test_json_paths(hounds, world: World):
    """Keys, chains of keys, indexes, missing keys, texts."""
    assert await hounds_of(world, data__breed="collie") == ["Meg"]
    assert await hounds_of(world, data__owner__name="Bob") == ["Rufus"]
    assert await hounds_of(world, data__owner__other_pets__0__name="Fishy") == ["Rufus"]
    assert await hounds_of(world, data__owner__isnull=True) == ["Archie", "Fred", "Max", "Merry", "Shep"]
    texts = Hound.objects.annotate(second=KT("data__breed__1"), home=KT("data__home"))
    assert (await world(texts.filter(second__startswith="lhasa", home="Rome").get)).name == "Shep"
    assert await hounds_of(world, data__has_key="owner") == ["Meg", "Rufus"]
    assert await hounds_of(world, data__has_keys=["breed", "owner"]) == ["Meg", "Rufus"]
    assert await hounds_of(world, data__has_any_keys=["owner", "home"]) == ["Meg", "Rufus", "Shep"]


@pytest.mark.backends("postgresql", "asyncpg", "mariadb")
async def test_json_containment(hounds, world: World):
    """SQLite has no word for it."""
    assert await hounds_of(world, data__contains={"breed": "collie"}) == ["Meg"]
    assert await hounds_of(world, data__contains={"tricks": ["dance"]}) == ["Merry"]
    assert await hounds_of(world, data__contained_by={"breed": "collie", "owner": None}) == ["Fred", "Meg"]
    wide = {"breed": "pekingese", "tricks": ["dance", "fetch", "hug"]}
    assert await hounds_of(world, data__contained_by=wide) == ["Fred", "Merry"]


async def test_q(air, world: World):
    """OR, XOR, NOT, several Qs, and keywords after them."""
    either = Q(title__startswith="Best") | Q(title__startswith="Monk")
    assert await titles(world, Show.objects.filter(either)) == [str(air.three), str(air.four)]
    assert await world(Show.objects.filter(either | ~Q(aired__year=2008)).count) == 3
    assert await world(Show.objects.filter(Q(calls__gt=1) ^ Q(letters__gt=1)).count) == 2
    day = Q(aired=dt.date(2008, 6, 1)) | Q(aired=dt.date(2008, 5, 6))
    assert await world(Show.objects.get, Q(title__startswith="New"), day) == air.one
    assert await world(Show.objects.get, day, title__startswith="New") == air.one


async def test_comparing_objects(air, world: World):
    """By model and key."""
    assert await world(Show.objects.get, pk=air.one.pk) == air.one
    assert air.one != air.two
    assert air.one != air.jazz


async def test_deleting(air, world: World):
    """Of one, of many, with what refers to them; a manager has no delete()."""
    assert await world(air.four.delete) == (1, {Show._meta.label: 1})
    count, each = await world(Show.objects.filter(aired__year=2009).delete)
    assert (count, each[Show._meta.label]) == (2, 1)
    await world(air.jazz.delete)
    assert await world.list(Show.objects.all()) == [air.three]
    assert not hasattr(Show.objects, "delete")
    await world(Show.objects.all().delete)
    assert await world(Show.objects.count) == 0


async def test_copying_objects(air, world: World):
    """A new key makes a new row, also with a parent's table; relations are copied by hand."""
    before = air.pop.pk
    air.pop.pk = None
    air.pop._state.adding = True
    await world(air.pop.save)
    assert air.pop.pk not in (None, before)
    themed = ThemedStation(name="Py", slogan="easy", theme="python")
    await world(themed.save)
    first = themed.pk
    themed.pk = None
    themed.id = None
    themed._state.adding = True
    await world(themed.save)
    assert themed.pk != first
    assert await world(ThemedStation.objects.filter(theme="python", name="Py").count) == 2
    show = await world(Show.objects.get, pk=air.one.pk)
    announcers = await world.list(show.announcers.all())
    show.pk = None
    show._state.adding = True
    await world(show.save)
    await world(show.announcers.set, announcers)
    assert show.pk != air.one.pk
    assert await world(show.announcers.count) == 2
    detail = await world(ShowDetail.objects.create, show=air.one, details="x")
    detail.pk = None
    detail._state.adding = True
    detail.show = show
    await world(detail.save)
    assert await world(ShowDetail.objects.count) == 2


async def test_updating_many(air, world: World):
    """By constants, objects and expressions of the own table; the count is of the rows that matched."""
    assert await world(Show.objects.filter(aired__year=2009).update, title="the same") == 1
    assert await world(Show.objects.update, station=air.pop) == 4
    assert await world(Show.objects.filter(station=air.pop).update, notes="n") == 4
    await world(Show.objects.update, letters=F("letters") + 1)
    assert await world(Show.objects.aggregate, all=Sum("letters")) == {"all": 11}
    with pytest.raises(FieldError):
        await world(Show.objects.update, title=F("station__name"))


async def test_one_to_many_forward(air, world: World, queries):
    """An attribute, kept once it was read; select_related() fills it; NULL where the key may be that."""
    show = await world(Show.objects.get, id=air.two.pk)
    queries.clear()
    assert await world.attribute(show, "station") == air.jazz
    assert show.station == air.jazz
    assert len(queries) == 1
    show = await world(Show.objects.select_related().get, id=air.two.pk)
    queries.clear()
    assert show.station == air.jazz
    assert len(queries) == 0
    guest = await world(Guest.objects.create, show=air.one, name="x")
    guest.show = None
    await world(guest.save)
    assert await world(Guest.objects.filter(show=None).count) == 1


async def test_one_to_many_backward(air, world: World):
    """A manager of the related objects, by its usual name or its own."""
    assert await world.list(air.jazz.show_set.order_by("pk")) == [air.one, air.two]
    assert await world.list(air.jazz.show_set.filter(title__contains="Paper")) == [air.two]
    assert await world(air.jazz.show_set.count) == 2
    guest = await world(air.one.guests.create, name="x")
    assert await world.list(air.one.guests.all()) == [guest]
    await world(air.one.guests.remove, guest)
    assert await world(air.one.guests.count) == 0
    await world(air.one.guests.set, [guest])
    await world(air.one.guests.clear)
    assert await world(Guest.objects.filter(show=None).count) == 1
    await world(air.pop.show_set.set, [air.one])
    assert await world(air.pop.show_set.count) == 3
    await world(air.jazz.show_set.add, air.one)
    assert await world(air.jazz.show_set.count) == 2


async def test_another_manager_for_related_objects(air, world: World):
    """Its filter applies, and its methods are there; a Prefetch can name its queryset."""
    assert await world.list(air.pop.show_set(manager="old").all()) == [air.three]
    assert await world.list(air.jazz.show_set(manager="old").loud()) == [air.one]
    prefetch = Prefetch("show_set", queryset=Show.old.all())
    found = await world.list(Station.objects.prefetch_related(prefetch).order_by("pk"))
    assert [len(station.show_set.all()) for station in found] == [2, 1]


async def test_many_to_many(air, world: World):
    """From both ends; keys may be given for objects."""
    assert await titles(world, air.one.announcers.all()) == ["Ann", "Joe"]
    assert await world(air.one.announcers.count) == 2
    assert await world.list(air.one.announcers.filter(name__contains="Jo")) == [air.joe]
    assert await world.list(air.joe.show_set.all()) == [air.one]
    await world(air.joe.show_set.set, [air.three, air.four])
    assert await world(air.joe.show_set.count) == 2
    await world(air.joe.show_set.set, [air.one.pk, air.four.pk])
    assert await titles(world, air.joe.show_set.all()) == [str(air.four), str(air.one)]


async def test_one_to_one(air, world: World):
    """An object at either end; DoesNotExist where there is none."""
    detail = await world(ShowDetail.objects.create, show=air.one, details="x")
    found = await world(ShowDetail.objects.get, pk=detail.pk)
    assert await world.attribute(found, "show") == air.one
    show = await world(Show.objects.select_related("showdetail").get, pk=air.one.pk)
    assert show.showdetail == detail
    other = await world(Show.objects.select_related("showdetail").get, pk=air.two.pk)
    with pytest.raises(ShowDetail.DoesNotExist):
        other.showdetail
    other.showdetail = detail
    await world(detail.save)
    assert (await world(ShowDetail.objects.get, show=other)).pk == detail.pk


async def test_objects_and_keys_in_conditions(air, world: World):
    """They say the same."""
    for value in (air.pop, air.pop.id, str(air.pop.id)):
        assert await world(Show.objects.filter(station=value).count) == 2
