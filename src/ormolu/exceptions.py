"""Every error that Ormolu raises, under Django's names where Django has one.

Database errors (`IntegrityError`, `OperationalError`, ...) are also SQLAlchemy's errors of the same name, so
code written against either library catches them. The driver's own error is the `__cause__`, and `orig`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy.exc

__all__ = [
    "NON_FIELD_ERRORS",
    "AppRegistryNotReady",
    "DataError",
    "DatabaseError",
    "EmptyResultSet",
    "Error",
    "FieldDoesNotExist",
    "FieldError",
    "OutputFieldIsNoneError",
    "FieldFetchBlocked",
    "FullResultSet",
    "ImproperlyConfigured",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "InvalidCursor",
    "LockNotAvailable",
    "MissingExtra",
    "MultipleObjectsReturned",
    "NotLoaded",
    "NotSupportedError",
    "ObjectDoesNotExist",
    "OperationalError",
    "OutOfRange",
    "OuterMissing",
    "ProgrammingError",
    "ProtectedError",
    "RestrictedError",
    "ServerUnreachable",
    "StaleObjectError",
    "SuspiciousFileOperation",
    "SuspiciousOperation",
    "SyncInAsyncWarning",
    "SynchronousOnlyOperation",
    "TransactionManagementError",
    "UnresolvedRelation",
    "ValidationError",
]

NON_FIELD_ERRORS = "__all__"
"""Key of `ValidationError.error_dict` for errors that belong to no single field."""


class ObjectDoesNotExist(ValueError):
    """No row matched a query that needs one. Each model has a subclass of its own, `Model.DoesNotExist`."""


class MultipleObjectsReturned(ValueError):
    """Several rows matched a query that needs exactly one. Each model has its own subclass."""


class FieldDoesNotExist(Exception):
    """A model has no field of that name."""


class FieldError(ValueError):
    """A query names a field, lookup or expression that the model does not offer, or not there."""


class OutputFieldIsNoneError(FieldError):
    """The type of an expression can't be told: it needs an `output_field`."""


class InvalidCursor(ValueError):
    """A text that is no cursor, or one of another ordering: see `QuerySet.after()`."""


class EmptyResultSet(Exception):
    """A condition that no row can meet: the answer needs no database. Caught inside the library."""


class FullResultSet(Exception):
    """A condition that every row meets. Caught inside the library."""


class OuterMissing(ValueError):
    """A reference to an enclosing query, and there is none (yet: the query may become a part of one)."""


class NotLoaded(RuntimeError):
    """An attribute is not loaded, and loading it here would be I/O that nobody awaited.

    It does not derive from AttributeError: `hasattr()` and `getattr()` with a default must not hide it.
    """

    def __init__(self, message: str = "", *, model: str = "", attribute: str = "", cure: str = "") -> None:
        self.model = model
        self.attribute = attribute
        self.cure = cure
        super().__init__(message or f"{model}.{attribute} is not loaded; {cure}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__dict__


class FieldFetchBlocked(NotLoaded, FieldError):
    """An attribute is not loaded, and the object's fetch mode forbids to load it. Source: Django 6.1."""


class ImproperlyConfigured(Exception):
    """A setting, a model or a relation is declared in a way that cannot work."""


class UnresolvedRelation(ImproperlyConfigured):
    """A relation names a model that is not defined (or not yet imported)."""


class AppRegistryNotReady(ImproperlyConfigured):
    """Models are asked for before all of them are imported."""


class MissingExtra(ImportError):
    """An optional dependency is not installed. The message has the pip command that installs it."""

    def __init__(self, message: str = "", *, extra: str = "", package: str = "", purpose: str = "") -> None:
        self.extra = extra
        if not message:
            what = purpose or f"The extra {extra!r}"
            needs = f" needs {package!r}, which is not installed" if package else " is not installed"
            message = f'{what}{needs}. Install it with: pip install "ormolu[{extra}]"'
        super().__init__(message, name=package or None)


class SuspiciousOperation(Exception):
    """Input that looks like an attempt to break out of where it belongs."""


class SuspiciousFileOperation(SuspiciousOperation):
    """A file name that points outside of its folder."""


class SynchronousOnlyOperation(RuntimeError):
    """A blocking call was made inside a running event loop, and the settings forbid that."""


class SyncInAsyncWarning(RuntimeWarning):
    """A blocking call was made inside a running event loop: every other task waits for it."""


class Error(sqlalchemy.exc.DBAPIError):
    """Base of all errors that a database reports.

    Made either from a text, `IntegrityError("duplicate sku")`, or with what caused it:
    `IntegrityError(str(orig), statement=sql, params=params, orig=orig)`. `str()` gives the text alone.
    """

    # SQLAlchemy appends a link for every error that has a code; ours say what to do themselves.
    code: Any = None
    _retryable: bool | None = None

    def __init__(
        self,
        *args: object,
        statement: str | None = None,
        params: Any = None,
        orig: BaseException | None = None,
        connection_invalidated: bool = False,
    ) -> None:
        # DBAPIError.__init__ would turn the driver's error into the message; the texts here are the caller's.
        Exception.__init__(self, *args)
        self.statement = statement
        self.params = params
        self.orig = orig if isinstance(orig, Exception) else None
        self.ismulti = None
        self.hide_parameters = False
        self.connection_invalidated = connection_invalidated
        self.detail = []
        if orig is not None:
            self.__cause__ = orig

    @property
    def retryable(self) -> bool:
        """Whether the same transaction may succeed when it is run again: it lost against another one.

        True for serialization failures and deadlocks: SQLSTATE 40001 and 40P01; 1020, 1205 and 1213 of MariaDB and
        MySQL; on SQLite a write in a transaction that began by reading, after another connection has written.
        Nothing of such a transaction is kept, and `atomic(retries=...)` goes by this.
        """
        if self._retryable is None:
            self._retryable = _lost(self.orig)
        return self._retryable

    @retryable.setter
    def retryable(self, value: bool) -> None:
        self._retryable = value

    def __str__(self) -> str:
        text = Exception.__str__(self)
        return "\n".join([text, *self.detail]) if self.detail else text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__dict__


_SQLITE_BUSY_SNAPSHOT = 517


def _lost(orig: BaseException | None) -> bool:
    """Say whether a driver's error is that of a transaction that lost against another one."""
    state = getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None)
    if state is not None:
        return state in ("40001", "40P01")
    if getattr(orig, "sqlite_errorcode", None) == _SQLITE_BUSY_SNAPSHOT:
        return True
    number = orig.args[0] if orig is not None and orig.args else None
    return type(orig).__module__.startswith(("pymysql", "MySQLdb", "mysql.", "asyncmy", "mariadb")) and (
        number in (1020, 1205, 1213)
    )


class InterfaceError(Error, sqlalchemy.exc.InterfaceError):
    """The driver was used wrongly, or its connection is closed."""


class DatabaseError(Error, sqlalchemy.exc.DatabaseError):
    """Base of the errors that the database itself reports."""


class DataError(DatabaseError, sqlalchemy.exc.DataError):
    """A value does not fit: too long, out of range, division by zero."""


class OutOfRange(DataError, OverflowError):
    """A number is too large, or too small, for its column."""


class OperationalError(DatabaseError, sqlalchemy.exc.OperationalError):
    """The database could not do it now: locked, gone, out of space, no such table (SQLite)."""


class LockNotAvailable(OperationalError):
    """A lock is held by somebody else, and was not to be had in the time that the caller gave."""


class IntegrityError(DatabaseError, sqlalchemy.exc.IntegrityError):
    """A constraint (unique, foreign key, not null, check) forbids the change."""


class InternalError(DatabaseError, sqlalchemy.exc.InternalError):
    """The database met an inner error, such as an invalid cursor."""


class ProgrammingError(DatabaseError, sqlalchemy.exc.ProgrammingError):
    """The SQL is wrong: a syntax error, an unknown table, too many parameters."""


class NotSupportedError(DatabaseError, sqlalchemy.exc.NotSupportedError):
    """This database has no such feature."""


class ServerUnreachable(OperationalError):
    """The database server could not be reached; the message names the alias and the address."""


class TransactionManagementError(ProgrammingError):
    """Transactions were used in a way that would lose data."""


class StaleObjectError(DatabaseError):
    """A row was changed or removed by somebody else since it was loaded: see `Meta.version_field`.

    `model`, `key`, the `expected` version, and the one that was `found`, None where the row is gone. Nothing was
    written. Load the object again and decide what is to become of its changes.
    """

    def __init__(
        self, *args: object, model: Any = None, key: Any = None, expected: Any = None, found: Any = None
    ) -> None:
        self.model = model
        self.key = key
        self.expected = expected
        self.found = found
        if not args:
            what = "the row is gone" if found is None else f"the row has version {found}"
            args = (
                f"{model._meta.label} with key {key!r} was changed by somebody else: the object has version "
                f"{expected}, {what}. Load it again with refresh_from_db() before saving.",
            )
        super().__init__(*args)


class ProtectedError(IntegrityError):
    """Rows can't be deleted: others refer to them through `on_delete=PROTECT`."""

    def __init__(self, msg: object, protected_objects: Collection[Any]) -> None:
        self.protected_objects = protected_objects
        super().__init__(msg, protected_objects)


class RestrictedError(IntegrityError):
    """Rows can't be deleted: others refer to them through `on_delete=RESTRICT`."""

    def __init__(self, msg: object, restricted_objects: Collection[Any]) -> None:
        self.restricted_objects = restricted_objects
        super().__init__(msg, restricted_objects)


class ValidationError(Exception):
    """One error, a list of them, or errors by field; which of the three decides the attributes that exist.

    - one text: `message`, `code`, `params`, and `error_list == [self]`;
    - a list: `error_list`, flat, each item a `ValidationError` with a `message`;
    - a dict of field name to any of these: `error_dict`, field name to flat list.

    `messages` is a flat list of texts for all three. `params` fill the text's `%(name)s` when it is read.
    Source: Django's documentation, "Form and field validation" and "Model instance reference".
    """

    message: Any
    code: str | None
    params: Mapping[str, Any] | None
    error_list: list[ValidationError]
    error_dict: dict[str, list[ValidationError]]

    def __init__(
        self, message: Any, code: str | None = None, params: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, code, params)
        by_field: Any = message
        if isinstance(message, ValidationError):
            self._copy_from(message)
        elif isinstance(message, dict):
            self.error_dict = {name: _flatten(errors) for name, errors in by_field.items()}
        elif isinstance(message, list):
            self.error_list = _flatten(by_field)
        else:
            self.message = message
            self.code = code
            self.params = params
            self.error_list = [self]

    def _copy_from(self, other: ValidationError) -> None:
        if hasattr(other, "error_dict"):
            self.error_dict = {name: list(errors) for name, errors in other.error_dict.items()}
        elif hasattr(other, "message"):
            self.message, self.code, self.params = other.message, other.code, other.params
            self.error_list = [self]
        else:
            self.error_list = list(other.error_list)

    @property
    def message_dict(self) -> dict[str, list[str]]:
        """Texts by field name. Raises AttributeError for an error that is not by field."""
        return {name: _texts(errors) for name, errors in self.error_dict.items()}

    @property
    def messages(self) -> list[str]:
        """All texts, in order."""
        return _texts(_flatten(self))

    def update_error_dict(
        self, error_dict: dict[str, list[ValidationError]]
    ) -> dict[str, list[ValidationError]]:
        """Add these errors to `error_dict`, those of no field under NON_FIELD_ERRORS, and return it."""
        mine = self.error_dict if hasattr(self, "error_dict") else {NON_FIELD_ERRORS: self.error_list}
        for name, errors in mine.items():
            error_dict.setdefault(name, []).extend(errors)
        return error_dict

    def __iter__(self) -> Iterator[Any]:
        """Yield texts, or (field name, texts) pairs of an error by field, so that `dict(error)` works."""
        if hasattr(self, "error_dict"):
            yield from self.message_dict.items()
        else:
            yield from _texts(self.error_list)

    def __str__(self) -> str:
        return repr(self.message_dict if hasattr(self, "error_dict") else self.messages)

    def __repr__(self) -> str:
        return f"ValidationError({self})"

    def comparison_key(self) -> object:
        """Return what equality means: the same errors, a list's in any order, params of equal content."""
        if hasattr(self, "message"):
            return str(self.message), self.code, _frozen(self.params)
        if hasattr(self, "error_dict"):
            return frozenset((name, tuple(_sorted_keys(errors))) for name, errors in self.error_dict.items())
        return tuple(_sorted_keys(self.error_list))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ValidationError):
            return NotImplemented
        return self.comparison_key() == other.comparison_key()

    def __hash__(self) -> int:
        return hash(self.comparison_key())


def _flatten(errors: Any) -> list[ValidationError]:
    """Return every single-message error inside `errors`."""
    items: Any = errors
    if isinstance(errors, ValidationError):
        if hasattr(errors, "error_dict"):
            return [error for listed in errors.error_dict.values() for error in listed]
        return list(errors.error_list)
    if isinstance(errors, dict):
        return _flatten(ValidationError(errors))
    if isinstance(errors, list):
        return [error for item in items for error in _flatten(item)]
    return [ValidationError(errors)]


def _texts(errors: Iterable[ValidationError]) -> list[str]:
    return [str(error.message % error.params) if error.params else str(error.message) for error in errors]


def _sorted_keys(errors: Iterable[ValidationError]) -> list[object]:
    return sorted((error.comparison_key() for error in errors), key=repr)


def _frozen(value: Any) -> Any:
    """Return a hashable equivalent of a params value."""
    items: Any = value
    if isinstance(value, Mapping):
        return frozenset((key, _frozen(item)) for key, item in items.items())
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(item) for item in items)
    if isinstance(value, (set, frozenset)):
        return frozenset(_frozen(item) for item in items)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value
