"""Bad input: a field, lookup or option that doesn't exist."""

from typing import Any

import pytest

import ormolu
from ormolu import CharField, Count, F, FieldDoesNotExist, FieldError, ForeignKey, IntegerField, Model, Q
from ormolu.exceptions import ImproperlyConfigured
from traps.museum import Museum, Painter, Painting, Style

MODELS = [Museum, Painter, Painting, Style]


@pytest.mark.parametrize(
    ("ask", "parts"),
    [
        (lambda: Painter.objects.filter(nmae="x"), ["Painter", "nmae", "name", "museum"]),
        (lambda: Painter.objects.filter(museum__cty="x"), ["Museum", "cty", "city"]),
        (lambda: Painter.objects.exclude(Q(agee=1)), ["Painter", "agee", "age"]),
        (lambda: Painter.objects.filter(paintings__title="x"), ["Painter", "paintings", "painting"]),
        (lambda: Painter.objects.order_by("-agee"), ["Painter", "agee", "age"]),
        (lambda: Painter.objects.order_by("museum__cty"), ["Museum", "cty", "city"]),
        (lambda: Painter.objects.values("nmae"), ["Painter", "nmae", "name"]),
        (lambda: Painter.objects.values_list("museum__cty"), ["Museum", "cty", "city"]),
        (lambda: Painter.objects.annotate(n=Count("paintngs")), ["Painter", "paintngs", "painting"]),
        (lambda: Painter.objects.filter(age=F("agee")), ["Painter", "agee", "age"]),
        (lambda: Painter.objects.select_related("musem"), ["Painter", "musem", "museum"]),
        (lambda: Painter.objects.select_related("name"), ["Painter", "name", "museum"]),
        (lambda: Painter.objects.only("agee"), ["Painter", "agee", "age"]),
        (lambda: Painter.objects.defer("agee"), ["Painter", "agee", "age"]),
    ],
)
async def test_unknown_field_in_a_query(db: Any, world: Any, ask: Any, parts: list[str]) -> None:
    """An unknown name in a query is a FieldError that has the model, the name, and what is near it."""
    with pytest.raises((FieldError, FieldDoesNotExist)) as caught:
        await world.list(ask())
    assert_says(caught.value, parts)


async def test_unknown_field_in_a_write(db: Any, world: Any) -> None:
    """The same for update(), bulk_update(), save(update_fields=...) and aggregate()."""
    painter = await world(Painter.objects.create, name="Ann")
    with pytest.raises((FieldError, FieldDoesNotExist)) as caught:
        await world(Painter.objects.update, agee=1)
    assert_says(caught.value, ["Painter", "agee", "age"])
    with pytest.raises((FieldError, FieldDoesNotExist)) as caught:
        await world(Painter.objects.bulk_update, [painter], ["agee"])
    assert_says(caught.value, ["Painter", "agee", "age"])
    with pytest.raises(ValueError) as bad_update_fields:
        await world(painter.save, update_fields=["agee"])
    assert_says(bad_update_fields.value, ["Painter", "agee", "age"])
    with pytest.raises((FieldError, FieldDoesNotExist)) as caught:
        await world(Painter.objects.aggregate, n=Count("agee"))
    assert_says(caught.value, ["Painter", "agee", "age"])
    with pytest.raises((FieldError, FieldDoesNotExist)) as caught:
        await world(Painter.objects.in_bulk, [1], field_name="agee")
    assert_says(caught.value, ["Painter", "agee", "age"])
    with pytest.raises((FieldError, FieldDoesNotExist)) as caught:
        await world(painter.refresh_from_db, fields=["agee"])
    assert_says(caught.value, ["Painter", "agee", "age"])


async def test_unknown_keyword_of_a_new_object(db: Any, world: Any) -> None:
    """A keyword that the model doesn't have is a TypeError, as in Django, with the near miss; nothing is created."""
    with pytest.raises(TypeError) as caught:
        Painter(agee=1)  # type: ignore[call-arg]
    assert_says(caught.value, ["Painter", "agee", "age"])
    with pytest.raises((TypeError, FieldError)) as caught:
        await world(Painter.objects.create, agee=1)
    assert_says(caught.value, ["Painter", "agee", "age"])
    with pytest.raises((TypeError, FieldError)) as refused:
        await world(Style.objects.get_or_create, name="pop", defaults={"slgu": "x"})
    assert_says(refused.value, ["Style", "slgu", "slug"])
    assert await world(Painter.objects.count) == 0
    assert await world(Style.objects.count) == 0


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ({"age__gtt": 1}, ["gtt", "age", "Painter", "gt", "gte"]),
        ({"name__startwith": "x"}, ["startwith", "name", "Painter", "startswith"]),
        ({"museum__name__contain": "x"}, ["contain", "name", "Museum", "contains"]),
        ({"museum__gtt": 1}, ["gtt", "museum"]),
        ({"age__gt__lt": 1}, ["gt"]),
    ],
)
async def test_unknown_lookup(db: Any, world: Any, condition: dict[str, Any], parts: list[str]) -> None:
    """An unknown lookup is a FieldError with the field, its model, the near miss and the choices."""
    with pytest.raises(FieldError) as caught:
        await world.list(Painter.objects.filter(**condition))
    assert_says(caught.value, parts)


def test_unknown_option_of_a_field() -> None:
    """An unknown option of a field is a TypeError with the field's class, the near miss and the options."""
    with pytest.raises(TypeError) as caught:
        CharField(max_lenght=10)  # type: ignore[call-overload]
    assert_says(caught.value, ["CharField", "max_lenght", "max_length"])
    with pytest.raises(TypeError) as caught:
        ForeignKey(Painter, on_delet=ormolu.CASCADE)  # type: ignore[call-overload]
    assert_says(caught.value, ["ForeignKey", "on_delet", "on_delete"])


def test_unknown_option_of_meta() -> None:
    """An unknown option in class Meta is a TypeError with the model, the near miss and the options."""
    with pytest.raises(TypeError) as caught:

        class Unfinished(Model):
            class Meta:
                app_label = "traps"
                orderng = ["id"]

    assert_says(caught.value, ["Unfinished", "orderng", "ordering"])


def test_names_in_meta_that_the_model_lacks() -> None:
    """A name in Meta.unique_together that isn't a field's is refused with the near miss."""
    with pytest.raises((FieldDoesNotExist, FieldError, ImproperlyConfigured)) as caught:

        class Halfway(Model):
            name = CharField(max_length=10)
            size = IntegerField()

            class Meta:
                app_label = "traps"
                unique_together = [("name", "sise")]

        ormolu.models.tables.tables_of([Halfway], "default")
    assert_says(caught.value, ["Halfway", "sise", "size"])


def test_unknown_name_of_the_package() -> None:
    """An unknown public name is an AttributeError with the near miss."""
    with pytest.raises(AttributeError) as caught:
        ormolu.CharFeild
    assert_says(caught.value, ["ormolu", "CharFeild", "CharField"])


def assert_says(error: BaseException, parts: list[str]) -> None:
    """Check that an error's text has all these parts."""
    text = str(error)
    assert [part for part in parts if part not in text] == [], text
