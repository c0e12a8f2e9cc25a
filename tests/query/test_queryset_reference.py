"""The statements that Django's reference of QuerySets makes, about objects of ours.

Source: Django's documentation, ref/models/querysets, in the order of that page.
"""

import datetime as dt
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from ormolu import (
    CASCADE,
    SET_NULL,
    BooleanField,
    CharField,
    Coalesce,
    Count,
    DateField,
    DateTimeField,
    F,
    FieldError,
    ForeignKey,
    IntegerField,
    Lower,
    ManyToManyField,
    Model,
    Prefetch,
    Q,
    RawSQL,
    Sum,
    prefetch_related_objects,
)
from ormolu.exceptions import FieldDoesNotExist, NotSupportedError
from ormolu.query import FilteredRelation
from ormolu.query.functions import Upper
from ormolu.query.queryset import EmptyQuerySet
from support.backends import Backend
from support.worlds import World


class Journal(Model):
    name = CharField(max_length=100)
    tagline = CharField(max_length=100)
    slug = CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.name


class Scribe(Model):
    name = CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Note(Model):
    journal: Any = ForeignKey(Journal, on_delete=CASCADE)
    headline = CharField(max_length=100)
    summary = CharField(max_length=100, null=True)
    pub_date = DateField(null=True)
    at = DateTimeField(null=True)
    scribes: Any = ManyToManyField(Scribe)
    rating = IntegerField(default=5)
    number = IntegerField(default=0)
    comments_on = BooleanField(default=True)

    def __str__(self) -> str:
        return self.headline

    class Meta:
        get_latest_by = "pub_date"


class Borough(Model):
    name = CharField(max_length=20)


class Citizen(Model):
    name = CharField(max_length=20)
    hometown: Any = ForeignKey(Borough, on_delete=SET_NULL, null=True)


class Novel(Model):
    author: Any = ForeignKey(Citizen, on_delete=CASCADE)


class Topping(Model):
    name = CharField(max_length=30)


class Pizza(Model):
    name = CharField(max_length=50)
    vegetarian = BooleanField(default=False)
    toppings: Any = ManyToManyField(Topping)


class Pizzeria(Model):
    name = CharField(max_length=50)
    pizzas: Any = ManyToManyField(Pizza, related_name="restaurants")
    best_pizza: Any = ForeignKey(Pizza, related_name="championed_by", on_delete=CASCADE)


class Tome(Model):
    title = CharField(max_length=20, unique=True)


class Section(Model):
    volume: Any = ForeignKey(Tome, on_delete=CASCADE, related_name="sections", null=True)
    title = CharField(max_length=20, unique=True)


@pytest.fixture
def press(db: Backend) -> Any:
    """Two journals, four notes, three scribes of whom one wrote nothing."""
    beat = Journal.objects.create(name="Beatles Journal", tagline="All the news.", slug="beat")
    chess = Journal.objects.create(name="Cheddar Talk", tagline="Cheese.", slug="chess")

    def note(journal: Journal, headline: str, date: tuple[int, int, int], **values: Any) -> Note:
        day = dt.date(*date)
        return Note.objects.create(journal=journal, headline=headline, pub_date=day, **values)

    first = note(beat, "Lennon first", (2005, 2, 20), rating=4, number=1)
    second = note(beat, "An apple", (2005, 3, 20), rating=5, number=2, summary="Zebra")
    third = note(chess, "hello", (2006, 12, 31), rating=3, number=3)
    fourth = note(chess, "Lennon second", (2005, 3, 20), rating=1, number=4)
    noam, george, don = [Scribe.objects.create(name=name) for name in ("Noam", "George", "Don")]
    first.scribes.add(noam)
    second.scribes.add(george)
    third.scribes.add(george, noam)
    names = ("beat", "chess", "first", "second", "third", "fourth", "noam", "george", "don")
    return SimpleNamespace(**{name: value for name, value in locals().items() if name in names})


@pytest.fixture
def menu(db: Backend) -> Any:
    """Three pizzas with toppings, in two restaurants."""
    ham, prawns, olives, basil = [
        Topping.objects.create(name=name) for name in ("ham", "prawns", "olives", "basil")
    ]
    hawaii = Pizza.objects.create(name="Hawaii")
    sea = Pizza.objects.create(name="Seafood")
    garden = Pizza.objects.create(name="Garden mozzarella", vegetarian=True)
    hawaii.toppings.set([ham])
    sea.toppings.set([prawns, olives])
    garden.toppings.set([olives, basil])
    one = Pizzeria.objects.create(name="one", best_pizza=hawaii)
    two = Pizzeria.objects.create(name="two", best_pizza=garden)
    one.pizzas.set([hawaii, sea])
    two.pizzas.set([sea, garden])
    return SimpleNamespace(hawaii=hawaii, sea=sea, garden=garden, one=one, two=two)


@pytest.mark.worlds("sync")
def test_pickling(press):
    """The query of values_list() gives what it gave."""
    queryset = Journal.objects.values_list("slug", "name").order_by("slug")
    again = Journal.objects.all()
    again.query = pickle.loads(pickle.dumps(queryset.query))
    assert list(again) == [("beat", "Beatles Journal"), ("chess", "Cheddar Talk")]
    assert [j.pk for j in pickle.loads(pickle.dumps(Journal.objects.order_by("pk")))] == [
        press.beat.pk,
        press.chess.pk,
    ]


def test_attributes(db: Backend):
    """Whether it is ordered, and where it will run."""
    assert not Note.objects.all().ordered
    assert Note.objects.order_by("pk").ordered
    assert Note.objects.all().db == "default"


async def test_exclude(press, world: World):
    """One call negates the conjunction, two negate each."""
    day = dt.date(2005, 3, 1)
    both = Note.objects.exclude(pub_date__gt=day, headline="hello")
    assert await world(both.count) == 3
    each = Note.objects.exclude(pub_date__gt=day).exclude(headline="hello")
    assert await world.list(each) == [press.first]


async def test_annotate_and_alias(press, world: World):
    """Positional expressions name themselves; an alias is promoted by annotate()."""
    found = await world.list(Journal.objects.annotate(Count("note")).order_by("pk"))
    assert [journal.note__count for journal in found] == [2, 2]
    found = await world.list(Journal.objects.annotate(number_of_notes=Count("note")))
    assert [journal.number_of_notes for journal in found] == [2, 2]
    assert await world(Journal.objects.alias(notes=Count("note")).filter(notes__gt=5).count) == 0
    promoted = Journal.objects.alias(notes=Count("note")).annotate(notes=F("notes"))
    assert await world(promoted.aggregate, Sum("notes")) == {"notes__sum": 4}


async def test_order_by(press, world: World):
    """Names in both directions, at random, over relations, expressions, several values, none."""
    found = Note.objects.filter(pub_date__year=2005).order_by("-pub_date", "headline")
    assert await world.list(found) == [press.second, press.fourth, press.first]
    assert len(await world.list(Note.objects.order_by("?"))) == 4
    by_journal = Note.objects.order_by("journal__name", Lower("headline").asc())
    assert await world.list(by_journal) == [press.second, press.first, press.third, press.fourth]
    assert await world.list(Note.objects.order_by("journal", "pk")) == await world.list(
        Note.objects.order_by("journal__id", "pk")
    )
    by_text = Note.objects.order_by(Coalesce(Lower("summary"), Lower("headline")).desc())
    assert (await world.list(by_text))[0].pk == press.second.pk
    nulls = Note.objects.order_by(F("summary").asc(nulls_last=True), "pk")
    assert (await world.list(nulls))[0] == press.second
    assert len(await world.list(Note.objects.order_by("scribes__name"))) == 5
    assert (await world.list(Note.objects.order_by("pk").reverse()))[0] == press.fourth
    assert (await world.list(Note.objects.order_by("pk").reverse().reverse()[:1]))[0] == press.first


async def test_distinct(press, world: World):
    """Of whole rows."""
    assert await world(Journal.objects.filter(note__rating__gt=0).distinct().count) == 2
    dates = Note.objects.values_list("pub_date__year", flat=True).distinct().order_by("pub_date__year")
    assert await world.list(dates) == [2005, 2006]


@pytest.mark.backends("postgresql", "asyncpg")
async def test_distinct_on_fields(press, world: World):
    """The first row of each value."""
    assert len(await world.list(Note.objects.order_by("pub_date").distinct("pub_date"))) == 3
    assert len(await world.list(Note.objects.order_by("journal", "pk").distinct("journal"))) == 2
    two = Note.objects.order_by("journal__name", "pub_date").distinct("journal__name", "pub_date")
    assert len(await world.list(two)) == 4


async def test_values(press, world: World):
    """All fields or some, expressions, transforms, keys by either name, relations."""
    (row,) = await world.list(Journal.objects.filter(slug="beat").values())
    assert row == {
        "id": press.beat.pk,
        "name": "Beatles Journal",
        "tagline": "All the news.",
        "slug": "beat",
    }
    assert await world.list(Journal.objects.filter(slug="beat").values("id", "name")) == [
        {"id": press.beat.pk, "name": "Beatles Journal"}
    ]
    assert await world.list(Journal.objects.filter(slug="beat").values(low=Lower("name"))) == [
        {"low": "beatles journal"}
    ]
    CharField.register_lookup(Upper)
    try:
        assert await world.list(Journal.objects.filter(slug="beat").values("name__upper")) == [
            {"name__upper": "BEATLES JOURNAL"}
        ]
        grouped = Journal.objects.values("note__scribes__name__upper").annotate(notes=Count("note"))
        assert {"note__scribes__name__upper": "NOAM", "notes": 2} in await world.list(grouped)
    finally:
        CharField._unregister_lookup(Upper)
    one_clause = Journal.objects.values("note__scribes", notes=Count("note"))
    assert len(await world.list(one_clause)) == 5  # by the journal's row as well
    two_clauses = Journal.objects.values("note__scribes").annotate(notes=Count("note"))
    assert len(await world.list(two_clauses)) == 3
    named = Journal.objects.annotate(who=Lower("note__scribes__name")).values("who").annotate(n=Count("note"))
    assert {"who": "george", "n": 2} in await world.list(named)
    (note,) = await world.list(Note.objects.filter(pk=press.first.pk).values())
    assert note["journal_id"] == press.beat.pk
    assert "journal" not in note
    assert await world.list(Note.objects.filter(pk=press.first.pk).values("journal")) == [
        {"journal": press.beat.pk}
    ]
    assert await world.list(Note.objects.filter(pk=press.first.pk).values("journal_id")) == [
        {"journal_id": press.beat.pk}
    ]
    assert await world.list(Journal.objects.values().order_by("id")) == await world.list(
        Journal.objects.order_by("id").values()
    )
    pairs = Journal.objects.filter(slug="beat").values("name", "note__headline").order_by("note__pk")
    assert [row["note__headline"] for row in await world.list(pairs)] == ["Lennon first", "An apple"]


async def test_the_order_of_values(press, world: World):
    """Columns stand as they were named, expressions after the names."""
    found = Note.objects.annotate(low=Lower("headline")).values_list("low", "id", "headline").get
    assert await world(found, pk=press.first.pk) == ("lennon first", press.first.pk, "Lennon first")
    mixed = Note.objects.values_list("id", Lower("headline"), "rating").get
    assert await world(mixed, pk=press.first.pk) == (press.first.pk, "lennon first", 4)


async def test_values_list(press, world: World):
    """Tuples, single values, named tuples; of many-valued relations a row for each; None for nothing."""
    keys = [press.first.pk, press.second.pk, press.third.pk, press.fourth.pk]
    assert await world.list(Note.objects.values_list("id").order_by("id")) == [(key,) for key in keys]
    assert await world.list(Note.objects.values_list("id", flat=True).order_by("id")) == keys
    (row, *_) = await world.list(Note.objects.values_list("id", "headline", named=True).order_by("id"))
    assert (row.id, row.headline) == (keys[0], "Lennon first")
    assert type(row).__name__ == "Row"
    assert await world(Note.objects.values_list("headline", flat=True).get, pk=keys[0]) == "Lennon first"
    rows = await world.list(Scribe.objects.values_list("name", "note__headline").order_by("pk", "note"))
    assert rows == [
        ("Noam", "Lennon first"),
        ("Noam", "hello"),
        ("George", "An apple"),
        ("George", "hello"),
        ("Don", None),
    ]
    ends = await world.list(Note.objects.values_list("scribes").order_by("pk", "scribes"))
    assert ends == [(press.noam.pk,), (press.george.pk,), (press.noam.pk,), (press.george.pk,), (None,)]


async def test_dates(press, world: World):
    """Different days, weeks, months and years, in both orders."""
    notes = Note.objects.filter(pub_date__year=2005)
    assert await world.list(notes.dates("pub_date", "year")) == [dt.date(2005, 1, 1)]
    assert await world.list(notes.dates("pub_date", "month")) == [dt.date(2005, 2, 1), dt.date(2005, 3, 1)]
    assert await world.list(notes.dates("pub_date", "week")) == [dt.date(2005, 2, 14), dt.date(2005, 3, 14)]
    days = [dt.date(2005, 2, 20), dt.date(2005, 3, 20)]
    assert await world.list(notes.dates("pub_date", "day")) == days
    assert await world.list(notes.dates("pub_date", "day", order="DESC")) == days[::-1]
    chosen = Note.objects.filter(headline__contains="second").dates("pub_date", "day")
    assert await world.list(chosen) == [dt.date(2005, 3, 20)]


async def test_none(press, world: World, queries):
    """It finds nothing, and asks nobody."""
    queries.clear()
    assert await world.list(Note.objects.none()) == []
    assert await world(Note.objects.none().count) == 0
    assert not await world(Note.objects.none().exists)
    assert len(queries) == 0
    assert isinstance(Note.objects.none(), EmptyQuerySet)
    assert not isinstance(Note.objects.all(), EmptyQuerySet)


async def test_set_operations(press, world: World):
    """Of like columns, whatever their names; what else can't be asked says so."""
    one = Note.objects.filter(rating__gte=4)
    two = Note.objects.filter(pub_date__year=2005)
    assert await world.list(one.union(two).order_by("pk")) == [press.first, press.second, press.fourth]
    assert await world(one.union(two, all=True).count) == 5
    assert await world.list(one.intersection(two).order_by("pk")) == [press.first, press.second]
    assert await world.list(two.difference(one)) == [press.fourth]
    names = Scribe.objects.values_list("name").union(Note.objects.values_list("headline")).order_by("name")
    assert len(await world.list(names)) == 7
    assert await world(one.union(two).exists)
    with pytest.raises(NotSupportedError):
        one.union(two).filter(pk=1)


async def test_select_related(press, world: World, queries):
    """One query fills the relation, also several levels of it and backward."""
    note = await world(Note.objects.select_related("journal").get, id=press.first.pk)
    queries.clear()
    assert note.journal == press.beat
    assert len(queries) == 0
    rome = await world(Borough.objects.create, name="Rome")
    citizen = await world(Citizen.objects.create, name="Ann", hometown=rome)
    novel = await world(Novel.objects.create, author=citizen)
    queries.clear()
    found = await world(Novel.objects.select_related("author__hometown").get, id=novel.pk)
    assert found.author.hometown.name == "Rome"
    assert len(queries) == 1
    queries.clear()
    found = await world(
        Novel.objects.select_related("author__hometown").select_related(None).get, pk=novel.pk
    )
    assert (await world.attribute(found, "author")).name == "Ann"
    assert len(queries) == 2
    with pytest.raises(FieldError):
        Novel.objects.select_related("nothing")


async def test_prefetch_related(menu, world: World, queries):
    """One query for each relation on the way."""
    queries.clear()
    found = await world.list(Pizza.objects.prefetch_related("toppings").order_by("pk"))
    assert [sorted(t.name for t in pizza.toppings.all()) for pizza in found] == [
        ["ham"],
        ["olives", "prawns"],
        ["basil", "olives"],
    ]
    assert len(queries) == 2
    queries.clear()
    restaurants = await world.list(Pizzeria.objects.prefetch_related("pizzas__toppings").order_by("pk"))
    assert sorted(len(pizza.toppings.all()) for pizza in restaurants[0].pizzas.all()) == [1, 2]
    assert len(queries) == 3
    queries.clear()
    found = Pizzeria.objects.select_related("best_pizza").prefetch_related("best_pizza__toppings")
    assert sorted(len(r.best_pizza.toppings.all()) for r in await world.list(found)) == [1, 2]
    assert len(queries) == 2
    queries.clear()
    assert len(await world.list(found.prefetch_related(None))) == 2
    assert len(queries) == 1


async def test_a_change_forgets_what_was_prefetched(menu, world: World):
    """add(), create(), remove(), clear() and set() do."""
    pizza = await world(Pizza.objects.prefetch_related("toppings").get, pk=menu.hawaii.pk)
    await world(pizza.toppings.create, name="pineapple")
    assert len(await world.list(pizza.toppings.all())) == 2


async def test_prefetch_objects(menu, world: World, queries):
    """With a queryset, with an attribute of their own, and further from there."""
    by_name = Prefetch("pizzas__toppings", queryset=Topping.objects.order_by("name"))
    found = await world.list(Pizzeria.objects.prefetch_related(by_name).order_by("pk"))
    toppings = {pizza.name: [t.name for t in pizza.toppings.all()] for pizza in found[1].pizzas.all()}
    assert toppings == {"Seafood": ["olives", "prawns"], "Garden mozzarella": ["basil", "olives"]}
    champions = Prefetch("restaurants", queryset=Pizzeria.objects.select_related("best_pizza"))
    queries.clear()
    pizzas = await world.list(Pizza.objects.prefetch_related(champions))
    assert {r.best_pizza.name for pizza in pizzas for r in pizza.restaurants.all()} == {
        "Hawaii",
        "Garden mozzarella",
    }
    assert len(queries) == 2
    vegetarian = Pizza.objects.filter(vegetarian=True)
    lookups = [
        Prefetch("pizzas", to_attr="menu"),
        Prefetch("pizzas", queryset=vegetarian, to_attr="vegetarian_menu"),
        "vegetarian_menu__toppings",
    ]
    queries.clear()
    one, two = await world.list(Pizzeria.objects.prefetch_related(*lookups).order_by("pk"))
    assert len(queries) == 4
    assert (len(one.menu), one.vegetarian_menu) == (2, [])
    assert [pizza.name for pizza in two.vegetarian_menu] == ["Garden mozzarella"]
    assert len(two.vegetarian_menu[0].toppings.all()) == 2
    only = Prefetch("best_pizza", queryset=Pizza.objects.only("name"))
    (first, *_) = await world.list(Pizzeria.objects.prefetch_related(only).order_by("pk"))
    assert first.best_pizza.get_deferred_fields() == {"vegetarian"}


async def test_the_order_of_prefetches_matters(menu, world: World):
    """A queryset for what was prefetched already, and an attribute that isn't there yet, are errors."""
    late = ["pizzas__toppings", Prefetch("pizzas", queryset=Pizza.objects.all())]
    with pytest.raises(ValueError, match="different queryset"):
        await world.list(Pizzeria.objects.prefetch_related(*late))
    early = ["pizza_list__toppings", Prefetch("pizzas", to_attr="pizza_list")]
    with pytest.raises(AttributeError):
        await world.list(Pizzeria.objects.prefetch_related(*early))
    fine = ["pizzas__toppings", "pizzas"]
    assert len(await world.list(Pizzeria.objects.prefetch_related(*fine))) == 2


async def test_prefetch_related_objects(menu, world: World, queries):
    """The same for objects that are there."""
    found = await world.list(Pizzeria.objects.order_by("pk"))
    queries.clear()
    await world(prefetch_related_objects, found, "pizzas__toppings")
    assert len(queries) == 2
    assert len(found[0].pizzas.all()[0].toppings.all()) in (1, 2)


async def test_extra(press, world: World):
    """Columns, conditions, tables, parameters; RawSQL is the better way."""
    table = Note._meta.db_table
    recent = Note.objects.extra(select={"is_recent": f"{table}.rating > 3"}).order_by("pk")
    assert [bool(note.is_recent) for note in await world.list(recent)] == [True, True, False, False]
    where = Note.objects.extra(where=["headline = 'hello' OR rating = 1", "number > 3"])
    assert await world.list(where) == [press.fourth]
    assert await world.list(Note.objects.extra(where=["headline=%s"], params=["hello"])) == [press.third]
    ordered = Note.objects.extra(select={"back": "-rating"}).extra(order_by=["back"])
    assert (await world.list(ordered))[0] == press.second
    counts = Journal.objects.extra(
        select={"notes": f"SELECT COUNT(*) FROM {table} WHERE journal_id = {Journal._meta.db_table}.id"}
    )
    assert [journal.notes for journal in await world.list(counts)] == [2, 2]
    raw = Note.objects.annotate(val=RawSQL(f"select max(rating) from {table} where number < %s", (3,)))
    assert (await world.list(raw))[0].val == 5


async def test_defer_and_only(press, world: World):
    """They add up, replace one another, and reach related objects."""

    async def deferred(queryset: Any) -> set[str]:
        note = await world(queryset.get, pk=press.first.pk)
        return note.get_deferred_fields() & {"headline", "summary", "rating"}

    assert await deferred(Note.objects.defer("headline", "summary")) == {"headline", "summary"}
    chained = Note.objects.defer("summary").filter(rating=4).defer("headline")
    assert await deferred(chained) == {"headline", "summary"}
    assert await deferred(chained.defer(None)) == set()
    assert await deferred(Note.objects.only("summary", "rating").only("headline")) == {"summary", "rating"}
    assert await deferred(Note.objects.only("headline", "summary").defer("summary")) == {"summary", "rating"}
    assert await deferred(Note.objects.defer("summary").only("headline", "summary")) == {"summary", "rating"}
    related = Note.objects.select_related("journal").defer("journal__tagline")
    note = await world(related.get, pk=press.first.pk)
    assert note.journal.get_deferred_fields() == {"tagline"}
    with pytest.raises(FieldError):
        await world(Note.objects.defer("journal").select_related("journal").first)


async def test_operators(press, world: World):
    """`&`, `|` and `^` of querysets are those of their conditions."""
    one, two = Note.objects.filter(rating__gte=4), Note.objects.filter(number__gte=2)
    assert await world.list((one & two).order_by("pk")) == [press.second]
    assert await world((one | two).count) == 4
    assert await world.list((one ^ two).order_by("pk")) == [press.first, press.third, press.fourth]


async def test_get_or_create_in_a_relation(db: Backend, world: World):
    """A new object is related; one with the same unique title elsewhere is in the way."""
    from ormolu.exceptions import IntegrityError

    book = await world(Tome.objects.create, title="Ulysses")
    made = await world(book.sections.get_or_create, title="Telemachus")
    assert made[1]
    again = await world(book.sections.get_or_create, title="Telemachus")
    assert again == (made[0], False)
    await world(Section.objects.create, title="Chapter 1")
    with pytest.raises(IntegrityError):
        await world(book.sections.get_or_create, title="Chapter 1")


async def test_get_or_create_and_update_or_create(press, world: World):
    """Lookups find, defaults make; `defaults__exact` is a field of that name; values may be called."""
    found, created = await world(
        Scribe.objects.filter(Q(name="Noam") | Q(name="x")).get_or_create, name="Noam", defaults={"name": "y"}
    )
    assert (found, created) == (press.noam, False)
    made, created = await world(
        Scribe.objects.get_or_create, name__iexact="Eve", defaults={"name": lambda: "Eve"}
    )
    assert (made.name, created) == ("Eve", True)
    same, created = await world(
        Scribe.objects.update_or_create, name="Eve", defaults={"name": "Eva"}, create_defaults={"name": "no"}
    )
    assert (same.pk, same.name, created) == (made.pk, "Eva", False)
    new, created = await world(
        Scribe.objects.update_or_create, name="Bob", defaults={"name": "no"}, create_defaults={"name": "Bob"}
    )
    assert (new.name, created) == ("Bob", True)


async def test_bulk(press, world: World):
    """Many rows with one statement; bulk_update() of a filtered queryset touches only its rows."""
    made = await world(
        Scribe.objects.bulk_create, [Scribe(name="This is a test"), Scribe(name="This is only a test")]
    )
    assert [scribe.name for scribe in made] == ["This is a test", "This is only a test"]
    for scribe in made:
        scribe.name = "changed"
    assert await world(Scribe.objects.filter(pk=made[0].pk).bulk_update, made, ["name"]) == 1
    assert await world(Scribe.objects.filter(name="changed").count) == 1
    assert await world(Scribe.objects.bulk_update, made, ["name"], batch_size=1) == 2


async def test_in_bulk(press, world: World):
    """By keys, by a unique field, of all."""
    beat, chess = press.beat, press.chess
    assert await world(Journal.objects.in_bulk, [beat.pk]) == {beat.pk: beat}
    assert await world(Journal.objects.in_bulk, [beat.pk, chess.pk]) == {beat.pk: beat, chess.pk: chess}
    assert await world(Journal.objects.in_bulk, []) == {}
    assert len(await world(Journal.objects.in_bulk)) == 2
    assert await world(Journal.objects.in_bulk, ["beat"], field_name="slug") == {"beat": beat}
    with pytest.raises(ValueError, match="unique"):
        await world(Journal.objects.in_bulk, field_name="name")


async def test_the_first_and_the_last(press, world: World):
    """By fields, by Meta.get_latest_by, by order, by key."""
    assert await world(Note.objects.latest) == press.third
    assert await world(Note.objects.latest, "pub_date", "-rating") == press.third
    assert await world(Note.objects.earliest, "pub_date") == press.first
    assert await world(Note.objects.filter(pub_date__isnull=False).latest, "pub_date") == press.third
    assert await world(Note.objects.order_by("headline").first) == press.second
    assert await world(Note.objects.first) == press.first
    assert await world(Note.objects.last) == press.fourth
    assert await world(Note.objects.none().first) is None


async def test_aggregate(press, world: World):
    """Over relations, with a name of its own."""
    assert await world(Journal.objects.aggregate, Count("note__scribes")) == {"note__scribes__count": 4}
    assert await world(Journal.objects.aggregate, number=Count("note__scribes")) == {"number": 4}


async def test_exists_and_contains(press, world: World):
    """Asked of the database, or of the results that are there."""
    notes = Note.objects.filter(rating__gt=3)
    assert await world(notes.exists)
    assert await world(notes.contains, press.first)
    assert not await world(notes.contains, press.fourth)


async def test_update_and_delete(press, world: World):
    """Of all rows that match, related conditions included; expressions; ordered on MariaDB; with cascades."""
    assert await world(Note.objects.filter(pub_date__year=2006).update, comments_on=False) == 1
    changed = {"comments_on": False, "headline": "This is old"}
    assert await world(Note.objects.filter(pub_date__year=2006).update, **changed) == 1
    with pytest.raises(FieldDoesNotExist):
        await world(Note.objects.update, journal__name="foo")
    assert await world(Note.objects.filter(journal__id=press.beat.pk).update, comments_on=True) == 2
    assert await world(Note.objects.filter(headline="nothing").update, comments_on=True) == 0
    await world(Note.objects.order_by("-number").update, number=F("number") + 1)
    assert (await world(Note.objects.get, pk=press.first.pk)).number == 2
    count, each = await world(Note.objects.filter(journal=press.beat).delete)
    assert (count, each[Note._meta.label]) == (4, 2)
    count, each = await world(Journal.objects.all().delete)
    assert each[Journal._meta.label] == 2


async def test_explain(press, world: World):
    """A text."""
    assert await world(Journal.objects.filter(name="x").explain)


async def test_lookups(press, world: World):
    """The lookups of the reference, each as its example has it."""
    await world(
        Note.objects.filter(pk=press.first.pk).update, at=dt.datetime(2005, 2, 20, 14, 29, 31, tzinfo=dt.UTC)
    )

    async def found(**lookups: Any) -> set[str]:
        notes = await world.list(Note.objects.filter(**lookups))
        return {name for name in ("first", "second", "third", "fourth") if getattr(press, name) in notes}

    everything = {"first", "second", "third", "fourth"}
    assert await found(id__exact=None) == set()
    assert await found(summary__exact=None) == {"first", "third", "fourth"}
    assert await found(summary__iexact=None) == {"first", "third", "fourth"}
    assert await found(headline__iexact="HELLO") == {"third"}
    assert await found(headline__contains="Lennon") == {"first", "fourth"}
    assert await found(headline__icontains="lennon") == {"first", "fourth"}
    assert await found(headline__in="abc") == set()
    assert await found(id__in=[press.first.pk, press.third.pk]) == {"first", "third"}
    assert await found(journal__in=Journal.objects.filter(name__contains="Cheddar")) == {"third", "fourth"}
    names = Journal.objects.filter(name__contains="Ch").values("name")
    assert await found(journal__name__in=names) == {"third", "fourth"}
    with pytest.raises(ValueError, match="1 selected field"):
        await found(journal__name__in=Journal.objects.values("name", "id"))
    assert await found(number__gt=3) == {"fourth"}
    assert await found(headline__istartswith="lennon") == {"first", "fourth"}
    assert await found(headline__iendswith="SECOND") == {"fourth"}
    assert await found(pub_date__range=(dt.date(2005, 1, 1), dt.date(2005, 3, 31))) == everything - {"third"}
    assert await found(at__date=dt.date(2005, 2, 20)) == {"first"}
    assert await found(at__date__gt=dt.date(2005, 2, 20)) == set()
    assert await found(pub_date__year__gte=2006) == {"third"}
    assert await found(pub_date__iso_year=2006) == {"third"}
    assert await found(pub_date__month__gte=6) == {"third"}
    assert await found(pub_date__day=20) == everything - {"third"}
    assert await found(pub_date__week=52) == {"third"}
    assert await found(pub_date__week_day=1) == everything
    assert await found(pub_date__iso_week_day=7) == everything
    assert await found(pub_date__quarter=1) == everything - {"third"}
    assert await found(at__time=dt.time(14, 29, 31)) == {"first"}
    assert await found(at__time__range=(dt.time(8), dt.time(17))) == {"first"}
    assert await found(at__hour__gte=12) == {"first"}
    assert await found(at__minute=29) == {"first"}
    assert await found(at__second=31) == {"first"}
    assert await found(at__isnull=True) == everything - {"first"}
    assert await found(headline__regex=r"^(An?|The) +") == {"second"}
    assert await found(headline__iregex=r"^(an?|the) +") == {"second"}


async def test_filtered_relations(menu, world: World):
    """The condition is part of the join."""
    annotated = Pizzeria.objects.annotate(
        green=FilteredRelation("pizzas", condition=Q(pizzas__vegetarian=True))
    )
    assert await world.list(annotated.filter(green__name__icontains="mozzarella")) == [menu.two]
    plain = Pizzeria.objects.filter(pizzas__vegetarian=True, pizzas__name__icontains="mozzarella")
    assert await world.list(plain) == [menu.two]
    rows = annotated.values("pk", "green__name")  # one for each row of the table in between
    assert await world(rows.count) == len(await world.list(rows)) == 4


async def test_objects_of_several_models_are_not_prefetched_for(menu, world: World):
    """What they have in common would be a name."""
    with pytest.raises(ValueError, match="once for each model"):
        await world(prefetch_related_objects, [menu.one, menu.hawaii], "pizzas")
