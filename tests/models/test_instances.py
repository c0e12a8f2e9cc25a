"""Instances: construction, identity, state, copies, loading what is missing."""

import copy
import pickle
from typing import Any

import pytest

import ormolu
from models.library import MODELS, Author, Book, Profile, Shelf, Tag
from ormolu.exceptions import NotLoaded

__all__ = ["MODELS"]


def test_construction() -> None:
    """Values come by position in the order of columns, or by keyword; defaults fill the rest."""
    assert Author(1, "Ann", 3).__dict__ == {"id": 1, "name": "Ann", "age": 3}
    assert Author(name="Ann").__dict__ == {"id": None, "name": "Ann", "age": 0}
    assert Author(pk=4).id == 4  # type: ignore[attr-defined]
    assert Book(author_id=3).author_id == 3  # type: ignore[attr-defined]
    with pytest.raises(
        TypeError, match=r"Author\(\) got unexpected keyword arguments: 'nmae'. Did you mean 'name'"
    ):
        Author(nmae="x")
    with pytest.raises(IndexError):
        Author(1, 2, 3, 4)


def test_identity() -> None:
    """Instances are equal where model and key are; one without a key is equal to itself, and unhashable."""
    assert Author(id=1) == Author(id=1)
    assert Author(id=1) != Author(id=2)
    assert Author(id=1) != Tag(id=1)
    assert Author() != Author()
    new = Author()
    assert new == new
    assert len({Author(id=1), Author(id=1)}) == 1
    with pytest.raises(TypeError, match="without primary key value are unhashable"):
        hash(new)


def test_text() -> None:
    """str() and repr() are Django's."""
    assert str(Profile(id=3)) == "Profile object (3)"
    assert repr(Author(name="Ann")) == "<Author: Ann>"


async def test_state(db: Any, world: Any) -> None:
    """`_state` tells whether the row exists, and where; setting it makes a copy a new row."""
    ann = Author(name="Ann")
    assert (ann._state.adding, ann._state.db) == (True, None)
    await world(ann.save)
    assert (ann._state.adding, ann._state.db) == (False, "default")
    twin = copy.copy(ann)
    twin.pk = None
    twin._state.adding = True
    await world(twin.save)
    assert twin.pk != ann.pk
    book = await world(ann.books.create)
    assert dict(book._state.fields_cache) == {"author": ann}


async def test_changes_are_remembered(db: Any, world: Any) -> None:
    """A loaded instance knows the old value of what was assigned; a new one has no need to."""
    ann = Author(name="Ann")
    ann.name = "Bea"
    assert "_dirty" not in ann.__dict__
    await world(ann.save)
    ann.name = "Cleo"
    ann.name = "Dora"
    assert ann.__dict__["_dirty"] == {"name": "Bea"}
    await world(ann.save)
    assert "_dirty" not in ann.__dict__


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
async def test_copies(db: Any, world: Any, duplicate: Any) -> None:
    """A copy has the values, the state and the changes of its own."""
    ann = await world(Author.objects.create, name="Ann")
    ann.name = "Bea"
    twin = duplicate(ann)
    assert twin is not ann
    assert (twin, twin.name, twin._state.adding) == (ann, "Bea", False)
    twin.age = 3
    assert "age" not in ann.__dict__["_dirty"]
    await world(twin.save)
    assert (await world(Author.objects.get)).age == 3
    book = await world(ann.books.create)
    assert duplicate(book).author == ann


def test_pickles_of_another_version_warn() -> None:
    """A pickle says which version made it; one that doesn't, or says another, is read with a warning."""
    *_, state = Author(id=1, name="Ann").__reduce__()
    twin = Author.__new__(Author)
    with pytest.warns(RuntimeWarning, match="version 0.0 does not match"):
        twin.__setstate__({**state, "_ormolu_version": "0.0"})
    with pytest.warns(RuntimeWarning, match="model instance's Ormolu version is not specified"):
        twin.__setstate__({"id": 1})
    assert "_ormolu_version" not in twin.__dict__


def test_abstract_models_have_no_instances() -> None:
    """The error says what to do."""

    class Idea(ormolu.Model):
        class Meta:
            abstract = True

    with pytest.raises(TypeError, match="Abstract models cannot be instantiated"):
        Idea()


async def test_prefetched_results_are_pickled(db: Any, world: Any) -> None:
    """A pickle and a copy carry prefetched results along."""
    ann = await world(Author.objects.create, name="Ann")
    await world((await world(ann.books.create)).tags.create, name="red")
    (found,) = await world.list(Author.objects.prefetch_related("books__tags"))
    assert len(found.books.all()) == 1
    for twin in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert [str(tag) for book in twin.books.all() for tag in book.tags.all()] == ["red"]


async def test_deferred_fields(db: Any, world: Any) -> None:
    """What wasn't loaded is known, loaded on demand, and not written."""
    await world(Author.objects.create, name="Ann", age=3)
    ann = await world(Author.objects.only("name").get)
    assert ann.get_deferred_fields() == {"age"}
    assert await world.attribute(ann, "age") == 3
    assert ann.get_deferred_fields() == set()


async def test_refresh(db: Any, world: Any) -> None:
    """refresh_from_db() loads all or some columns, drops changes, and forgets related objects of another key."""
    ann = await world(Author.objects.create, name="Ann")
    bea = await world(Author.objects.create, name="Bea")
    book = await world(ann.books.create)
    await world(Book.objects.filter(pk=book.pk).update, author=bea, pages=9)
    book.title = "changed"
    await world(book.refresh_from_db, fields=["pages"])
    assert (book.pages, book.title) == (9, "changed")
    await world(book.refresh_from_db)
    assert (book.title, book.author_id) == ("t", bea.pk)
    assert "_dirty" not in book.__dict__
    assert (await world.attribute(book, "author")).name == "Bea"
    await world(Book.objects.all().delete)
    with pytest.raises(Book.DoesNotExist):
        await world(book.refresh_from_db)


async def test_a_new_object_that_is_refreshed_in_part(db: Any, world: Any) -> None:
    """What wasn't loaded is the object's own, and written by the next save, as in Django."""
    key = (await world(Author.objects.create, name="Ann", age=3)).pk
    ann = Author(pk=key, age=5)
    await world(ann.refresh_from_db, fields=["name"])
    await world(ann.save)
    found = await world(Author.objects.get, pk=key)
    assert (found.name, found.age) == ("Ann", 5)
    await world(ann.save)
    again = Author(pk=key, age=6)
    await world(again.refresh_from_db)
    assert again.age == 5
    assert "_dirty" not in again.__dict__


async def test_what_a_queryset_leaves_out_stays_changed(db: Any, world: Any) -> None:
    """Of an object that is refreshed from a queryset, what that didn't load is still to be written."""
    ann = await world(Author.objects.create, name="Ann", age=3)
    ann.name, ann.age = "Anna", 4
    await world(ann.refresh_from_db, from_queryset=Author.objects.defer("name"))
    assert (ann.name, ann.age) == ("Anna", 3)
    await world(ann.save)
    assert (await world(Author.objects.get, pk=ann.pk)).name == "Anna"


async def test_related_objects_are_loaded_once(db: Any, world: Any) -> None:
    """Forward and reverse one-to-one objects are loaded on demand, and know each other."""
    ann = await world(Author.objects.create, name="Ann")
    await world(Profile.objects.create, author=ann)
    profile = await world(Profile.objects.get)
    author = await world.attribute(profile, "author")
    assert author == ann
    assert author.profile is profile
    again = await world(Author.objects.get)
    found = await world.attribute(again, "profile")
    assert found.author is again
    lonely = await world(Author.objects.create, name="Bea")
    with pytest.raises(Author.profile.RelatedObjectDoesNotExist, match="Author has no profile"):  # type: ignore[attr-defined]
        await world.attribute(lonely, "profile")
        lonely.profile


@pytest.mark.worlds("async")
async def test_nothing_is_loaded_behind_the_loops_back(db: Any, world: Any) -> None:
    """In async code, touching what isn't loaded names model, attribute and cure; aload() is the cure."""
    ann = await world(Author.objects.create, name="Ann")
    await world(ann.books.create)
    book = await world(Book.objects.defer("title").get)
    with pytest.raises(NotLoaded, match=r'shelf.Book.author is not loaded; use select_related\("author"\)'):
        book.author
    with pytest.raises(NotLoaded, match=r'shelf.Book.title is not loaded; use await obj.aload\("title"\)'):
        book.title
    await book.aload("author", "title", "tags", "author__books")
    assert (book.author, book.title, list(book.tags.all())) == (ann, "t", [])
    assert list(book.author.books.all()) == [book]
    with pytest.raises(ormolu.FieldDoesNotExist, match="Did you mean 'author'"):
        await book.aload("auther")


async def test_plain_relationships(db: Any, world: Any) -> None:
    """A relationship() declared in SQLAlchemy's way is followed by lookups and loaded on demand."""
    ann = await world(Author.objects.create, name="Ann")
    await world(Shelf.objects.create, place="hall", owner_id=ann.pk)
    shelf = await world(Shelf.objects.filter(owner__name="Ann").get)
    assert await world.attribute(shelf, "owner") == ann
    assert await world.attribute(shelf, "boxes") == []
    new = Shelf(place="attic", owner=ann, boxes=[])
    assert new.owner is ann


async def test_save_and_delete(db: Any, world: Any) -> None:
    """save() inserts and updates; delete() counts, and takes the key; without a key it is refused."""
    ann = Author(name="Ann")
    await world(ann.save)
    ann.age = 5
    await world(ann.save, update_fields=["age"])
    assert (await world(Author.objects.get)).age == 5
    assert await world(ann.delete) == (1, {"shelf.Author": 1})
    assert ann.pk is None
    with pytest.raises(
        ValueError, match="Author object can't be deleted because its id attribute is set to None"
    ):
        await world(ann.delete)


def test_serializable_value() -> None:
    """serializable_value() gives the key of a relation."""
    assert Book(author=Author(id=3)).serializable_value("author") == 3
    assert Book(title="x").serializable_value("title") == "x"
