"""Models whose primary keys have several columns, and what refers to them."""

import datetime as dt
import uuid
from types import SimpleNamespace

from ormolu import (
    CASCADE,
    PROTECT,
    SET_NULL,
    CharField,
    CompositePrimaryKey,
    DateTimeField,
    ForeignKey,
    ForeignObject,
    IntegerField,
    Model,
    SmallIntegerField,
    TextField,
    UUIDField,
)
from support.worlds import World


class Tenant(Model):
    name = CharField(max_length=20, default="")


class Person(Model):
    pk = CompositePrimaryKey("tenant_id", "id")
    tenant = ForeignKey(Tenant, on_delete=CASCADE, related_name="people")
    id = SmallIntegerField()
    email = CharField(max_length=50, default="")
    age = IntegerField(default=0)


class Remark(Model):
    pk = CompositePrimaryKey("tenant", "id")
    tenant = ForeignKey(Tenant, on_delete=CASCADE, related_name="remarks")
    id = SmallIntegerField(db_column="remark_id")
    person_id = SmallIntegerField(null=True)
    person = ForeignObject(
        Person,
        on_delete=CASCADE,
        from_fields=("tenant_id", "person_id"),
        to_fields=("tenant_id", "id"),
        related_name="remarks",
        null=True,
    )
    text = TextField(default="")


class Desk(Model):
    """Refers to a composite key with an ordinary one of its own."""

    room = CharField(max_length=20)
    owner_tenant = IntegerField(null=True)
    owner_id = SmallIntegerField(null=True)
    owner = ForeignObject(
        Person,
        on_delete=SET_NULL,
        from_fields=("owner_tenant", "owner_id"),
        to_fields=("tenant_id", "id"),
        related_name="desks",
        null=True,
    )


class Badge(Model):
    """Protects whom it refers to."""

    tenant_number = IntegerField()
    person_number = SmallIntegerField()
    person = ForeignObject(
        Person,
        on_delete=PROTECT,
        from_fields=("tenant_number", "person_number"),
        to_fields=("tenant_id", "id"),
        related_name="badges",
    )


class Posting(Model):
    """Its key has defaults."""

    pk = CompositePrimaryKey("kind", "id")
    kind = CharField(max_length=10, default="note")
    id = UUIDField(default=uuid.uuid4)


class Stamp(Model):
    pk = CompositePrimaryKey("id", "created")
    id = SmallIntegerField()
    created = DateTimeField()
    text = TextField(default="")

    class Meta:
        ordering = ["-pk"]


MODELS = [Tenant, Person, Remark, Desk, Badge, Posting, Stamp]
NOON = dt.datetime(2024, 5, 17, 12, tzinfo=dt.UTC)


async def fill(world: World) -> SimpleNamespace:
    """Make two tenants with three people, and what these said."""
    found = SimpleNamespace()
    found.one = await world(Tenant.objects.create, name="one")
    found.two = await world(Tenant.objects.create, name="two")
    found.ann, found.bob, found.cid = people = [
        Person(tenant=found.one, id=1, email="ann", age=30),
        Person(tenant=found.one, id=2, email="bob", age=20),
        Person(tenant=found.two, id=1, email="cid", age=40),
    ]
    await world(Person.objects.bulk_create, people)
    found.first, found.second, found.third = remarks = [
        Remark(id=1, person=found.ann, text="hello"),
        Remark(id=2, person=found.ann, text="again"),
        Remark(id=1, person=found.cid, text="aye"),
    ]
    await world(Remark.objects.bulk_create, remarks)
    return found
