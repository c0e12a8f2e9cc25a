"""Enumerations with labels, and the one shape that every spelling of `choices` is brought to."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

__all__ = [
    "BLANK_CHOICE_DASH",
    "CallableChoices",
    "Choices",
    "ChoicesType",
    "IntegerChoices",
    "TextChoices",
    "flatten_choices",
    "normalize_choices",
]

BLANK_CHOICE_DASH: list[tuple[Any, str]] = [("", "---------")]


class ChoicesType(enum.EnumType):
    """Metaclass of `Choices`: takes the label off each member's value, and offers the lists."""

    def __new__(metacls, name: str, bases: tuple[type, ...], namespace: Any, **kwds: Any) -> ChoicesType:
        labels: dict[str, object] = {}
        mixed = any(getattr(base, "_member_type_", base) is not object for base in bases)
        for member in namespace._member_names:
            value = namespace[member]
            parts: list[Any] = list(cast("Iterable[Any]", value)) if isinstance(value, (list, tuple)) else []
            if len(parts) > 1 and _is_label(parts[-1]):
                *rest, labels[member] = parts
                # The enum namespace refuses to set a name twice; dict's own method does not.
                dict[str, Any].__setitem__(
                    namespace, member, tuple(rest) if mixed or len(rest) > 1 else rest[0]
                )
            else:
                labels[member] = member.replace("_", " ").title()
        cls: ChoicesType = super().__new__(metacls, name, bases, namespace, **kwds)
        members: dict[str, Any] = dict(cls.__members__)
        for member_name, label in labels.items():
            members[member_name]._label_ = label
        return cast("ChoicesType", enum.unique(cast("Any", cls)))

    def __contains__(cls, value: object) -> bool:
        """Return whether `value` is a member or a member's value, as Python 3.12 does by itself."""
        try:
            cls(value)
        except (ValueError, TypeError):
            return False
        return True

    @property
    def names(cls) -> list[str]:
        """Names of the members, `__empty__` first where the class has one."""
        empty = ["__empty__"] if hasattr(cls, "__empty__") else []
        return empty + list(cls.__members__)

    @property
    def choices(cls) -> list[tuple[Any, Any]]:
        """Pairs of value and label."""
        empty: list[tuple[Any, Any]] = []
        if hasattr(cls, "__empty__"):
            empty.append((None, cast("Any", cls).__empty__))
        return empty + [(member.value, member.label) for member in cast("Iterable[Choices]", cls)]

    @property
    def labels(cls) -> list[Any]:
        """Labels, in order."""
        return [label for _, label in cls.choices]

    @property
    def values(cls) -> list[Any]:
        """Values, in order."""
        return [value for value, _ in cls.choices]


def _is_label(value: object) -> bool:
    """Return whether `value` is a text or a lazily translated one (Django's, Flask-Babel's, Babel's)."""
    lazy = {"Promise", "LazyString", "LazyProxy"}
    return isinstance(value, str) or any(base.__name__ in lazy for base in type(value).__mro__)


class Choices(enum.Enum, metaclass=ChoicesType):
    """Enumeration whose members have a `label`: `NAME = value, "Label"`. Use it as `choices=` of a field."""

    @enum.property
    def label(self) -> Any:
        """Text for people."""
        return cast("Any", self)._label_

    # Template languages call what is callable; an enumeration class is meant to be read instead.
    do_not_call_in_templates = enum.nonmember(True)

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}.{self.name}"


class IntegerChoices(int, Choices):
    """Choices whose values are integers."""


class TextChoices(str, Choices):
    """Choices whose values are texts."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[Any]) -> str:
        return name


class CallableChoices:
    """Choices that a function gives anew each time they are looked at. Equal to, and read like, a list."""

    def __init__(self, func: Callable[[], Any]) -> None:
        self.func = func

    def _current(self) -> list[Any]:
        return list(normalize_choices(self.func()))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._current())

    def __getitem__(self, index: Any) -> Any:
        return self._current()[index]

    def __len__(self) -> int:
        return len(self._current())

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CallableChoices):
            return self.func == other.func
        return self._current() == other if isinstance(other, list) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.func)

    def __repr__(self) -> str:
        return f"CallableChoices({self.func!r})"


def normalize_choices(value: Any, *, _inside_group: bool = False) -> Any:
    """Return a list of (value, label) pairs, where a group is (name, list of pairs).

    Takes such lists, dicts (of dicts), iterators, `Choices` and other enumeration classes, and functions that
    return any of these. What has no such shape is returned as it is.
    """
    if isinstance(value, (CallableChoices, bytes)) or value is None or _is_label(value):
        return value
    if isinstance(value, ChoicesType):
        return value.choices
    if isinstance(value, enum.EnumType):
        members = cast("Iterable[enum.Enum]", value)
        return [(member.value, member.name.replace("_", " ").title()) for member in members]
    source: Any = value
    if not isinstance(value, Iterable):
        if not callable(source):
            return source
        return normalize_choices(source()) if _inside_group else CallableChoices(source)
    items: list[Any] = list(source.items() if isinstance(value, Mapping) else source)
    if any(isinstance(item, str) for item in items):  # two letters are no pair
        return items
    try:
        return [(key, normalize_choices(label, _inside_group=True)) for key, label in items]
    except (TypeError, ValueError):
        return items


def flatten_choices(choices: Any) -> list[tuple[Any, Any]]:
    """Return the (value, label) pairs of normalised choices, those inside groups included."""
    flat: list[tuple[Any, Any]] = []
    for value, label in choices or ():
        if isinstance(label, (list, tuple, CallableChoices)):
            flat.extend(cast("Iterable[tuple[Any, Any]]", label))
        else:
            flat.append((value, label))
    return flat
