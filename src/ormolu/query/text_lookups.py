"""Lookups of text: contains, startswith, endswith, iexact, regex, and those that fold case."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from ormolu.compile.conditions import Condition
from ormolu.compile.terms import Term
from ormolu.fields import CharField, Field, GenericIPAddressField, TextField, UUIDField
from ormolu.query.lookups import IsNull, Lookup, conclude, operand


def as_text(builder: Any, term: Term) -> Any:
    """Return a term as text, for LIKE and its kin."""
    if isinstance(term.field, (CharField, TextField)):
        return term.sa
    if builder.vendor == "sqlite":
        return sa.type_coerce(term.sa, sa.Text())
    if builder.vendor == "postgresql" and isinstance(term.field, GenericIPAddressField):
        return sa.func.host(term.sa)  # a cast would append the network's size
    return sa.cast(term.sa, sa.Text() if builder.vendor != "mysql" else sa.CHAR())


def like(text: Any) -> str:
    """Escape what LIKE would take for a wildcard."""
    return str(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def glob(text: Any) -> str:
    """Escape what GLOB would take for a wildcard."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(text))


def spelt_bare(builder: Any, lhs: Term) -> bool:
    """Tell whether a term's texts are UUIDs without hyphens: hexadecimal digits, where there is no type for them.

    Who searches them with hyphens means the same. Source: Django's documentation, UUIDField.
    """
    field: Any = lhs.field
    while getattr(field, "is_relation", False):
        field = field.target_field
    return isinstance(field, UUIDField) and builder.vendor != "postgresql"


def as_it_is(text: Any) -> Any:
    """Return a text as it is."""
    return text


class PatternLookup(Lookup):
    """A search in text. `before` and `after` tell where anything may stand."""

    before: ClassVar[bool] = False
    after: ClassVar[bool] = False
    folds: ClassVar[bool] = False  # upper and lower case are the same

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        if value is None:
            raise ValueError(f"Cannot use None as a query value for the lookup {name!r}.")
        if hasattr(value, "as_term") or isinstance(value, ClauseElement) or hasattr(value, "query"):
            rhs = operand(builder, lhs, value, owner, relation)
            if spelt_bare(builder, lhs):
                rhs = copy.copy(rhs)
                rhs.sa, rhs.field = sa.func.replace(as_text(builder, rhs), "-", ""), None
            return conclude(lhs, rhs, cls.dynamic(builder, as_text(builder, lhs), rhs), negated)
        return conclude(lhs, None, cls.pattern(builder, lhs, value, owner), negated)

    @classmethod
    def pattern(cls, builder: Any, lhs: Term, value: Any, owner: Any) -> Any:
        """Return the search for a plain value."""
        text = as_text(builder, lhs)
        sqlite = builder.vendor == "sqlite"
        # SQLite's LIKE folds ASCII only: other text goes through a function of ours.
        wide = sqlite and cls.folds and not str(value).isascii()
        escape = glob if sqlite and not cls.folds else like
        wild = "*" if escape is glob else "%"
        head, tail = wild if cls.before else "", wild if cls.after else ""
        bare = spelt_bare(builder, lhs)

        def prepare(given: Any) -> str:
            given = str(given).replace("-", "") if bare else str(given)
            return head + escape(given.casefold() if wide else given) + tail

        bound = builder.params.bind(owner, value, sa.Text(), prepare)
        if escape is glob:
            return text.op("GLOB", is_comparison=True)(bound)
        if wide:
            return sa.func.ormolu_casefold(text).like(bound, escape="\\")
        if sqlite or not cls.folds:
            return (text.like if builder.vendor != "mysql" else _like_binary(text))(bound, escape="\\")
        return sa.func.upper(text).like(sa.func.upper(bound), escape="\\")

    @classmethod
    def dynamic(cls, builder: Any, text: Any, rhs: Term) -> Any:
        """Return the search for the value of an expression."""
        value = as_text(builder, rhs)
        if builder.vendor == "sqlite":
            if cls.folds:
                text, value = sa.func.ormolu_casefold(text), sa.func.ormolu_casefold(value)
            if cls.before and cls.after:
                return sa.func.instr(text, value) > 0
            if cls.after:
                return sa.func.substr(text, 1, sa.func.length(value)) == value
            return sa.func.substr(text, -sa.func.length(value)) == value
        value = sa.cast(value, sa.Text()) if builder.vendor == "postgresql" else value
        for char in ("\\", "%", "_"):
            value = sa.func.replace(value, char, "\\" + char)
        if cls.folds:
            text, value = sa.func.upper(text), sa.func.upper(value)
        pattern: Any = value
        if cls.before:
            pattern = sa.literal("%").concat(pattern)
        if cls.after:
            pattern = sa.type_coerce(pattern, sa.Text()).concat("%")
        like = _like_binary(text) if builder.vendor == "mysql" and not cls.folds else text.like
        return like(pattern, escape="\\")


def _like_binary(text: Any) -> Any:
    return text.collate("utf8mb4_bin").like


class Contains(PatternLookup):
    """The text contains the value, case counts."""

    lookup_name = "contains"
    before = after = True


class IContains(PatternLookup):
    """The text contains the value, case does not count."""

    lookup_name = "icontains"
    before = after = folds = True


class StartsWith(PatternLookup):
    """The text begins with the value, case counts."""

    lookup_name = "startswith"
    after = True


class IStartsWith(PatternLookup):
    """The text begins with the value, case does not count."""

    lookup_name = "istartswith"
    after = folds = True


class EndsWith(PatternLookup):
    """The text ends with the value, case counts."""

    lookup_name = "endswith"
    before = True


class IEndsWith(PatternLookup):
    """The text ends with the value, case does not count."""

    lookup_name = "iendswith"
    before = folds = True


class IExact(PatternLookup):
    """Equality, case does not count; None means IS NULL."""

    lookup_name = "iexact"
    folds = True

    @classmethod
    def build(
        cls, builder: Any, lhs: Term, value: Any, owner: Any, negated: bool, relation: Any, name: str
    ) -> Condition:
        """Return the condition."""
        if value is None:
            return IsNull.build(builder, lhs, True, owner, negated, relation, "isnull")
        return super().build(builder, lhs, value, owner, negated, relation, name)

    @classmethod
    def dynamic(cls, builder: Any, text: Any, rhs: Term) -> Any:
        """Return equality without regard to case."""
        value = as_text(builder, rhs)
        fold = sa.func.ormolu_casefold if builder.vendor == "sqlite" else sa.func.upper
        return fold(text) == fold(value)


class Regex(Lookup):
    """A regular expression matches, case counts."""

    lookup_name = "regex"
    prepare_rhs = False
    folds: ClassVar[bool] = False

    @classmethod
    def element(cls, builder: Any, lhs: Term, rhs: Term, owner: Any) -> Any:
        """Return the match."""
        text = as_text(builder, lhs)
        if builder.vendor == "postgresql":
            return text.op("~*" if cls.folds else "~", is_comparison=True)(sa.cast(rhs.sa, sa.Text()))
        if builder.vendor == "sqlite":
            pattern: Any = sa.literal("(?i)").concat(rhs.sa) if cls.folds else rhs.sa
            return text.op("REGEXP", is_comparison=True)(pattern)
        if builder.vendor == "mysql":  # where else the collation says whether case counts
            return text.regexp_match(sa.literal("(?i)" if cls.folds else "(?-i)").concat(rhs.sa))
        fold = sa.func.lower if cls.folds else as_it_is
        return fold(text).regexp_match(fold(rhs.sa))


class IRegex(Regex):
    """A regular expression matches, case does not count."""

    lookup_name = "iregex"
    folds = True


for _lookup in (IExact, Contains, IContains, StartsWith, IStartsWith, EndsWith, IEndsWith, Regex, IRegex):
    Field.provide_lookup(_lookup)
