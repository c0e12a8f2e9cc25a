"""Tables made and dropped in both worlds, by the names that applications of plain SQLAlchemy use."""

from ormolu.models.tables import acreate_tables as create_tables_async
from ormolu.models.tables import adrop_tables as drop_tables_async
from ormolu.models.tables import create_tables, drop_tables

__all__ = ["create_tables", "create_tables_async", "drop_tables", "drop_tables_async"]
