"""Conversions in Python: to_python, get_prep_value, prep_for, clean."""

import datetime as dt
import decimal
import enum
import uuid
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

import ormolu
from ormolu import fields
from ormolu.exceptions import DataError, OutOfRange, ValidationError
from ormolu.fields import timezones

UTC = dt.UTC


def named(field: fields.Field[Any], name: str = "value") -> Any:
    field.set_attributes_from_name(name)
    return field


@pytest.mark.parametrize(
    ("field", "given", "expected"),
    [
        (fields.CharField(), 5, "5"),
        (fields.CharField(), None, None),
        (fields.IntegerField(), "12", 12),
        (fields.IntegerField(), True, 1),
        (fields.FloatField(), "1.5", 1.5),
        (fields.BooleanField(), "t", True),
        (fields.BooleanField(), 0, False),
        (fields.BooleanField(), decimal.Decimal(1), True),
        (fields.BooleanField(), 0.0, False),
        (fields.BooleanField(null=True), "", None),
        (fields.DecimalField(max_digits=4, decimal_places=2), "3.14", decimal.Decimal("3.14")),
        (fields.DecimalField(max_digits=4, decimal_places=2), 3.14, decimal.Decimal("3.140")),
        (fields.DateField(), "2024-2-9", dt.date(2024, 2, 9)),
        (fields.DateField(), dt.datetime(2024, 2, 9, 5), dt.date(2024, 2, 9)),
        (fields.DateTimeField(), "2024-02-09 05:06", dt.datetime(2024, 2, 9, 5, 6)),
        (fields.DateTimeField(), "2024-02-09T05:06:07.5Z", dt.datetime(2024, 2, 9, 5, 6, 7, 500000, UTC)),
        (fields.TimeField(), "5:06", dt.time(5, 6)),
        (fields.DurationField(), "3 days, 4:05:06", dt.timedelta(3, 4 * 3600 + 5 * 60 + 6)),
        (fields.DurationField(), "P3DT4H", dt.timedelta(3, 4 * 3600)),
        (fields.UUIDField(), "12345678123456781234567812345678", uuid.UUID("12345678" * 4)),
        (fields.UUIDField(), 5, uuid.UUID(int=5)),
        (fields.BinaryField(), "aGk=", b"hi"),
        (fields.GenericIPAddressField(), " 2001:0DB8::0001 ", "2001:db8::1"),
        (fields.GenericIPAddressField(unpack_ipv4=True), "::ffff:10.0.0.1", "10.0.0.1"),
        (fields.ArrayField(fields.IntegerField()), '["1", 2]', [1, 2]),
    ],
)  # fmt: skip
def test_to_python(field: Any, given: Any, expected: Any) -> None:
    """Values of other classes become the field's own."""
    value = field.to_python(given)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        (fields.IntegerField(), "abc", "“abc” value must be an integer."),
        (fields.IntegerField(), float("inf"), "“inf” value must be an integer."),
        (fields.FloatField(), "abc", "“abc” value must be a float."),
        (fields.BooleanField(), "yes", "“yes” value must be either True or False."),
        (fields.BooleanField(null=True), "yes", "“yes” value must be either True, False, or None."),
        (fields.DecimalField(max_digits=4, decimal_places=2), "1,5", "“1,5” value must be a decimal number."),
        (fields.DecimalField(max_digits=4, decimal_places=2), float("nan"),
         "“nan” value must be a decimal number."),
        (fields.DateField(), "yesterday", "It must be in YYYY-MM-DD format."),
        (fields.DateField(), "2023-02-29", "but it is an invalid date."),
        (fields.DateTimeField(), "2023-02-28 25:00", "but it is an invalid date/time."),
        (fields.TimeField(), "noon", "It must be in HH:MM[:ss[.uuuuuu]] format."),
        (fields.DurationField(), "long", "It must be in [DD] [[HH:]MM:]ss[.uuuuuu] format."),
        (fields.UUIDField(), "550e8400", "“550e8400” is not a valid UUID."),
        (fields.GenericIPAddressField(), "::zz", "Enter a valid IPv4 or IPv6 address."),
    ],
)  # fmt: skip
def test_to_python_refuses(field: Any, given: Any, message: str) -> None:
    """What can't be converted is a ValidationError with Django's text."""
    with pytest.raises(ValidationError) as caught:
        field.to_python(given)
    assert message in caught.value.messages[0]
    assert caught.value.code in field.error_messages


def test_error_codes_are_those_of_the_documentation() -> None:
    """A field that may be empty has another text for what is no boolean, and the same code."""
    for field in (fields.BooleanField(), fields.BooleanField(null=True)):
        with pytest.raises(ValidationError) as caught:
            field.clean("yes", None)
        assert caught.value.code == "invalid"


@pytest.mark.parametrize("field", [fields.IntegerField(), fields.FloatField()])
def test_numbers_of_queries_name_the_field(field: Any) -> None:
    """A wrong value in a query is named together with the field (E42)."""
    with pytest.raises(ValueError, match=r"Field 'age' expected a number but got 'abc'\."):
        named(field.clone(), "age").get_prep_value("abc")
    with pytest.raises(TypeError, match=r"Field 'age' expected a number but got \[\]\."):
        named(field.clone(), "age").get_prep_value([])


def test_plain_values_need_no_conversion() -> None:
    """A value of the field's own class goes to the driver as it is: prep_for() gives None."""
    plain = [
        (fields.CharField(), str),
        (fields.FloatField(), float),
        (fields.BooleanField(), bool),
        (fields.DateField(), dt.date),
        (fields.UUIDField(), uuid.UUID),
        (fields.BinaryField(), bytes),
        (fields.JSONField(), dict),
        (fields.DecimalField(max_digits=5, decimal_places=2), decimal.Decimal),
    ]
    assert [field.prep_for(cls) for field, cls in plain] == [None] * len(plain)
    assert fields.CharField().prep_for(type(None)) is None


def test_text_choices_become_plain_text() -> None:
    """A member of TextChoices is stored as its value, of class str."""

    class Colour(fields.TextChoices):
        RED = "r", "Red"

    prepare = fields.CharField().prep_for(Colour)
    assert prepare is not None
    assert type(prepare(Colour.RED)) is str
    assert prepare(Colour.RED) == "r"


def test_integers_out_of_range() -> None:
    """A number beyond 64 bits is an error, whether it is stored or looked for."""
    field = named(fields.IntegerField())
    assert field.prep_for(int)(2**63 - 1) == 2**63 - 1
    for prepare in (field.prep_for(int), field.save_prep_for(int)):
        with pytest.raises(OutOfRange, match="'value' holds integers of 64 bits"):
            prepare(2**63)


def test_text_that_is_too_long_is_not_stored() -> None:
    """CharField(max_length=3) refuses four characters when stored, not in lookups (E42)."""
    field = named(fields.CharField(max_length=3))
    save: Any = field.save_prep_for(str)
    assert save("abc") == "abc"
    with pytest.raises(DataError, match=r"max_length=3\): 4 characters"):
        save("abcd")
    assert field.prep_for(str) is None


def test_decimals_are_rounded_when_stored() -> None:
    """A DecimalField stores its places, half to even, and refuses too many digits."""
    field = named(fields.DecimalField(max_digits=5, decimal_places=2))
    save: Any = field.save_prep_for(decimal.Decimal)
    assert str(save(decimal.Decimal("1.005"))) == "1.00"
    assert str(save(decimal.Decimal("1"))) == "1.00"
    with pytest.raises(DataError, match="at most 5 digits, 2 of them after the point"):
        save(decimal.Decimal("1234.5"))


def test_naive_datetimes_are_made_aware() -> None:
    """With USE_TZ a naive datetime counts as one of TIME_ZONE, and a warning says so."""
    field = named(fields.DateTimeField())
    with ormolu.conf.override(USE_TZ=True, TIME_ZONE="Europe/Berlin"):
        with pytest.warns(RuntimeWarning, match=r"received a naive datetime \(2024-07-01 12:00:00\)"):
            value = field.get_prep_value(dt.datetime(2024, 7, 1, 12))
        assert value == dt.datetime(2024, 7, 1, 10, tzinfo=UTC)
        with pytest.warns(RuntimeWarning, match="naive datetime"):
            assert field.to_python(dt.date(2024, 7, 1)).isoformat() == "2024-07-01T00:00:00+02:00"
    with ormolu.conf.override(USE_TZ=False), warnings.catch_warnings():
        naive = dt.datetime(2024, 7, 1, 12)
        assert field.get_prep_value(naive) == naive


def test_date_of_an_instant() -> None:
    """The date of an aware datetime is that in TIME_ZONE."""
    late = dt.datetime(2024, 7, 1, 23, 30, tzinfo=UTC)
    with ormolu.conf.override(USE_TZ=True, TIME_ZONE="Europe/Berlin"):
        assert fields.DateField().to_python(late) == dt.date(2024, 7, 2)


def test_auto_now() -> None:
    """auto_now sets the present at every save, auto_now_add at the first; neither is editable."""
    added, changed = (
        named(fields.DateTimeField(auto_now_add=True), "a"),
        named(fields.DateTimeField(auto_now=True), "c"),
    )
    row = SimpleNamespace(a=None, c=None)
    first = (added.pre_save(row, True), changed.pre_save(row, True))
    second = (added.pre_save(row, False), changed.pre_save(row, False))
    assert first[0] == second[0] == row.a
    assert second[1] == row.c > first[1]
    assert row.c.tzinfo is UTC
    assert not added.editable
    assert added.blank


def test_current_timezone() -> None:
    """override() changes the current zone inside its block only."""
    with ormolu.conf.override(USE_TZ=True, TIME_ZONE="UTC"):
        with timezones.override("Asia/Tokyo"):
            noon = timezones.make_naive(dt.datetime(2024, 1, 1, 3, tzinfo=UTC))
            assert noon == dt.datetime(2024, 1, 1, 12)
        assert timezones.get_current_timezone() is UTC


def test_clean_runs_everything() -> None:
    """clean() converts, then checks null, blank, choices and validators."""
    field = named(fields.IntegerField(choices=[(1, "one"), ("Group", [(2, "two")])]))
    assert field.clean("2", None) == 2
    codes = {}
    for value in ("3", None):
        with pytest.raises(ValidationError) as caught:
            field.clean(value, None)
        codes[value] = caught.value.code
    assert codes == {"3": "invalid_choice", None: "null"}
    with pytest.raises(ValidationError) as caught:
        named(fields.CharField(max_length=2)).clean("abc", None)
    assert caught.value.messages == ["Ensure this value has at most 2 characters (it has 3)."]
    with pytest.raises(ValidationError) as caught:
        named(fields.CharField(error_messages={"blank": "Please!"})).clean("", None)
    assert caught.value.messages == ["Please!"]


def test_validation_of_arrays_names_the_item() -> None:
    """An item that is wrong is named by its number."""
    field = named(fields.ArrayField(fields.CharField(max_length=2), size=2))
    with pytest.raises(ValidationError) as caught:
        field.clean(["ok", "bad"], None)
    assert caught.value.messages == [
        "Item 2 in the array did not validate: Ensure this value has at most 2 characters (it has 3)."
    ]
    with pytest.raises(TypeError, match="expected a list"):
        field.get_prep_value("ab")


def test_json_that_can_not_be_encoded() -> None:
    """clean() of a JSONField refuses what JSON can't say."""
    with pytest.raises(ValidationError, match="Value must be valid JSON"):
        named(fields.JSONField()).clean({1, 2}, None)
    with pytest.raises(ValueError, match="The encoder parameter must be a callable object"):
        fields.JSONField(encoder="x")  # type: ignore[arg-type]


def test_custom_conversions_are_called() -> None:
    """A user's from_db_value, get_prep_value and get_db_prep_value take part, and values may be mutable."""

    class Cash:
        def __init__(self, amount: decimal.Decimal, vendor: str) -> None:
            self.amount, self.vendor = amount, vendor

    class CashField(fields.DecimalField[Cash]):
        def from_db_value(self, value: Any, expression: Any, connection: Any) -> Cash:
            return Cash(value, connection.vendor)

        def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
            return (
                value.amount
                if isinstance(value, Cash)
                else super().get_db_prep_value(value, connection, prepared)
            )

    field = named(CashField(max_digits=5, decimal_places=2))
    database = SimpleNamespace(vendor="sqlite")
    convert = field.result_converter(sa.create_engine("sqlite://").dialect, connection=database)
    loaded = convert(1.5)
    assert (loaded.amount, loaded.vendor) == (decimal.Decimal("1.50"), "sqlite")
    assert field.prep_for(Cash, database)(loaded) == decimal.Decimal("1.50")
    assert field.save_prep_for(Cash, database)(loaded) == decimal.Decimal("1.50")
    assert not field.immutable
    assert fields.DecimalField(max_digits=5, decimal_places=2).immutable
    assert not fields.JSONField().immutable


def test_plain_enumerations_as_choices() -> None:
    """Any enumeration class may be the choices."""

    class Size(enum.Enum):
        SMALL = 1
        VERY_LARGE = 2

    assert fields.IntegerField(choices=Size).choices == [(1, "Small"), (2, "Very Large")]


def test_computed_decimals_keep_their_digits() -> None:
    """What SQLite computes is a Decimal of fifteen digits, not rounded to the field's places (E35)."""
    field = fields.DecimalField(max_digits=5, decimal_places=2)
    dialect = sa.create_engine("sqlite://").dialect
    convert = field.computed_type.dialect_impl(dialect).result_processor(dialect, None)
    assert convert is not None
    assert convert(0.1 + 0.2) == decimal.Decimal("0.3")
    assert convert(1 / 3) == decimal.Decimal("0.333333333333333")
    assert convert(7) == 7
    assert convert(None) is None
