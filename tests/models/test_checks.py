"""What check() finds in models: messages with ids, before anybody uses the model."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

import ormolu
from ormolu import (
    CASCADE,
    CharField,
    DateTimeField,
    DecimalField,
    F,
    ForeignKey,
    Index,
    IntegerField,
    JSONField,
    ManyToManyField,
    Model,
    Q,
    UniqueConstraint,
    checks,
    timezone,
)
from ormolu.models import registry
from ormolu.models.constraints import CheckConstraint
from ormolu.query.functions import Lower

MODELS: list[Any] = []


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[registry.Apps]:
    """Models that are wrong shall be nobody else's."""
    with registry.isolated(registry.Apps()) as apps:
        yield apps


def ids(found: list[Any]) -> list[str]:
    """Return the ids of messages, sorted."""
    return sorted(message.id for message in found)


def model(label: str, /, *, meta: dict[str, Any] | None = None, **body: Any) -> Any:
    """Declare a model."""
    inner = type("Meta", (), {"app_label": "checked", **(meta or {})})
    return type(label, (Model,), {"__module__": __name__, "Meta": inner, **body})


def test_a_sound_model_has_no_messages() -> None:
    """Nothing is said of a model in which nothing is wrong, with its relations and its Meta."""
    author = model("Author", name=CharField(max_length=20), meta={"ordering": ["-name", "pk"]})
    book = model(
        "Book",
        title=CharField(max_length=20, choices=[("a", "A"), ("group", [("b", "B")])]),
        author=ForeignKey(author, CASCADE, related_name="books"),
        readers=ManyToManyField(author, related_name="read"),
        meta={
            "ordering": ["author__name", F("title").desc(), "author_id"],
            "indexes": [Index(Lower("title"), name="lower_title"), Index("author", name="by_author")],
            "constraints": [
                CheckConstraint(condition=Q(title__startswith="a"), name="title_a"),
                UniqueConstraint(fields=["title"], condition=Q(author__isnull=False), name="one_title"),
            ],
        },
    )
    assert author.check() == book.check() == []


@pytest.mark.parametrize(
    ("field", "id"),
    [
        (CharField(max_length=-1), "fields.E121"),
        (CharField(max_length=5, choices="abc"), "fields.E004"),
        (CharField(max_length=5, choices=["ab"]), "fields.E005"),
        (CharField(max_length=5, choices=[("g", [("h", [("a", "A")])])]), "fields.E005"),
        (CharField(max_length=1, choices=[("ab", "AB")]), "fields.E009"),
        (CharField(max_length=1, db_index="yes"), "fields.E006"),  # type: ignore[arg-type]
        (CharField(max_length=1, validators=[1]), "fields.E008"),  # type: ignore[list-item]
        (IntegerField(max_length=5), "fields.W122"),
        (DecimalField(max_digits=2, decimal_places=4), "fields.E134"),
        (DateTimeField(auto_now=True, auto_now_add=True), "fields.E160"),
        (JSONField(default={}), "fields.E010"),
    ],
)
def test_options_of_fields(field: Any, id: str) -> None:
    """An option that a field can't have meant is one message, with Django's id, about that field."""
    found = model("Thing", value=field).check()
    assert ids(found) == [id]
    assert found[0].obj is field
    assert found[0].is_serious() == ("E" in id and id != "fields.E010")


def test_defaults_that_stand_still() -> None:
    """A default that is the moment of the declaration is hardly meant; a fixed one of another time is."""
    moments = timezone.now(), timezone.now() - datetime.timedelta(days=400), timezone.now
    fields = {f"at_{n}": DateTimeField(default=moment) for n, moment in enumerate(moments)}
    found = model("Thing", **fields).check()
    assert [(message.id, message.obj.name) for message in found] == [("fields.W161", "at_0")]


@pytest.mark.parametrize(("name", "id"), [("end_", "fields.E001"), ("a__b", "fields.E002")])
def test_names_of_fields(name: str, id: str) -> None:
    """Names that a lookup could not be told from are errors."""
    assert ids(model("Thing", **{name: IntegerField()}).check()) == [id]


@pytest.mark.parametrize(("name", "id"), [("_Thing", "models.E023"), ("A__B", "models.E024")])
def test_names_of_models(name: str, id: str) -> None:
    """So are names of models."""
    assert ids(model(name).check()) == [id]


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"ordering": ["nmae"]}, ["models.E015"]),
        ({"ordering": ["other__nmae", "other__size", "size__nmae"]}, ["models.E015"] * 2),
        ({"ordering": ["others"]}, ["models.E015"]),
        ({"indexes": [Index(Lower("nmae"), name="i")]}, ["models.E012"]),
        ({"indexes": [Index("size", name="_i")]}, ["models.E033"]),
        ({"indexes": [Index("size", name="i" * 31)]}, ["models.E034"]),
        ({"constraints": [CheckConstraint(condition=Q(nmae=1), name="c")]}, ["models.E012"]),
        ({"constraints": [CheckConstraint(condition=Q(others=1), name="c")]}, ["models.E013"]),
        (
            {"constraints": [CheckConstraint(condition=Q(size__gt=F("other__size")), name="c")]},
            ["models.E041"],
        ),
    ],
)
def test_what_meta_refers_to(meta: dict[str, Any], expected: list[str]) -> None:
    """Orderings, indexes and constraints of what isn't there, or isn't this table's, are errors."""
    thing = model(
        "Thing",
        size=IntegerField(),
        other=ForeignKey("self", CASCADE, related_name="+"),
        others=ManyToManyField("self"),
        meta=meta,
    )
    assert ids(thing.check()) == expected


def test_relations() -> None:
    """Relations to what isn't there or isn't unique, names of the way back, ambiguous models in between."""
    person = model("Person", code=IntegerField())
    found = model(
        "Group",
        lost=ForeignKey("Nobody", CASCADE),
        coded=ForeignKey(person, CASCADE, to_field="code", related_name="coded"),
        named=ForeignKey(person, CASCADE, related_name="in"),
        asked=ForeignKey(person, CASCADE, related_name="a__b"),
        unique=ForeignKey(person, CASCADE, unique=True, related_name="u"),
        members=ManyToManyField(person, through="Membership", related_name="groups"),
        missing=ManyToManyField(person, through="Nothing", related_name="more"),
        odd=ManyToManyField(person, null=True, unique=True, related_name="odd"),
    )
    model(
        "Membership",
        group=ForeignKey(found, CASCADE),
        one=ForeignKey(person, CASCADE, related_name="+"),
        two=ForeignKey(person, CASCADE, related_name="+"),
    )
    assert ids(found.check()) == [
        "fields.E300", "fields.E306", "fields.E309", "fields.E311", "fields.E330", "fields.E331", "fields.E335",
        "fields.W340", "fields.W342",
    ]  # fmt: skip


def test_what_a_database_cannot_do() -> None:
    """With databases, what these can't do is found, too."""
    ormolu.configure("sqlite://")
    thing = model("Thing", size=IntegerField(db_comment="how large"), meta={"db_table_comment": "things"})
    assert thing.check() == []
    assert ids(thing.check(databases=["default"])) == ["fields.W163", "models.W046"]


def test_shared_names(own_registry: registry.Apps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models of one index are found beside each other, and a check that was overridden is missed."""
    monkeypatch.setattr(checks, "apps", own_registry)
    model("One", size=IntegerField(), meta={"indexes": [Index("size", name="same")]})
    model("Two", size=IntegerField(), check=IntegerField(), meta={"indexes": [Index("size", name="same")]})
    assert ids(checks.run_checks()) == ["models.E020", "models.E030"]


def test_checks_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that are registered are called, with their tags or without any."""
    monkeypatch.setattr(checks, "_registered", [])
    monkeypatch.setattr(checks, "apps", registry.Apps())

    @checks.register("mine")
    def mine(app_configs: Any, databases: Any) -> list[checks.CheckMessage]:
        return [checks.Info("seen", id="mine.I001")]

    @checks.register
    def other(app_configs: Any, databases: Any) -> list[checks.CheckMessage]:
        return [checks.Critical("broken", hint="mend it")]

    assert checks.run_checks(tags=["mine"]) == mine(None, None)
    assert [str(message) for message in checks.run_checks()] == [
        "?: (mine.I001) seen",
        "?: broken\n\tHINT: mend it",
    ]
    assert [message.is_serious() for message in checks.run_checks()] == [False, True]
