"""The models and rows of the pages in this folder: a few bands, their albums, and who bought them.

`from records import *` makes an SQLite database in memory, its tables and its rows. With DATABASE_URL in the
environment it uses that database instead, which must be empty.
"""

import os
from datetime import UTC, date, datetime

from ormolu import *

configure(
    DATABASES={
        "default": os.environ.get("DATABASE_URL", "sqlite://"),
        "server": "postgresql://localhost/records",  # for a look at what would be sent; nobody connects
    }
)


class Person(Model):
    name = CharField(max_length=80)
    born = DateField(null=True)
    country = CharField(max_length=2)
    influences = ManyToManyField("self", symmetrical=False, related_name="influenced")

    def __str__(self):
        return self.name


class Band(Model):
    name = CharField(max_length=80)
    founded = IntegerField()
    members = ManyToManyField(Person, through="Membership", related_name="bands")

    def __str__(self):
        return self.name


class Membership(Model):
    person = ForeignKey(Person, on_delete=CASCADE, related_name="memberships")
    band = ForeignKey(Band, on_delete=CASCADE, related_name="memberships")
    instrument = CharField(max_length=20)
    since = IntegerField()
    until = IntegerField(null=True)

    def __str__(self):
        return f"{self.instrument} since {self.since}"


class Label(Model):
    name = CharField(max_length=80)
    parent = ForeignKey("self", on_delete=CASCADE, null=True, related_name="daughters")

    def __str__(self):
        return self.name


class Genre(Model):
    name = CharField(max_length=20)

    def __str__(self):
        return self.name


class Album(Model):
    title = CharField(max_length=80)
    band = ForeignKey(Band, on_delete=CASCADE, related_name="albums")
    label = ForeignKey(Label, on_delete=SET_NULL, null=True, related_name="albums")
    released = DateField()
    price = DecimalField(max_digits=6, decimal_places=2)
    details = JSONField(default=dict)
    genres = ManyToManyField(Genre, related_name="albums")

    def __str__(self):
        return self.title


class Sleeve(Model):
    album = OneToOneField(Album, on_delete=CASCADE, primary_key=True)
    designer = CharField(max_length=80)

    def __str__(self):
        return f"by {self.designer}"


class Track(Model):
    album = ForeignKey(Album, on_delete=CASCADE, related_name="tracks")
    number = IntegerField()
    title = CharField(max_length=80)
    seconds = IntegerField()
    composer = ForeignKey(Person, on_delete=CASCADE, null=True, related_name="composed")
    singer = ForeignKey(Person, on_delete=CASCADE, null=True, related_name="sung")
    version_of = ForeignKey("self", on_delete=CASCADE, null=True, related_name="versions")

    def __str__(self):
        return self.title


class Sale(Model):
    album = ForeignKey(Album, on_delete=CASCADE, related_name="sales")
    at = DateTimeField()
    copies = IntegerField()

    def __str__(self):
        return f"{self.copies} of {self.album_id}"


create_tables(Person, Band, Membership, Label, Genre, Album, Sleeve, Track, Sale)

ada, ben, cleo, dev, edda, fay = (
    Person.objects.create(name=name, born=born, country=country)
    for name, born, country in [
        ("Ada Quist", date(1961, 3, 14), "SE"),
        ("Ben Okafor", date(1965, 11, 2), "NG"),
        ("Cleo Marsh", date(1988, 7, 21), "GB"),
        ("Dev Rao", date(1990, 1, 9), "IN"),
        ("Edda Lund", date(1993, 5, 30), "SE"),
        ("Fay Ito", None, "JP"),
    ]
)
cleo.influences.add(ada)
dev.influences.add(ben)
edda.influences.add(ada, cleo)

owls = Band.objects.create(name="The Night Owls", founded=1985)
salt = Band.objects.create(name="Salt & Rust", founded=2012)
tigers = Band.objects.create(name="Paper Tigers", founded=2020)
for person, band, instrument, since, until in [
    (ada, owls, "piano", 1985, None),
    (ben, owls, "bass", 1985, 1999),
    (cleo, salt, "voice", 2012, None),
    (dev, salt, "drums", 2012, 2020),
    (edda, salt, "guitar", 2014, None),
    (dev, tigers, "drums", 2020, None),
    (edda, tigers, "bass", 2020, None),
]:
    Membership.objects.create(person=person, band=band, instrument=instrument, since=since, until=until)

meridian = Label.objects.create(name="Meridian")
blue_door = Label.objects.create(name="Blue Door", parent=meridian)
jazz, folk, rock = (Genre.objects.create(name=name) for name in ("jazz", "folk", "rock"))

harbour, trains, undertow, live, brackish = (
    Album.objects.create(title=title, band=band, label=label, released=released, price=price, details=details)
    for title, band, label, released, price, details in [
        (
            "Harbour Lights", owls, meridian, date(1987, 5, 4), "8.50",
            {"format": "LP", "studio": {"city": "Malmö", "hours": 120}},
        ),
        (
            "Slow Trains", owls, meridian, date(1991, 9, 16), "9.00",
            {"format": "LP", "studio": {"city": "Oslo", "hours": 80}},
        ),
        ("Undertow", salt, blue_door, date(2013, 3, 1), "12.00", {"format": "CD", "bonus": ["Ebb (demo)", "Foam"]}),
        ("100% Live", salt, None, date(2016, 10, 28), "14.50", {"format": "CD", "live": True, "studio": None}),
        ("Brackish", salt, blue_door, date(2021, 6, 18), "12.00", {"format": "files"}),
    ]
)  # fmt: skip
harbour.genres.add(jazz)
trains.genres.add(jazz, folk)
undertow.genres.add(folk, rock)
live.genres.add(rock)
Sleeve.objects.create(album=harbour, designer="Mo Berg")
Sleeve.objects.create(album=undertow, designer="Iris Vale")

for album, number, title, seconds, composer, singer in [
    (harbour, 1, "Harbour Lights", 245, ada, ada),
    (harbour, 2, "Gulls", 198, ben, ada),
    (harbour, 3, "Last Ferry", 310, ada, None),
    (trains, 1, "Slow Train", 402, ada, ada),
    (trains, 2, "Sidings", 187, ben, ben),
    (undertow, 1, "Undertow", 221, cleo, cleo),
    (undertow, 2, "Ebb", 174, edda, cleo),
    (live, 1, "Undertow", 265, cleo, cleo),
    (live, 2, "Gulls", 240, ben, edda),
    (brackish, 1, "Estuary", 233, cleo, cleo),
    (brackish, 2, "Silt", 156, edda, edda),
    (brackish, 3, "Delta", 298, None, cleo),
]:
    original = Track.objects.filter(title=title).first()
    Track.objects.create(
        album=album, number=number, title=title, seconds=seconds, composer=composer, singer=singer,
        version_of=original,
    )  # fmt: skip

for album, at, copies in [
    (harbour, datetime(2024, 1, 5, 9, 30, tzinfo=UTC), 2),
    (undertow, datetime(2024, 1, 5, 23, 30, tzinfo=UTC), 5),
    (undertow, datetime(2024, 2, 10, 12, 0, tzinfo=UTC), 1),
    (brackish, datetime(2024, 2, 29, 18, 45, tzinfo=UTC), 3),
    (live, datetime(2024, 12, 30, 8, 0, tzinfo=UTC), 4),
    (brackish, datetime(2025, 1, 2, 10, 15, tzinfo=UTC), 2),
]:
    Sale.objects.create(album=album, at=at, copies=copies)
