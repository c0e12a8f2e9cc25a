"""Full-text search: one spelling for all databases, each with an index of its own kind."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

import ormolu
from ormolu import CASCADE, CharField, F, FieldError, ForeignKey, FullTextIndex, Model, Q, TextField, Value
from ormolu.exceptions import ImproperlyConfigured, NotSupportedError, OperationalError, ProgrammingError
from ormolu.fields import UUIDField
from ormolu.fields.search import SearchVectorField
from ormolu.query.functions import Concat, Lower
from ormolu.query.search import (
    SearchConfig,
    SearchHeadline,
    SearchQuery,
    SearchRank,
    SearchVector,
    TrigramDistance,
    TrigramSimilarity,
    TrigramWordSimilarity,
)
from support.backends import Backend
from support.worlds import World


class Cook(Model):
    name = CharField(max_length=50)


class Recipe(Model):
    """Titles count more than methods; an index of its own for the title alone."""

    title = CharField(max_length=100)
    method = TextField(null=True)
    language = CharField(max_length=20, default="english")
    cook: Any = ForeignKey(Cook, on_delete=CASCADE, related_name="recipes")
    wanted = CharField(max_length=50, default="")

    class Meta:
        indexes = [
            FullTextIndex(fields=["title", "method"], weights=["A", "B"], name="recipe_text"),
            FullTextIndex(fields=["title"]),
        ]


class Menu(Model):
    """Without an index."""

    name = CharField(max_length=50)


class Line(Model):
    """Words in a column of their own."""

    text = TextField()
    words = SearchVectorField(null=True)


class Paper(Model):
    title = CharField(max_length=50)

    class Meta:
        indexes = [FullTextIndex(fields=["title"], name="paper_title")]


class Review(Paper):
    verdict = TextField()

    class Meta:
        indexes = [FullTextIndex(fields=["verdict"], name="review_verdict")]


class Draft(Paper):
    class Meta:
        proxy = True


class Jot(Model):
    text = TextField()

    class Meta:
        indexes = [FullTextIndex(fields=["text"], config="simple", name="note_words")]


MODELS = [Cook, Recipe, Menu, Line, Paper, Review, Jot]

TOAST, SALAD, PIZZA, SOUP = "Cheese on toast", "Red tomato salad", "Pizza", "Green tomato soup"
METHODS = {
    TOAST: "Melt the cheese on bread.",
    SALAD: "Cut red tomatoes. Add salt; don't add cheese.",
    PIZZA: "Bake dough with tomato sauce and red peppers",
    SOUP: None,
}


@pytest.fixture
def recipes(db: Backend) -> None:
    """Four recipes of two cooks."""
    ann, ben = Cook.objects.create(name="Ann"), Cook.objects.create(name="Ben")
    for number, (title, method) in enumerate(METHODS.items()):
        Recipe.objects.create(title=title, method=method, cook=(ann, ben)[number % 2])


def whole() -> Any:
    return Recipe.objects.annotate(search=SearchVector(index="recipe_text")).order_by("pk")


async def titles(world: World, queryset: Any) -> list[str]:
    return await world.list(queryset.values_list("title", flat=True))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("tomato", {SALAD, PIZZA, SOUP}),
        ("red TOMATO", {SALAD, PIZZA}),
        ("nothing", set()),
        ("", set()),
        (SearchQuery("melt cheese"), {TOAST}),
        (SearchQuery("red tomato", search_type="phrase"), {SALAD}),
        (SearchQuery("tomato red", search_type="phrase"), set()),
        (SearchQuery("tomato -red", search_type="websearch"), {SOUP}),
        (SearchQuery("toast OR pizza", search_type="websearch"), {TOAST, PIZZA}),
        (SearchQuery("tomato -red or toast", search_type="websearch"), {TOAST, SOUP}),
        (SearchQuery('"tomato sauce"', search_type="websearch"), {PIZZA}),
        (SearchQuery("-tomato", search_type="websearch"), {TOAST}),
        (SearchQuery("-tomato or pizza", search_type="websearch"), {TOAST, PIZZA}),
        (SearchQuery("-red or -tomato", search_type="websearch"), {TOAST, SOUP}),
        (~SearchQuery("tomato"), {TOAST}),
        (SearchQuery("toast") | SearchQuery("pizza"), {TOAST, PIZZA}),
        (SearchQuery("tomato") & SearchQuery("red") & ~SearchQuery("pizza"), {SALAD}),
        (~(SearchQuery("toast") | SearchQuery("red")), {SOUP}),
        (~SearchQuery("tomato") | SearchQuery("salad"), {TOAST, SALAD}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
async def test_queries(recipes, world: World, query, expected):
    """What is asked is found, and what isn't is found by exclude(): NULL is an empty text."""
    assert set(await titles(world, whole().filter(search=query))) == expected
    assert set(await titles(world, whole().exclude(search=query))) == set(METHODS) - expected
    assert await world(whole().filter(Q(search=query) | Q(title=SOUP)).count) == len(expected | {SOUP})


@pytest.mark.parametrize("kind", ["plain", "phrase", "websearch"])
async def test_no_text_of_a_user_is_an_error(recipes, world: World, kind):
    """Quotes, operators and what else is a language to the database are a text like any other."""
    for text in [
        '"', 'a"b', "it's", "(red", "red AND", "OR", "or or", "-", '-"', "* ^ :", "", " ", "\\", "NEAR(a b)",
        "{title}: x", "+red -", "red*", "'", "a & | ! b", "<->", "title:red", "%", "@x", "~", "日本 语", "\x01",
    ]:  # fmt: skip
        await titles(world, whole().filter(search=SearchQuery(text, search_type=kind)))


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_raw_is_the_databases_language(recipes, world: World, backend: Backend):
    """Its operators work, and what is wrong in it is an error."""
    asked = "red & !pizza" if backend.vendor == "postgresql" else "red NOT pizza"
    assert await titles(world, whole().filter(search=SearchQuery(asked, search_type="raw"))) == [SALAD]
    with pytest.raises((ProgrammingError, OperationalError)):
        await titles(world, whole().filter(search=SearchQuery("red &", search_type="raw")))


async def test_one_column_of_the_index(recipes, world: World, backend: Backend):
    """`__search` asks for a column, also across a relation; the shape's plan serves other texts, too."""
    assert await titles(world, Recipe.objects.filter(title__search="tomato").order_by("pk")) == [SALAD, SOUP]
    assert await titles(world, Recipe.objects.filter(title__search="toast")) == [TOAST]
    assert await titles(world, Recipe.objects.filter(title__search="melt")) == []
    cooks = Cook.objects.filter(recipes__title__search="tomato").order_by("pk")
    assert [cook.name for cook in await world.list(cooks)] == ["Ben", "Ben"]
    if backend.vendor != "mysql":  # which has no stems, and searches whole indexes
        assert await titles(world, Recipe.objects.filter(title__search="TOMATOES salads")) == [SALAD]
        assert await titles(world, Recipe.objects.filter(method__search="red").order_by("pk")) == [
            SALAD,
            PIZZA,
        ]
        vector = SearchVector("method")
        assert await titles(world, Recipe.objects.annotate(m=vector).filter(m="tomato cut")) == [SALAD]


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_what_is_asked_may_stand_in_a_column(recipes, world: World):
    """F() as the text, plain or as a query of its own."""
    await world(Recipe.objects.filter(title=PIZZA).update, wanted="tomatoes")
    await world(Recipe.objects.filter(title=SOUP).update, wanted="pizza")
    for asked in (F("wanted"), SearchQuery(F("wanted"))):
        assert await titles(world, whole().exclude(wanted="").filter(search=asked)) == [PIZZA]


async def test_the_index_follows_its_table(recipes, world: World):
    """Rows that are changed, added and removed, one by one and in bulk, are found as they are."""
    pizza = await world(Recipe.objects.get, title=PIZZA)
    pizza.method = "Order it."
    await world(pizza.save)
    assert await titles(world, whole().filter(search="dough")) == []
    assert await titles(world, whole().filter(search="order")) == [PIZZA]
    await world(Recipe.objects.filter(title=SOUP).update, method="Boil it.")
    assert await titles(world, whole().filter(search="boil")) == [SOUP]
    await world(Recipe.objects.filter(pk__lt=pizza.pk).delete)
    assert await titles(world, whole().filter(search="tomato")) == [SOUP]
    more = [
        Recipe(title=f"Pasta {n}", cook=await world(Cook.objects.get, name="Ann"))
        for n in ("one", "two", "three")
    ]
    await world(Recipe.objects.bulk_create, more)
    assert await world(whole().filter(search="pasta").count) == 3
    assert await world(whole().filter(search="pasta").update, wanted="x") == 3
    assert (await world(whole().filter(search="pasta two").delete))[0] == 1


async def test_better_answers_rank_higher(recipes, world: World, backend: Backend):
    """The more, and the weightier its place, the higher; 0 for what doesn't meet the query."""
    ranked = (
        whole().annotate(rank=SearchRank(SearchVector(index="recipe_text"), "red")).order_by("-rank", "pk")
    )
    found = {r.title: r.rank for r in await world.list(ranked)}
    assert found[SALAD] > found[PIZZA] > 0 or backend.vendor == "mysql"
    assert found[TOAST] == found[SOUP] == 0
    assert await titles(world, ranked.filter(search="red", rank__gt=0)) == [SALAD, PIZZA]
    both = SearchRank(SearchVector(index="recipe_text"), SearchQuery("toast") | SearchQuery("salad"))
    rows = await world.list(whole().annotate(rank=both).filter(rank__gt=0).values_list("title", flat=True))
    assert rows == [TOAST, SALAD]
    none = SearchRank(SearchVector(index="recipe_text"), ~SearchQuery("toast"))
    assert all(
        row is not None for row in await world.list(whole().annotate(r=none).values_list("r", flat=True))
    )


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_weights(recipes, world: World):
    """Of the vector's letters, and of other numbers for them."""
    await world(Recipe.objects.filter(title=TOAST).update, method="Tomato tomato", title="Toast with cheese")
    for letters, weights, first in [
        (("A", "D"), None, "Tomato"),
        (("D", "A"), None, "Toast with cheese"),
        (("D", "A"), [1.0, 0.5, 0.2, 0.0], "Tomato"),
    ]:
        await world(Recipe.objects.filter(title__startswith="Red").update, title="Tomato", method="Cheese")
        vector = SearchVector("title", weight=letters[0]) + SearchVector("method", weight=letters[1])
        ranked = Recipe.objects.annotate(rank=SearchRank(vector, "tomato", weights=weights)).order_by("-rank")
        pair = ranked.filter(title__in=["Tomato", "Toast with cheese"])
        assert (await titles(world, pair))[0] == first
    with pytest.raises(ValueError, match="four numbers"):
        SearchRank("title", "x", weights=[1, 2])
    with pytest.raises(ValueError, match="A, B, C, D"):
        SearchVector("title", weight="E")


@pytest.mark.backends("sqlite", "postgresql", "asyncpg")
async def test_headlines(recipes, world: World):
    """The words that were looked for are marked, by texts that may hold anything."""

    async def headline(title: str, query: Any, **options: Any) -> Any:
        rows = Recipe.objects.filter(title=title).annotate(h=SearchHeadline("method", query, **options))
        return (await world(rows.get)).h

    assert (
        await headline(PIZZA, "tomato peppers")
        == "Bake dough with <b>tomato</b> sauce and red <b>peppers</b>"
    )
    assert await headline(PIZZA, "sauce", start_sel="'%[\\", stop_sel="]'") == (
        "Bake dough with tomato '%[\\sauce]' and red peppers"
    )
    query = SearchQuery("red") & ~SearchQuery("pizza")
    assert await headline(SALAD, query, highlight_all=True) == (
        "Cut <b>red</b> tomatoes. Add salt; don't add cheese."
    )
    assert await headline(SOUP, "red") is None
    short = await headline(SALAD, "nothing", max_words=3, min_words=2)
    assert short.startswith("Cut red")
    assert "cheese" not in short
    fragment = await headline(
        SALAD, "cheese", max_words=3, min_words=1, max_fragments=1, fragment_delimiter="~"
    )
    assert "<b>cheese</b>" in fragment
    assert "Cut" not in fragment


@pytest.mark.backends("postgresql", "asyncpg")
async def test_configurations(recipes, world: World):
    """By name and from a column; a text is read in that of the vector."""
    await world(
        Recipe.objects.filter(title=PIZZA).update,
        method="Un beau cadeau",
        language="french",
        wanted="cadeaux",
    )
    for config in ("french", SearchConfig("french"), F("language")):
        vector = SearchVector("title", "method", config=config)
        for asked in (
            "cadeaux",
            SearchQuery("cadeaux", config=config),
            SearchQuery(F("wanted"), config="french"),
        ):
            rows = Recipe.objects.filter(language="french").annotate(search=vector).filter(search=asked)
            assert await titles(world, rows) == [PIZZA], (config, asked)
    found = Recipe.objects.filter(method__search=SearchQuery("cadeaux", config="french"))
    assert await titles(world, found) == [PIZZA]
    head = SearchHeadline("method", SearchQuery("cadeaux", config="french"), config="french")
    assert (await world(found.annotate(h=head).get)).h == "Un beau <b>cadeau</b>"
    with pytest.raises(ValueError, match="configuration"):
        SearchVector("title", config="english'; DROP TABLE x")


@pytest.mark.backends("postgresql")
def test_documents_of_postgresql(recipes, world: World):
    """Expressions, several tables, other values than texts; ranks with all options."""
    pk = Recipe.objects.get(title=SOUP).pk
    vector = SearchVector("cook__name", Concat(Value("Dish "), "title")) + SearchVector("pk")
    rows = Recipe.objects.annotate(search=vector)
    assert rows.filter(search=f"ben dish {pk}").get().title == SOUP
    for options in (
        {"cover_density": True},
        {"normalization": 2},
        {"normalization": Value(2).bitor(Value(8))},
    ):
        ranked = rows.annotate(rank=SearchRank(vector, SearchQuery("tomato"), **options))
        assert ranked.filter(rank__gt=0).count() == 2
    weights = Value([0.1, 0.2, 0.4, 0.9])
    assert rows.annotate(r=SearchRank(vector, "soup", weights=weights)).filter(r__gt=0).count() == 1


@pytest.mark.backends("postgresql", "asyncpg")
async def test_a_column_of_words(recipes, world: World):
    """SearchVectorField: filled by an update, compared with texts and queries."""
    for text in METHODS:
        await world(Line.objects.create, text=text)
    assert await world(Line.objects.filter(words=None).count) == 4
    await world(Line.objects.update, words=SearchVector("text", config="english"))
    rows = Line.objects.filter(words="tomatoes").order_by("pk")
    assert [line.text for line in await world.list(rows)] == [SALAD, SOUP]
    rows = Line.objects.annotate(rank=SearchRank(F("words"), "soup")).order_by("-rank")
    assert (await world(rows.first)).text == SOUP
    assert await world(Line.objects.filter(words__search=SearchQuery("tomatoes", config="simple")).count) == 0


@pytest.mark.backends("postgresql")
def test_postgresql_uses_the_index(recipes):
    """What is searched is what is indexed, by plans that are prepared, too."""
    with ormolu.atomic():
        ormolu.databases.get().execute("SET LOCAL enable_seqscan = off")
        assert "recipe_text" in whole().order_by().filter(search="red").explain()
        assert "recipe_title_search" in Recipe.objects.filter(title__search="red").explain()


@pytest.mark.backends("sqlite")
def test_sqlite_has_a_table_for_it(recipes, backend: Backend):
    """It is gone with the model's own, and there again with it."""
    names = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'recipe_t%'"
    with backend.engine().connect() as connection:
        assert connection.scalar(sa.text(names)) > 0
        ormolu.drop_tables(Recipe)
        assert connection.scalar(sa.text(names)) == 0
    ormolu.create_tables(Recipe)
    assert whole().filter(search="red").count() == 0


@pytest.mark.backends("sqlite", "mariadb")
def test_without_an_index_the_error_says_what_is_missing(recipes):
    """The field and the index that it needs; what has no column has none."""
    with pytest.raises(NotSupportedError, match=r'FullTextIndex\(fields=\["name"\]\)'):
        Menu.objects.filter(name__search="x").count()
    with pytest.raises(NotSupportedError, match="one table"):
        Recipe.objects.annotate(s=SearchVector("title", "cook__name")).filter(s="x").count()
    with pytest.raises(NotSupportedError, match="one table"):
        Recipe.objects.annotate(s=SearchVector(Lower("title"))).filter(s="x").count()
    with pytest.raises(NotSupportedError, match="pg_trgm"):
        Menu.objects.filter(name__trigram_similar="x").count()
    with pytest.raises(NotSupportedError, match="unaccent"):
        Menu.objects.filter(name__unaccent="x").count()
    with pytest.raises(NotSupportedError, match="columns of words"):
        Line.objects.filter(words="x").count()


def test_which_index(recipes):
    """SearchVector() of a model with one index, or by the name of one; others are an error with the choices."""
    with pytest.raises(FieldError, match="recipe_text, query_recipe_title_search"):
        Recipe.objects.annotate(s=SearchVector())
    with pytest.raises(FieldError, match="has: none"):
        Menu.objects.annotate(s=SearchVector())
    with pytest.raises(FieldError, match="'recipes'"):
        Recipe.objects.annotate(s=SearchVector(index="recipes"))
    with pytest.raises(TypeError, match="not both"):
        SearchVector("title", index="recipe_text")


def test_declarations(db: Backend):
    """What an index can't be."""
    for arguments in ({"fields": []}, {"fields": "title"}, {"fields": ["a"], "weights": ["E"]}):
        with pytest.raises(ValueError, match="FullTextIndex"):
            FullTextIndex(**arguments)
    with pytest.raises(ValueError, match="configuration"):
        FullTextIndex(fields=["a"], config="it's")
    with pytest.raises(ImproperlyConfigured, match="integer key"):

        class Leaflet(Model):
            key = UUIDField(primary_key=True)
            text = TextField()

            class Meta:
                indexes = [FullTextIndex(fields=["text"])]

    index = FullTextIndex(fields=["a", "b"], weights=["A", "B"], tokenize="trigram", name="x")
    assert index.clone() == index
    assert index != FullTextIndex(fields=["a"])


def test_expressions_are_values():
    """Equality, text, and what can't be combined."""
    assert SearchConfig.from_parameter(None) is None
    assert (
        SearchConfig.from_parameter("a")
        == SearchConfig("a")
        == SearchConfig.from_parameter(SearchConfig("a"))
    )
    assert (
        str(SearchQuery("a") & ~SearchQuery("b")) == "(SearchQuery(Value('a')) && ~SearchQuery(Value('b')))"
    )
    assert (
        str(~(SearchQuery("a") | SearchQuery("b"))) == "~(SearchQuery(Value('a')) || SearchQuery(Value('b')))"
    )
    assert SearchQuery("a") == SearchQuery("a") != SearchQuery("a", search_type="raw")
    with pytest.raises(TypeError, match="got NoneType"):
        None & SearchQuery("a")  # type: ignore[operator]
    with pytest.raises(TypeError, match="got str"):
        SearchVector("a") + "b"
    with pytest.raises(ValueError, match="plain, phrase, raw, websearch"):
        SearchQuery("a", search_type="fuzzy")


def extension(name: str) -> None:
    """Have an extension of PostgreSQL, or skip the test."""
    try:
        ormolu.databases.get().execute(f"CREATE EXTENSION IF NOT EXISTS {name}")
    except ormolu.DatabaseError as error:
        pytest.skip(f"this server has no {name}: {error}")


@pytest.mark.backends("postgresql")
def test_a_missing_extension_is_named(db: Backend):
    """What doesn't exist is part of an extension: the error says of which."""
    for name in ("pg_trgm", "unaccent"):
        ormolu.databases.get().execute(f"DROP EXTENSION IF EXISTS {name}")
    for rows, name in [
        (Menu.objects.filter(name__trigram_similar="x"), "pg_trgm"),
        (Menu.objects.annotate(s=TrigramSimilarity("name", "x")), "pg_trgm"),
        (Menu.objects.annotate(s=TrigramDistance("name", "x")), "pg_trgm"),
        (Menu.objects.filter(name__unaccent="x"), "unaccent"),
    ]:
        with pytest.raises(ProgrammingError, match=f"CREATE EXTENSION {name}"):
            list(rows)


@pytest.mark.backends("postgresql")
def test_trigrams(db: Backend):
    """How like texts are, as numbers and as conditions."""
    extension("pg_trgm")
    Menu.objects.bulk_create([Menu(name=name) for name in ("Matthew", "Cat sat on mat.", "Dog sat on rug.")])
    assert Menu.objects.get(name__trigram_similar="Mathew").name == "Matthew"
    assert Menu.objects.filter(name__trigram_word_similar="mat").count() == 2
    assert Menu.objects.get(name__trigram_strict_word_similar="mat").name == "Cat sat on mat."
    alike = Menu.objects.annotate(s=TrigramSimilarity("name", "Bat sat on cat.")).filter(s__gt=0.3)
    assert [round(m.s, 3) for m in alike.order_by("-s")] == [0.625, 0.333]
    far = Menu.objects.annotate(d=TrigramDistance("name", "Bat sat on cat.")).order_by("d")
    assert round(far[0].d, 3) == 0.375
    words = Menu.objects.annotate(s=TrigramWordSimilarity("mat", "name")).order_by("-s")
    assert [round(m.s, 2) for m in words[:2]] == [1.0, 0.75]
    named = Menu.objects.annotate(n=Concat(Value("I'm "), F("name"), output_field=CharField()))
    assert named.get(n__trigram_similar="im matthew").name == "Matthew"


@pytest.mark.backends("postgresql")
def test_without_accents(db: Backend):
    """On both sides, before any other lookup."""
    extension("unaccent")
    Menu.objects.bulk_create([Menu(name=name) for name in ("àéÖ", "aeO", "aeo")])
    assert Menu.objects.filter(name__unaccent="aeO").count() == 2
    assert Menu.objects.filter(name__unaccent__iexact="aéO").count() == 3
    assert Menu.objects.filter(name__unaccent__endswith="éÖ").count() == 2


async def test_indexes_of_parents(db: Backend, world: World):
    """A child's rows are found by its parent's index as well, a proxy's by that of its model."""
    await world(Review.objects.create, title="Red hats", verdict="Good shoes")
    for rows in (
        Review.objects.filter(title__search="red"),
        Review.objects.filter(verdict__search="shoes"),
        Review.objects.annotate(s=SearchVector(index="paper_title")).filter(s="hats"),
        Draft.objects.annotate(s=SearchVector()).filter(s="hats"),
        Paper.objects.filter(review__verdict__search="good"),
    ):
        assert await world(rows.count) == 1


WORDS = ("apple", "berry", "cherry", "damson", "elder")


def random_query(random: Random, depth: int) -> tuple[Any, Callable[[list[str]], bool]]:
    """Return a query, and what tells whether a document of words meets it."""
    if depth and random.random() < 0.7:
        (left, meets_left), (right, meets_right) = (random_query(random, depth - 1) for _ in range(2))
        if random.random() < 0.5:
            made, meets = left & right, lambda words: meets_left(words) and meets_right(words)
        else:
            made, meets = left | right, lambda words: meets_left(words) or meets_right(words)
        if random.random() < 0.3:
            return ~made, lambda words: not meets(words)
        return made, meets
    first, second, third = (random.choice(WORDS) for _ in range(3))
    kind = random.choice(["plain", "phrase", "websearch", "not", "either"])
    if kind == "plain":
        return SearchQuery(f"{first} {second}"), lambda words: first in words and second in words
    if kind == "phrase":
        pair = [first, second]
        return (
            SearchQuery(f"{first} {second}", search_type="phrase"),
            lambda words: any(words[n : n + 2] == pair for n in range(len(words))),
        )
    if kind == "websearch":
        return (
            SearchQuery(f"{first} -{second}", search_type="websearch"),
            lambda words: first in words and second not in words,
        )
    if kind == "not":
        return ~SearchQuery(first), lambda words: first not in words
    return (
        SearchQuery(f"-{first} or {second} {third}", search_type="websearch"),
        lambda words: first not in words or (second in words and third in words),
    )


async def test_random_queries_mean_the_same_everywhere(db: Backend, world: World):
    """Each database finds the documents that meet the query by its own words."""
    random = Random(7)
    texts = [[random.choice(WORDS) for _ in range(random.randint(0, 6))] for _ in range(40)]
    await world(Jot.objects.bulk_create, [Jot(text=" ".join(words)) for words in texts])
    notes = Jot.objects.annotate(search=SearchVector()).order_by("pk").values_list("text", flat=True)
    for _ in range(60):
        query, meets = random_query(random, 2)
        expected = [" ".join(words) for words in texts if meets(words)]
        assert await world.list(notes.filter(search=query)) == expected, query
        assert await world(notes.exclude(search=query).count) == len(texts) - len(expected), query


async def test_rows_that_are_missing_have_no_words(recipes, world: World):
    """Over a relation that leads nowhere: no word is found there, and all are missing."""
    await world(Cook.objects.create, name="Cleo")
    everybody = Cook.objects.order_by("name").values_list("name", flat=True).distinct()
    for query, expected in [
        ("tomato", ["Ben"]),
        (~SearchQuery("tomato"), ["Ann", "Cleo"]),
        (SearchQuery("-tomato", search_type="websearch"), ["Ann", "Cleo"]),
        (~(SearchQuery("pizza") | SearchQuery("tomato")), ["Ann", "Cleo"]),
    ]:
        assert await world.list(everybody.filter(recipes__title__search=query)) == expected, query
    assert await world.list(everybody.exclude(recipes__title__search="tomato")) == ["Ann", "Cleo"]
    assert await world.list(everybody.filter(~Q(recipes__title__search="pizza"))) == ["Ben", "Cleo"]
