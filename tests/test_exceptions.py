"""Errors are Django's and SQLAlchemy's at once."""

import pickle

import pytest
import sqlalchemy.exc

from ormolu import exceptions
from ormolu.exceptions import NON_FIELD_ERRORS, ValidationError

DATABASE_ERRORS = [
    "DataError",
    "DatabaseError",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
]


@pytest.mark.parametrize("name", DATABASE_ERRORS)
def test_database_errors_are_sqlalchemys(name: str) -> None:
    """Each is a subclass of SQLAlchemy's class of the same name, and of our Error."""
    cls = getattr(exceptions, name)
    assert issubclass(cls, getattr(sqlalchemy.exc, name))
    assert issubclass(cls, exceptions.Error)
    assert str(cls("text")) == "text"
    assert cls("text").args == ("text",)


def test_the_drivers_error_is_kept() -> None:
    """Statement, params and the driver's error are there, also after pickling."""
    orig = ValueError("from the driver")
    error = exceptions.IntegrityError("taken", statement="INSERT", params=(1,), orig=orig)
    assert error.__cause__ is error.orig is orig
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.statement, again.params) == ("taken", "INSERT", (1,))


def test_deletion_errors_hold_the_rows() -> None:
    """ProtectedError and RestrictedError are IntegrityErrors with the rows in the way."""
    error = exceptions.ProtectedError("in the way", {"row"})
    assert isinstance(error, sqlalchemy.exc.IntegrityError)
    assert pickle.loads(pickle.dumps(error)).protected_objects == {"row"}
    assert exceptions.RestrictedError("in the way", {"row"}).restricted_objects == {"row"}


def test_not_loaded_is_no_attribute_error() -> None:
    """hasattr() must not hide that something is not loaded."""
    error = exceptions.NotLoaded(model="Book", attribute="author", cure='use select_related("author")')
    assert not isinstance(error, AttributeError)
    assert str(error) == 'Book.author is not loaded; use select_related("author")'


def test_missing_extra_has_the_command() -> None:
    """The message says what to install."""
    error = exceptions.MissingExtra(extra="postgres", package="psycopg", purpose="PostgreSQL")
    assert (
        str(error) == "PostgreSQL needs 'psycopg', which is not installed. "
        'Install it with: pip install "ormolu[postgres]"'
    )


def test_query_errors_are_value_errors() -> None:
    """What a caller gave is wrong: ValueError catches it."""
    for cls in (exceptions.ObjectDoesNotExist, exceptions.MultipleObjectsReturned, exceptions.FieldError):
        assert issubclass(cls, ValueError)


def test_one_error() -> None:
    """A text has message, code and params, which fill it."""
    error = ValidationError("At most %(limit)s", code="max", params={"limit": 3})
    assert (error.message, error.code, error.messages) == ("At most %(limit)s", "max", ["At most 3"])
    assert list(error) == ["At most 3"]
    assert not hasattr(error, "error_dict")
    with pytest.raises(AttributeError):
        _ = error.message_dict


def test_lists_are_flattened() -> None:
    """A list may hold texts, errors, lists and dicts; the result is one flat list."""
    error = ValidationError(
        ["a", ValidationError("b", code="x"), ValidationError({"f": ["c"]}), ValidationError(["d"])]
    )
    assert error.messages == ["a", "b", "c", "d"]
    assert [one.code for one in error.error_list] == [None, "x", None, None]
    assert str(error) == "['a', 'b', 'c', 'd']"


def test_errors_by_field() -> None:
    """A dict keeps the fields; other errors can be merged into it."""
    error = ValidationError({"f": "a", "g": ["b", "c"]})
    assert error.message_dict == dict(error) == {"f": ["a"], "g": ["b", "c"]}
    assert repr(error) == "ValidationError({'f': ['a'], 'g': ['b', 'c']})"
    merged = ValidationError("d").update_error_dict(error.update_error_dict({}))
    assert ValidationError(merged).message_dict == {"f": ["a"], "g": ["b", "c"], NON_FIELD_ERRORS: ["d"]}
    assert ValidationError(error).message_dict == error.message_dict


def test_equality() -> None:
    """Errors are equal by content, lists in any order."""
    assert ValidationError("a", code="x", params={"p": [1]}) == ValidationError(
        "a", code="x", params={"p": [1]}
    )
    assert ValidationError("a", code="x") != ValidationError("a", code="y")
    assert ValidationError(["a", "b"]) == ValidationError(["b", "a"])
    assert hash(ValidationError({"f": ["a"]})) == hash(ValidationError({"f": ["a"]}))
    assert ValidationError("a") != "a"
