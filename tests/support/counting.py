"""Counting what a piece of code costs in calls: a count does not flake as seconds do."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any


def files_called(function: Callable[[], Any]) -> list[str]:
    """Return the files of the calls that a function makes, of Python and of C, in their order.

    The garbage collector waits meanwhile: what it finalizes may be what another test left, in many calls.
    """
    files: list[str] = []

    def look(frame: Any, event: str, arg: Any) -> None:
        if event in ("call", "c_call"):
            files.append(frame.f_code.co_filename)

    was_on = gc.isenabled()
    gc.disable()
    sys.setprofile(look)
    try:
        function()
    finally:
        sys.setprofile(None)
        if was_on:
            gc.enable()
    return files[:-1]  # sys.setprofile(None)


def calls_of(function: Callable[[], Any]) -> int:
    """Return how many calls of Python and C a function makes once everything is cached: the least of three runs."""
    for _ in range(3):
        function()
    return min(len(files_called(function)) for _ in range(3))
