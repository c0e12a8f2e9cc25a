"""`DatabaseConfig`: where a database is, as a Pydantic model with Achemy's names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, make_url

from ormolu.exceptions import MissingExtra

try:
    from pydantic import BaseModel, ConfigDict, Field
except ImportError as error:
    raise MissingExtra(extra="pydantic", package="pydantic", purpose="ormolu.ports.achemy.config") from error

__all__ = ["DatabaseConfig"]


class DatabaseConfig(BaseModel):
    """One database. `dsn` is its URL, if it is known as one; then the other parts aren't read."""

    model_config = ConfigDict(extra="allow")

    db: str = "achemy"
    user: str = "achemy"
    password: str = "achemy"
    host: str = "localhost"
    port: int = 5432
    params: dict[str, str] = Field(default_factory=dict)
    dialect: str = "postgresql"
    driver: str = "asyncpg"
    connect_timeout: int = 10
    create_engine_kwargs: dict[str, Any] = Field(default_factory=dict)
    debug: bool = False
    default_schema: str = "public"
    dsn: str | None = None

    def url(self) -> URL:
        """Return SQLAlchemy's URL. Any character may be in a password; SQLite's is the path alone."""
        if self.dsn is not None:
            return make_url(self.dsn)
        name = f"{self.dialect}+{self.driver}" if self.driver else self.dialect
        if self.dialect == "sqlite":
            return URL.create("sqlite+aiosqlite", database=self.db, query=dict(self.params))
        return URL.create(
            name, self.user, self.password, self.host, self.port, self.db, query=dict(self.params)
        )

    def uri(self) -> str:
        """Return the URL as text, with the password."""
        return self.url().render_as_string(hide_password=False)

    build_dsn = uri
