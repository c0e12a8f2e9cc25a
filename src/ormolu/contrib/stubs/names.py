"""The names that a stub uses, and the imports that bring them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ormolu.contrib.stubs.layout import imported


class Names:
    """Collects what a stub needs from elsewhere. Names that its module has already stand as they are."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.imports: dict[tuple[str, str], str] = {}
        self.modules: dict[str, str] = {}

    def of(self, cls: type[Any]) -> str:
        """Return the name of a class in the stub; what stands inside another class or a function is `Any`."""
        if "." in cls.__qualname__:
            outer, _, rest = cls.__qualname__.partition(".")
            found = getattr(self.module, outer, None)
            return f"{outer}.{rest}" if getattr(found, rest, None) is cls else self.name("typing", "Any")
        return self.name(cls.__module__, cls.__name__, cls)

    def name(self, module: str, name: str, value: Any = None) -> str:
        """Return what `module.name` is called in the stub, and remember to import it."""
        if module == "builtins":
            return name
        known: Any = getattr(self.module, name, None)
        if known is not None and known is (getattr(import_module(module), name) if value is None else value):
            return name
        if (module, name) not in self.imports:
            taken = known is not None or name in self.imports.values()
            self.imports[module, name] = f"_{name}" if taken else name
        return self.imports[module, name]

    def part(self, module: str, name: str) -> str:
        """Return `_module.name`, for the standard library's types."""
        self.modules[module] = f"_{module}"
        return f"_{module}.{name}"

    def lines(self, width: int) -> list[str]:
        """Return the import statements, sorted."""
        found = [f"import {module} as {alias}" for module, alias in sorted(self.modules.items())]
        by_module: dict[str, list[str]] = {}
        for (module, name), alias in sorted(self.imports.items()):
            by_module.setdefault(module, []).append(name if name == alias else f"{name} as {alias}")
        for module, names in sorted(by_module.items()):
            found += imported(module, names, width)
        return found
