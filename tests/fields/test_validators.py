"""Validators accept what they should, refuse the rest, and compare by what they check."""

import decimal
import pickle
from typing import Any

import pytest

from ormolu.exceptions import ValidationError
from ormolu.fields import validators as v

GOOD: list[tuple[Any, list[Any]]] = [
    (v.validate_integer, [42, "-42"]),
    (v.validate_email, ["a@b.com", "a+b@x.y-z.museum", '"quo.ted"@b.com',
                        "a@[127.0.0.1]", "a@[::1]", "a@localhost"]),
    (v.validate_slug, ["a-b_1"]),
    (v.validate_unicode_slug, ["ä-b"]),
    (v.validate_ipv4_address, ["1.1.1.1", "255.0.0.0"]),
    (v.validate_ipv6_address, ["fe80::1", "::ffff:254.42.16.14"]),
    (v.validate_ipv46_address, ["1.1.1.1", "::1"]),
    (v.validate_comma_separated_integer_list, ["1", "12,34"]),
    (v.int_list_validator(sep=".", allow_negative=True), ["1.-2"]),
    (v.validate_domain_name, ["example.org", "EXAMPLE.org.", "bücher.example", "xn--bcher-kva.example"]),
    (v.URLValidator(), ["http://a.bc", "https://u:p@example.com:8080/x?y#z", "http://[::1]:80/", "http://localhost",
                        "ftp://192.168.0.1/x", "http://bücher.example/ä"]),
    (v.URLValidator(schemes=["git+ssh"]), ["git+ssh://host.example/x"]),
    (v.MaxValueValidator(10), [10, -10]),
    (v.MaxValueValidator(lambda: 10), [10]),
    (v.MinValueValidator(-10), [-10]),
    (v.StepValueValidator(3), [3, 33]),
    (v.StepValueValidator(0.5, offset=0.25), [0.75]),
    (v.MaxLengthValidator(3), ["", "abc"]),
    (v.MinLengthValidator(3), ["abc"]),
    (v.DecimalValidator(5, 2), [decimal.Decimal(x) for x in ("123.45", "0.01", "-999", "0")]),
    (v.RegexValidator("a+"), ["xaax"]),
    (v.RegexValidator("a", inverse_match=True), ["b"]),
    (v.FileExtensionValidator(["TXT"]), ["x.txt", "y.TXT"]),
    (v.ProhibitNullCharactersValidator(), ["a"]),
]  # fmt: skip

BAD: list[tuple[Any, list[Any]]] = [
    (v.validate_integer, ["a", "4.2", "42\n", ""]),
    (v.validate_email, ["", "a", "@b.com", "a@b", "a@b..com", "a@-b.com", "a\n@b.com",
                        "a@[127.0.0.256]", "a@b.com."]),
    (v.validate_slug, ["", "a b", "a\n", "ä"]),
    (v.validate_ipv4_address, ["256.1.1.1", "1.1.1", "01.1.1.1", "1.1.1.1\n"]),
    (v.validate_ipv6_address, ["foo", "12345::", "::1\n", "1" * 50]),
    (v.validate_ipv46_address, ["256.1.1.1", "foo"]),
    (v.validate_comma_separated_integer_list, ["", ",", "1,", "1,a"]),
    (v.validate_domain_name, ["localhost", "-a.org", "a-.org", "a..org", "a.123", "x" * 64 + ".org", 5]),
    (v.DomainNameValidator(accept_idna=False), ["bücher.example"]),
    (v.URLValidator(), ["", "foo", "http://", "http://.", "http://a b.c", "http://-a.com", "http://256.256.256.256",
                        "javascript://x.y", "http://[::1::]",
                        "http://a.b:123456", "http://a.b\n", "http://" + "a." * 128 + "b"]),
    (v.MaxValueValidator(10), [11]),
    (v.MinValueValidator(-10), [-11]),
    (v.StepValueValidator(3), [1]),
    (v.StepValueValidator(0.5, offset=0.25), [1.0]),
    (v.MaxLengthValidator(3), ["abcd"]),
    (v.MinLengthValidator(3), ["ab"]),
    (v.DecimalValidator(5, 2), [decimal.Decimal(x) for x in ("1234.5", "0.001", "123456", "1E+6", "NaN")]),
    (v.RegexValidator("^a$"), ["b"]),
    (v.FileExtensionValidator(["txt"]), ["x.jpg", "txt"]),
    (v.ProhibitNullCharactersValidator(), ["\x00"]),
]  # fmt: skip


@pytest.mark.parametrize(("validator", "value"), [(one, value) for one, values in GOOD for value in values])
def test_accepts(validator: Any, value: Any) -> None:
    """Good values pass."""
    validator(value)


@pytest.mark.parametrize(("validator", "value"), [(one, value) for one, values in BAD for value in values])
def test_refuses(validator: Any, value: Any) -> None:
    """Bad values are ValidationErrors with a code."""
    with pytest.raises(ValidationError) as caught:
        validator(value)
    assert caught.value.code
    assert caught.value.messages


@pytest.mark.parametrize(
    ("validator", "value", "message"),
    [
        (v.MaxLengthValidator(1), "ab", "Ensure this value has at most 1 character (it has 2)."),
        (v.MinLengthValidator(2), "a", "Ensure this value has at least 2 characters (it has 1)."),
        (v.DecimalValidator(1, 1), decimal.Decimal("11"),
         "Ensure that there are no more than 1 digit in total."),
        (v.MaxValueValidator(5), 6, "Ensure this value is less than or equal to 5."),
        (v.StepValueValidator(2, offset=1), 2,
         "Ensure this value is a multiple of step size 2, starting from 1, e.g. 1, 3, 5, and so on."),
        (v.FileExtensionValidator(["txt"]), "a.jpg",
         "File extension “jpg” is not allowed. Allowed extensions are: txt."),
        (v.validate_ipv46_address, "x", "Enter a valid IPv4 or IPv6 address."),
    ],
)  # fmt: skip
def test_texts(validator: Any, value: Any, message: str) -> None:
    """Texts are Django's, in the right number."""
    with pytest.raises(ValidationError) as caught:
        validator(value)
    assert caught.value.messages == [message]


def test_equality() -> None:
    """Validators that check the same are equal, so that migrations see no change."""
    assert v.MaxValueValidator(44) == v.MaxValueValidator(44)
    assert v.MaxValueValidator(44) != v.MinValueValidator(44)
    assert v.MaxValueValidator(44) != v.MaxValueValidator(45)
    assert v.RegexValidator("a") == v.RegexValidator("a")
    assert v.RegexValidator("a") != v.RegexValidator("a", inverse_match=True)
    assert v.EmailValidator(message="x") != v.EmailValidator()
    assert v.URLValidator() != v.URLValidator(schemes=["http"])
    assert v.FileExtensionValidator(["a", "B"]) == v.FileExtensionValidator(["b", "a"])
    assert v.DecimalValidator(1, 2) != v.DecimalValidator(1, 3)


def test_making_again() -> None:
    """Validators are pickled, and deconstructed into what made them."""
    for validator, _ in GOOD:
        if validator is not GOOD[13][0]:
            assert pickle.loads(pickle.dumps(validator)) == validator
    path, args, kwargs = v.MaxValueValidator(5, message="x").deconstruct()
    assert (path, args, kwargs) == ("ormolu.fields.validators.MaxValueValidator", (5,), {"message": "x"})


def test_flags_need_a_text() -> None:
    """Flags can't be given with a compiled expression."""
    with pytest.raises(TypeError, match="If the flags are set"):
        v.RegexValidator(v.validate_slug.regex, flags=2)


def test_address_validators() -> None:
    """Options that don't fit are refused."""
    assert v.ip_address_validators("IPv4", False) == [v.validate_ipv4_address]
    with pytest.raises(ValueError, match=r"unknown. Supported: \['both', 'ipv4', 'ipv6'\]"):
        v.ip_address_validators("ipv5", False)
    with pytest.raises(ValueError, match="unpack_ipv4"):
        v.ip_address_validators("ipv4", True)
