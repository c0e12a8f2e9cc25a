"""What goes through a schema comes back the same; and what `full_clean()` refuses, the schema refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import ormolu
from ormolu.schemas import schema_for
from schemas.kinds import KindColour, Kinds

MODELS: list[type[Any]] = []
SCHEMA = schema_for(Kinds)
LEFT_OUT = {"id", "double", "version", "created", "photo", "parent"}
RULED = (
    "name",
    "text",
    "email",
    "site",
    "slug",
    "code",
    "even",
    "small",
    "price",
    "state",
    "level",
    "address",
)

texts = st.text(max_size=25)
values = {
    "name": texts,
    "text": texts,
    "email": st.one_of(texts, st.emails()),
    "site": st.one_of(texts, st.sampled_from(["https://example.com/a?b", "http://a", "ftp://example.org"])),
    "slug": st.one_of(texts, st.from_regex(r"\A[a-z0-9_-]{1,60}\Z")),
    "code": st.one_of(texts, st.from_regex(r"\A[0-9]{1,7}\Z")),
    "even": st.integers(-(2**40), 2**40),
    "small": st.integers(-10, 2**17),
    "price": st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**7), max_value=10**7, places=3
    ),
    "state": st.one_of(texts, st.sampled_from(["free", "taken"])),
    "level": st.one_of(st.none(), st.integers(-1, 4)),
    "address": st.one_of(texts, st.ip_addresses().map(str)),
}
quickly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def server() -> Iterator[None]:
    """Let the default database be a server, which is asked for nothing: its integers are those of schemas."""
    ormolu.configure("postgresql://nobody@localhost/nothing")
    yield
    ormolu.databases.close_all()


def cleans(name: str, value: Any) -> bool:
    """Tell whether a field takes a value, as `full_clean()` asks it."""
    field = Kinds._meta.get_field(name)
    if value is None and field.null:
        return True  # a form needs `blank`, too; an API's null is the column's
    if field.blank and value in field.empty_values:
        return True
    try:
        field.clean(value, None)
    except ormolu.ValidationError:
        return False
    return True


def takes(name: str, value: Any) -> bool:
    """Tell whether the schema takes a value for a field."""
    given = {"name": "x", "slug": "a", "code": "1", "even": 2, name: value}
    try:
        SCHEMA(**given)
    except ValidationError:
        return False
    return True


@quickly
@given(st.sampled_from(RULED).flatmap(lambda name: st.tuples(st.just(name), values[name])))
@example(("name", ""))
@example(("email", ""))
@example(("even", 2**31))
@example(("price", "12345.678"))
@example(("level", 3))
def test_the_same_values_are_refused(pair: tuple[str, Any]) -> None:
    """A schema takes what the field's own cleaning takes, and nothing else."""
    name, value = pair
    assert takes(name, value) is cleans(name, value)


stored = st.fixed_dictionaries(
    {
        "name": st.text(max_size=20),
        "text": texts,
        "email": texts,
        "site": st.none() | texts,
        "slug": texts,
        "code": texts,
        "even": st.integers(-(2**63), 2**63 - 1),
        "ratio": st.floats(allow_nan=False, allow_infinity=False),
        "price": st.decimals(allow_nan=False, allow_infinity=False),
        "state": texts,
        "level": st.none() | st.integers(),
        "colour": st.sampled_from(KindColour),
        "flag": st.booleans(),
        "token": st.uuids(),
        "day": st.dates(),
        "at": st.none() | st.datetimes(timezones=st.just(dt.UTC)),
        "dt": st.none() | st.times(),
        "length": st.none() | st.timedeltas(),
        "data": st.recursive(
            st.none() | st.booleans() | st.integers() | texts,
            lambda items: st.lists(items, max_size=3) | st.dictionaries(texts, items, max_size=3),
            max_leaves=5,
        ),
        "tags": st.lists(texts, max_size=5),
        "blob": st.none() | st.binary(max_size=20),
    }
)


@quickly
@given(stored)
def test_an_object_comes_back_the_same(row: dict[str, Any]) -> None:
    """Object, schema, object: whatever stands in the database, nothing is refused and nothing changed."""
    before = Kinds(**row)
    read = SCHEMA.model_validate(before)
    assert {name: getattr(read, name) for name in row} == row
    after = read.apply(Kinds(), exclude_unset=False)
    assert {name: getattr(after, name) for name in row} == row


@quickly
@given(stored)
def test_json_comes_back_the_same(row: dict[str, Any]) -> None:
    """What is dumped as JSON is read as the same values again, where they pass the rules."""
    read = SCHEMA.model_validate(Kinds(**row))
    given = {name: getattr(read, name) for name in row if name not in (*RULED, "tags")}
    sent = SCHEMA(name="x", slug="a", code="1", even=2, **given)
    back = SCHEMA.model_validate_json(sent.model_dump_json(exclude_unset=True))
    assert {name: getattr(back, name) for name in given} == given
