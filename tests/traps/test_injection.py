"""Names that come from callers never become SQL."""

from typing import Any

import pytest

from ormolu import Count, F, FieldDoesNotExist, FieldError, Sum
from traps.museum import PAINTERS, Painter, three_painters

MODELS = PAINTERS

EVIL = 'age" = 99, "name'
REFUSED = (FieldError, FieldDoesNotExist, ValueError, TypeError)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: Painter.objects.filter(**{EVIL: 1}),
        lambda: Painter.objects.exclude(**{f"museum__{EVIL}": 1}),
        lambda: Painter.objects.order_by(EVIL),
        lambda: Painter.objects.order_by("-name); DROP TABLE x; --"),
        lambda: Painter.objects.values(EVIL),
        lambda: Painter.objects.values_list(EVIL),
        lambda: Painter.objects.only(EVIL),
        lambda: Painter.objects.annotate(n=Sum('age") + 5000 + SUM("age')),
        lambda: Painter.objects.annotate(n=Count("*, 1")),
        lambda: Painter.objects.annotate(**{'n" FROM x; --': Count("id")}),
        lambda: Painter.objects.annotate(**{"n; --": F("age")}),
        lambda: Painter.objects.values(**{'n" --': F("age")}),
        lambda: Painter.objects.filter(age=F('age" + 1000 + "age')),
        lambda: Painter.objects.filter(**{'age__gt" OR 1=1 --': 1}),
    ],
)
async def test_a_name_with_sql_in_it_is_refused(db: Any, world: Any, ask: Any) -> None:
    """Wherever a query takes a name, one with SQL in it is refused (E33)."""
    await three_painters(world)
    with pytest.raises(REFUSED):
        await world.list(ask())


async def test_writes_refuse_names_with_sql_in_them(db: Any, world: Any) -> None:
    """update(), aggregate(), create() and bulk_update() refuse them as well, and change nothing (E33)."""
    ann, _, _ = await three_painters(world)
    with pytest.raises(REFUSED):
        await world(Painter.objects.update, **{EVIL: "x"})
    with pytest.raises(REFUSED):
        await world(Painter.objects.update, age=F('age" + 1000 + "age'))
    with pytest.raises(REFUSED):
        await world(Painter.objects.aggregate, **{'n" FROM x; --': Count("id")})
    with pytest.raises(REFUSED):
        await world(Painter.objects.create, **{EVIL: "x"})
    with pytest.raises(REFUSED):
        await world(Painter.objects.bulk_update, [ann], [EVIL])
    with pytest.raises(REFUSED):
        await world(Painter.objects.in_bulk, [1], field_name=EVIL)
    assert await world.list(Painter.objects.order_by("name").values_list("age", flat=True)) == [30, 50, 20]


async def test_values_with_sql_in_them_are_values(db: Any, world: Any) -> None:
    """A value with SQL in it is stored and found as it is (E33)."""
    text = "'); DROP x; --"
    await world(Painter.objects.create, name=text)
    assert (await world(Painter.objects.get, name=text)).name == text
    assert await world(Painter.objects.filter(name__contains="'; --").exists) is False
