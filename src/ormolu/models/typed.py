"""`TypedModel`: models whose constructor and `objects.create()` type checkers know, with no plugin.

At run time it is Model, but that it takes keywords only. To type checkers each annotated field is a parameter of the
constructor (PEP 681), and `objects` a manager that knows the constructor's parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, dataclass_transform

from ormolu.exceptions import FieldError
from ormolu.fields.base import Field
from ormolu.models.base import Model, ModelBase

__all__ = ["TypedModel", "key_of"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import DeclarativeBase, mapped_column, relationship
    from typing_extensions import ParamSpec, TypeVar

    from ormolu import fields
    from ormolu.fields import hstore, ranges, vectors
    from ormolu.models.foreign_objects import ForeignObject
    from ormolu.models.manager import Manager
    from ormolu.models.relations import ForeignKey, OneToOneField
    from ormolu.models.validation import Validation

    M = TypeVar("M")
    P = ParamSpec("P", default=...)

    MYPY = False  # mypy takes it for True

    if False:
        # What mypy alone reads. It tells a descriptor in a class body nothing of the class's constructor, but a
        # property of the metaclass, where no base has an attribute of that name: hence not Model. To the others such
        # a property would hide a manager of the class's own.
        class _WithObjects(ModelBase):
            @property
            def objects(cls: Callable[P, M]) -> Manager[M, P]: ...

        class _Base(Validation, DeclarativeBase, metaclass=_WithObjects):
            """Model, without its `objects`."""

    elif not MYPY:
        _Base = Model

    # fmt: off
    @dataclass_transform(
        kw_only_default=True,
        # Not among them: what need not be given (AutoField and its kin), and what can't be (ManyToManyField).
        field_specifiers=(
            fields.ArrayField, fields.BigIntegerField, fields.BinaryField, fields.BooleanField, fields.CharField,
            fields.DateField, fields.DateTimeField, fields.DecimalField, fields.DurationField, fields.EmailField,
            fields.EnumField, fields.Field, fields.FileField, fields.FilePathField, fields.FloatField,
            fields.GenericIPAddressField, fields.ImageField, fields.IntegerField, fields.JSONField,
            fields.PositiveBigIntegerField, fields.PositiveIntegerField, fields.PositiveSmallIntegerField,
            fields.SlugField, fields.SmallIntegerField, fields.TextField, fields.TimeField, fields.URLField,
            fields.UUIDField, ForeignKey, OneToOneField, ForeignObject,
            hstore.HStoreField, ranges.BigIntegerRangeField, ranges.DateRangeField, ranges.DateTimeRangeField,
            ranges.DecimalRangeField, ranges.IntegerRangeField, vectors.VectorField, mapped_column, relationship,
        ),
    )
    class _Checked(_Base):  # pyright: ignore[reportPossiblyUnboundVariable]
        """What tells checkers of the constructor."""
    # fmt: on

else:
    _Checked = Model


class TypedModel(_Checked):
    """Base of models whose annotated fields are checked when objects are made.

    `name: Mapped[str] = CharField(max_length=100)`: `Author(nam="Ann")`, `Author(name=3)` and
    `Author.objects.create()` are errors to type checkers. A field with `default` need not be given; one with
    `init=False` isn't in the constructor for checkers. Annotate a manager, and a ManyToManyField, as ClassVar.
    At run time it is a Model; its constructor takes keywords only.
    """

    _is_root = True
    _keyword_only = True
    __abstract__ = True


def key_of(relation: Any) -> Any:
    """Declare the attribute that holds the key of a relation: `author_id: Mapped[int] = key_of(author)`.

    The attribute exists anyway; this tells type checkers of it, and that it need not be given. `relation` is the
    ForeignKey or OneToOneField of the same class body. Raises FieldError if its key is called otherwise.
    """
    return _KeyOf(relation)


class _KeyOf:
    """What stands in a class body for an attribute that a relation makes."""

    def __init__(self, relation: Any) -> None:
        if not (isinstance(relation, Field) and relation.is_relation):
            raise TypeError(
                f"key_of() takes a ForeignKey or OneToOneField of the class body, not {relation!r}."
            )
        self.relation: Any = relation
        self.relation.key_is_named = True

    def contribute_to_class(self, cls: Any, name: str) -> None:
        """Leave the place to the relation's column."""
        attname = self.relation.get_attname()
        if name != attname:
            raise FieldError(
                f"{cls.__name__}.{name} can't be the key of {self.relation.name!r}: that is called {attname!r}."
            )
        type.__delattr__(cls, name)
