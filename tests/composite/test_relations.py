"""Relations to and from models whose keys have several columns."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import ormolu
from composite.tenants import MODELS, Badge, Desk, Person, Remark, Tenant, fill
from ormolu import (
    CASCADE,
    FETCH_ONE,
    RAISE,
    CharField,
    CompositePrimaryKey,
    FieldFetchBlocked,
    ForeignKey,
    ForeignObject,
    IntegerField,
    ManyToManyField,
    Model,
    NotLoaded,
    Prefetch,
    SmallIntegerField,
)  # fmt: skip
from ormolu.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from ormolu.contrib.contenttypes.models import ContentType
from ormolu.models.registry import isolated
from support.backends import Backend
from support.worlds import World


class Place(Model):
    code = IntegerField(unique=True)
    name = CharField(max_length=20)


class Visit(Model):
    """A ForeignObject over one column."""

    where = IntegerField(null=True)
    place = ForeignObject(
        Place, CASCADE, from_fields=("where",), to_fields=("code",), null=True, related_name="visits"
    )


class Club(Model):
    """Its members are people of any tenant, over rows that refer to them by two columns."""

    name = CharField(max_length=20)
    members: Any = ManyToManyField(Person, through="Joining", related_name="clubs")


class Joining(Model):
    club = ForeignKey(Club, on_delete=CASCADE)
    tenant_number = IntegerField()
    person_number = SmallIntegerField()
    person = ForeignObject(
        Person,
        CASCADE,
        from_fields=("tenant_number", "person_number"),
        to_fields=("tenant_id", "id"),
    )
    since = IntegerField(default=0)


MODELS.extend(model for model in (Place, Visit, Club, Joining) if model not in MODELS)
__all__ = ["MODELS"]


async def test_forward(db: Any, world: World, queries: Any) -> None:
    """Reading the relation finds the object by all columns; it is fetched once."""
    here = await fill(world)
    remark = await world(Remark.objects.get, pk=here.third.pk)
    before = len(queries)
    assert await world.attribute(remark, "person") == here.cid
    assert await world.attribute(remark, "person") == here.cid
    assert len(queries) == before + 1
    lonely = await world(Remark.objects.create, tenant=here.one, id=7)
    assert lonely.person is None
    with pytest.raises(Badge.person.RelatedObjectDoesNotExist):
        Badge().person
    dangling = await world(Badge.objects.create, tenant_number=here.one.pk, person_number=99)
    if not world.is_async:
        with pytest.raises(Person.DoesNotExist):
            dangling.person


async def test_assigning(db: Any, world: World) -> None:
    """An object sets all columns; None empties those that may be empty; setting a column lets go of the object."""
    here = await fill(world)
    remark = Remark(id=5, person=here.cid)
    assert remark.pk == (here.two.pk, 5)
    assert remark.person_id == 1
    remark.person = here.bob
    assert (remark.tenant_id, remark.person_id) == (here.one.pk, 2)  # type: ignore[attr-defined]
    remark.person = None
    assert (remark.tenant_id, remark.person_id) == (here.one.pk, None)  # type: ignore[attr-defined]
    remark.person = here.bob
    remark.person_id = 1
    assert "person" not in remark.__dict__
    remark.person = here.ann
    remark.tenant = here.two
    assert "person" not in remark.__dict__
    remark.person = here.cid
    remark.person_id = remark.person_id
    assert remark.person is here.cid


async def test_lookups(db: Any, world: World) -> None:
    """Relations are followed by joins over all columns, and compared with objects and tuples."""
    here = await fill(world)
    for lookups in (
        {"person": here.ann},
        {"person": here.ann.pk},
        {"person__pk": here.ann.pk},
        {"person__in": [here.ann]},
        {"person__email": "ann"},
        {"person__tenant__name": "one"},
        {"tenant__people": here.ann},
        {"person__tenant": here.one, "person__id": 1},
    ):
        found = await world.list(Remark.objects.filter(**lookups).order_by("id").distinct())
        assert found == [here.first, here.second], lookups
    assert await world.list(Person.objects.filter(remarks=here.third)) == [here.cid]
    assert await world.list(Person.objects.filter(remarks__in=[here.first, here.third]).order_by("pk")) == [
        here.ann,
        here.cid,
    ]
    assert await world.list(Person.objects.filter(remarks__lt=here.second)) == [here.ann]
    assert await world.list(Person.objects.exclude(remarks__text="hello").order_by("pk")) == [
        here.bob,
        here.cid,
    ]
    assert await world.list(Person.objects.exclude(remarks=here.first).order_by("pk")) == [here.bob, here.cid]
    assert await world.list(Tenant.objects.filter(people__remarks__text="aye")) == [here.two]
    assert await world.list(Tenant.objects.exclude(people__pk=here.cid.pk)) == [here.one]
    with pytest.raises(ValueError, match='Must be "Person" instance'):
        Remark.objects.filter(person=here.one)


async def test_joining_as_little_as_needed(db: Any, world: World, queries: Any) -> None:
    """What stands in the row itself needs no join."""
    here = await fill(world)
    before = len(queries)
    for lookups in (
        {"person": here.ann},
        {"person__pk": here.ann.pk},
        {"person__id": 1},
        {"person__isnull": False},
    ):
        await world.list(Remark.objects.filter(**lookups))
    assert not any("JOIN" in query.sql for query in queries[before:])


async def test_select_related(db: Any, world: World, queries: Any) -> None:
    """select_related() loads the object in the same query, None where there is none, one object for one row."""
    here = await fill(world)
    await world(Remark.objects.create, tenant=here.one, id=7)
    before = len(queries)
    found = await world.list(Remark.objects.select_related("person__tenant", "tenant").order_by("pk"))
    assert len(queries) == before + 1
    assert [remark.person and remark.person.email for remark in found] == ["ann", "ann", None, "cid"]
    assert found[0].person is found[1].person
    assert found[3].person.tenant.name == "two"
    assert len(queries) == before + 1
    few = await world.list(
        Remark.objects.select_related("person").only("text", "person__email").order_by("pk")
    )
    assert few[0].person.email == "ann"
    assert "age" not in few[0].person.__dict__
    some = await world.list(Remark.objects.select_related("person").defer("text").order_by("pk"))
    assert some[0].person.email == "ann"
    assert "text" not in some[0].__dict__


async def test_prefetch(db: Any, world: World, queries: Any) -> None:
    """prefetch_related() loads both directions with one query each."""
    here = await fill(world)
    await world(Remark.objects.create, tenant=here.one, id=7)
    before = len(queries)
    found = await world.list(Remark.objects.prefetch_related("person").order_by("pk"))
    assert len(queries) == before + 2
    assert [remark.person and remark.person.email for remark in found] == ["ann", "ann", None, "cid"]
    before = len(queries)
    people = await world.list(Person.objects.prefetch_related("remarks", "desks").order_by("pk"))
    assert len(queries) == before + 3
    assert [sorted(remark.id for remark in person.remarks.all()) for person in people] == [[1, 2], [], [1]]
    assert people[0].remarks.all()[0].person is people[0]
    chosen = Prefetch("remarks", Remark.objects.filter(text="again"), to_attr="chosen")
    people = await world.list(Person.objects.prefetch_related(chosen).order_by("pk"))
    assert [len(person.chosen) for person in people] == [1, 0, 0]
    latest = Prefetch("remarks", Remark.objects.order_by("-id")[:1])
    people = await world.list(Person.objects.prefetch_related(latest).order_by("pk"))
    assert [sorted(remark.id for remark in person.remarks.all()) for person in people] == [[2], [], [1]]
    tenants = await world.list(Tenant.objects.prefetch_related("people__remarks__person").order_by("pk"))
    assert [sorted(len(p.remarks.all()) for p in tenant.people.all()) for tenant in tenants] == [[0, 2], [1]]


async def test_managers(db: Any, world: World) -> None:
    """The manager on the other side finds, makes, adds and lets go of objects."""
    here = await fill(world)
    assert await world.list(here.ann.remarks.order_by("pk")) == [here.first, here.second]
    (only, *_others) = await world.list(here.ann.remarks.only("text"))
    assert only.person is here.ann
    made = await world(here.bob.remarks.create, id=9, text="new")
    assert made.pk == (here.one.pk, 9)
    assert made.person is here.bob
    found, created = await world(here.bob.remarks.get_or_create, id=9)
    assert found == made
    assert not created
    await world(here.bob.remarks.add, here.first)
    assert await world(here.bob.remarks.count) == 2
    await world(here.bob.remarks.remove, here.first)
    assert await world(here.bob.remarks.count) == 1
    with pytest.raises(Person.DoesNotExist):
        await world(here.bob.remarks.remove, here.third)
    await world(here.bob.remarks.set, [here.first, here.second])
    assert await world.list(here.bob.remarks.order_by("pk")) == [here.first, here.second]
    await world(here.bob.remarks.clear, bulk=False)
    assert await world(here.bob.remarks.count) == 0
    assert await world(Remark.objects.filter(person=None, tenant=here.one).count) == 3
    with pytest.raises(ValueError, match="needs to have a primary key value"):
        Person(id=1).remarks.all()


async def test_contains_and_in_bulk(db: Any, world: World) -> None:
    """contains() and in_bulk() go by tuples."""
    here = await fill(world)
    assert await world(Person.objects.filter(id=1).contains, here.ann)
    assert not await world(Person.objects.filter(id=1).contains, here.bob)
    with pytest.raises(ValueError, match="unsaved"):
        await world(Person.objects.all().contains, Person(id=1))
    assert await world(Person.objects.in_bulk) == {p.pk: p for p in (here.ann, here.bob, here.cid)}
    assert await world(Person.objects.in_bulk, [here.bob.pk, (9, 9)]) == {here.bob.pk: here.bob}
    assert await world(Person.objects.in_bulk, []) == {}


async def test_only_and_defer(db: Any, world: World, queries: Any) -> None:
    """The key is always loaded; what isn't is loaded for all peers with one query."""
    here = await fill(world)
    people = await world.list(Person.objects.only("pk").order_by("pk"))
    before = len(queries)
    assert [p.pk for p in people] == [here.ann.pk, here.bob.pk, here.cid.pk]
    assert len(queries) == before
    assert [await world.attribute(p, "email") for p in people] == ["ann", "bob", "cid"]
    assert len(queries) == before + 1
    (first, *_others) = await world.list(Person.objects.defer("pk", "age").order_by("pk"))
    assert set(first.__dict__) - {"_db"} == {"tenant_id", "id", "email"}


async def test_fetch_modes(db: Any, world: World, queries: Any) -> None:
    """Objects are fetched for all peers, for one, or not at all; in async code an unloaded one is an error."""
    await fill(world)
    remarks = await world.list(Remark.objects.order_by("pk"))
    before = len(queries)
    emails = [(await world.attribute(remark, "person")).email for remark in remarks]
    assert emails == ["ann", "ann", "cid"]
    assert len(queries) == before + 1
    remarks = await world.list(Remark.objects.order_by("pk").fetch_mode(FETCH_ONE))
    before = len(queries)
    for remark in remarks:
        await world.attribute(remark, "person")
    assert len(queries) == before + 3
    (remark, *_others) = await world.list(Remark.objects.fetch_mode(RAISE))
    with pytest.raises(FieldFetchBlocked):
        remark.person
    if world.is_async:
        (remark, *_others) = await world.list(Remark.objects.all())
        with pytest.raises(NotLoaded, match="person"):
            remark.person


async def test_streaming(db: Any, world: World) -> None:
    """iterator() gives the objects, prefetched chunk by chunk."""
    await fill(world)
    found = [
        p
        async for p in world.iterator(Person.objects.order_by("pk").prefetch_related("remarks"), chunk_size=2)
    ]
    assert [len(p.remarks.all()) for p in found] == [2, 0, 1]


async def test_raw(db: Any, world: World) -> None:
    """raw() needs all columns of the key."""
    here = await fill(world)
    table = Person._meta.db_table
    found = Person.objects.raw(f"SELECT * FROM {table} WHERE id = %s ORDER BY tenant_id", [1])
    assert await world.list(found) == [here.ann, here.cid]
    (few, *_others) = await world.list(Person.objects.raw(f"SELECT tenant_id, id FROM {table} ORDER BY 1, 2"))
    assert few == here.ann
    assert "email" not in few.__dict__
    with pytest.raises(ormolu.FieldDoesNotExist, match="primary key"):
        await world.list(Person.objects.raw(f"SELECT id, email FROM {table}"))


async def test_one_column(db: Any, world: World, queries: Any) -> None:
    """A ForeignObject over one column is a foreign key without a column of its own."""
    place = await world(Place.objects.create, code=7, name="here")
    visit = await world(Visit.objects.create, place=place)
    assert visit.where == 7
    await world(Visit.objects.create)
    assert await world.list(Visit.objects.filter(place=place)) == [visit]
    assert await world.list(Visit.objects.filter(place=7)) == [visit]
    assert await world.list(Visit.objects.filter(place__in=[place])) == [visit]
    assert await world.list(place.visits.all()) == [visit]
    found = await world.list(Visit.objects.prefetch_related("place").order_by("pk"))
    assert [v.place for v in found] == [place, None]
    assert await world.list(Place.objects.filter(visits__isnull=False)) == [place]
    assert await world(place.delete) == (2, {Place._meta.label: 1, Visit._meta.label: 1})


async def test_outer_joins(db: Any, world: World) -> None:
    """Rows without an object stay where the condition allows for it."""
    here = await fill(world)
    await world(Desk.objects.bulk_create, [Desk(room="a", owner=here.ann), Desk(room="b")])
    rooms = Desk.objects.order_by("room").values_list("room", flat=True)
    assert await world.list(rooms.filter(owner__email="ann")) == ["a"]
    assert await world.list(rooms.exclude(owner__email="ann")) == ["b"]
    assert await world.list(rooms.filter(ormolu.Q(owner__email="ann") | ormolu.Q(room="b"))) == ["a", "b"]
    assert await world.list(rooms.exclude(owner=here.ann)) == ["b"]
    assert await world.list(Desk.objects.order_by("room").values_list("owner__email", flat=True)) == [
        "ann",
        None,
    ]
    assert await world.list(Person.objects.filter(desks=None).order_by("pk")) == [here.bob, here.cid]


@pytest.mark.worlds("sync")
def test_in_a_session(db: Any) -> None:
    """A session's querysets, and objects that a session holds, follow the relations."""
    one = Tenant.objects.create(name="one")
    ann = Person.objects.create(tenant=one, id=1, email="ann")
    Remark.objects.create(person=ann, id=1, text="hello")
    with Session(ormolu.databases.get().engine) as session:
        remark = Remark.objects(session).get(pk=(one.pk, 1))
        assert remark in session
        assert remark.person == ann
        assert remark.person in session
        assert remark.person.remarks.get() is remark
        remark.person = None
        session.commit()
        session.refresh(remark)
        assert remark.person_id is None
        assert remark.person is None
        assert Person.objects(session).filter(pk=(one.pk, 1)).update(email="x") == 1
        assert session.get(Person, (one.pk, 1)).email == "x"  # type: ignore[union-attr]
        bob = Person.objects(session).create(tenant=session.get(Tenant, one.pk), id=2)
        assert Remark.objects(session).update(person=bob) == 1
        assert remark.person_id == 2
        assert remark.person is bob
        assert Remark.objects(session).filter(pk=(one.pk, 1)).delete()[0] == 1


@pytest.mark.worlds("async")
@pytest.mark.backends("sqlite")
async def test_in_an_async_session(db: Backend, world: World) -> None:
    """The same with an AsyncSession."""
    here = await fill(world)
    engine = create_async_engine(db.url.replace("sqlite://", "sqlite+aiosqlite://"))
    async with AsyncSession(engine) as session:
        person = await Person.objects(session).get(pk=here.ann.pk)
        assert person.pk == here.ann.pk
        assert await session.get(Person, (here.one.pk, 1)) is person
    await engine.dispose()


def test_what_names_lead_to() -> None:
    """names_to_path() tells tools which joins a lookup needs, and which fields its values are of."""
    path, final, targets, rest = Person.objects.all().query.names_to_path(
        ["remarks", "person", "id", "gt"], Person._meta
    )
    assert [(step.to_opts.model, step.m2m, step.direct) for step in path] == [
        (Remark, True, False),
        (Person, False, True),
    ]
    assert path[0].target_fields == (Remark._meta.pk,)
    assert [field.name for field in path[1].target_fields] == ["tenant", "id"]
    assert final is Person._meta.get_field("id")
    assert (targets, rest) == ((final,), ["gt"])
    with pytest.raises(ormolu.FieldError, match="Did you mean 'remarks'"):
        Person.objects.all().query.names_to_path(["remark"], Person._meta)
    with pytest.raises(ormolu.FieldError, match="several objects"):
        Person.objects.all().query.names_to_path(["remarks"], Person._meta, allow_many=False)


async def test_many_to_many(db: Any, world: World, queries: Any) -> None:
    """A many-to-many relation over rows with ForeignObjects is read from both sides; they are written themselves."""
    here = await fill(world)
    chess, golf = [await world(Club.objects.create, name=name) for name in ("chess", "golf")]
    for club, person in ((chess, here.ann), (chess, here.cid), (golf, here.ann)):
        await world(Joining.objects.create, club=club, person=person)
    assert await world.list(chess.members.order_by("pk")) == [here.ann, here.cid]
    assert await world(chess.members.count) == 2
    assert await world.list(here.ann.clubs.order_by("name")) == [chess, golf]
    assert await world.list(here.bob.clubs.all()) == []
    assert await world.list(Club.objects.filter(members=here.cid)) == [chess]
    assert await world.list(Club.objects.exclude(members__email="cid")) == [golf]
    assert await world.list(Person.objects.filter(clubs__name="golf")) == [here.ann]
    assert await world.list(Person.objects.filter(clubs=None)) == [here.bob]
    before = len(queries)
    clubs = await world.list(Club.objects.prefetch_related("members").order_by("name"))
    assert [sorted(p.email for p in club.members.all()) for club in clubs] == [["ann", "cid"], ["ann"]]
    people = await world.list(Person.objects.prefetch_related("clubs").order_by("pk"))
    assert [len(person.clubs.all()) for person in people] == [2, 0, 1]
    assert len(queries) == before + 4
    with pytest.raises(TypeError, match="Create and delete rows of Joining"):
        await world(chess.members.add, here.bob)
    with pytest.raises(ValueError, match="needs to have values"):
        Person(id=1).clubs


@pytest.mark.worlds("sync")
def test_parts_of_a_prefetch(db: Any) -> None:
    """get_prefetch_querysets() gives what code that prefetches by hand needs."""
    one = Tenant.objects.create(name="one")
    ann, bob = (Person.objects.create(tenant=one, id=n, email="x") for n in (1, 2))
    remark = Remark.objects.create(id=1, person=ann)
    club = Club.objects.create(name="chess")
    Joining.objects.create(club=club, person=bob)
    found, far, near, single, name, _is_attribute = Remark.person.get_prefetch_querysets([remark])
    assert [far(person) for person in found] == [near(remark)] == [ann.pk]
    assert (single, name) == (True, "person")
    found, far, near, single, name, _is_attribute = ann.remarks.get_prefetch_querysets([ann, bob])
    assert [far(related) for related in found] == [near(ann)]
    assert (single, name) == (False, "remarks")
    found, far, near, _single, name, _is_attribute = bob.clubs.get_prefetch_querysets([ann, bob])
    assert [far(related) for related in found] == [near(bob)] == [bob.pk]


def test_generic_keys() -> None:
    """A generic key keeps one value: objects whose key has several are refused, on both sides."""
    with isolated():

        class Label(Model):
            content_type = ForeignKey(ContentType, on_delete=CASCADE, related_name="+")
            object_id = CharField(max_length=30)
            thing = GenericForeignKey()

        with pytest.raises(ValueError, match="keeps a key of one value, and that of Person has 2"):
            Label(thing=Person(pk=(1, 2)))
        with pytest.raises(ormolu.FieldError, match="has a CompositePrimaryKey"):

            class Labelled(Model):
                pk = CompositePrimaryKey("a", "b")
                a = IntegerField()
                b = IntegerField()
                labels: Any = GenericRelation(Label)


@pytest.mark.backends("postgresql")
async def test_locking(db: Any, world: World, queries: Any) -> None:
    """Rows and related rows are locked as those of other models."""
    here = await fill(world)
    async with world.atomic():
        found = Remark.objects.select_related("tenant").select_for_update(of=("self", "tenant"))
        assert await world(found.get, pk=here.first.pk) == here.first
    assert "FOR UPDATE OF" in next(query.sql for query in queries if "FOR UPDATE" in query.sql)
