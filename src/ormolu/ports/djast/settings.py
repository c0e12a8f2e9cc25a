"""`settings.DATABASES`: Ormolu's own setting. Where nothing configures a database, an SQLite file is the default.

Other than in the original, `OPTIONS` go to the driver's `connect()`; SQLAlchemy's are `ENGINE_OPTIONS`. What is changed
in a database's entry counts until the database is first used.
"""

from __future__ import annotations

from typing import Any

from ormolu.conf import settings as core

__all__ = ["settings"]


class Settings:
    """Ormolu's settings, with a default database."""

    def __init__(self) -> None:
        vars(self)["defaults"] = {"default": {"ENGINE": "sqlite", "NAME": "db.sqlite3"}}

    @property
    def DATABASES(self) -> dict[str, Any]:
        """The databases by alias. Change an entry before its first use, or assign all."""
        if not core.DATABASES:
            core.DATABASES = {alias: dict(entry) for alias, entry in vars(self)["defaults"].items()}
        found: dict[str, Any] = core.DATABASES
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(core, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(core, name, value)


settings = Settings()
