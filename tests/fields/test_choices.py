"""Enumerations with labels, and spellings of choices."""

import datetime as dt
from typing import Any

import pytest

from ormolu.fields import Choices, IntegerChoices, TextChoices
from ormolu.fields.choices import CallableChoices, flatten_choices, normalize_choices


class Suit(IntegerChoices):
    """Labels given, and not."""

    DIAMOND = 1, "Diamonds"
    SPADE = 2
    BIG_HEART = 3


class Year(TextChoices):
    """Texts, with an empty choice."""

    FRESHMAN = "FR", "First year"
    SENIOR = "SR"

    __empty__ = "Unknown"


def test_members() -> None:
    """A member is its value, has a label, and is shown as its value."""
    assert Suit.DIAMOND == 1
    assert [member.label for member in Suit] == ["Diamonds", "Spade", "Big Heart"]
    assert str(Year.SENIOR) == "SR"
    assert repr(Suit.SPADE) == "Suit.SPADE"
    assert Suit(3) is Suit.BIG_HEART


def test_lists() -> None:
    """choices, labels, values and names, with the empty choice first."""
    assert Suit.choices == [(1, "Diamonds"), (2, "Spade"), (3, "Big Heart")]
    assert Year.choices == [(None, "Unknown"), ("FR", "First year"), ("SR", "Senior")]
    assert Year.labels == ["Unknown", "First year", "Senior"]
    assert Year.values == [None, "FR", "SR"]
    assert Year.names == ["__empty__", "FRESHMAN", "SENIOR"]


def test_containment() -> None:
    """Values and members are `in` the class, other things are not."""
    assert 1 in Suit
    assert Suit.SPADE in Suit
    assert 9 not in Suit
    assert "FR" in Year
    assert None not in Suit


def test_two_members_of_one_value_are_refused() -> None:
    """Choices are unique."""
    with pytest.raises(ValueError, match="duplicate values found"):

        class Twice(TextChoices):  # pyright: ignore[reportUnusedClass]
            A = "a", "One"
            B = "a", "Other"


def test_mixed_in_types() -> None:
    """Other types can be mixed in; the last text of a tuple is the label."""

    class Landing(dt.date, Choices):
        EAGLE = 1969, 7, 20, "Apollo 11"
        INTREPID = 1969, 11, 19

    assert dt.date(1969, 7, 20) == Landing.EAGLE
    assert [landing.label for landing in Landing] == ["Apollo 11", "Intrepid"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ([], []),
        ([("a", "A")], [("a", "A")]),
        ({"a": "A"}, [("a", "A")]),
        ({"Group": {"a": "A"}}, [("Group", [("a", "A")])]),
        ((("a", "A") for _ in range(1)), [("a", "A")]),
        ([("Group", lambda: [("a", "A")])], [("Group", [("a", "A")])]),
        (Suit, Suit.choices),
        ("abc", "abc"),
        ([1, 2], [1, 2]),
    ],
)
def test_normalize(given: Any, expected: Any) -> None:
    """All spellings become lists of pairs."""
    assert normalize_choices(given) == expected


def test_functions_are_called_when_looked_at() -> None:
    """A function's choices may change; they read like a list."""
    current = [("a", "A")]
    choices = normalize_choices(lambda: current)
    assert isinstance(choices, CallableChoices)
    assert choices == [("a", "A")]
    current.append(("b", "B"))
    assert (choices[-1], choices[:1], len(choices)) == (("b", "B"), [("a", "A")], 2)
    assert flatten_choices(choices) == current
