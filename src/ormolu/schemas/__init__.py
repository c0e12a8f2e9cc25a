"""Pydantic schemas of models: what an API takes and gives, with the models' own rules. Needs the extra `pydantic`.

`Schema` with a `class Meta`, `schema_for()` for one that needs no class, `queryset.as_schema()` to read rows as schemas
with the columns and relations that these need and no others, and `generate()`, which writes schema modules as source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ormolu.lazy import door

if TYPE_CHECKING:
    from ormolu.schemas.base import Schema
    from ormolu.schemas.making import get_schema, schema_for
    from ormolu.schemas.needs import Needs, needs_of
    from ormolu.schemas.source import generate

__all__ = ["Needs", "Schema", "generate", "get_schema", "needs_of", "schema_for"]

if not TYPE_CHECKING:
    _find, __dir__ = door(
        __name__,
        {
            "base": "Schema",
            "making": "get_schema schema_for",
            "needs": "Needs needs_of",
            "source": "generate",
        },
    )

    def __getattr__(name: str) -> Any:
        try:
            return _find(name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in ("pydantic", "pydantic_core"):
                raise
            from ormolu.exceptions import MissingExtra

            raise MissingExtra(extra="pydantic", package="pydantic", purpose="ormolu.schemas") from error
