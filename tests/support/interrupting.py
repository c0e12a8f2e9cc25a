"""Raising KeyboardInterrupt wherever a signal may arrive.

CPython looks for signals when a function begins, when a call of a C function has returned, and when a loop goes round,
and nowhere else: not when a Python function has returned. So these are all the places where Ctrl-C can end a piece of
code; `Interruption` counts them in some modules, and raises at one of them.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from inspect import CO_GENERATOR
from types import CodeType, FrameType
from typing import Any

__all__ = ["Interruption"]

LOOKS = frozenset({"CALL", "CALL_FUNCTION_EX", "RESUME", "JUMP_BACKWARD"})
"""Instructions after which signals are looked for."""


class Interruption:
    """Calls a function, with a KeyboardInterrupt at the `at`-th place; `places` says how many it came by."""

    def __init__(self, at: int, watched: Callable[[str], bool]) -> None:
        self.at = at
        self.watched = watched
        self.places = 0
        self.where = ""
        self._looks: dict[CodeType, frozenset[int]] = {}
        self._last: dict[int, int] = {}
        self._known: dict[CodeType, bool] = {}
        self._called: set[int] = set()
        """The frames whose last call was one of a Python function."""

    def call(self, function: Callable[[], Any]) -> BaseException | None:
        """Call it; return what it raised. What the error's traceback held is let go of."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            function()
        except BaseException as error:
            sys.settrace(before)
            error.__traceback__ = None
            context = error.__context__
            while context is not None:
                context.__traceback__ = None
                context = context.__context__
            return error
        finally:
            sys.settrace(before)
        return None

    def _trace(self, frame: FrameType, event: str, _arg: Any) -> Any:
        code = frame.f_code
        if frame.f_back is not None and not code.co_flags & CO_GENERATOR and code.co_name != "__init__":
            self._called.add(id(frame.f_back))
        known = self._known.get(code)
        if known is None:
            known = self._known[code] = self.watched(code.co_filename)
        if not known:
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._step

    def _step(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "opcode":
            code, me = frame.f_code, id(frame)
            looks = self._looks.get(code)
            if looks is None:
                looks = self._looks[code] = places_of(code)
            called = me in self._called
            self._called.discard(me)
            if self._last.get(me, -1) in looks and not called:
                self.places += 1
                if self.places == self.at:
                    self.where = f"{code.co_qualname} in {code.co_filename}, line {frame.f_lineno}"
                    sys.settrace(None)
                    raise KeyboardInterrupt
            self._last[me] = frame.f_lasti
        elif event == "return":
            self._last.pop(id(frame), None)
            self._called.discard(id(frame))
        return self._step


def places_of(code: CodeType) -> frozenset[int]:
    """Return the offsets of the instructions of a function after which signals are looked for."""
    return frozenset(step.offset for step in dis.get_instructions(code) if step.opname in LOOKS)
