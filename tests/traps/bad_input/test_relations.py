"""Bad input: a relation that does not resolve, and objects that don't belong into one."""

from typing import Any

import pytest

import ormolu
from ormolu import CASCADE, CharField, ForeignKey, ManyToManyField, Model
from ormolu.exceptions import FieldError, UnresolvedRelation
from traps.museum import EXHIBITS, PAINTERS, Exhibit, Museum, Painter, Painting, Style

MODELS = [*PAINTERS, *EXHIBITS]


def test_a_relation_to_a_model_that_is_not_there() -> None:
    """A relation to an unknown model fails when it is used, with field, target, near miss and cure."""

    class Drawer(Model):
        name = CharField(max_length=10)
        museum: Any = ForeignKey("traps.Musem", on_delete=CASCADE)

        class Meta:
            app_label = "traps_unresolved"

    for use in (
        lambda: Drawer.objects.filter(museum__name="x").count(),
        lambda: Drawer(museum=None),
        lambda: ormolu.create_tables(Drawer),
        lambda: (
            Drawer.museum.related_model
            if hasattr(Drawer.museum, "related_model")
            else Drawer._meta.get_field("museum").related_model
        ),
    ):
        with pytest.raises(UnresolvedRelation) as caught:
            use()
        text = str(caught.value)
        assert "Drawer.museum" in text
        assert "Musem" in text
        assert "Museum" in text


def test_many_to_many_to_a_model_that_is_not_there() -> None:
    """The same for a many-to-many relation."""

    class Cabinet(Model):
        styles: Any = ManyToManyField("traps.Styel")

        class Meta:
            app_label = "traps_unresolved"

    with pytest.raises(UnresolvedRelation, match=r"(?s)Cabinet.styles.*Styel.*Style"):
        list(Cabinet.objects.filter(styles__name="x"))


def test_a_relation_to_something_else() -> None:
    """A relation to what is no model is refused when it is declared."""
    with pytest.raises(TypeError, match=r"ForeignKey.*int|int.*ForeignKey"):
        ForeignKey(int, on_delete=CASCADE)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="on_delete"):
        ForeignKey(Museum)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="on_delete"):
        ForeignKey(Museum, on_delete="CASCADE")  # type: ignore[call-overload]


async def test_an_object_of_another_model(db: Any, world: Any) -> None:
    """An object of another model is refused in assignment, conditions and connections, naming both models."""
    style = await world(Style.objects.create, name="pop")
    with pytest.raises(ValueError, match=r"Painter\.museum.*Museum"):
        Painter(name="Ann", museum=style)
    painter = await world(Painter.objects.create, name="Ann")
    with pytest.raises(ValueError, match=r"Painter\.museum.*Museum"):
        painter.museum = style
    with pytest.raises(ValueError, match=r"Museum"):
        await world.list(Painter.objects.filter(museum=style))
    with pytest.raises(ValueError, match=r"Museum"):
        await world.list(Painter.objects.filter(museum__in=[style]))
    with pytest.raises(ValueError, match=r"Museum"):
        await world.list(Painter.objects.filter(museum__in=Style.objects.all()))
    exhibit = await world(Exhibit.objects.create, title="one")
    with pytest.raises(TypeError, match=r"Style"):
        await world(exhibit.styles.add, painter)
    museum = await world(Museum.objects.create, name="P1")
    with pytest.raises(TypeError, match=r"Painter"):
        await world(museum.painter_set.add, style)
    assert await world(exhibit.styles.count) == 0


async def test_relations_before_the_first_save(db: Any, world: Any) -> None:
    """The related managers of an unsaved object are refused, and the cure is to save it."""
    style = await world(Style.objects.create, name="pop")
    with pytest.raises(ValueError, match="Exhibit"):
        await world(Exhibit(title="new").styles.add, style)
    with pytest.raises(ValueError, match=r"Museum|primary key"):
        await world.list(Museum(name="new").painter_set.all())
    museum = await world(Museum.objects.create, name="m")
    with pytest.raises(ValueError, match=r"Painter|save"):
        await world(museum.painter_set.add, Painter(name="new"))


async def test_a_key_without_a_row(db: Any, world: Any) -> None:
    """A foreign key to a row that isn't there is an IntegrityError, and nothing is written."""
    with pytest.raises(ormolu.IntegrityError):
        await world(Painting.objects.create, title="x", painter_id=10**6)
    with pytest.raises(ormolu.IntegrityError):
        await world(Painting.objects.bulk_create, [Painting(title="x", painter_id=10**6)])
    assert await world(Painting.objects.count) == 0


async def test_a_required_relation_without_a_value(db: Any, world: Any) -> None:
    """Reading a required relation that nobody set says which object lacks what."""
    with pytest.raises(Painting.painter.RelatedObjectDoesNotExist, match=r"Painting has no painter"):
        Painting(title="x").painter
    with pytest.raises(ormolu.IntegrityError, match="painter"):
        await world(Painting(title="x").save)


async def test_lookups_through_what_is_no_relation(db: Any, world: Any) -> None:
    """A path through a plain column is refused with the column's lookups."""
    with pytest.raises(FieldError, match=r"(?s)city.*Museum"):
        await world.list(Painter.objects.filter(museum__city__name="x"))
