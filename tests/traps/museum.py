"""The models that the traps are set for: a museum, its painters, what they made, and who comes to see it."""

import uuid
from typing import Any

from ormolu import (
    CASCADE,
    PROTECT,
    SET_NULL,
    CharField,
    DateTimeField,
    DecimalField,
    ForeignKey,
    IntegerField,
    JSONField,
    ManyToManyField,
    Model,
    TextField,
    UUIDField,
)


class Museum(Model):
    name = CharField(max_length=20)
    city = CharField(max_length=20, null=True)

    class Meta:
        app_label = "traps"


class Painter(Model):
    name = CharField(max_length=20)
    age = IntegerField(default=0)
    bio = TextField(null=True)
    museum: Any = ForeignKey(Museum, on_delete=SET_NULL, null=True)

    class Meta:
        app_label = "traps"


class Painting(Model):
    title = CharField(max_length=20)
    height = IntegerField(default=0)
    year = IntegerField(default=0)
    painter: Any = ForeignKey(Painter, on_delete=CASCADE)

    class Meta:
        app_label = "traps"


class Prize(Model):
    title = CharField(max_length=20)
    painter: Any = ForeignKey(Painter, on_delete=CASCADE)

    class Meta:
        app_label = "traps"


class Loan(Model):
    """What stands in the way of a painter's deletion."""

    painter: Any = ForeignKey(Painter, on_delete=PROTECT)

    class Meta:
        app_label = "traps"


class Style(Model):
    name = CharField(max_length=20, unique=True)
    slug = CharField(max_length=20, null=True)

    class Meta:
        app_label = "traps"


class Technique(Model):
    name = CharField(max_length=20)

    class Meta:
        app_label = "traps"


class Exhibit(Model):
    title = CharField(max_length=20)
    styles: Any = ManyToManyField(Style, related_name="exhibits")
    techniques: Any = ManyToManyField(Technique)

    class Meta:
        app_label = "traps"


class Ticket(Model):
    code = CharField(max_length=20, unique=True)
    price: Any = DecimalField(max_digits=20, decimal_places=2, null=True)
    sold_at: Any = DateTimeField(null=True)
    data: Any = JSONField(null=True)

    class Meta:
        app_label = "traps"


class Badge(Model):
    id: Any = UUIDField(primary_key=True, default=uuid.uuid4)
    name = CharField(max_length=20)

    class Meta:
        app_label = "traps"


class Counter(Model):
    """Ordered backwards by default."""

    number = IntegerField()

    class Meta:
        app_label = "traps"
        ordering = ["-number"]


PAINTERS: list[Any] = [Museum, Painter, Painting, Prize, Loan]
EXHIBITS: list[Any] = [Style, Technique, Exhibit]


async def three_painters(world: Any) -> tuple[Painter, Painter, Painter]:
    """Make three painters: Ann of museum P1 with two paintings and three prizes, Bob of P2 with one painting, Cy.

    Ann (30, with a bio) made x (10 high, of 2001) and y (400, of 2002); Bob (50) made x (5, of 2002);
    Cy (20) has nothing, no museum either.
    """
    first = await world(Museum.objects.create, name="P1")
    second = await world(Museum.objects.create, name="P2")
    ann = await world(Painter.objects.create, name="Ann", age=30, bio="hi", museum=first)
    bob = await world(Painter.objects.create, name="Bob", age=50, museum=second)
    cy = await world(Painter.objects.create, name="Cy", age=20)
    await world(
        Painting.objects.bulk_create,
        [
            Painting(title="x", height=10, year=2001, painter=ann),
            Painting(title="y", height=400, year=2002, painter=ann),
            Painting(title="x", height=5, year=2002, painter=bob),
        ],
    )
    await world(Prize.objects.bulk_create, [Prize(title=f"prize {n}", painter=ann) for n in range(3)])
    return ann, bob, cy


async def names(world: Any, queryset: Any) -> list[str]:
    """Return the names (or titles) of a queryset's objects, sorted."""
    return sorted([item.name if hasattr(item, "name") else item.title for item in await world.list(queryset)])
