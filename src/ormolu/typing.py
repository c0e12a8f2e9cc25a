"""Names for annotations: what the value of a lookup may be. The files that `ormolu stubs` writes use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias, TypeVar

    from sqlalchemy.sql.elements import SQLCoreOperations

    from ormolu.query.combinable import Combinable
    from ormolu.query.queryset import QuerySet

    T = TypeVar("T")

    Computed: TypeAlias = Combinable | QuerySet[Any, Any] | SQLCoreOperations[Any]
    """What the database computes: an expression of ours or SQLAlchemy's, a queryset as a subquery."""

    Given: TypeAlias = T | Computed
    """A value, or what the database computes in its place: `age__gte=18`, `age__gte=F("years")`."""

    Among: TypeAlias = Iterable[T | Computed] | Computed
    """Several values, for `__in`."""

    Between: TypeAlias = tuple[T | Computed, T | Computed] | list[T]
    """Two values, for `__range`."""

else:

    class _Anything:
        """Stands for a type at run time, where nobody asks."""

        def __class_getitem__(cls, item):
            return cls

    Computed = Given = Among = Between = _Anything

__all__ = ["Among", "Between", "Computed", "Given"]
