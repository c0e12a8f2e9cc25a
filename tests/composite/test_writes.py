"""Creating, saving, updating and deleting rows whose keys have several columns."""

from typing import Any

import pytest

from composite.tenants import MODELS, NOON, Badge, Desk, Person, Posting, Remark, Stamp, Tenant, fill
from ormolu import F, FieldError, IntegrityError, ProtectedError, Value, atomic
from ormolu.exceptions import DatabaseError
from ormolu.query.functions import Upper
from support.worlds import World

__all__ = ["MODELS"]


async def test_create_and_save(db: Any, world: World, queries: Any) -> None:
    """A new object is inserted, by its key or its fields; a key that is there is updated."""
    one = await world(Tenant.objects.create, name="one")
    for number, given in enumerate(
        ({"tenant": one, "id": 0}, {"tenant_id": one.pk, "id": 1}, {"pk": (one.pk, 2)})
    ):
        made = await world(Person.objects.create, **given, email=str(number))
        assert made.pk == (one.pk, number)
    person = Person(pk=(one.pk, 7), email="new")
    await world(person.save)
    person = Person(pk=(one.pk, 7), email="other")
    await world(person.save)
    assert (await world(Person.objects.get, pk=(one.pk, 7))).email == "other"
    with pytest.raises(IntegrityError):
        async with world.atomic():
            await world(Person.objects.create, pk=(one.pk, 7))
    person.email = "changed"
    before = len(queries)
    await world(person.save)
    assert len(queries) == before + 1
    sql = queries[-1].sql
    assert sql.startswith("UPDATE")
    assert sql.count("tenant_id") == 1
    assert "age" not in sql
    await world(person.save)
    assert await world(Person.objects.count) == 4


async def test_a_changed_key_is_another_row(db: Any, world: World) -> None:
    """Changing a part of the key and saving makes a new row beside the old one."""
    here = await fill(world)
    here.bob.id = 9
    await world(here.bob.save)
    assert await world(Person.objects.filter(email="bob").count) == 2


async def test_forced(db: Any, world: World) -> None:
    """force_insert, force_update and update_fields do what they say."""
    here = await fill(world)
    with pytest.raises(IntegrityError):
        async with world.atomic():
            await world(Person(pk=here.ann.pk).save, force_insert=True)
    with pytest.raises(DatabaseError):
        await world(Person(pk=(here.one.pk, 99)).save, force_update=True)
    with pytest.raises(ValueError, match="no primary key"):
        await world(Person(id=99).save, force_update=True)
    here.ann.email, here.ann.age = "x", 99
    await world(here.ann.save, update_fields=["age"])
    found = await world(Person.objects.get, pk=here.ann.pk)
    assert (found.email, found.age) == ("ann", 99)
    for name in ("id", "tenant", "pk"):
        with pytest.raises(ValueError, match="primary keys"):
            await world(here.ann.save, update_fields=[name])
    deferred = await world(Person.objects.only("email").get, pk=here.ann.pk)
    deferred.email = "y"
    await world(deferred.save)
    assert (await world(Person.objects.get, pk=here.ann.pk)).age == 99


async def test_expressions(db: Any, world: World) -> None:
    """Expressions are computed and read back."""
    here = await fill(world)
    here.ann.age = F("age") + 1
    await world(here.ann.save)
    assert here.ann.age == 31
    made = await world(Person.objects.create, pk=(here.one.pk, 5), email=Upper(Value("abc")))
    assert made.email == "ABC"


async def test_defaults_of_keys(db: Any, world: World, queries: Any) -> None:
    """A key made of defaults is new: one INSERT."""
    posting = Posting()
    await world(posting.save)
    assert len(queries) == 1
    assert posting._is_pk_set()
    again = Posting(kind=posting.kind, id=posting.id)
    with pytest.raises(IntegrityError):
        async with world.atomic():
            await world(again.save)
    assert await world(Posting.objects.get, pk=posting.pk) == posting


async def test_get_or_create(db: Any, world: World) -> None:
    """get_or_create and update_or_create find and make by the key or its parts."""
    here = await fill(world)
    one = here.one.pk
    for given in ({"pk": (one, 1)}, {"tenant": here.one, "id": 1}, {"tenant_id": one, "id": 1}):
        found, created = await world(Person.objects.get_or_create, **given, defaults={"email": "no"})
        assert found == here.ann
        assert not created
        assert found.email == "ann"
        found, created = await world(
            Person.objects.update_or_create, **given, defaults={"email": f"{given}"[:40]}
        )
        assert found == here.ann
        assert not created
        assert found.email != "ann"
        found.email = "ann"
        await world(found.save)
    for number, given in enumerate(
        ({"pk": (one, 10)}, {"tenant": here.one, "id": 11}, {"tenant_id": one, "id": 12})
    ):
        method = Person.objects.update_or_create if number else Person.objects.get_or_create
        found, created = await world(method, **given, defaults={"email": "new"})
        assert created
        assert found.pk == (one, 10 + number)
    stamp = await world(Stamp.objects.create, id=1, created=NOON)
    found, created = await world(Stamp.objects.update_or_create, pk=stamp.pk, defaults={"text": "x"})
    assert not created
    assert await world(Stamp.objects.count) == 1


async def test_update(db: Any, world: World) -> None:
    """update() finds rows by their keys, and across relations; a key is updated column by column."""
    here = await fill(world)
    assert await world(Person.objects.filter(pk=here.ann.pk).update, email="x") == 1
    assert await world(Remark.objects.filter(person__email="x").update, text="y") == 2
    assert await world(Person.objects.filter(remarks__text="y").update, age=1) == 1
    assert await world(Person.objects.filter(pk__in=Person.objects.order_by("-pk")[:1]).update, age=7) == 1
    assert (await world(Person.objects.get, pk=here.cid.pk)).age == 7
    assert await world(Remark.objects.filter(id=2).update, person=here.bob) == 1
    assert (await world(Remark.objects.get, pk=here.second.pk)).person_id == 2
    assert await world(Remark.objects.filter(id=2).update, person=None) == 1
    assert await world(Remark.objects.filter(person=None).count) == 1
    assert await world(Person.objects.filter(id=2).update, id=3) == 1
    for wrong in ({"pk": (1, 10)}, {"text": F("pk")}, {"person": (1, 2)}):
        with pytest.raises(FieldError):
            await world(Remark.objects.update, **wrong)
    with pytest.raises(ValueError, match="Unsaved model instance"):
        await world(Remark.objects.update, person=Person())
    with pytest.raises(ValueError, match="must be a"):
        await world(Remark.objects.update, person=here.one)


async def test_returning(db: Any, world: World) -> None:
    """Changed and deleted rows can be returned."""
    here = await fill(world)
    await world(Remark.objects.all().delete)
    rows = await world(
        Person.objects.filter(id=1).values_list("pk", "age").returning().update, age=F("age") + 1
    )
    assert sorted(rows) == [((here.one.pk, 1), 31), ((here.two.pk, 1), 41)]
    found = await world(Person.objects.filter(pk=here.ann.pk).returning().delete)
    assert found == [Person(pk=(here.one.pk, 1))]
    assert found[0].age == 31


async def test_bulk(db: Any, world: World, queries: Any) -> None:
    """bulk_create() and bulk_update() write many rows with few statements, and never a key that is there."""
    one = await world(Tenant.objects.create, name="one")
    made = [Person(tenant=one, id=1), Person(tenant_id=one.pk, id=2), Person(pk=(one.pk, 3))]
    before = len(queries)
    found = await world(Person.objects.bulk_create, made)
    assert len(queries) == before + 1
    assert [p.pk for p in found] == [(one.pk, 1), (one.pk, 2), (one.pk, 3)]
    for number, person in enumerate(found):
        person.email = str(number)
    before = len(queries)
    assert await world(Person.objects.bulk_update, found, ["email"]) == 3
    assert len(queries) == before + 1
    assert await world.list(Person.objects.order_by("pk").values_list("email", flat=True)) == ["0", "1", "2"]
    for name in ("id", "tenant", "tenant_id", "pk"):
        with pytest.raises(ValueError, match="primary key fields"):
            await world(Person.objects.bulk_update, found, [name])
    with pytest.raises(ValueError, match="must have a primary key set"):
        await world(Person.objects.bulk_update, [Person(id=1)], ["email"])


async def test_conflicts(db: Any, world: World) -> None:
    """Rows that are there are left or updated; a key isn't what is updated."""
    here = await fill(world)
    rows = [Person(pk=here.ann.pk, email="new"), Person(pk=(here.one.pk, 8), email="added")]
    await world(Person.objects.bulk_create, rows, ignore_conflicts=True)
    assert (await world(Person.objects.get, pk=here.ann.pk)).email == "ann"
    unique = {} if db.vendor in ("mysql", "mariadb") else {"unique_fields": ["pk"]}
    await world(Person.objects.bulk_create, rows, update_conflicts=True, update_fields=["email"], **unique)
    assert (await world(Person.objects.get, pk=here.ann.pk)).email == "new"
    assert await world(Person.objects.count) == 4
    with pytest.raises(ValueError, match="primary keys in update_fields"):
        await world(Person.objects.bulk_create, rows, update_conflicts=True, update_fields=["id"], **unique)


async def test_delete(db: Any, world: World) -> None:
    """Deletion goes along foreign keys and ForeignObjects, as their on_delete says."""
    here = await fill(world)
    desk = await world(Desk.objects.create, room="a", owner=here.ann)
    label = Person._meta.label
    total, counts = await world(here.ann.delete)
    assert (total, counts) == (3, {label: 1, Remark._meta.label: 2})
    await world(desk.refresh_from_db)
    assert (desk.owner_tenant, desk.owner_id) == (None, None)
    total, counts = await world(Tenant.objects.filter(pk=here.two.pk).delete)
    assert counts == {Tenant._meta.label: 1, label: 1, Remark._meta.label: 1}
    assert total == 3
    assert await world.list(Person.objects.all()) == [here.bob]
    await world(Badge.objects.create, person=here.bob)
    with pytest.raises(ProtectedError, match="Badge.person"):
        await world(here.bob.delete)
    await world(Badge.objects.all().delete)
    assert await world(Person.objects.filter(pk=here.bob.pk).delete) == (1, {label: 1})
    for unset in (Person(), Person(id=1), Person(tenant_id=1)):
        with pytest.raises(ValueError, match="can't be deleted because its pk attribute is set to None"):
            await world(unset.delete)


async def test_delete_many(db: Any, world: World, queries: Any) -> None:
    """Many rows are deleted with few statements."""
    one = await world(Tenant.objects.create, name="one")
    people = [Person(pk=(one.pk, n)) for n in range(600)]
    await world(Person.objects.bulk_create, people)
    await world(Remark.objects.bulk_create, [Remark(id=n, person=people[n]) for n in range(600)])
    before = len(queries)
    total, _counts = await world(Person.objects.filter(id__lt=500).delete)
    assert total == 1000
    assert len(queries) - before <= 8
    assert await world(Remark.objects.count) == 100


async def test_refresh(db: Any, world: World) -> None:
    """refresh_from_db() finds the row by its key, and lets go of objects whose columns it loads."""
    here = await fill(world)
    await world(Remark.objects.filter(pk=here.second.pk).update, person_id=2, text="changed")
    remark = await world(Remark.objects.select_related("person").get, pk=here.first.pk)
    await world(Remark.objects.filter(pk=here.first.pk).update, person_id=2)
    await world(remark.refresh_from_db, fields=["text"])
    assert "person" in remark.__dict__
    await world(remark.refresh_from_db)
    assert remark.person_id == 2
    assert "person" not in remark.__dict__
    assert await world.attribute(remark, "person") == here.bob


async def test_unsaved_objects(db: Any, world: World) -> None:
    """An object that isn't saved can't be referred to; one that is saved later gives its key."""
    one = await world(Tenant.objects.create, name="one")
    person = Person(tenant=one)
    remark = Remark(id=1, person=person)
    with pytest.raises(ValueError, match="unsaved related object 'person'"):
        await world(remark.save)
    person.id = 5
    await world(person.save)
    await world(remark.save)
    assert remark.person_id == 5
    assert remark.person is person
    with pytest.raises(ValueError, match="must be saved"):
        Remark.objects.filter(person=Person())
    with pytest.raises(ValueError, match='must be a "Person" instance'):
        remark.person = one  # type: ignore[assignment]


@pytest.mark.worlds("sync")
def test_validation(db: Any) -> None:
    """full_clean() finds keys that are taken; a row's own key isn't looked up."""
    from ormolu import ValidationError

    one = Tenant.objects.create(name="one")
    ann = Person.objects.create(tenant=one, id=1, email="ann")
    with pytest.raises(ValidationError) as caught:
        Person(tenant=one, id=1, email="x").full_clean()
    assert caught.value.messages == ["Person with this Tenant and Id already exists."]
    Person(tenant=one, id=1, email="x").full_clean(exclude={"id"})
    Person(tenant=one, id=1, email="x").validate_unique(exclude={"pk"})
    Person(tenant=one, id=2, email="x").full_clean()
    ann.full_clean()
    Remark.objects.create(person=ann, id=1, text="x").full_clean()
    with atomic():
        assert Person.objects.count() == 1
