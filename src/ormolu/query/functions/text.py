"""Functions of text.

Source: Django's documentation, ref/models/database-functions, "Text functions".
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.compile.template import Template
from ormolu.compile.terms import Term, merge
from ormolu.fields import CharField, IntegerField, TextField
from ormolu.query.func import Func
from ormolu.query.functions.comparison import Coalesce
from ormolu.query.transforms import Transform
from ormolu.query.values import Value

__all__ = [
    "Chr", "Concat", "ConcatPair", "LPad", "LTrim", "Left", "Length", "Lower", "MD5", "Ord", "RPad", "RTrim",
    "Repeat", "Replace", "Reverse", "Right", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "StrIndex", "Substr",
    "Trim", "Upper",
]  # fmt: skip


def named(name: str, args: list[Any], type_: Any) -> Any:
    """Return a call of a function by name."""
    return getattr(sa.func, name)(*args, **({} if type_ is None else {"type_": type_}))


class Vendored:
    """A function that databases call by other names."""

    names: dict[str, str] = {}

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call under the database's name for it."""
        name = self.names.get(builder.vendor)
        return named(name, args, type_) if name is not None else super().call(builder, args, type_)  # type: ignore[misc]


class Chr(Vendored, Transform):
    """The character of a code point."""

    function = "CHR"
    lookup_name = "chr"
    names = {"sqlite": "CHAR"}
    output_field = CharField()

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; MySQL must be told the character set."""
        if builder.vendor == "mysql":
            return Template("chr", ["CHAR(", " USING utf32)"], args, type_)
        return super().call(builder, args, type_)


class ConcatPair(Func):
    """Two texts in a row; NULL counts as an empty text. Other values are made text."""

    function = "CONCAT"
    arity = 2

    def as_term(self, builder: Any) -> Term:
        """Return the texts joined."""
        terms = [builder.term(part) for part in self.parts()]
        field, why = self.field(terms)
        type_ = sa.Text() if field is None else field.sa_type
        return merge(self.joined(builder, terms, type_), field, terms, why=why, nullable=False)

    def parts(self) -> list[Any]:
        """Return all texts: those of pairs within, too."""
        found: list[Any] = []
        for source in self.source_expressions:
            found += source.parts() if type(source) is ConcatPair else [source]
        return found

    def joined(self, builder: Any, terms: list[Term], type_: Any) -> Any:
        """Return `a || b || ...` with no NULL among them."""
        if builder.vendor == "mysql":
            return sa.func.CONCAT_WS("", *(term.sa for term in terms), type_=type_)
        parts = [solid(as_text(builder, term), term) for term in terms]
        pieces = ["(", *[" || "] * (len(parts) - 1), ")"]
        return Template("concat", pieces, parts, type_)

    def coalesce(self) -> ConcatPair:
        """Return a copy with an empty text for what is NULL."""
        made = self.copy()
        made.set_source_expressions([Coalesce(part, Value("")) for part in self.source_expressions])
        return made


class Concat(Func):
    """Two or more texts in a row; NULL counts as an empty text. Other values are made text."""

    function = None
    template = "%(expressions)s"

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        if len(expressions) < 2:
            raise ValueError("Concat must take at least two expressions")
        last: Any = expressions[-1]
        for expression in expressions[-2::-1]:
            last = ConcatPair(expression, last, output_field=extra.get("output_field"))
        super().__init__(last, **extra)

    def as_term(self, builder: Any) -> Term:
        """Return the texts joined."""
        term: Term = builder.term(self.source_expressions[0])
        return term


def as_text(builder: Any, term: Term) -> Any:
    """Return a term as text; PostgreSQL must be told."""
    if builder.vendor != "postgresql" or isinstance(term.field, (CharField, TextField)):
        return term.sa
    return sa.cast(term.sa, sa.Text())


def solid(element: Any, term: Term) -> Any:
    """Return an element with an empty text in the place of NULL."""
    return sa.func.coalesce(element, sa.literal_column("''")) if term.nullable else element


class Left(Func):
    """The first characters."""

    function = "LEFT"
    arity = 2
    output_field = CharField()

    def __init__(self, expression: Any, length: Any, **extra: Any) -> None:
        if not hasattr(length, "as_term") and length < 1:
            raise ValueError("'length' must be greater than 0.")
        super().__init__(expression, length, **extra)

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; SQLite has SUBSTR only."""
        if builder.vendor == "sqlite":
            return sa.func.SUBSTR(args[0], sa.literal_column("1"), args[1], type_=type_)
        return super().call(builder, args, type_)


class Right(Left):
    """The last characters."""

    function = "RIGHT"

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; SQLite has SUBSTR only."""
        if builder.vendor == "sqlite":
            return Template("right", ["SUBSTR(", ", -", ", ", ")"], [args[0], args[1], args[1]], type_)
        return Func.call(self, builder, args, type_)


class Length(Vendored, Transform):
    """The number of characters."""

    function = "LENGTH"
    lookup_name = "length"
    total = True
    names = {"mysql": "CHAR_LENGTH"}
    output_field = IntegerField()


class Lower(Transform):
    """The text in lower case."""

    function = "LOWER"
    lookup_name = "lower"
    total = True


class Upper(Transform):
    """The text in upper case."""

    function = "UPPER"
    lookup_name = "upper"
    total = True


class LPad(Func):
    """The text, filled up to a length on its left, or cut off to it."""

    function = "LPAD"
    output_field = CharField()

    def __init__(self, expression: Any, length: Any, fill_text: Any = Value(" "), **extra: Any) -> None:  # noqa: B008
        if not hasattr(length, "as_term") and length is not None and length < 0:
            raise ValueError("'length' must be greater or equal to 0.")
        super().__init__(expression, length, fill_text, **extra)


class RPad(LPad):
    """The text, filled up to a length on its right, or cut off to it."""

    function = "RPAD"


class LTrim(Transform):
    """The text without leading spaces."""

    function = "LTRIM"
    lookup_name = "ltrim"
    total = True


class RTrim(Transform):
    """The text without trailing spaces."""

    function = "RTRIM"
    lookup_name = "rtrim"
    total = True


class Trim(Transform):
    """The text without spaces around it."""

    function = "TRIM"
    lookup_name = "trim"
    total = True


class Ord(Vendored, Transform):
    """The code point of the first character."""

    function = "ASCII"
    lookup_name = "ord"
    names = {"sqlite": "UNICODE"}
    output_field = IntegerField()

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; MySQL's gives the bytes of a character: those of UTF-32 are its code point."""
        if builder.vendor == "mysql":
            return Template("ord", ["ORD(CONVERT(", " USING utf32))"], args, type_)
        return super().call(builder, args, type_)


class Repeat(Func):
    """The text several times in a row."""

    function = "REPEAT"
    output_field = CharField()

    def __init__(self, expression: Any, number: Any, **extra: Any) -> None:
        if not hasattr(number, "as_term") and number is not None and number < 0:
            raise ValueError("'number' must be greater or equal to 0.")
        super().__init__(expression, number, **extra)


class Replace(Func):
    """The text with all occurrences of a part replaced."""

    function = "REPLACE"

    def __init__(self, expression: Any, text: Any, replacement: Any = Value(""), **extra: Any) -> None:  # noqa: B008
        super().__init__(expression, text, replacement, **extra)


class Reverse(Transform):
    """The characters from last to first."""

    function = "REVERSE"
    lookup_name = "reverse"
    total = True


class StrIndex(Vendored, Func):
    """The place of the first occurrence of a text in another, from 1 on; 0 where there is none."""

    function = "INSTR"
    arity = 2
    names = {"postgresql": "STRPOS"}
    output_field = IntegerField()


class Substr(Func):
    """A part of the text: from a place (from 1 on), of a length or to the end."""

    function = "SUBSTRING"
    output_field = CharField()

    def __init__(self, expression: Any, pos: Any, length: Any = None, **extra: Any) -> None:
        if not hasattr(pos, "as_term") and pos < 1:
            raise ValueError("'pos' must be greater than 0")
        super().__init__(expression, pos, *(() if length is None else (length,)), **extra)

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the call; older SQLite knows the short name only."""
        return named("SUBSTR" if builder.vendor == "sqlite" else "SUBSTRING", args, type_)


class _Digest(Transform):
    """A digest, as hexadecimal digits."""

    total = True

    def call(self, builder: Any, args: list[Any], type_: Any) -> Any:
        """Return the digest in the database's way."""
        name = str(self.function)
        if builder.vendor == "postgresql" and name == "SHA1":
            # The server itself has no SHA-1: this one is the pgcrypto extension's.
            return Template("digest", ["ENCODE(DIGEST(", ", 'sha1'), 'hex')"], args, type_)
        if builder.vendor == "postgresql" and name != "MD5":
            return Template("digest", [f"ENCODE({name}(CONVERT_TO(", ", 'UTF8')), 'hex')"], args, type_)
        if builder.vendor == "mysql" and name.startswith("SHA") and name != "SHA1":
            return Template("digest", ["SHA2(", f", {name[3:]})"], args, type_)
        return super().call(builder, args, type_)


class MD5(_Digest):
    """The MD5 digest."""

    function = "MD5"
    lookup_name = "md5"


class SHA1(_Digest):
    """The SHA-1 digest. PostgreSQL needs its extension pgcrypto for it."""

    function = "SHA1"
    lookup_name = "sha1"


class SHA224(_Digest):
    """The SHA-224 digest."""

    function = "SHA224"
    lookup_name = "sha224"


class SHA256(_Digest):
    """The SHA-256 digest."""

    function = "SHA256"
    lookup_name = "sha256"


class SHA384(_Digest):
    """The SHA-384 digest."""

    function = "SHA384"
    lookup_name = "sha384"


class SHA512(_Digest):
    """The SHA-512 digest."""

    function = "SHA512"
    lookup_name = "sha512"
