"""Lookups are registered on classes and instances, and found through the classes' order."""

import subprocess
import sys
from typing import Any

import pytest

from ormolu import fields


class Shouts:
    """Stands for a lookup."""

    lookup_name = "shouts"


class Upper:
    """Stands for a transform."""

    lookup_name = "upper"
    is_transform = True


class Both(Upper):
    """A transform that can end a lookup as well."""

    lookup_name = "both"
    is_lookup = True


@pytest.fixture
def registered() -> Any:
    """Shouts and Upper on CharField."""
    fields.CharField.register_lookup(Shouts)
    fields.CharField.register_lookup(Upper)
    yield
    fields.CharField._unregister_lookup(Shouts)
    fields.CharField._unregister_lookup(Upper)


def test_found_through_subclasses(registered: Any) -> None:
    """A lookup of a class holds for its subclasses, and not for others."""
    assert fields.EmailField().get_lookup("shouts") is Shouts
    assert fields.IntegerField().get_lookup("shouts") is None
    assert fields.EmailField.get_lookups()["shouts"] is Shouts


def test_lookups_and_transforms_are_told_apart(registered: Any) -> None:
    """A transform is no lookup, unless it says so."""
    field = fields.CharField()
    assert field.get_transform("upper") is Upper
    assert field.get_lookup("upper") is None
    assert field.get_transform("shouts") is None
    field.register_lookup(Both)
    assert field.get_lookup("both") is field.get_transform("both") is Both


def test_a_subclass_comes_first(registered: Any) -> None:
    """A subclass's lookup of the same name wins, and is gone when unregistered."""
    fields.EmailField.register_lookup(Upper, "shouts")
    assert fields.EmailField().get_transform("shouts") is Upper
    assert fields.CharField().get_lookup("shouts") is Shouts
    fields.EmailField._unregister_lookup(Upper, "shouts")
    assert fields.EmailField().get_lookup("shouts") is Shouts


def test_instances_have_their_own(registered: Any) -> None:
    """A lookup registered on a field holds for that field alone."""
    field = fields.CharField()
    field.register_lookup(Upper, "own")
    assert field.get_lookups()["own"] is Upper
    assert field.get_transform("own") is Upper
    assert fields.CharField().get_transform("own") is None
    assert "own" not in fields.CharField.get_lookups()
    field._unregister_lookup(Upper, "own")
    assert field.get_transform("own") is None


def test_register_lookup_as_a_decorator() -> None:
    """The registered class is returned, so that it can decorate."""

    @fields.SlugField.register_lookup
    class Dashed:
        lookup_name = "dashed"

    assert fields.SlugField().get_lookup("dashed") is Dashed
    fields.SlugField._unregister_lookup(Dashed)


def test_the_librarys_own_lookups_give_way() -> None:
    """A lookup that was registered before the library's own were loaded stays where it is."""
    script = """
import sys
from ormolu import CharField, Model, TextField
from ormolu.fields import Field
from ormolu.query import Lookup

class Contains(Lookup):
    lookup_name = "contains"

class Regex(Lookup):
    lookup_name = "regex"

Field.register_lookup(Contains)
CharField.register_lookup(Regex)
assert "ormolu.query.text_lookups" not in sys.modules
assert TextField().get_lookup("contains") is Contains
assert CharField().get_lookup("regex") is Regex
from ormolu.query import text_lookups
assert TextField().get_lookup("regex") is text_lookups.Regex
CharField._unregister_lookup(Regex)
assert CharField().get_lookup("regex") is text_lookups.Regex
"""
    subprocess.run([sys.executable, "-c", script], check=True)
