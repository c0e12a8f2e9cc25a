"""Tables made by files that are kept with the program: `ormolu makemigrations` writes them, `ormolu migrate` runs them.

This much is here so far: migrations create the tables of models that are new. A model that differs from what its
application's files say is an error that names the difference (`MigrationError`): change such a table with Alembic, or
with `connection.schema_editor()`.

Source of the files' form: Django's documentation, "Migrations".
"""

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.migrations.files import Migration
    from ormolu.migrations.making import make_migrations
    from ormolu.migrations.running import migrate
    from ormolu.migrations.states import CreateModel, MigrationError

__all__ = ["CreateModel", "Migration", "MigrationError", "make_migrations", "migrate"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = door(
        __name__,
        {
            "files": "Migration",
            "making": "make_migrations",
            "running": "migrate",
            "states": "CreateModel MigrationError",
        },
    )
