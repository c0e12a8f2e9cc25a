"""Registries: isolated() for tests, several for libraries, and names that are resolved later."""

from typing import Any

import pytest

import ormolu
from ormolu import CASCADE, CharField, ForeignKey, ManyToManyField, Model
from ormolu.exceptions import UnresolvedRelation
from ormolu.models import Apps, lazy_related_operation, registry
from ormolu.models.replacing import detach
from ormolu.writes.delete_plans import delete_plan


class Outside(Model):
    name = CharField(max_length=5)


def test_models_inside_are_unknown_outside():
    """They have their own registry and MetaData, which the block's end leaves behind."""
    with registry.isolated() as apps:

        class Inside(Model):
            outside: Any = ForeignKey(Outside, on_delete=CASCADE)

        assert apps.get_models() == [Inside]
    assert Inside._meta.apps is apps
    assert Inside not in registry.apps.get_models()
    assert Inside._meta.table.metadata is not Outside._meta.table.metadata
    assert registry.current() is registry.apps


def test_the_same_name_twice_is_no_conflict():
    """Each block starts empty."""
    for length in (3, 4):
        with registry.isolated():

            class Twice(Model):
                name = CharField(max_length=length)

            assert Twice._meta.get_field("name").max_length == length


def test_those_outside_forget_them():
    """At the end of the block a model outside has no accessor, no relation and nothing to delete of theirs."""
    with registry.isolated():

        class Guest(Model):
            host: Any = ForeignKey(Outside, on_delete=CASCADE, related_name="guests")
            hosts = ManyToManyField(Outside, related_name="+")

        class Part(Outside):
            pass

        assert {rel.field.model for rel in Outside._meta.related_objects} == {Guest, Part}
        assert Outside.guests.rel is Guest._meta.get_field("host").remote_field
    assert Outside._meta.get_fields(include_hidden=True) == Outside._meta.fields
    assert not hasattr(Outside, "guests")
    assert not delete_plan(Outside).relations


def test_a_registry_that_was_given_stays():
    """isolated(registry) is a way to declare models for good: they are known when the block is over."""
    kept = Apps()
    with registry.isolated(kept):

        class Lodger(Model):
            host: Any = ForeignKey(Outside, on_delete=CASCADE, related_name="lodgers")

    try:
        assert kept.get_models() == [Lodger]
        assert Outside.lodgers.rel is Lodger._meta.get_field("host").remote_field
    finally:
        detach(kept)


def test_as_a_decorator():
    """Each call has a registry of its own."""
    found = []

    @registry.isolated()
    def declare():
        class Again(Model):
            pass

        found.append(Again._meta.apps)

    declare()
    declare()
    assert found[0] is not found[1]
    assert registry.current() is registry.apps


def library(name, length):
    """Declare the models of a library, whose names others may have as well."""
    mine = Apps()

    class Base(Model):
        class Meta:
            abstract = True
            apps = mine

    class Author(Base):
        name = CharField(max_length=length)

        class Meta:
            db_table = f"{name}_author"

    class Book(Base):
        author: Any = ForeignKey("Author", on_delete=CASCADE, related_name="books")
        like = ManyToManyField("self")

        class Meta:
            db_table = f"{name}_book"

    return mine, Author, Book


async def test_two_libraries(tmp_path, world):
    """Models of one name in two registries: each has its tables, and its names lead to its own models."""
    ormolu.configure(f"sqlite:///{tmp_path}/db.sqlite3")
    first, author, book = library("first", 10)
    second, other_author, other_book = library("second", 20)
    assert await world(ormolu.create_tables, apps=first) == ["first_author", "first_book", "first_book_like"]
    assert "second_author" in await world(ormolu.create_tables, apps=second)
    assert author.metadata is first.metadata is not second.metadata
    assert author._meta.label == other_author._meta.label
    assert first.get_model(author._meta.label) is author
    assert book._meta.get_field("author").related_model is author
    assert other_book._meta.get_field("author").related_model is other_author
    assert book.like.through._meta.apps is first
    ann = await world(author.objects.create, name="Ann")
    await world(book.objects.create, author=ann)
    assert await world(other_author.objects.count) == 0
    assert (await world(ann.delete))[0] == 2
    assert await world(ormolu.drop_tables, apps=second)
    assert await world(author.objects.count) == 0
    ormolu.databases.close_all()


def test_names_that_lead_nowhere():
    """A name that no model has is listed, and an error with the near miss when asked for."""
    with registry.isolated() as apps:

        class Author(Model):
            pass

        class Book(Model):
            author: Any = ForeignKey("Auther", on_delete=CASCADE)

        (waiting,) = apps.waiting
        assert waiting.endswith(".auther") or waiting == "auther"
        with pytest.raises(UnresolvedRelation, match=r"Book.author refers to .*Did you mean '.*Author'"):
            apps.check_resolved()
        with pytest.raises(UnresolvedRelation):
            ormolu.create_tables(apps=apps)

        class Auther(Model):
            pass

        assert apps.waiting == []
        apps.check_resolved()
        assert Book._meta.get_field("author").related_model is Auther


def test_lazy_related_operation():
    """A function of one's own is called when all the models are there, as a relation would find them."""
    calls = []
    with registry.isolated():

        class Early(Model):
            pass

        lazy_related_operation(lambda *found, **rest: calls.append((found, rest)), Early, "self", "Late", n=1)
        assert calls == []

        class Late(Model):
            pass

        assert calls == [((Early, Early, Late), {"n": 1})]
        lazy_related_operation(lambda *found: calls.append(found), Early, Late)
        assert calls[1] == (Early, Late)


def test_applications():
    """A registry knows its applications; a module belongs to the nearest of those whose package holds it."""
    apps = Apps()

    class Place(Model):
        class Meta:
            app_label = "geo"

    assert registry.apps.app_configs["geo"].models["place"] is Place
    assert registry.apps.get_containing_app_config("geo.views.index").label == "geo"
    assert registry.apps.get_containing_app_config("geography.views") is None
    assert registry.apps.is_installed("geo")
    assert not apps.app_configs
    registry.apps.unregister(Place)


def test_a_model_named_like_a_keyword():
    """The table between has a relation of that name, which is no name of a parameter."""
    with registry.isolated():

        class Import(Model):
            others = ManyToManyField(Outside, related_name="+")

        made = Import(pk=1)
        row = Import.others.through(**{"import": made})
        assert row.import_id == 1
