"""A plugin of Alembic's: autogenerate leaves out the indexes that are for another kind of database.

Alembic finds it by itself (entry point `alembic.plugins`). Where Ormolu isn't installed as a package, `env.py` says:

    from alembic.runtime.plugins import Plugin
    from ormolu.contrib import alembic as ormolu_alembic

    Plugin.setup_plugin_from_module(ormolu_alembic, ormolu_alembic.NAME)
"""

from __future__ import annotations

from typing import Any

from ormolu.databases.config import need

__all__ = ["NAME", "setup"]

NAME = "alembic.autogenerate.ormolu"
"""The plugin's name: it is among those that are on without being asked for."""


def setup(plugin: Any) -> None:
    """Register the comparison. Called by Alembic."""
    priorities = need("alembic.util", "Alembic's plugin").DispatchPriority
    plugin.add_autogenerate_comparator(leave_out, "table", priority=priorities.LAST)


def leave_out(context: Any, changes: Any, schema: str | None, name: str, there: Any, wanted: Any) -> Any:
    """Take from a table's changes the new indexes whose `ddl_if()` is for another dialect."""
    result = need("alembic.util", "Alembic's plugin").PriorityDispatchResult.CONTINUE
    if wanted is None:
        return result
    others = {str(index.name) for index in wanted.indexes if _is_elsewhere(index, context.dialect.name)}
    changes.ops[:] = [
        op for op in changes.ops if type(op).__name__ != "CreateIndexOp" or str(op.index_name) not in others
    ]
    return result


def _is_elsewhere(index: Any, dialect: str) -> bool:
    condition = getattr(index, "_ddl_if", None)
    wanted = getattr(condition, "dialect", None)
    if wanted is None:
        return False
    return dialect not in ((wanted,) if isinstance(wanted, str) else wanted)
