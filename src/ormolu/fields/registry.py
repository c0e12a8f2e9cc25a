"""Where lookups and transforms are registered: on field classes, on single fields, on transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

__all__ = ["LookupRegistry"]


_awaited: list[Callable[[], object]] = []


class _ClassOrInstance:
    """A method that gets the class when called on the class, and the instance when called on an instance."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: object | None, owner: type) -> Any:
        return self.function.__get__(owner if instance is None else instance)


class LookupRegistry:
    """Base of whatever a query can apply lookups to.

    A lookup registered on a class holds for its subclasses, unless these register one of the same name. One
    registered on an instance holds for that instance alone, and comes first.
    """

    class_lookups: ClassVar[dict[str, Any]] = {}

    # Raised by every registration: merged tables, checks and plans hold for one edition.
    edition: ClassVar[int] = 0
    _merged: ClassVar[tuple[int, dict[str, Any]]] = (-1, {})

    @staticmethod
    def await_lookups(load: Callable[[], object]) -> None:
        """Let `load` register the library's own lookups when somebody first asks for lookups."""
        _awaited.append(load)
        LookupRegistry.edition += 1

    @classmethod
    def get_class_lookups(cls) -> dict[str, Any]:
        """Return lookups by name, those of all base classes included."""
        cached: tuple[int, dict[str, Any]] | None = cls.__dict__.get("_merged")
        if cached is not None and cached[0] == LookupRegistry.edition:
            return cached[1]
        _load_awaited()
        merged: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            merged.update(base.__dict__.get("class_lookups", {}))
        cls._merged = (LookupRegistry.edition, merged)
        return merged

    @_ClassOrInstance
    def get_lookups(target: Any) -> dict[str, Any]:
        """Return lookups and transforms by name."""
        merged: dict[str, Any] = target.get_class_lookups()
        own = _own_table(target)
        return {**merged, **own} if own and not isinstance(target, type) else merged

    @_ClassOrInstance
    def register_lookup(target: Any, lookup: Any, lookup_name: str | None = None) -> Any:
        """Make `lookup` available as `field__<lookup_name>` and return it, as a decorator does."""
        _own_table(target, create=True)[lookup_name or lookup.lookup_name] = lookup
        LookupRegistry.edition += 1
        return lookup

    @_ClassOrInstance
    def provide_lookup(target: Any, lookup: Any) -> Any:
        """Register one of the library's own lookups, unless somebody has taken its name already."""
        if lookup.lookup_name not in _own_table(target):
            target.register_lookup(lookup)
        return lookup

    @_ClassOrInstance
    def _unregister_lookup(target: Any, lookup: Any, lookup_name: str | None = None) -> None:
        """Take a lookup away again from where it was registered."""
        _load_awaited()
        del _own_table(target)[lookup_name or lookup.lookup_name]
        LookupRegistry.edition += 1

    unregister_lookup = _unregister_lookup

    def _find_lookup(self, name: str) -> Any:
        own = self.__dict__.get("instance_lookups")
        if own and name in own:
            return own[name]
        return type(self).get_class_lookups().get(name)

    def find_registered(self, lookup_name: str, below: tuple[type[Any], ...]) -> Any:
        """Return what was registered on the instance, or on a class of it that comes before those in `below`."""
        own = self.__dict__.get("instance_lookups")
        if own and lookup_name in own:
            return own[lookup_name]
        for base in type(self).__mro__:
            if base in below:
                return None
            if lookup_name in base.__dict__.get("class_lookups", {}):
                return base.__dict__["class_lookups"][lookup_name]
        return None

    def get_lookup(self, lookup_name: str) -> Any:
        """Return the lookup class of that name, or None. A transform is none, unless marked `is_lookup`."""
        found = self._find_lookup(lookup_name)
        if found is None and hasattr(self, "output_field"):
            return cast("Any", self).output_field.get_lookup(lookup_name)
        if getattr(found, "is_transform", False) and not getattr(found, "is_lookup", False):
            return None
        return found

    def get_transform(self, lookup_name: str) -> Any:
        """Return the transform class of that name (one with `is_transform = True`), or None."""
        found = self._find_lookup(lookup_name)
        if found is None and hasattr(self, "output_field"):
            return cast("Any", self).output_field.get_transform(lookup_name)
        return found if getattr(found, "is_transform", False) else None


def _load_awaited() -> None:
    for load in tuple(_awaited):
        load()  # imports modules: who comes second, in another thread, waits until they are complete
        _awaited[:] = [other for other in _awaited if other is not load]


def _own_table(target: Any, *, create: bool = False) -> dict[str, Any]:
    """Return the lookups registered on `target` itself, a class or an instance."""
    name = "class_lookups" if isinstance(target, type) else "instance_lookups"
    if create and name not in target.__dict__:
        setattr(target, name, {})
    table: dict[str, Any] = target.__dict__.get(name, {})
    return table
