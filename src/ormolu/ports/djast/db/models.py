"""`Base`, `Model`, `Manager` and `TimestampMixin`. What differs from the core is said in `ormolu.ports.djast`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import isawaitable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import Mapped, mapped_column

import ormolu
from ormolu.fields import DateTimeField
from ormolu.fields.types import DateTimeType
from ormolu.ports.djast.db.managers import Manager
from ormolu.query.binding import is_session

__all__ = ["Base", "Manager", "Model", "TimestampMixin"]


class Base(AsyncAttrs, ormolu.Model):
    """A model whose table is named for its package and its class, and whose relations can be awaited.

    `myapp.models.OrderLine` is the table `myapp_order_line`; a `__tablename__`, or `Meta.db_table`, says another name.
    `await item.awaitable_attrs.lines` loads a relation. It has `objects(session)`.
    """

    __abstract__ = True
    objects = Manager[Any]()

    def __init_subclass__(cls, **options: Any) -> None:
        body, meta = vars(cls), vars(cls).get("Meta")
        abstract = body.get("__abstract__") or getattr(meta, "abstract", False)
        named = any(hasattr(cls, name) for name in ("__tablename__", "__table__"))
        if not abstract and not named and not getattr(meta, "db_table", None):
            cls.__tablename__ = table_name(cls)
        super().__init_subclass__(**options)


def table_name(cls: type[Any]) -> str:
    """Return the name of a class's table: the segment of its module before the last, and the class in snake case."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
    parts = cls.__module__.split(".")
    return f"{parts[-2]}_{snake}" if len(parts) > 1 else snake


class Model(Base):
    """A model with an integer key, instance methods that take a session, and a schema."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True, index=True)

    def save(self, *args: Any, **options: Any) -> Any:
        """Add and flush, and load the row again: `await item.save(session)`. Nothing commits.

        Without a session it is the core's `save()`.
        """
        if not args or not is_session(args[0]):
            return super().save(*args, **options)
        return loading_again(self, args[0], super().save(*args, **options))

    @classmethod
    def get_schema(cls, exclude: Iterable[str] | None = None) -> type[Any]:
        """Return a Pydantic model of the columns, to be read from instances. Needs the extra `pydantic`."""
        from ormolu.ports.djast.db.schemas import schema_of

        return schema_of(cls, set(exclude or ()))


def loading_again(instance: Any, session: Any, saved: Any) -> Any:
    """Load an instance after it was saved; a coroutine, where saving is one."""
    if not isawaitable(saved):
        instance.refresh(session)
        return None

    async def save_and_load() -> None:
        await saved
        await instance.refresh(session)

    return save_and_load()


class StampField(DateTimeField):
    """A DateTimeField whose column has the present as the server's default as well."""

    def make_column(self) -> sa.Column[Any]:
        """Return the column."""
        column = super().make_column()
        column.type = DateTimeType(timezone=True)
        column.server_default = sa.DefaultClause(sa.func.now())
        return column


class TimestampMixin:
    """`created_at` and `updated_at`: aware, set when a row is inserted, the second one at each change, too."""

    created_at = StampField(auto_now_add=True)
    updated_at = StampField(auto_now=True)
