"""libpq's words for connection options, as asyncpg's arguments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

__all__ = ["asyncpg_arguments"]


def asyncpg_arguments(url: sa.URL, connect_args: dict[str, Any]) -> sa.URL:
    """Turn options in libpq's words (sslmode, connect_timeout, ...) into asyncpg's."""
    options: dict[str, Any] = {**url.query, **connect_args}
    connect_args.clear()
    settings: dict[str, str] = dict(options.pop("server_settings", None) or {})
    for name, value in options.items():
        if name == "sslmode":
            connect_args["ssl"] = value
        elif name == "connect_timeout":
            connect_args["timeout"] = float(value)
        elif name == "application_name":
            settings[name] = str(value)
        elif name == "isolation_level":
            level = str(getattr(value, "name", value)).lower().replace("_", " ")
            settings["default_transaction_isolation"] = level
        elif name == "options":
            for part in str(value).split("-c"):
                key, equals, text = part.strip().partition("=")
                if equals:
                    settings[key.strip()] = text.strip().replace("\\ ", " ")
        elif name == "prepare_threshold":
            if value is None:  # psycopg's way to say: never prepare, there is a PgBouncer
                connect_args |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
        elif name not in ("server_side_binding", "binary", "autocommit"):
            connect_args[name] = value
    if settings:
        connect_args["server_settings"] = settings
    connect_args.setdefault("statement_cache_size", 512)
    for name in ("statement_cache_size", "prepared_statement_cache_size", "max_cached_statement_lifetime"):
        if isinstance(connect_args.get(name), str):
            connect_args[name] = int(connect_args[name])
    return url.set(query={})
