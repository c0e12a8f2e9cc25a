"""Relations between objects of different databases: refused unless a router allows them."""

from typing import Any

import pytest

import ormolu
from ormolu import CASCADE, CharField, ForeignKey, ManyToManyField, Model, OneToOneField
from ormolu.models.registry import Apps

registry = Apps()


class Person(Model):
    name = CharField(max_length=20)

    class Meta:
        apps = registry


class Book(Model):
    author: Any = ForeignKey(Person, on_delete=CASCADE, null=True, related_name="books")
    readers = ManyToManyField(Person, related_name="reads")

    class Meta:
        apps = registry


class Diary(Model):
    person: Any = OneToOneField(Person, on_delete=CASCADE, null=True, related_name="diary")

    class Meta:
        apps = registry


class Everything:
    """A router that allows all relations."""

    def allow_relation(self, obj1, obj2, **hints):
        return True


class Witness:
    """A router that notes what it is asked."""

    def __init__(self):
        self.asked = []

    def db_for_write(self, model, instance=None, **hints):
        self.asked.append((model, instance))
        return "other"


def pair():
    here = Person.objects.create(name="here")
    there = Person.objects.using("other").create(name="there")
    return here, there


@pytest.fixture
def configure(tmp_path):
    """Two databases with the tables; a function that sets them up again with other settings."""
    urls = {name: f"sqlite:///{tmp_path}/{name}.sqlite3" for name in ("default", "other")}

    def again(**options):
        ormolu.configure(DATABASES=urls, **options)

    again()
    for alias in urls:
        ormolu.create_tables(apps=registry, using=alias)
    yield again
    ormolu.databases.close_all()


def test_assigning(configure):
    """Forward, backward and in the constructor: a ValueError that names both databases."""
    here, there = pair()
    book = Book.objects.create(author=here)
    diary = Diary.objects.create()
    for refused in (
        lambda: setattr(book, "author", there),
        lambda: setattr(there, "diary", diary),
        lambda: here.books.add(Book.objects.using("other").create(), bulk=False),
        lambda: Book.objects.using("other").create().readers.add(here),
    ):
        with pytest.raises(ValueError, match='"other".*"default"|"default".*"other"'):
            refused()
    assert book.author == here
    assert book.author_id == here.pk


def test_many(configure):
    """Objects of another database can't be connected; keys are taken at their word."""
    here, there = pair()
    book = Book.objects.create()
    with pytest.raises(ValueError, match="Cannot add"):
        book.readers.add(there)
    with pytest.raises(ValueError, match="Cannot add"):
        book.readers.set([here, there])
    assert book.readers.count() == 0
    book.readers.add(here.pk)
    assert list(book.readers.all()) == [here]


def test_a_new_object_follows(configure):
    """What has no database yet is saved where the object is that it refers to."""
    _here, there = pair()
    book = Book(author=there)
    assert book._state.db == "other"
    book.save()
    assert Book.objects.count() == 0
    assert Book.objects.using("other").get().author == there
    made = there.books.create()
    assert made._state.db == "other"
    diary = Diary.objects.using("other").create()
    new = Person(name="new")
    diary.person = new
    assert new._state.db == "other"


def test_what_routers_allow(configure):
    """A router's allow_relation() decides: databases may be copies of one another."""
    configure(DATABASE_ROUTERS=[Everything()])
    here, there = pair()
    book = Book(author=there)
    book.save()
    assert book._state.db == "other"
    book = Book.objects.create(author=here)
    book.author = there
    book.readers.add(there)
    assert (here._state.db, there._state.db, book._state.db) == ("default", "other", "default")


def test_what_routers_are_asked(configure):
    """For rows in between it is the through model; for objects that are created the model of the one at hand."""
    witness = Witness()
    person = Person.objects.using("other").create(name="a")
    book = Book.objects.using("other").create()
    configure(DATABASE_ROUTERS=[witness])
    through = Book.readers.through
    steps = (
        (lambda: book.readers.add(person), through),
        (lambda: book.readers.set([]), through),
        (lambda: book.readers.clear(), through),
        (lambda: book.readers.get_or_create(name="b"), Book),
        (lambda: person.books.create(), Book),
    )
    for step, model in steps:
        witness.asked.clear()
        step()
        assert model in [asked for asked, _instance in witness.asked]
        assert all(instance in (book, person) for _asked, instance in witness.asked if instance)
