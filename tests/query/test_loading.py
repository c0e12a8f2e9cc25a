"""Deferred columns, and what loading keeps out of an instance."""

from typing import Any

import pytest

from ormolu import CharField, FieldError, ForeignKey, IntegerField, Model
from ormolu.models import CASCADE
from support.backends import Backend
from support.worlds import World


class Owner(Model):
    name = CharField(max_length=20)


class Pet(Model):
    name = CharField(max_length=20)
    legs = IntegerField(default=4)
    owner: Any = ForeignKey(Owner, on_delete=CASCADE, related_name="pets")


class Counted(Model):
    """A model whose constructor is its own."""

    name = CharField(max_length=20)
    legs = IntegerField(default=4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made = True


@pytest.fixture
def pet(db: Backend) -> Pet:
    """A pet and its owner."""
    return Pet.objects.create(name="rex", owner=Owner.objects.create(name="ann"))


async def test_a_constructor_of_ones_own_leaves_deferred_columns_out(db, world: World):
    """It runs for loaded rows, too; what wasn't loaded isn't in the instance, and can be loaded."""
    await world(Counted.objects.create, name="a")
    (found,) = await world.list(Counted.objects.defer("name"))
    assert found.made
    assert found.get_deferred_fields() == {"name"}
    await world(found.refresh_from_db, fields=["name"])
    assert found.name == "a"


async def test_only_and_defer_can_cancel_each_other(pet, world: World):
    """What is both asked for and left out leaves nothing to leave out."""
    for query in (Pet.objects.only("name").defer("name"), Pet.objects.defer("name").only("name")):
        assert (await world(query.get)).get_deferred_fields() == set()


async def test_the_key_of_a_known_object_comes_along(pet, world: World):
    """owner.pets.only(...) keeps the key by which the pets know their owner."""
    (found,) = await world.list(pet.owner.pets.only("pk"))
    assert found.get_deferred_fields() == {"name", "legs"}
    assert found.owner is pet.owner


def test_select_related_is_for_single_objects(pet):
    """A relation to many objects is refused, with what loads it; a field that is none, with the relations."""
    with pytest.raises(FieldError, match=r"Invalid field name.*'pets'.*prefetch_related\('pets'\)"):
        list(Owner.objects.select_related("pets"))
    with pytest.raises(FieldError, match="Non-relational field given in select_related: 'name'"):
        list(Owner.objects.select_related("name"))


async def test_select_related_without_names_overrides_defer(pet, world: World):
    """The relation is followed although its key was left out; by name that is refused."""
    (found,) = await world.list(Pet.objects.defer("owner").select_related())
    assert found.get_deferred_fields() == {"owner_id"}
    assert found.__dict__["owner"].name == "ann"
    with pytest.raises(FieldError, match="both deferred and traversed"):
        await world.list(Pet.objects.defer("owner").select_related("owner"))


async def test_defaults_are_looked_at_only_when_needed(pet, world: World):
    """get_or_create() and update_or_create() don't touch a lazy `defaults` in vain."""

    class Lazy:
        def __bool__(self) -> bool:
            raise AssertionError("looked at")

    lazy: Any = Lazy()
    found, created = await world(Pet.objects.get_or_create, lazy, name="rex")
    assert (found, created) == (pet, False)
