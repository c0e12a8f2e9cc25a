"""From an instance's values to a driver's parameters: one conversion for each field and driver."""

from __future__ import annotations

import copy
import datetime
import decimal
import uuid
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import TypeDecorator

from ormolu.exceptions import DataError, EmptyResultSet, FullResultSet, ValidationError
from ormolu.fields.base import Field, overridden
from ormolu.fields.dates import DateTimeField
from ormolu.fields.integers import out_of_range, storable
from ormolu.fields.locating import locate
from ormolu.fields.timezones import use_tz

Convert = Callable[[Any], Any]

# The classes a field may take as they are.
_EXACT = (
    int,
    str,
    bool,
    float,
    datetime.datetime,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
    bytes,
)
_PREPARING = (
    "get_prep_value",
    "get_db_prep_value",
    "get_db_prep_save",
    "prep_for",
    "save_prep_for",
    "to_python",
)


class NeedsStatement(Exception):
    """A value is an expression, or is left to the database: the cached statement can't carry it."""


class Conversion:
    """How the values of one field become parameters of one driver.

    `exact` is the class whose values go straight to `process` if they pass `check` ("length", "range",
    "aware", "naive" or ""), None if there is no such class; `convert` takes every other value.
    """

    __slots__ = (
        "attname",
        "check",
        "convert",
        "exact",
        "field",
        "limit",
        "load",
        "process",
        "range",
        "takes_none",
    )

    def __init__(self, driver: Any, field: Any) -> None:
        base = value_field(field)
        type_ = field.sa_column.type
        impl = type_.dialect_impl(driver.dialect)
        self.field = field
        self.attname: str = field.attname
        self.process: Convert | None = impl.bind_processor(driver.dialect)
        # A user's TypeDecorator decides itself what NULL is; our types and SQLAlchemy's own leave None alone.
        ours = type(type_).__module__.startswith("ormolu.")
        self.takes_none = (isinstance(type_, TypeDecorator) and not ours) or base.replaces_none
        self.limit = _length(type_, driver)
        self.range = storable(base, driver.vendor) or (-(2**63), 2**63 - 1)
        plain = plain_type(type_, driver.dialect)
        self.exact, self.check = _inline(base, plain, self.limit)
        if self.exact is int and self.process is not None:
            self.exact, self.check = None, ""  # a number stands for something else
        if self.exact is bool and driver.vendor == "sqlite":
            self.process = None  # sqlite3 writes a bool as 0 or 1 by itself
        self.convert = self._make_convert(driver)
        self.load = loader(driver, field)

    def _make_convert(self, driver: Any) -> Convert:
        field, process, limit, takes_none = self.field, self.process, self.limit, self.takes_none
        prepare: Convert = _preparation(driver, field)
        ranged, least, most = self.check == "range", *self.range

        def convert(value: Any) -> Any:
            if value is None and not takes_none:
                return None
            if is_computed(value):
                raise NeedsStatement
            try:
                value = prepare(value)
                if limit and isinstance(value, str) and len(value) > limit:
                    too_long(field, value, limit)
                if ranged and isinstance(value, int) and not least <= value <= most:
                    out_of_range(field, value, least, most)
                return value if process is None or (value is None and not takes_none) else process(value)
            except (EmptyResultSet, FullResultSet):
                out_of_range(field, value, least, most)
            except (TypeError, ValueError, ValidationError, sqlalchemy.exc.StatementError) as error:
                raise locate(error, field) from error.__cause__

        return convert


def conversion(driver: Any, field: Any) -> Conversion:
    """Return the conversion of a field, from the driver's plans."""
    key = ("insert", "conversion", field.model, field.attname)
    found: Conversion | None = driver.plans.get(key)
    if found is None:
        found = driver.plans[key] = Conversion(driver, field)
    return found


def value_field(field: Any) -> Any:
    """Return the field whose kind of values this one holds.

    For a foreign key that is the field it refers to, for a generated column the one that says what is computed.
    """
    seen = 0
    while getattr(field, "is_relation", False) and seen < 20:
        field = field.target_field
        seen += 1
    return field.output_field if getattr(field, "generated", False) else field


def is_expression(value: Any) -> bool:
    """Tell whether a value is something that the database computes."""
    cls = value.__class__
    kind = _kinds.get(cls)
    return (_kind(cls) if kind is None else kind) == "expression"


def is_database_default(value: Any) -> bool:
    """Tell whether a value stands for "what the column's DEFAULT gives"."""
    return type(value).__name__ == "DatabaseDefault"


def is_computed(value: Any) -> bool:
    """Tell whether the database finds a value: that of an expression, or of the column's DEFAULT."""
    return is_expression(value) or is_database_default(value)


# Bounded by the number of classes whose instances are ever saved as values.
_kinds: weakref.WeakKeyDictionary[type[Any], str] = weakref.WeakKeyDictionary()


def _kind(cls: type[Any]) -> str:
    marks = ("resolve_expression", "as_term", "__clause_element__")
    expression = issubclass(cls, ClauseElement) or any(hasattr(cls, mark) for mark in marks)
    kind = _kinds[cls] = "expression" if expression and cls.__name__ != "DatabaseDefault" else "value"
    return kind


def has_database_default(field: Any) -> bool:
    """Tell whether the column has a DEFAULT (a generated key is another thing)."""
    default = field.sa_column.server_default
    return default is not None and not isinstance(default, sa.Identity)


def is_generated(field: Any) -> bool:
    """Tell whether the database makes a key when none is given."""
    column = field.sa_column
    return has_database_default(field) or column.table.autoincrement_column is column


def plain_type(type_: Any, dialect: Any) -> Any:
    """Return the type that reaches the database, with TypeDecorators taken off."""
    impl = type_.dialect_impl(dialect)
    while isinstance(impl, TypeDecorator):
        impl = impl.load_dialect_impl(dialect)
    return impl


def loader(driver: Any, field: Any) -> Convert | None:
    """Return what turns a value of the database into the field's, None when it stays as it is."""
    process = field.sa_column.type.dialect_impl(driver.dialect).result_processor(driver.dialect, None)
    reader = field.output_field if getattr(field, "generated", False) else field
    own = getattr(reader, "from_db_value", None)
    if own is None:
        return process  # type: ignore[no-any-return]

    def load(value: Any) -> Any:
        return own(value if process is None else process(value), None, driver.database)

    return load


def too_long(field: Any, value: str, limit: int) -> NoReturn:
    """Raise DataError for a text that the column can't hold."""
    raise DataError(
        f"Value too long for {field.model._meta.label}.{field.name} (max_length={limit}): "
        f"{len(value)} characters, beginning with {value[:20]!r}."
    )


def freeze(value: Any) -> Any:
    """Return a comparable, unchanging image of a parameter; types count, and so does the order of keys."""
    kind = value.__class__
    if kind in (list, tuple):
        return kind, tuple(freeze(item) for item in value)
    if kind is dict:
        return kind, tuple((freeze(key), freeze(item)) for key, item in value.items())
    if hasattr(value, "obj") and hasattr(value, "dumps"):  # psycopg's Json wrapper compares by identity
        return freeze(value.obj)
    if getattr(kind, "__eq__") is object.__eq__:  # noqa: B009 -- mypy compares the two signatures
        return object()  # equal to nothing: such a value counts as changed
    try:
        hash(value)
    except TypeError:
        return kind, copy.deepcopy(value)
    return kind, value


def _preparation(driver: Any, field: Any) -> Convert:
    """Return the field's own conversion, chosen by the class of the value."""
    database = driver.database
    known: dict[type, Convert | None] = {}

    def prepare(value: Any) -> Any:
        cls = value.__class__
        try:
            prep = known[cls]
        except KeyError:
            prep = known[cls] = field.save_prep_for(cls, database)
        return value if prep is None else prep(value)

    return prepare


def _inline(base: Any, plain: Any, limit: int) -> tuple[type | None, str]:
    """Return the class whose values need no conversion by the field, and what must be checked of them."""
    if not base.immutable or overridden(base.__class__, *_PREPARING):
        return None, ""
    if isinstance(plain, sa.Integer):
        return int, "range"
    if isinstance(base, DateTimeField):
        return datetime.datetime, "aware" if use_tz() else "naive"
    as_it_is = (
        base.__class__.get_prep_value is Field.get_prep_value and base.__class__.prep_for is Field.prep_for
    )
    if as_it_is:
        exact = next((cls for cls in _EXACT if _python_type(plain) is cls), None)
    else:
        exact = next((cls for cls in _EXACT if base.prep_for(cls) is None), None)
        if exact is not str and exact is not None and base.save_prep_for(exact) is not None:
            exact = None
    if exact is datetime.time:
        return exact, "naive"
    return exact, "length" if limit and exact is str else ""


def _python_type(type_: Any) -> Any:
    try:
        return type_.python_type
    except NotImplementedError:
        return None


def _length(type_: Any, driver: Any) -> int:
    """Return how many characters the column holds, 0 for no limit."""
    if isinstance(type_, sa.Enum):
        return 0
    plain = plain_type(type_, driver.dialect)
    if isinstance(plain, sa.String) and not isinstance(plain, (sa.Text, sa.Enum)):
        return plain.length or 0
    return 0
