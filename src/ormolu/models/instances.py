"""What every instance of a model can do."""

from __future__ import annotations

from typing import Any

from ormolu.models.state import ModelState


class InstanceMethods:
    """Methods of model instances."""

    _setters: Any = {}
    _meta: Any
    pk: Any

    def __setattr__(self, name: str, value: Any) -> None:
        setter = self._setters.get(name)
        if setter is None:
            object.__setattr__(self, name, value)
        else:
            setter(self, value)

    @property
    def _state(self) -> ModelState:
        """What is known about this object's row: `adding`, `db`, `fields_cache`."""
        return ModelState(self)
