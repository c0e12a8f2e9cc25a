"""`dorm.models`: the base of djanorm's models.

It differs from `ormolu.Model` in three things: a new instance's unique fields are checked before it is saved; Meta
options of abstract bases count in the models that derive from them, unless those say otherwise; the errors of several
fields have a `message`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from ormolu.exceptions import ValidationError
from ormolu.models.base import Model as CoreModel
from ormolu.models.base import ModelBase
from ormolu.models.options import Options
from ormolu.ports.djanorm.exceptions import FieldErrors
from ormolu.ports.djanorm.manager import Manager, Objects
from ormolu.writes.overrides import librarys

__all__ = ["Model", "ModelBase", "Options"]

_OWN = frozenset({"abstract", "db_table"})
"""Options that say something of one class alone."""


class Model(CoreModel):
    """Base of models as djanorm has them."""

    if TYPE_CHECKING:
        objects: ClassVar = Objects()
    else:
        objects = Manager()

    class Meta:
        abstract = True
        validate_on_save = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        _take_over_options(cls)
        super().__init_subclass__(**kwargs)

    @librarys
    def full_clean(
        self,
        exclude: Iterable[str] | None = None,
        validate_unique: bool = True,
        validate_constraints: bool = True,
    ) -> None:
        """Clean the fields, the object, uniqueness and constraints. Raises ValidationError, with a `message`."""
        with _with_message():
            super().full_clean(exclude, validate_unique, validate_constraints)

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Convert and validate each field's value. Raises ValidationError, with a `message`."""
        with _with_message():
            super().clean_fields(exclude)

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Check that no other row has this object's unique values. Raises ValidationError, with a `message`."""
        with _with_message():
            super().validate_unique(exclude)


@contextlib.contextmanager
def _with_message() -> Generator[None, None, None]:
    try:
        yield
    except FieldErrors:
        raise
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        raise FieldErrors(error) from error.__cause__


def _take_over_options(cls: type[Any]) -> None:
    """Give a class about to be made a Meta with the options of its abstract bases that it doesn't set itself."""
    own: Any = vars(cls).get("Meta")
    found: dict[str, Any] = {}
    for base in cls.__mro__[1:]:
        meta: Any = vars(base).get("_meta")
        if meta is not None and meta.abstract:
            for name, value in meta.original_attrs.items():
                if name not in _OWN and not hasattr(own, name):
                    found.setdefault(name, value)
    if found:
        type.__setattr__(cls, "Meta", type("Meta", () if own is None else (own,), found))
