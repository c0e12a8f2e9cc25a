"""The models that the tests of writes share."""

import datetime
import uuid
from typing import Any

from ormolu.fields import (
    BooleanField,
    CharField,
    DateTimeField,
    DecimalField,
    IntegerField,
    JSONField,
    TextField,
    UUIDField,
)
from ormolu.models.base import Model
from ormolu.models.many_to_many import ManyToManyField
from ormolu.models.relations import ForeignKey, OneToOneField
from ormolu.writes.on_delete import CASCADE, DO_NOTHING, PROTECT, RESTRICT, SET, SET_DEFAULT, SET_NULL

START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


class Publisher(Model):
    name = CharField(max_length=20)
    city = CharField(max_length=20, null=True)

    class Meta:
        app_label = "writes"


class Author(Model):
    name = CharField(max_length=20)
    age = IntegerField(default=0)
    bio = TextField(null=True)
    publisher: Any = ForeignKey(Publisher, on_delete=SET_NULL, null=True)

    class Meta:
        app_label = "writes"


class Tag(Model):
    name = CharField(max_length=20, unique=True)

    class Meta:
        app_label = "writes"


class Book(Model):
    title = CharField(max_length=50)
    author: Any = ForeignKey(Author, on_delete=CASCADE)
    tags: Any = ManyToManyField(Tag)

    class Meta:
        app_label = "writes"


class Award(Model):
    title = CharField(max_length=50)
    author: Any = ForeignKey(Author, on_delete=PROTECT)

    class Meta:
        app_label = "writes"


class Passport(Model):
    author: Any = OneToOneField(Author, on_delete=CASCADE)
    number = CharField(max_length=10)

    class Meta:
        app_label = "writes"


class Token(Model):
    id = UUIDField(primary_key=True, default=uuid.uuid4)
    name = CharField(max_length=20)

    class Meta:
        app_label = "writes"


class State(Model):
    code = CharField(max_length=2, primary_key=True)
    name = CharField(max_length=20, default="")

    class Meta:
        app_label = "writes"


class Note(Model):
    text = TextField()
    made = DateTimeField(auto_now_add=True)
    changed = DateTimeField(auto_now=True)

    class Meta:
        app_label = "writes"


class Document(Model):
    name = CharField(max_length=20)
    data = JSONField(null=True)

    class Meta:
        app_label = "writes"


class Item(Model):
    sku = CharField(max_length=10, unique=True)
    rank = IntegerField(unique=True)
    price = DecimalField(max_digits=8, decimal_places=2, null=True)
    shown = BooleanField(default=True)
    stock = IntegerField(db_default=5)

    class Meta:
        app_label = "writes"


class Empty(Model):
    class Meta:
        app_label = "writes"


def fallback() -> "Target":
    """Return the object that SET(fallback) puts in the place of a deleted one."""
    calls.append("fallback")
    return Target(id=1000, name="fallback")


def default_key() -> int:
    calls.append("default")
    return 1000


calls: list[str] = []


class Target(Model):
    name = CharField(max_length=20, unique=True)

    class Meta:
        app_label = "writes"


class Referrer(Model):
    """One relation of each kind to Target."""

    name = CharField(max_length=20)
    cascade: Any = ForeignKey(Target, on_delete=CASCADE, null=True, related_name="+")
    by_name: Any = ForeignKey(Target, on_delete=CASCADE, null=True, to_field="name", related_name="named")
    set_null: Any = ForeignKey(Target, on_delete=SET_NULL, null=True, related_name="nulls")
    set_default: Any = ForeignKey(
        Target, on_delete=SET_DEFAULT, null=True, default=default_key, related_name="defaults"
    )
    set_value: Any = ForeignKey(Target, on_delete=SET(fallback), null=True, related_name="values_set")
    protect: Any = ForeignKey(Target, on_delete=PROTECT, null=True, related_name="protectors")
    restrict: Any = ForeignKey(Target, on_delete=RESTRICT, null=True, related_name="restrictors")
    nothing: Any = ForeignKey(
        Target, on_delete=DO_NOTHING, null=True, related_name="onlookers", db_constraint=False
    )

    class Meta:
        app_label = "writes"


class Node(Model):
    name = CharField(max_length=20)
    parent: Any = ForeignKey("self", on_delete=CASCADE, null=True, related_name="children")

    class Meta:
        app_label = "writes"


class Hen(Model):
    born_of: Any = ForeignKey("writes.Egg", on_delete=CASCADE, null=True)

    class Meta:
        app_label = "writes"


class Egg(Model):
    laid_by: Any = ForeignKey(Hen, on_delete=CASCADE, null=True)

    class Meta:
        app_label = "writes"


class Artist(Model):
    class Meta:
        app_label = "writes"


class Album(Model):
    artist: Any = ForeignKey(Artist, on_delete=CASCADE)

    class Meta:
        app_label = "writes"


class Song(Model):
    artist: Any = ForeignKey(Artist, on_delete=CASCADE)
    album: Any = ForeignKey(Album, on_delete=RESTRICT)

    class Meta:
        app_label = "writes"


class Place(Model):
    name = CharField(max_length=20)

    class Meta:
        app_label = "writes"


class Restaurant(Place):
    """A child of a concrete model: its rows have a part in both tables."""

    stars = IntegerField(default=0)

    class Meta:
        app_label = "writes"


class Inn(Restaurant):
    class Meta:
        app_label = "writes"
        proxy = True


class Review(Model):
    place: Any = ForeignKey(Place, on_delete=CASCADE)

    class Meta:
        app_label = "writes"
