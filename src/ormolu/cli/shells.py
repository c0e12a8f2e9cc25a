"""An interactive shell in which `await` works at the top level: IPython where it is installed, else Python's own."""

from __future__ import annotations

import ast
import asyncio
import code
import importlib
import importlib.util
import inspect
import sys
from types import CodeType
from typing import Any

__all__ = ["interact"]


class AsyncConsole(code.InteractiveConsole):
    """Python's console, in one event loop that lives as long as the console."""

    def __init__(self, names: dict[str, Any], runner: asyncio.Runner) -> None:
        super().__init__(names)
        self.runner = runner
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def runcode(self, code: CodeType) -> None:
        """Run what was typed; await it, if it is something to be awaited."""
        try:
            result = eval(code, self.locals)
            if inspect.iscoroutine(result):
                self.runner.run(result)
        except SystemExit:
            raise
        except BaseException:
            self.showtraceback()


def interact(names: dict[str, Any], banner: str) -> None:
    """Start a shell with these names. Returns when the user leaves it."""
    if sys.stdin.isatty() and importlib.util.find_spec("IPython") is not None:
        ipython: Any = importlib.import_module("IPython")
        print(banner)
        ipython.start_ipython(argv=["--no-banner"], user_ns=names)
        return
    with asyncio.Runner() as runner:
        AsyncConsole(names, runner).interact(banner if sys.stdin.isatty() else "", "")
