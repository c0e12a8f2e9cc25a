"""Is a database there? For the routes that an orchestrator, or a load balancer, asks.

@app.get("/healthz")
async def healthz():
    return await ahealth_check()
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from time import perf_counter
from typing import Any, Literal, NotRequired, TypedDict

from ormolu import databases
from ormolu.programs import Fetch

__all__ = ["Health", "ahealth_check", "health_check"]

TIMEOUT = 5.0


class Health(TypedDict):
    """The answer: JSON-friendly."""

    status: Literal["ok", "error"]
    alias: str
    elapsed_ms: float
    error: NotRequired[str]
    """The error's class and text, if there was one."""


def health_check(alias: str = "default", timeout: float = TIMEOUT) -> Health:
    """Ask a database `SELECT 1`, and say how that went. Never raises: what is wrong is in the answer.

    On a connection of its own, outside of the caller's transaction. An answer that takes longer than `timeout` seconds
    is an error, too (on a server; SQLite's file either answers or doesn't).
    """
    started = perf_counter()
    outcome: list[BaseException | None] = []

    def ask() -> None:
        try:
            databases.get(alias).driver.run(_ask)
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    if _answers_at_once(alias):
        ask()
    else:
        thread = threading.Thread(target=ask, name="ormolu-health", daemon=True)
        thread.start()
        thread.join(timeout)
    return _answer(alias, started, outcome[0] if outcome else _late(timeout))


async def ahealth_check(alias: str = "default", timeout: float = TIMEOUT) -> Health:
    """Ask a database `SELECT 1` without blocking the loop. See `health_check()`."""
    started = perf_counter()

    async def ask() -> None:
        await databases.get(alias).adriver.arun(_ask)

    # A task of its own has a connection of its own.
    task = asyncio.ensure_future(ask())
    error: BaseException | None = None
    try:
        await asyncio.wait_for(task, timeout)
    except TimeoutError as raised:
        error = raised if str(raised) else _late(timeout)
    except Exception as raised:
        error = raised
    return _answer(alias, started, error)


def _ask(driver: Any) -> Generator[Any, Any, Any]:
    return (yield Fetch("SELECT 1", driver.no_params))


def _answers_at_once(alias: str) -> bool:
    """Say whether there is no server that may let us wait."""
    try:
        return databases.vendor_of(alias) in ("sqlite", "")
    except Exception:
        return True  # asking will say what is wrong


def _late(timeout: float) -> TimeoutError:
    return TimeoutError(f"no answer in {timeout:g} seconds")


def _answer(alias: str, started: float, error: BaseException | None) -> Health:
    elapsed = (perf_counter() - started) * 1000
    if error is None:
        return {"status": "ok", "alias": alias, "elapsed_ms": elapsed}
    text = f"{type(error).__name__}: {error}"
    return {"status": "error", "alias": alias, "elapsed_ms": elapsed, "error": text}
