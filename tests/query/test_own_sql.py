"""Lookups, transforms and expressions with SQL of a user's own, written as for Django."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ormolu import (
    CASCADE,
    Aggregate,
    Case,
    CharField,
    Count,
    Expression,
    F,
    Field,
    FieldError,
    ForeignKey,
    Func,
    IntegerField,
    Lookup,
    Max,
    Model,
    Q,
    Sum,
    TextField,
    Transform,
    Value,
    When,
)
from ormolu.query.functions import Length, Upper
from ormolu.query.lookups import Exact, GreaterThan, LessThan
from ormolu.query.text_lookups import StartsWith
from support.backends import Backend
from support.worlds import World


class Rack(Model):
    label = CharField(max_length=10)


class Jar(Model):
    name = CharField(max_length=20)
    size = IntegerField(null=True)
    rank = IntegerField(default=0)
    rack = ForeignKey(Rack, on_delete=CASCADE, null=True)


class NotEqual(Lookup):
    lookup_name = "ne"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} <> {rhs}", lhs_params + rhs_params


class Absolute(Transform):
    lookup_name = "magnitude"
    function = "ABS"


@Absolute.register_lookup
class AbsoluteLessThan(Lookup):
    lookup_name = "lt"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        lhs, lhs_params = compiler.compile(self.lhs.lhs)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        params = lhs_params + rhs_params + lhs_params + rhs_params
        return f"{lhs} < {rhs} AND {lhs} > -{rhs}", params


class Third(Transform):
    lookup_name = "third"
    bilateral = True

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        lhs, params = compiler.compile(self.lhs)
        return f"({lhs}) %% 3", params


class Joined(Expression):
    """Texts with something between them, as Django's documentation writes such a class."""

    def __init__(self, expressions: list[Any], between: str) -> None:
        super().__init__(output_field=TextField())
        self.expressions, self.between = expressions, between

    def get_source_expressions(self) -> list[Any]:
        return self.expressions

    def set_source_expressions(self, exprs: Any) -> None:
        self.expressions = exprs

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        texts, params = [], []
        for expression in self.expressions:
            sql, values = compiler.compile(expression)
            texts += [sql, "%s"]
            params += [*values, self.between]
        return " || ".join(texts[:-1]), params[:-1]

    def as_mysql(self, compiler: Any, connection: Any) -> Any:
        sql, params = self.as_sql(compiler, connection)
        return f"CONCAT({sql.replace(' || ', ', ')})", params


@contextmanager
def registered(target: Any, *lookups: Any) -> Iterator[None]:
    for lookup in lookups:
        target.register_lookup(lookup)
    try:
        yield
    finally:
        for lookup in lookups:
            target.unregister_lookup(lookup)


@pytest.fixture
def jars(db: Backend) -> None:
    """Jars of several sizes, one of no known size, and one on a shelf."""
    top = Rack.objects.create(label="top")
    for name, size, rank in (("fig", -4, 1), ("plum", 5, 5), ("pear", 9, 2), ("void", None, 0)):
        Jar.objects.create(name=name, size=size, rank=rank, rack=top if name == "fig" else None)


async def names(world: World, query: Any) -> list[str]:
    return [jar.name for jar in await world.list(query.order_by("name"))]


@pytest.mark.usefixtures("jars")
async def test_a_lookup_is_written_in_sql(world: World):
    """A lookup's as_sql() makes the condition, also of expressions, over relations and under NOT."""
    with registered(Field, NotEqual):
        for size, found in ((5, ["fig", "pear"]), (9, ["fig", "plum"]), (5, ["fig", "pear"])):
            assert await names(world, Jar.objects.filter(size__ne=size)) == found
        assert await names(world, Jar.objects.filter(size__ne=F("rank"))) == ["fig", "pear"]
        assert await names(world, Jar.objects.exclude(size__ne=5)) == ["plum", "void"]
        assert await names(world, Jar.objects.filter(rack__label__ne="low")) == ["fig"]
        assert await names(world, Jar.objects.filter(Q(size__ne=5), Q(rank=2) | Q(name__ne="pear"))) == [
            "fig",
            "pear",
        ]
        with pytest.raises(ValueError, match="None"):
            Jar.objects.filter(size__ne=None)
    with pytest.raises(FieldError):
        Jar.objects.filter(size__ne=5)


@pytest.mark.usefixtures("jars")
async def test_a_lookup_stands_alone(world: World):
    """A lookup is an expression: in filter(), annotate() and Case, the library's and a user's."""
    assert await names(world, Jar.objects.filter(NotEqual(F("size"), 5))) == ["fig", "pear"]
    assert await names(world, Jar.objects.filter(NotEqual(F("size"), F("rank")))) == ["fig", "pear"]
    assert await names(world, Jar.objects.filter(GreaterThan(F("size"), F("rank")))) == ["pear"]
    kinds = Case(When(NotEqual(F("rank"), 5), then=Value("a")), default=Value("b"))
    query = Jar.objects.annotate(kind=kinds, small=LessThan(F("size"), 6)).order_by("name")
    found = await world.list(query.values_list("name", "kind", "small"))
    assert [(name, kind, small and bool(small)) for name, kind, small in found] == [
        ("fig", "a", True), ("pear", "a", False), ("plum", "b", True), ("void", "a", None),
    ]  # fmt: skip


@pytest.mark.usefixtures("jars")
async def test_a_transform_is_written_in_sql(world: World):
    """A transform's SQL serves lookups, order and values; a bilateral one is applied to the other side."""
    with registered(IntegerField, Absolute, Third):
        assert await names(world, Jar.objects.filter(size__magnitude=4)) == ["fig"]
        assert await names(world, Jar.objects.filter(size__magnitude__lt=6)) == ["fig", "plum"]
        assert await names(world, Jar.objects.filter(size__magnitude__lt=F("rank") + 4)) == ["fig", "plum"]
        assert await names(world, Jar.objects.filter(Q(size__magnitude__lt=5) | Q(rank=0))) == ["fig", "void"]
        assert await names(world, Jar.objects.filter(size__third=8)) == ["plum"]
        assert await names(world, Jar.objects.filter(size__third__in=[0, 11])) == ["pear", "plum"]
        query = Jar.objects.exclude(size=None).order_by("size__third")
        assert await world.list(query.values_list("size__third", flat=True)) == [-1, 0, 2]
        with pytest.raises(NotImplementedError, match="Bilateral"):
            Jar.objects.filter(size__third__in=Jar.objects.values("size"))


@pytest.mark.usefixtures("jars")
async def test_an_expression_is_written_in_sql(world: World):
    """A user's expression is selected, compared, ordered by and grouped by; what it holds belongs to its plan."""
    for between in ("-", "%", "-"):
        query = Jar.objects.annotate(text=Joined([F("name"), Upper("name")], between))
        assert await world.list(query.order_by("-text").values_list("text", flat=True)[:1]) == [
            f"void{between}VOID"
        ]
        assert await names(world, query.filter(text__startswith=f"fig{between}")) == ["fig"]
    grouped = Jar.objects.values(text=Joined([F("name"), Value("x")], "+")).annotate(n=Count("pk"))
    assert {"text": "fig+x", "n": 1} in await world.list(grouped)


@pytest.mark.usefixtures("jars")
async def test_a_function_is_adapted(world: World):
    """as_sql() of the library takes another function, template or joiner from a user's."""

    class Longest(Func):
        function = "LENGTH"
        output_field = IntegerField()

        def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
            return super().as_sql(compiler, connection, template="-%(function)s(%(expressions)s)", **extra)

        def as_mysql(self, compiler: Any, connection: Any) -> Any:
            return self.as_sql(compiler, connection, function="CHAR_LENGTH")

    class Plain(Length):
        def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
            sql, params = super().as_sql(compiler, connection)
            return f"{sql} + %s", [*params, 100]

    query = Jar.objects.annotate(long=Longest("name"), plain=Plain("name"))
    assert await world.list(query.filter(name="fig").values_list("long", "plain")) == [(-3, 103)]
    assert await names(world, query.filter(long__lt=-3, plain__gt=103)) == ["pear", "plum", "void"]


@pytest.mark.usefixtures("jars")
async def test_an_aggregate_is_written_in_sql(world: World):
    """An aggregate's SQL is one for each group; filter, default and the library's own SQL can be a part of it."""

    class Spread(Aggregate):
        output_field = IntegerField()

        def as_sql(self, compiler: Any, connection: Any) -> Any:
            sql, params = compiler.compile(self.source_expressions[0])
            return f"(MAX({sql}) - MIN({sql}))", [*params, *params]

    class Twice(Sum):
        def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
            sql, params = super().as_sql(compiler, connection, **extra)
            return f"2 * {sql}", params

    class Thrice(Sum):
        def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
            return super().as_sql(compiler, connection, template="%(function)s(3 * %(expressions)s)", **extra)

    class All(Aggregate):
        function = "SUM"
        template = "%(function)s(%(distinct)s%(expressions)s)"
        allow_distinct = True

    found = await world(
        Jar.objects.aggregate, s=Spread("size"), t=Twice("rank", filter=Q(rank__gt=1)),
        none=Spread("size", default=7) + 1, d=All("rank", distinct=True), u=Thrice("rank", filter=Q(rank__gt=1)),
    )  # fmt: skip
    assert found == {"s": 13, "t": 14, "none": 14, "d": 8, "u": 21}
    shelves = Rack.objects.annotate(spread=Spread("jar__size"), n=Count("jar"))
    assert await world.list(shelves.values_list("label", "spread", "n")) == [("top", 0, 1)]
    for wrong in (lambda: Max("size", "rank"), lambda: Sum(), lambda: Count("size", None, "rank")):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.usefixtures("jars")
async def test_a_value_that_was_looked_at_stays_with_its_query(world: World):
    """SQL that depends on the value is made for each value; what only passes it on is made once."""
    calls: list[str] = []

    class Pattern(Lookup):
        lookup_name = "pattern"

        def as_sql(self, compiler: Any, connection: Any) -> Any:
            calls.append("pattern")
            lhs, params = self.process_lhs(compiler, connection)
            rhs, rhs_params = self.process_rhs(compiler, connection)
            if not self.rhs:
                return f"{lhs} IS NOT NULL", params
            return f"{lhs} LIKE {rhs}", [*params, f"%{rhs_params[0]}"]

    class Same(Exact):
        lookup_name = "same"

        def get_rhs_op(self, connection: Any, rhs: str) -> str:
            calls.append("same")
            return str(connection.operators["exact"]) % rhs

    with registered(CharField, Pattern, Same):
        assert await names(world, Jar.objects.filter(name__pattern="ig")) == ["fig"]
        assert await names(world, Jar.objects.filter(name__pattern="ear")) == ["pear"]
        assert len(await names(world, Jar.objects.filter(name__pattern=""))) == 4
        assert calls == ["pattern"] * 3
        assert await names(world, Jar.objects.filter(name__same="fig")) == ["fig"]
        assert await names(world, Jar.objects.filter(name__same="pear")) == ["pear"]
        assert calls[3:] == ["same"]


@pytest.mark.usefixtures("jars")
async def test_a_field_chooses_its_lookups(world: World):
    """get_lookup() and get_transform() answer names of their own; a lookup may be one field's alone."""
    name = Jar._meta.get_field("name")

    class Begins(StartsWith):
        lookup_name = "begins"

    with registered(name, Begins):
        assert name.get_lookup("begins") is Begins
        assert await names(world, Jar.objects.filter(name__begins="p")) == ["pear", "plum"]
        assert Rack._meta.get_field("label").get_lookup("begins") is None
    assert name.get_lookup("begins") is None


def test_parameters_must_fit_their_places(db: Backend):
    """A parameter too many or too few is refused when the SQL is made, not sent."""

    class Wrong(Expression):
        output_field = IntegerField()

        def __init__(self, *params: Any) -> None:
            super().__init__()
            self.params = params

        def as_sql(self, compiler: Any, connection: Any) -> Any:
            return "%s", list(self.params)

    for params in ((), (1, 2)):
        with pytest.raises(ValueError, match="parameters than places"):
            list(Jar.objects.annotate(x=Wrong(*params)))


class Described(Func):
    output_field = CharField()

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        name = connection.ops.quote_name("select")
        kind = "server" if connection.features.has_select_for_update else "file"
        return "%s", [f"{connection.vendor} {kind} {name[1:-1]} {connection.features.test_anything}"]


@pytest.mark.usefixtures("jars")
async def test_what_is_known_of_the_database(db: Backend, world: World):
    """A user's SQL may ask what the database can do, and how it spells; an unknown question is an error."""
    kind = "file" if db.vendor == "sqlite" else "server"
    found = await world(Jar.objects.filter(name="fig").values_list(Described(), flat=True).get)
    assert found == f"{db.vendor} {kind} select None"

    class Asks(Func):
        def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:
            return "%s", [connection.features.supports_over_clauses]

    with pytest.raises(AttributeError, match="supports_over_clause'"):
        await world(Jar.objects.annotate(x=Asks(output_field=IntegerField())).first)


class Doubled(Func):
    template = "(%(expressions)s) + (%(expressions)s) %%%% 100"


class Spelled(Upper):
    function = "LOWER"


@pytest.mark.usefixtures("jars")
async def test_functions_are_spelled_by_their_parts(world: World):
    """`function`, `template` and `arg_joiner` of a class, or as keywords, replace what the library would write."""
    longer = Length("name", template="%(function)s(%(expressions)s) + 1")
    rows = Jar.objects.filter(name="fig").annotate(
        double=Doubled("rank"), low=Spelled(Value("ABC")), more=longer
    )
    fig = await world(rows.get)
    assert (fig.double, fig.low, fig.more) == (2, "abc", 4)
    assert (await world(Jar.objects.aggregate, n=Sum("rank", distinct=True, function="COUNT")))["n"] == 4


async def test_other_sql_for_the_same_class(jars: None, world: World):
    """SQL that a class of the user's gets later is what its queries have from then on."""

    class Changing(Func):
        output_field = IntegerField()

    def one(self: Any, compiler: Any, connection: Any) -> Any:
        return "1", []

    def two(self: Any, compiler: Any, connection: Any) -> Any:
        return "2", []

    for method, value in ((one, 1), (two, 2), (one, 1)):
        Changing.as_sql = method  # type: ignore[method-assign]
        assert await world(Jar.objects.filter(name="fig").values_list(Changing(), flat=True).get) == value


@pytest.mark.usefixtures("jars")
async def test_lookups_of_relations(world: World):
    """A lookup or transform on a relation itself is asked of the key, also from the other side."""
    field = Jar._meta.get_field("rack")
    rack = (await world(Rack.objects.get)).pk
    with registered(field, Absolute):
        assert await names(world, Jar.objects.filter(rack__magnitude=rack)) == ["fig"]
        fig = await world(Jar.objects.get, name="fig")
        assert await world(Rack.objects.filter(jar__magnitude=fig.pk).count) == 1
    with registered(ForeignKey, NotEqual):
        assert await names(world, Jar.objects.filter(rack__ne=rack + 1)) == ["fig"]
        assert field.get_lookup("ne") is NotEqual
    with registered(Field, NotEqual):
        assert field.get_lookup("ne") is None


class Blank(CharField):
    """Texts of which the empty one is no text."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value) or None


class Jotting(Model):
    text = Blank(max_length=10, null=True)


async def test_values_that_are_prepared_as_null(db: Backend, world: World):
    """A value that the field prepares as None is compared as None is."""
    for text in ("a", None):
        await world(Jotting.objects.create, text=text)
    for _time in range(2):
        assert await world(Jotting.objects.filter(text="a").count) == 1
        assert await world(Jotting.objects.filter(text="").count) == 1
        assert await world(Jotting.objects.exclude(text="").count) == 1
        assert await world(Jotting.objects.filter(Q(text="") | Q(text="a")).count) == 2
    with pytest.raises(ValueError, match="None"):
        Jotting.objects.filter(text__gt="")


def test_what_expressions_say_of_themselves() -> None:
    """Expressions tell what is in them, what they are grouped by, and can be rewritten."""
    total = Sum("size") + 1
    assert total.contains_aggregate
    assert not (F("size") + 1).contains_aggregate
    assert total.get_group_by_cols() == []
    text = Upper(F("name"))
    assert text.get_group_by_cols() == [text]
    assert text.replace_expressions({F("name"): F("label")}).get_source_expressions() == [F("label")]
    assert text.replace_expressions({text: F("label")}) == F("label")
    assert F("name").replace_expressions({F("x"): F("y")}) == F("name")
    assert Value(1).get_lookup("gt") is not None
    assert text.reverse_ordering() is text
    assert text.get_expression_for_validation() is text
    assert Value(1).convert_value(2, None, None) == 2
