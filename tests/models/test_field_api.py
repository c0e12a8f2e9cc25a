"""What fields tell of themselves, and of the objects that instances hold."""

from __future__ import annotations

import datetime as dt
import json
import uuid
import warnings
from decimal import Decimal
from typing import Any

import pytest
from django.utils.functional import lazy  # the real thing: whatever wraps values is to be unwrapped
from sqlalchemy.dialects import sqlite

import ormolu
from ormolu import (
    CASCADE,
    BigIntegerField,
    BooleanField,
    CharField,
    DateField,
    DecimalField,
    F,
    FieldError,
    ForeignKey,
    IntegerField,
    JSONField,
    ManyToManyField,
    Model,
    OneToOneField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SmallIntegerField,
    TimeField,
    UUIDField,
    ValidationError,
    fields,
)
from ormolu.conf import override
from ormolu.fields.integers import integer_range
from ormolu.models import registry
from ormolu.models.rels import FieldCacheMixin
from support.worlds import World


class Gauge(Model):
    level = IntegerField(default=0)
    small = SmallIntegerField(default=0)
    count = PositiveIntegerField(default=0)
    few = PositiveSmallIntegerField(default=0)


class Token(Model):
    key = UUIDField()
    note = CharField(max_length=40, default="")
    data = JSONField(null=True)


class Usage(Model):
    token = ForeignKey(Token, CASCADE, related_name="usages", null=True)


class Defaulted(Model):
    asked: list[int] = []

    @staticmethod
    def first() -> int:
        """Return a key, and note that somebody asked."""
        Defaulted.asked.append(1)
        return 1

    token = ForeignKey(Token, CASCADE, default=first, null=True, related_name="+")


class Picture(Model):
    token = OneToOneField(Token, CASCADE)


class Dated(Model):
    day = DateField()
    at = TimeField()
    price = DecimalField(max_digits=5, decimal_places=2)
    yes = BooleanField()
    name = CharField(max_length=20)
    number = IntegerField()


class PublicIndex(ormolu.Index):
    """An index of the user's."""


@pytest.mark.parametrize(
    ("thing", "path"),
    [
        (ormolu.Index(fields=["level"], name="i"), "ormolu.Index"),
        (PublicIndex(fields=["level"], name="i"), f"{__name__}.PublicIndex"),
        (ormolu.UniqueConstraint(fields=["level"], name="u"), "ormolu.UniqueConstraint"),
        (ormolu.models.BaseConstraint(name="u"), "ormolu.models.BaseConstraint"),
        (ormolu.F("level"), "ormolu.F"),
        (ormolu.Q(level=1), "ormolu.Q"),
        (ormolu.Lower("name"), "ormolu.Lower"),
        (ormolu.query.functions.SHA1("name"), "ormolu.query.functions.SHA1"),
        (fields.validators.MinValueValidator(1), "ormolu.fields.validators.MinValueValidator"),
        (ormolu.SET(1), "ormolu.SET"),
    ],
)
def test_paths_are_those_of_imports(thing: Any, path: str) -> None:
    """deconstruct() names the place where a program imports the class, not the file that it stands in."""
    assert thing.deconstruct()[0] == path


@pytest.mark.parametrize("name", ["level", "small", "count", "few"])
def test_validation_knows_the_databases_range(db: Any, name: str) -> None:
    """full_clean() takes what a column of the default database can hold, and refuses the next number."""
    field = Gauge._meta.get_field(name)
    least, most = integer_range(field.get_internal_type(), db.vendor)
    for value in (least, most):
        Gauge(**{name: value}).full_clean()
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError) as refused:
            Gauge(**{name: value}).full_clean()
        assert list(refused.value.error_dict) == [name]


@pytest.mark.parametrize("name", ["level", "small", "count", "few"])
def test_lookups_beyond_the_range_ask_nothing(db: Any, name: str, queries: Any) -> None:
    """A number that no row can hold is not looked for; what all rows are above or below is."""
    field = Gauge._meta.get_field(name)
    least, most = integer_range(field.get_internal_type(), db.vendor)
    Gauge.objects.create(**{name: least})
    before = len(queries)
    for lookup, value in [
        ("exact", least - 1),
        ("lt", least - 1),
        ("lte", least - 1),
        ("exact", most + 1),
        ("gt", most + 1),
        ("gte", most + 1),
    ]:
        assert not list(Gauge.objects.filter(**{f"{name}__{lookup}": value}))
    assert len(queries) == before
    for lookup, value in [("gt", least - 1), ("gte", least - 1), ("lt", most + 1), ("lte", most + 1)]:
        assert Gauge.objects.filter(**{f"{name}__{lookup}": value}).count() == 1
    # The same shape with a value inside the range: its plan is another.
    assert Gauge.objects.filter(**{name: least}).count() == 1
    assert Gauge.objects.exclude(**{name: least - 1}).count() == 1


@pytest.mark.parametrize(
    ("lookup", "value"),
    [
        ("contains", "8400-e29b"),
        ("icontains", "8400-E29B"),
        ("startswith", "550e8400-e29b-4"),
        ("istartswith", "550E8400-E29B-4"),
        ("endswith", "a716-446655440000"),
        ("iendswith", "A716-446655440000"),
        ("iexact", "550E8400-E29B-41D4-A716-446655440000"),
    ],
)
async def test_parts_of_a_uuid_are_found_with_hyphens(db: Any, world: World, lookup: str, value: str) -> None:
    """Text lookups of a UUID mean its usual form, whatever it is stored as; without a type, also the digits."""
    token = await world(Token.objects.create, key=uuid.UUID("550e8400e29b41d4a716446655440000"), note=value)
    await world(Token.objects.create, key=uuid.UUID("25d405be48954d509b2ed6695359ce47"), note="x")
    await world(Usage.objects.create, token=token)
    assert await world.list(Token.objects.filter(**{f"key__{lookup}": value})) == [token]
    assert await world.list(Token.objects.filter(**{f"key__{lookup}": F("note")})) == [token]
    assert await world(Usage.objects.filter(**{f"token__key__{lookup}": value}).count) == 1
    digits = Token.objects.filter(**{f"key__{lookup}": value.replace("-", "")})
    assert await world(digits.count) == (0 if db.vendor == "postgresql" else 1)


async def test_lazy_values_are_stored_as_what_they_stand_for(db: Any, world: World) -> None:
    """What Django's lazy() wraps may be given to any field, in creating, in lookups and in update()."""
    day, at = dt.date(2024, 2, 9), dt.time(4, 5)
    given = {
        "day": lazy(lambda: day, dt.date)(),
        "at": lazy(lambda: at, dt.time)(),
        "price": lazy(lambda: Decimal("1.20"), Decimal)(),
        "yes": lazy(lambda: True, bool)(),
        "name": lazy(lambda: "Ann", str)(),
        "number": lazy(lambda: 7, int)(),
    }
    made = await world(Dated.objects.create, **given)
    found = await world(Dated.objects.get, **given)
    assert found == made
    assert [found.day, found.at, found.price, found.yes, found.name, found.number] == [
        day, at, Decimal("1.20"), True, "Ann", 7,
    ]  # fmt: skip
    assert await world(Dated.objects.filter(pk=made.pk).update, **given) == 1


def test_labels_may_be_lazy_beside_groups() -> None:
    """A lazily translated label is a label, and what get_FOO_display() gives is a str."""

    with registry.isolated():

        class Runner(Model):
            place = IntegerField(
                choices={"Medals": {1: "Gold", 2: "Silver"}, 0: "None", 5: lazy(lambda: "fifth", str)()}
            )

            class Meta:
                app_label = "field_api"

    shown: Any = [Runner(place=place) for place in (1, 0, 5, 9)]
    assert [runner.get_place_display() for runner in shown] == ["Gold", "None", "fifth", 9]
    assert type(shown[2].get_place_display()) is str


@pytest.mark.backends("sqlite")
def test_sqlite_refuses_what_is_no_json(db: Any) -> None:
    """A JSONField's column has a CHECK on SQLite, whose type would take any text."""
    with pytest.raises(ormolu.IntegrityError):
        ormolu.connection.execute(
            f"INSERT INTO {Token._meta.db_table} (key, note, data) VALUES ('a', '', '{{not json')"
        )
    Token.objects.create(key=uuid.uuid4(), data={"a": [None, float(1)]})
    assert Token._meta.get_field("data").db_parameters(ormolu.connection) == {
        "type": "text",
        "check": '(JSON_VALID("data") OR "data" IS NULL)',
    }


class Counting(json.JSONEncoder):
    """Numbers what it can't encode, from 1 on for each document."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.number = 0

    def default(self, o: Any) -> Any:
        """Return the next number."""
        self.number += 1
        return self.number


def test_an_encoder_is_made_for_each_value() -> None:
    """What a user's encoder keeps while it encodes one value is not there for the next."""
    field: Any = JSONField(encoder=Counting)
    process = field.sa_type.bind_processor(sqlite.dialect())
    assert [process([object(), object()]) for _ in range(2)] == ["[1, 2]", "[1, 2]"]


def test_what_a_column_is_in_sql(db: Any) -> None:
    """db_parameters(), db_check() and rel_db_type() answer for a connection as users pass it."""
    gauge = Gauge._meta
    quote = "`" if db.vendor == "mysql" else '"'
    checked = gauge.get_field("count").db_parameters(ormolu.connection)
    assert checked == {"type": "integer", "check": f"{quote}count{quote} >= 0"}
    note = Token._meta.get_field("note")
    assert note.db_parameters(ormolu.connection) == {
        "type": "varchar(40)", "check": None, "collation": None,
    }  # fmt: skip
    assert note.db_type_parameters(ormolu.connection)["max_length"] == 40
    key = Token._meta.pk
    plain: Any = BigIntegerField()
    assert key.rel_db_type(ormolu.connections["default"]) == plain.db_type(ormolu.connection)
    assert Usage._meta.get_field("token").db_type(ormolu.connection) == plain.db_type(ormolu.connection)


def test_a_default_is_not_asked_for_where_an_object_is_given(db: Any) -> None:
    """A callable default of a ForeignKey is called for a missing value alone: not beside an object or a key."""
    token = Token.objects.create(key=uuid.uuid4())
    Defaulted.asked.clear()
    made = Defaulted.objects.create(token=token)
    assert (made.token_id, Defaulted(token_id=7).token_id, Defaulted.asked) == (token.pk, 7, [])
    assert Defaulted().token_id == 1
    assert Defaulted.asked == [1]
    assert Defaulted(token=None).token_id is None


class Example(FieldCacheMixin):
    """A user's relation of a kind of its own."""

    cache_name = "example"


class Older(FieldCacheMixin):
    """One that was written for an older Django."""

    def get_cache_name(self) -> str:
        """Return the key."""
        return "older"


@pytest.mark.parametrize(
    "field",
    [
        Example(),
        Usage._meta.get_field("token"),
        Picture._meta.get_field("token").remote_field,
    ],
)
def test_what_an_instance_holds(field: Any) -> None:
    """Fields, relations and a user's own class keep objects with an instance, and forget them, the same way."""
    instance: Any = Token() if field.cache_name == "picture" else Usage()
    value = object()
    with pytest.raises(KeyError):
        field.get_cached_value(instance)
    assert field.get_cached_value(instance, default=value) is value
    assert not field.is_cached(instance)
    field.set_cached_value(instance, value)
    assert field.is_cached(instance)
    assert field.get_cached_value(instance) is value
    assert instance._state.fields_cache[field.cache_name] is value
    field.delete_cached_value(instance)
    field.delete_cached_value(instance)
    assert not field.is_cached(instance)


def test_a_cache_needs_a_name() -> None:
    """A class without `cache_name` is told so; the name that it had before is taken with a warning."""
    with pytest.raises(NotImplementedError, match="cache_name"):
        _ = FieldCacheMixin().cache_name
    with pytest.warns(DeprecationWarning, match=r"Override Older\.cache_name") as caught:
        assert Older().cache_name == "older"
    assert caught[0].filename == __file__


def test_targets_are_named_as_migrations_name_them() -> None:
    """deconstruct() has labels in one form, and for a swappable model the setting that chooses it."""
    with registry.isolated(), override(FIELD_API_USER="field_api.Person"), warnings.catch_warnings():

        class Account(Model):
            class Meta:
                app_label = "field_api"
                swappable = "FIELD_API_USER"

        class Person(Model):
            class Meta:
                app_label = "field_api"

        relations: list[Any] = [
            ForeignKey("field_api.Person", CASCADE),
            ManyToManyField("field_api.Person"),
            ForeignKey(Person, CASCADE),
        ]
        for field in relations:
            to = field.deconstruct()[3]["to"]
            assert (to, to.setting_name) == ("field_api.person", "FIELD_API_USER")
        fixed: Any = ForeignKey("field_api.Person", CASCADE, swappable=False)
        _, path, _, options = fixed.deconstruct()
        assert (path, options["to"], options["swappable"]) == ("ormolu.ForeignKey", "field_api.person", False)
        assert not hasattr(options["to"], "setting_name")
        assert fixed.clone().swappable is False
        other: Any = ManyToManyField("Elsewhere.Thing")
        assert other.deconstruct()[3] == {"to": "Elsewhere.thing"}
        assert Account._meta.swapped == "field_api.Person"


def test_a_key_refers_to_a_column_of_its_target() -> None:
    """`to_field` names a column of the target's own table: one of its parent's is refused, with the way out."""
    with registry.isolated():

        class Base(Model):
            code = IntegerField(unique=True)

            class Meta:
                app_label = "field_api"

        class Child(Base):
            class Meta:
                app_label = "field_api"

        class Copy(Base):
            class Meta:
                app_label = "field_api"
                proxy = True

        class Good(Model):
            child = ForeignKey(Copy, CASCADE, to_field="code")

            class Meta:
                app_label = "field_api"

        assert Good._meta.get_field("child").target_field is Base._meta.get_field("code")
        with pytest.raises(FieldError, match=r"'code' which is not local to model 'field_api\.Child'"):

            class Related(Model):
                child = ForeignKey(Child, CASCADE, to_field="code")

                class Meta:
                    app_label = "field_api"
