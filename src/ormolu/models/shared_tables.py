"""Several models over one table: one of them at most is managed, and has its `Table` in the registry's MetaData."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ormolu.conf import settings
from ormolu.exceptions import FieldError


def choose_metadata(cls: type[Any], meta: Any) -> None:
    """Give a class about to be mapped a MetaData of its own where another model has the table of that name.

    What the registry's MetaData describes is then the managed one's table, whichever was defined first. Raises
    FieldError where both are managed, unless DATABASE_ROUTERS may send them to different databases.
    """
    known = meta.apps.metadata.tables.get(table_key(cls, meta))
    if known is None:
        return
    other = next((m for m in meta.apps.get_models(include_auto_created=True) if m._meta.table is known), None)
    if other is None and meta.managed:
        return  # a table of the user's own: SQLAlchemy says what is wrong
    if meta.managed and other is not None and other._meta.managed and not settings.DATABASE_ROUTERS:
        raise FieldError(
            f"db_table '{known.name}' is used by multiple models: {other._meta.label}, {meta.label}. Let one of them "
            "leave the table to the other by Meta.managed = False, or derive it from the other with Meta.proxy = True."
        )
    if meta.managed and other is not None and not other._meta.managed:
        meta.apps.metadata.remove(known)
        known.metadata = beside(meta.apps.metadata)
    else:
        type.__setattr__(cls, "metadata", beside(meta.apps.metadata))


def table_key(cls: type[Any], meta: Any) -> str:
    """Return the key that a class's table will have in a MetaData: its name, with the schema."""
    arguments: Any = vars(cls).get("__table_args__")
    options: Any = arguments[-1] if arguments.__class__ is tuple and arguments else arguments
    schema: Any = options.get("schema") if options.__class__ is dict else None
    schema = schema or meta.apps.metadata.schema
    name = str(vars(cls)["__tablename__"])
    return f"{schema}.{name}" if schema else name


def beside(metadata: sa.MetaData) -> sa.MetaData:
    """Return an empty MetaData that names things as another does."""
    return sa.MetaData(schema=metadata.schema, naming_convention=metadata.naming_convention)
