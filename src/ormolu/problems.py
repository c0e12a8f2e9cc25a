"""What checks of models report: messages of five levels, each with an id that stays the same.

Source: Django's documentation, "System check framework".
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "CRITICAL",
    "DEBUG",
    "ERROR",
    "INFO",
    "WARNING",
    "CheckMessage",
    "Critical",
    "Debug",
    "Error",
    "Info",
    "Warning",
]

DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50


class CheckMessage:
    """One finding: what is wrong, what to do about it (`hint`), with what (`obj`), and its `id`."""

    __slots__ = ("hint", "id", "level", "msg", "obj")

    def __init__(
        self, level: int, msg: str, hint: str | None = None, obj: Any = None, id: str | None = None
    ) -> None:
        self.level = level
        self.msg = msg
        self.hint = hint
        self.obj = obj
        self.id = id

    def _parts(self) -> tuple[Any, ...]:
        return self.level, self.msg, self.hint, self.obj, self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self._parts() == other._parts()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        named = (f"{name}={getattr(self, name)!r}" for name in ("level", "msg", "hint", "obj", "id"))
        return f"<{type(self).__name__}: {', '.join(named)}>"

    def __str__(self) -> str:
        meta = getattr(self.obj, "_meta", None)
        place = "?" if self.obj is None else str(self.obj) if meta is None else meta.label
        number = f"({self.id}) " if self.id else ""
        return f"{place}: {number}{self.msg}" + (f"\n\tHINT: {self.hint}" if self.hint else "")

    def is_serious(self, level: int = ERROR) -> bool:
        """Tell whether it is at least of a level."""
        return self.level >= level


class _Leveled(CheckMessage):
    __slots__ = ()
    default_level: ClassVar[int]

    def __init__(self, msg: str, hint: str | None = None, obj: Any = None, id: str | None = None) -> None:
        super().__init__(self.default_level, msg, hint, obj, id)


class Debug(_Leveled):
    """Of use to who looks for something."""

    __slots__ = ()
    default_level = DEBUG


class Info(_Leveled):
    """Good to know."""

    __slots__ = ()
    default_level = INFO


class Warning(_Leveled):
    """Works, and is perhaps not what was meant."""

    __slots__ = ()
    default_level = WARNING


class Error(_Leveled):
    """Does not work."""

    __slots__ = ()
    default_level = ERROR


class Critical(_Leveled):
    """Does not work, and does harm."""

    __slots__ = ()
    default_level = CRITICAL
