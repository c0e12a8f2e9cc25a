"""Conditions: over relations, over NULL, over names that aren't there."""

from typing import Any

import pytest

from ormolu import (
    CASCADE,
    CharField,
    Exists,
    F,
    FieldDoesNotExist,
    FieldError,
    ForeignKey,
    IntegerField,
    Model,
    OuterRef,
    Q,
    Subquery,
)
from traps.museum import (
    EXHIBITS,
    PAINTERS,
    Exhibit,
    Museum,
    Painter,
    Painting,
    Style,
    Technique,
    names,
    three_painters,
)


class Happening(Model):
    """Its column `year` has the name of a lookup."""

    year = IntegerField()

    class Meta:
        app_label = "traps"


class Report(Model):
    title = CharField(max_length=10)
    happening: Any = ForeignKey(Happening, on_delete=CASCADE)

    class Meta:
        app_label = "traps"


MODELS = [*PAINTERS, *EXHIBITS, Happening, Report]


async def test_exclude_over_a_foreign_key_keeps_rows_without_one(db: Any, world: Any) -> None:
    """Excluding by a related object's column keeps the rows that have no related object (E14)."""
    await three_painters(world)
    assert await names(world, Painter.objects.exclude(museum__name="P1")) == ["Bob", "Cy"]


async def test_negation_keeps_null(db: Any, world: Any) -> None:
    """A row whose column is NULL is not among those that a negated comparison removes (E15)."""
    await three_painters(world)
    assert await names(world, Painter.objects.exclude(bio="hi")) == ["Bob", "Cy"]
    assert await names(world, Painter.objects.filter(~Q(bio="x") | Q(age=2))) == ["Ann", "Bob", "Cy"]
    assert await names(world, Painter.objects.exclude(bio__in=["hi"])) == ["Bob", "Cy"]
    assert await names(world, Painter.objects.filter(~Q(bio="hi", age=30))) == ["Bob", "Cy"]


async def test_conditions_of_one_filter_meet_one_related_row(db: Any, world: Any) -> None:
    """Conditions in one filter() speak of the same related row, those of two of any (E16)."""
    await three_painters(world)
    together = Painter.objects.filter(painting__title="x", painting__year=2002)
    chained = Painter.objects.filter(painting__title="x").filter(painting__year=2002)
    assert await names(world, together) == ["Bob"]
    assert await names(world, chained) == ["Ann", "Bob"]


async def test_exclude_over_a_reverse_relation(db: Any, world: Any) -> None:
    """Excluding by a reverse relation removes those with any such related row, and only those (E17)."""
    await three_painters(world)
    assert await names(world, Painter.objects.exclude(painting__title="y")) == ["Bob", "Cy"]
    assert await names(world, Painter.objects.exclude(painting__title="x")) == ["Cy"]
    assert await names(world, Painter.objects.exclude(painting__title="x").exclude(painting__year=2001)) == [
        "Cy"
    ]


async def test_many_to_many_from_both_ends(db: Any, world: Any) -> None:
    """A many-to-many relation filters, excludes and lists from either end (E18)."""
    cubism = await world(Style.objects.create, name="cubism")
    pop = await world(Style.objects.create, name="pop")
    one = await world(Exhibit.objects.create, title="one")
    two = await world(Exhibit.objects.create, title="two")
    await world(Exhibit.objects.create, title="three")
    await world(one.styles.add, cubism, pop)
    await world(two.styles.add, pop)
    assert await names(world, Exhibit.objects.filter(styles__name="cubism")) == ["one"]
    assert await names(world, Exhibit.objects.filter(styles=pop)) == ["one", "two"]
    assert await names(world, Exhibit.objects.filter(styles__in=[cubism, pop]).distinct()) == ["one", "two"]
    assert await names(world, pop.exhibits.all()) == ["one", "two"]
    assert await names(world, Exhibit.objects.exclude(styles__name="cubism")) == ["three", "two"]
    assert await names(world, Style.objects.filter(exhibits__title="two")) == ["pop"]
    oil = await world(one.techniques.create, name="oil")
    assert await names(world, Technique.objects.filter(exhibit=one)) == ["oil"]
    assert await names(world, oil.exhibit_set.all()) == ["one"]


async def test_exists_in_both_senses(db: Any, world: Any) -> None:
    """Exists() filters, its negation and exclude() give the complement, a Subquery annotates (E19)."""
    await three_painters(world)
    of_painter = Painting.objects.filter(painter=OuterRef("pk"))
    has_x = Exists(of_painter.filter(title="x"))
    assert await names(world, Painter.objects.filter(has_x)) == ["Ann", "Bob"]
    assert await names(world, Painter.objects.filter(~has_x)) == ["Cy"]
    assert await names(world, Painter.objects.exclude(has_x)) == ["Cy"]
    tallest = Subquery(of_painter.order_by("-height").values("height")[:1])
    found = await world.list(Painter.objects.annotate(tallest=tallest).order_by("name"))
    assert [painter.tallest for painter in found] == [400, 5, None]


async def test_limited_subquery_keeps_its_order(db: Any, world: Any) -> None:
    """A limited queryset in __in stands for the rows that it gives, in its order (E20)."""
    ann, _, _ = await three_painters(world)
    await world(Painter.objects.create, name="Di", age=90)
    oldest = Painter.objects.order_by("-age")[:1]
    assert await world.list(Painting.objects.filter(painter__in=oldest)) == []
    younger = Painter.objects.filter(age__lt=50).order_by("-age")[:1]
    found = await world.list(Painting.objects.filter(painter__in=younger))
    assert {painting.painter_id for painting in found} == {ann.pk}


@pytest.mark.parametrize(
    "ask",
    [
        lambda: Painter.objects.filter(nmae="nmae"),
        lambda: Painter.objects.order_by("nope"),
        lambda: Painter.objects.exclude(museum__nmae="x"),
        lambda: Painter.objects.values("nmae"),
        lambda: Painter.objects.only("nmae"),
        lambda: Painter.objects.filter(age=F("agee")),
        lambda: Painter.objects.select_related("musem"),
    ],
    ids=["filter", "order_by", "exclude", "values", "only", "F", "select_related"],
)
async def test_a_misspelt_name_is_refused(db: Any, world: Any, ask: Any) -> None:
    """A name that the model doesn't have is an error, never a text and never ignored (E23)."""
    with pytest.raises((FieldError, FieldDoesNotExist), match="nmae|nope|agee|musem"):
        await world.list(ask())


async def test_a_column_wins_over_a_lookup_of_its_name(db: Any, world: Any) -> None:
    """After a relation a name is first a column of the related model, then a lookup (E24)."""
    happening = await world(Happening.objects.create, year=2002)
    await world(Report.objects.create, title="r", happening=happening)
    assert await world(Report.objects.filter(happening__year=2002).count) == 1
    assert await world(Report.objects.filter(happening__year__gt=2002).count) == 0


async def test_an_unsaved_object_is_no_condition(db: Any, world: Any) -> None:
    """A condition on an object without a key is refused, rather than meaning NULL (E43)."""
    await three_painters(world)
    with pytest.raises(ValueError, match="must be saved: this Museum"):
        await world.list(Painter.objects.filter(museum=Museum(name="new")))
    with pytest.raises(ValueError, match="must be saved: this Museum"):
        await world.list(Painter.objects.filter(museum__in=[Museum(name="new")]))
    with pytest.raises(ValueError, match="must be saved: this Museum"):
        await world.list(Painter.objects.exclude(museum=Museum(name="new")))


async def test_expressions_on_both_sides(db: Any, world: Any) -> None:
    """F() may look across a relation, and be calculated with (E22)."""
    await three_painters(world)
    taller = Painting.objects.filter(height__gt=F("painter__age"))
    assert await names(world, taller) == ["y"]
    since = Painting.objects.annotate(since=F("year") - 1900).order_by("pk").values_list("since", flat=True)
    assert await world.list(since) == [101, 102, 102]
    assert await world(Painting.objects.filter(year__lt=F("height") + 1900).count) == 1


async def test_update_across_a_relation_is_refused(db: Any, world: Any) -> None:
    """update() with a column of another table is an error, as in Django, and changes nothing (E22)."""
    await three_painters(world)
    with pytest.raises(FieldError, match="painter__age"):
        await world(Painting.objects.update, height=F("painter__age"))
    assert sorted(await world.list(Painting.objects.values_list("height", flat=True))) == [5, 10, 400]


def test_a_dictionary_is_no_condition() -> None:
    """filter({...}) is refused, and says how to pass it."""
    with pytest.raises(FieldError, match="as dict"):
        Painting.objects.filter({"title": "x"})
