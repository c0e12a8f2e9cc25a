"""What a user changes: insert, update, delete with on_delete, and the bulk forms, as sans-I/O programs.

Each program is a generator function `fn(driver, ...)` (see `ormolu.programs`); `driver.run(fn, ...)` or
`await driver.arun(fn, ...)` drives it. Nothing here opens a connection, and nothing imports the layers above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.writes import delete, overrides, save

__all__ = ["delete", "overrides", "save"]

if not TYPE_CHECKING:
    # Who declares a model imports on_delete; what writes rows is imported when the first row is written.
    __getattr__, __dir__ = door(__name__, {"": "delete overrides save"})
