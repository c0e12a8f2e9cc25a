"""Flash DB's names: `flash_db` becomes `ormolu.ports.flash_db`. The session is each call's first argument.

    async for db in get_db():
        user = await User.objects.create(db, name="Ann", email="ann@example.com")
        users = await User.objects.filter(User.name != "Ben").fetch(db)

As in the original, and unlike the rest of Ormolu:
- `get(db, ...)` raises DoesNotExistError or MultipleObjectsReturnedError, which are ValueErrors;
- a write through a session of `get_db()` is committed at once, unless it is inside `atomic(db)`; what is written
  in other ways (`db.add(...)`) is the caller's to commit. Sessions from elsewhere are flushed, and never committed.
  Where a write would have been committed and fails, the session's transaction is rolled back;
- `update(db, ...)` and `delete(db)` of a queryset without any condition raise ValueError: `all()` says that all rows
  are meant. `delete(db)` returns a number;
- `bulk_create(db, rows)` takes dictionaries, or objects;
- `clean()` of an object is called before it is written, by the bulk methods as well; one that it refuses leaves the
  session, so that no later flush writes it.

Other than in the original: sessions flush what is pending before they are read (autoflush); an unknown field or lookup
is an error; `updated_at` is set from the start; races of `get_or_create()` are settled; errors of the database keep
their class; text in lookups is escaped; `Meta`, signals, all lookups, annotations and the ambient doors of
Ormolu work on the same models: without a session as first argument, a method is the core's.
"""

from __future__ import annotations

from ormolu import F, Q, SoftDeleteMixin, TimestampMixin
from ormolu.exceptions import ValidationError
from ormolu.ports.flash_db.db import atomic, close_db, get_db, init_db
from ormolu.ports.flash_db.errors import DoesNotExistError, FlashDBError, MultipleObjectsReturnedError
from ormolu.ports.flash_db.models import Model, ModelManager
from ormolu.ports.flash_db.querysets import QuerySet
from ormolu.query.aggregates import Avg, Count, Max, Min, Sum
from ormolu.signals import post_delete, post_save, pre_delete, pre_save

__all__ = [
    "Avg",
    "Count",
    "DoesNotExistError",
    "F",
    "FlashDBError",
    "Max",
    "Min",
    "Model",
    "ModelManager",
    "MultipleObjectsReturnedError",
    "Q",
    "QuerySet",
    "SoftDeleteMixin",
    "Sum",
    "TimestampMixin",
    "ValidationError",
    "atomic",
    "close_db",
    "get_db",
    "init_db",
    "post_delete",
    "post_save",
    "pre_delete",
    "pre_save",
]
