"""Shells: empty classes whose instances are filled, and then turned into a model's.

A model has a `__setattr__` of its own, so its values can only be put into its `__dict__`, one item after the other.
The attributes of a class without one are what the interpreter is fastest at: a row of four columns becomes an object
in two thirds of the time, and the keys of such dictionaries are shared.
"""

from __future__ import annotations

import weakref
from keyword import iskeyword
from typing import Any

_shells: weakref.WeakKeyDictionary[type[Any], type[Any] | None] = weakref.WeakKeyDictionary()


def shell_of(model: type[Any]) -> type[Any] | None:
    """Return the shell of a model; None where its instances have another layout (`__slots__`, a C base)."""
    try:
        return _shells[model]
    except KeyError:
        shell = _shells[model] = _make_shell(model)
        return shell


def _make_shell(model: type[Any]) -> type[Any] | None:
    shell = type(f"{model.__name__}Shell", (), {})
    probe: Any = shell()
    try:
        probe.__class__ = model
    except TypeError:
        return None
    # Back again, so that no half-made object meets a model's `__del__`.
    object.__setattr__(probe, "__class__", shell)
    return shell


def takes_attributes(name: str) -> bool:
    """Tell whether generated code can set an attribute of this name: an annotation's may be anything but SQL."""
    return name.isascii() and name.isidentifier() and not iskeyword(name) and not name.startswith("__")
