"""isolated(): models of a test in a registry of their own."""

from typing import Any

from ormolu import CharField, ForeignKey, Model
from ormolu.models import CASCADE, registry


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
