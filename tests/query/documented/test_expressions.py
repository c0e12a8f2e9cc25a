"""Query expressions: what Django's reference of them shows, with models and data of our own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from ormolu import (
    CASCADE,
    Aggregate,
    Avg,
    BooleanField,
    CharField,
    Count,
    DateTimeField,
    DecimalField,
    DurationField,
    Exists,
    Expression,
    ExpressionWrapper,
    F,
    FieldError,
    FloatField,
    ForeignKey,
    Func,
    IntegerField,
    Max,
    Model,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
)  # fmt: skip
from ormolu.query.functions import Cast, Coalesce, Length, Lower, Upper
from ormolu.query.lookups import GreaterThan
from ormolu.query.values import RawSQL
from support.backends import Backend
from support.worlds import World

UTC = dt.UTC


class Town(Model):
    name = CharField(max_length=20)


class Firm(Model):
    name = CharField(max_length=20)
    ticker = CharField(max_length=10, null=True)
    motto = CharField(max_length=30, null=True)
    staff = IntegerField(default=0)
    chairs = IntegerField(default=0)
    price = DecimalField(max_digits=6, decimal_places=2, default=1)
    rate = FloatField(default=0.5)
    active = BooleanField(default=True)
    opened = DateTimeField(null=True)
    lasts = DurationField(null=True)
    town = ForeignKey(Town, on_delete=CASCADE, null=True, related_name="firms")


class Clerk(Model):
    firm = ForeignKey(Firm, on_delete=CASCADE, related_name="clerks")
    name = CharField(max_length=20)
    wage = IntegerField()


@pytest.fixture
def firms(db: Backend) -> Any:
    """Three firms: two seats short, one too many, none at all."""
    town = Town.objects.create(name="Ulm")
    for name, staff, chairs, ticker, wages in (
        ("Acme", 12, 5, "ACM", (5, 15)), ("Bolt", 3, 4, None, (20,)), ("Coil", 10, 5, None, ()),
    ):  # fmt: skip
        firm = Firm.objects.create(
            name=name, staff=staff, chairs=chairs, ticker=ticker, town=town if staff > 3 else None,
            opened=dt.datetime(2020, 1, staff, tzinfo=UTC), lasts=dt.timedelta(days=chairs),
        )  # fmt: skip
        for number, wage in enumerate(wages):
            Clerk.objects.create(firm=firm, name=f"{name[0]}{number}", wage=wage)
    return Firm.objects.order_by("name")


async def names(world: World, query: Any) -> list[str]:
    return [firm.name for firm in await world.list(query)]


async def test_filters(firms: Any, world: World) -> None:
    """A column is compared with others, in arithmetic, across relations, and by a lookup that stands alone."""
    assert await names(world, firms.filter(staff__gt=F("chairs"))) == ["Acme", "Coil"]
    assert await names(world, firms.filter(staff__gt=F("chairs") * 2)) == ["Acme"]
    assert await names(world, firms.filter(staff__gte=F("chairs") + F("chairs"))) == ["Acme", "Coil"]
    assert await names(world, firms.filter(staff__range=(F("chairs"), F("chairs") * 2))) == ["Coil"]
    assert await names(world, firms.filter(staff__in=[F("chairs") - 1, F("chairs") * 2])) == ["Bolt", "Coil"]
    assert await names(world, firms.filter(clerks__wage__gt=F("staff"), clerks__wage__lt=F("staff") * 2)) == [
        "Acme"
    ]
    assert await names(world, firms.filter(GreaterThan(F("staff"), F("chairs")))) == ["Acme", "Coil"]
    assert await names(world, firms.filter(GreaterThan(F("staff"), 3) & Q(ticker=None))) == ["Coil"]
    assert await names(world, firms.filter(~GreaterThan(F("staff"), 3))) == ["Bolt"]
    assert await names(world, firms.filter(name=Value("Bolt"))) == ["Bolt"]
    assert await names(world, firms.filter(name__startswith=F("ticker")[:1])) == ["Acme"]


async def test_annotations(firms: Any, world: World) -> None:
    """Arithmetic and comparisons as attributes."""
    rows = firms.annotate(
        needed=F("staff") - F("chairs"), short=GreaterThan(F("staff"), F("chairs")), place=F("town"),
        total=F("price") * F("staff"), share=ExpressionWrapper(F("price") * F("rate"), output_field=FloatField()),
        closes=ExpressionWrapper(F("opened") + F("lasts"), output_field=DateTimeField()), where=F("town__name"),
    )  # fmt: skip
    acme, bolt, _coil = await world.list(rows)
    assert (acme.needed, acme.total, acme.share, acme.where) == (7, 12, 0.5, "Ulm")
    assert (bool(acme.short), bool(bolt.short), bolt.place, bolt.where) == (True, False, None, None)
    assert acme.place == acme.town_id
    assert acme.closes == dt.datetime(2020, 1, 17, tzinfo=UTC)
    assert await names(world, rows.filter(short=True, needed__gt=5)) == ["Acme"]
    assert await names(world, rows.filter(closes__gt=dt.datetime(2020, 1, 15, 12, tzinfo=UTC))) == ["Acme"]
    with pytest.raises(FieldError, match="output_field"):
        await world.list(Firm.objects.annotate(mixed=F("price") + F("rate")))


async def test_new_rows_and_changes(firms: Any, world: World) -> None:
    """Expressions give values to new rows, to saved objects and to updates."""
    firm = await world(Firm.objects.create, name="Dyne", ticker=Upper(Value("dyn")))
    await world(firm.refresh_from_db)
    assert firm.ticker == "DYN"
    firm.staff = F("staff") + 1
    firm.name = F("name")[1:3]
    await world(firm.save)
    await world(firm.refresh_from_db)
    assert (firm.staff, firm.name) == (1, "yn")
    await world(Firm.objects.filter(chairs__gt=0).update, chairs=F("chairs") + 1, active=~F("active"))
    assert await world.list(firms.values_list("chairs", "active")) == [
        (6, False), (5, False), (6, False), (0, True)
    ]  # fmt: skip
    total = (
        Clerk.objects.filter(firm=OuterRef("pk"))
        .order_by()
        .values("firm")
        .annotate(t=Sum("wage"))
        .values("t")
    )
    await world(Firm.objects.update, staff=Coalesce(Subquery(total), 0))
    assert await world.list(firms.values_list("staff", flat=True)) == [20, 20, 0, 0]
    with pytest.raises(FieldError):
        await world(Firm.objects.update, name=F("town__name"))


async def test_order(firms: Any, world: World) -> None:
    """Expressions sort, NULLs where they are wanted."""
    await world(Firm.objects.filter(name="Bolt").update, name="Bo")
    ordered = Firm.objects.order_by
    assert await names(world, ordered(Length("name").asc(), "-name")) == ["Bo", "Coil", "Acme"]
    assert await names(world, ordered(Length("name").desc(), "name")) == ["Acme", "Coil", "Bo"]
    assert await names(world, ordered(F("ticker").asc(nulls_first=True), "name")) == ["Bo", "Coil", "Acme"]
    assert await names(world, ordered(F("ticker").desc(nulls_last=True), "name")) == ["Acme", "Bo", "Coil"]
    assert await names(world, ordered(F("staff") - F("chairs"))) == ["Bo", "Coil", "Acme"]
    turned = ordered(F("ticker").desc(nulls_last=True), "name").reverse()
    assert await names(world, turned) == ["Coil", "Bo", "Acme"]
    CharField.register_lookup(Length)
    try:
        assert await names(world, ordered("name__length", "name")) == ["Bo", "Acme", "Coil"]
    finally:
        CharField.unregister_lookup(Length)


class Shout(Func):
    function = "UPPER"
    template = "%(function)s(%(expressions)s)"


class Together(Func):
    """Texts one after another."""

    function = "CONCAT"
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="%(expressions)s", arg_joiner=" || ", **context)

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(
            compiler,
            connection,
            function="CONCAT_WS",
            template="%(function)s('', %(expressions)s)",
            **context,
        )


class Total(Aggregate):
    """A sum that may say ALL."""

    function = "SUM"
    template = "%(function)s(%(all_values)s%(expressions)s)"
    allow_distinct = False
    arity = 1

    def __init__(self, expression: Any, all_values: bool = False, **extra: Any) -> None:
        super().__init__(expression, all_values="ALL " if all_values else "", **extra)


class FirstOf(Expression):
    """COALESCE, written without Func."""

    template = "COALESCE( %(expressions)s )"

    def __init__(self, expressions: list[Any], output_field: Any) -> None:
        super().__init__(output_field=output_field)
        self.expressions = expressions

    def resolve_expression(
        self, query: Any = None, allow_joins: bool = True, reuse: Any = None, summarize: bool = False,
        for_save: bool = False,
    ) -> Any:  # fmt: skip
        made = self.copy()
        made.is_summary = summarize
        for place, expression in enumerate(self.expressions):
            made.expressions[place] = expression.resolve_expression(
                query, allow_joins, reuse, summarize, for_save
            )
        return made

    def as_sql(self, compiler: Any, connection: Any, template: str | None = None) -> Any:
        texts, params = [], []
        for expression in self.expressions:
            sql, values = compiler.compile(expression)
            texts.append(sql)
            params.extend(values)
        return (template or self.template) % {"expressions": ",".join(texts)}, params

    def as_mysql(self, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, template="coalesce( %(expressions)s )")

    def get_source_expressions(self) -> list[Any]:
        return self.expressions

    def set_source_expressions(self, expressions: Any) -> None:
        self.expressions = expressions


class Position(Func):
    """Where a text begins in another: the text is a parameter."""

    function = "POSITION"
    arg_joiner = " IN "

    def __init__(self, expression: Any, substring: Any) -> None:
        super().__init__(substring, expression)


async def test_functions_of_ones_own(firms: Any, world: World) -> None:
    """Func is used directly or derived from; keywords replace what the class says."""
    rows = firms.annotate(
        low=Func(F("name"), function="LOWER"), loud=Shout("name"), both=Together("name", "name"),
        part=Func("name", 2, 2, function="SUBSTR", output_field=CharField()),
        sign=Func(F("staff"), function="ABS", template="-%(function)s(%(expressions)s)"),
        text=FirstOf([F("motto"), Lower("ticker"), Value("none")], output_field=CharField()),
    )  # fmt: skip
    acme, bolt, _coil = await world.list(rows)
    assert (acme.low, acme.loud, acme.both, acme.part, acme.sign) == ("acme", "ACME", "AcmeAcme", "cm", -12)
    assert (acme.text, bolt.text) == ("acm", "none")
    assert await names(world, rows.filter(text="none", loud__startswith="C")) == ["Coil"]
    assert await world(Firm.objects.aggregate, a=Total("staff"), b=Total("staff", all_values=True)) == {
        "a": 25, "b": 25
    }  # fmt: skip
    assert await world(Firm.objects.filter(town=None).aggregate, a=Total("staff", default=0) + 1) == {"a": 4}
    with pytest.raises(TypeError):
        Together("name")


@pytest.mark.backends("postgresql", "asyncpg")
async def test_words_between_arguments(firms: Any, world: World) -> None:
    """`arg_joiner` stands between the arguments."""
    rows = firms.annotate(place=Position("name", Value("o"))).values_list("place", flat=True)
    assert await world.list(rows) == [0, 2, 2]


async def test_aggregates_in_arithmetic(firms: Any, world: World) -> None:
    """Aggregates combine with numbers, with one another, and take expressions."""
    rows = firms.annotate(
        n=(Count("clerks") * 4) + Count("clerks"), most=Max(F("clerks__wage") + F("staff")),
        spread=Max("clerks__wage") - Avg("clerks__wage"),
    )  # fmt: skip
    assert await world.list(rows.values_list("n", "most", "spread")) == [
        (10, 27, 5.0), (5, 23, 0.0), (0, None, None)
    ]  # fmt: skip
    products = Count(F("clerks") + F("town"))
    assert await world.list(firms.annotate(n=products).values_list("n", flat=True)) == [2, 0, 0]


async def test_subqueries(firms: Any, world: World) -> None:
    """Subquery gives a value, Exists a truth; both may be filtered by, and see the rows around them."""
    best = Clerk.objects.filter(firm=OuterRef("pk")).order_by("-wage")
    rows = firms.annotate(best=Subquery(best.values("name")[:1]), rich=Exists(best.filter(wage__gt=10)))
    assert await world.list(rows.values_list("best", "rich")) == [("A1", True), ("B0", True), (None, False)]
    assert await names(world, rows.filter(best="B0")) == ["Bolt"]
    assert await names(world, rows.exclude(rich=True)) == ["Coil"]
    assert await names(world, firms.filter(Exists(best))) == ["Acme", "Bolt"]
    assert await names(world, firms.filter(~Exists(best.filter(wage__lt=10)))) == ["Bolt", "Coil"]
    assert await names(world, firms.filter(Exists(best) | Q(name="Coil"))) == ["Acme", "Bolt", "Coil"]
    clerks = Clerk.objects.filter(firm=OuterRef("pk")).order_by().values("firm")
    total = clerks.annotate(total=Sum("wage")).values("total")
    assert await names(world, firms.filter(staff__lt=Subquery(total))) == ["Acme", "Bolt"]
    assert await names(
        world, firms.filter(pk__in=Subquery(Clerk.objects.filter(wage__gt=15).values("firm")))
    ) == ["Bolt"]
    below = Clerk.objects.filter(firm=OuterRef("pk"), wage__lt=OuterRef("staff"))
    assert await names(world, firms.filter(Exists(below))) == ["Acme"]
    nested = Town.objects.filter(
        Exists(Firm.objects.filter(Exists(Clerk.objects.filter(firm=OuterRef("pk"))), town=OuterRef("pk")))
    )
    assert await world(nested.count) == 1
    deep = Clerk.objects.filter(firm__town=OuterRef(OuterRef("pk")), firm=OuterRef("pk")).values("pk")
    towns = Town.objects.annotate(n=Subquery(Firm.objects.filter(Exists(deep)).values("staff")[:1]))
    assert (await world(towns.get)).n == 12
    ordered = firms.order_by(Subquery(best.values("wage")[:1]).desc(nulls_last=True))
    assert await names(world, ordered) == ["Bolt", "Acme", "Coil"]
    with pytest.raises(ValueError, match="outer query"):
        await world.list(best)


async def test_values(firms: Any, db: Backend, world: World) -> None:
    """A plain value has the type of its class, or the one that is asked for."""
    values = {
        "number": 1, "text": "a", "flag": True, "real": 1.5, "day": dt.date(2020, 1, 2), "clock": dt.time(3, 4),
        "moment": dt.datetime(2020, 1, 2, tzinfo=UTC), "span": dt.timedelta(1), "data": b"a",
    }  # fmt: skip
    if db.vendor == "mysql":  # whose asynchronous driver can't take bytes
        del values["data"]
    rows = firms.annotate(**{name: Value(value) for name, value in values.items()})
    found = (await world.list(rows.values(*values)))[0]
    assert {n: bytes(v) if n == "data" else v for n, v in found.items()} == values
    nothing = firms.annotate(
        a=Value(None, output_field=IntegerField()), b=Value(1, output_field=FloatField())
    )
    assert (await world.list(nothing.values_list("a", "b")))[0] == (None, 1.0)


async def test_raw_sql(firms: Any, world: World) -> None:
    """SQL of the caller's, as a value, a condition and the rows to be in."""
    table = Clerk._meta.db_table
    rows = firms.annotate(n=RawSQL(f"SELECT COUNT(*) FROM {table} WHERE wage > %s", (10,)))
    assert await world.list(rows.values_list("n", flat=True)) == [2, 2, 2]
    assert await names(
        world, firms.filter(pk__in=RawSQL(f"SELECT firm_id FROM {table} WHERE wage > %s", (15,)))
    ) == ["Bolt"]
    more = firms.annotate(more=RawSQL("staff + %s", (1,), output_field=IntegerField()))
    assert await names(world, more.filter(more__gt=F("chairs") * 2)) == ["Acme", "Coil"]
    assert await names(world, Firm.objects.order_by(RawSQL("staff %% %s", (10,)), "name")) == [
        "Coil",
        "Acme",
        "Bolt",
    ]


@pytest.fixture
def lengths() -> Iterator[None]:
    """A way to measure texts that a user puts on a function of ours."""

    def measured(self: Any, compiler: Any, connection: Any) -> Any:
        return self.as_sql(compiler, connection, function="OCTET_LENGTH")

    Length.as_postgresql = measured  # type: ignore[attr-defined]
    yield
    del Length.as_postgresql  # type: ignore[attr-defined]


@pytest.mark.usefixtures("lengths")
@pytest.mark.backends("postgresql", "asyncpg")
async def test_other_sql_for_a_function_of_ours(firms: Any, world: World) -> None:
    """A method put on a class gives its SQL for one database."""
    assert await world(Firm.objects.filter(name="Acme").values_list(Length(Value("åä")), flat=True).get) == 4


async def test_casts(firms: Any, world: World) -> None:
    """Cast makes the database convert, ExpressionWrapper only says what there is."""
    row = firms.annotate(real=Cast("staff", FloatField()), text=Cast("staff", CharField(max_length=5)))
    assert (await world.list(row.values_list("real", "text")))[0] == (12.0, "12")
    summed = await world(Firm.objects.aggregate, a=Sum(Cast("price", FloatField())), b=Sum("price"))
    assert summed == {"a": 3.0, "b": 3}


async def test_a_float_rounds_as_a_float_column_does(firms: Any, world: World) -> None:
    """Cast() of a float that is given rounds as that of a column which holds it: how, is the database's rule."""
    for half in (0.5, 1.5, 2.5):
        await world(firms.update, rate=half)
        casts = firms.annotate(given=Cast(Value(half), IntegerField()), held=Cast("rate", IntegerField()))
        row = await world(casts.first)
        assert row.given == row.held
