"""QuerySet: which database is asked, and by whom."""

from __future__ import annotations

from typing import Any

from ormolu import databases
from ormolu.databases.routing import router
from ormolu.query.chain import Chain, M, R

__all__ = ["Asking"]


class Asking(Chain[M, R]):
    """Runs programs on the database of this query, or through the session that it is bound to."""

    def _alias(self) -> str:
        if self._for_write:
            return self._db or router.db_for_write(self.model, **self._hints)
        return router.alias_to_read(self.model, self._db, self._hints)

    @property
    def db(self) -> str:
        """The alias of the database that will be asked."""
        return self._alias()

    def _run(self, program: Any, *args: Any) -> Any:
        if self._binding is not None:
            return self._binding.run(program, *args)
        return databases.get(self._alias()).driver.run(program, *args)

    async def _arun(self, program: Any, *args: Any) -> Any:
        if self._binding is not None:
            return await self._binding.arun(program, *args)
        return await databases.get(self._alias()).adriver.arun(program, *args)
