"""Run one library's workloads in a process of its own, as the coordinator asks over pipes.

Each request is one line of JSON, and so is each answer:
``{"do": "round", "workload": "F", "size": 500, "seed": 3}`` is answered with
``{"seconds": 0.012, "units": 500}``, or with ``{"wrong": "..."}``, ``{"error": "..."}``,
``{"missing": true}``.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import random
import sqlite3
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from sqlite3 import dbapi2
from typing import Any

from .checks import Input, WrongResult
from .memory import PeakMemory
from .probe import Probe
from .schema import Target
from .workloads import Load, Workload, find_workload

PRAGMAS = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -65536",
)

Seconds = tuple[float, float]


def force_pragmas() -> None:
    """Have every SQLite connection of this process, whoever opens it, begin with the same PRAGMAs."""
    original = sqlite3.connect

    def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = original(*args, **kwargs)
        for pragma in PRAGMAS:
            connection.execute(pragma)
        return connection

    sqlite3.connect = dbapi2.connect = connect  # type: ignore[assignment]


class Worker:
    """Hold the adapter, the probe and, for async libraries, the event loop."""

    def __init__(self, module: str, target: Target) -> None:
        """Import the library and open its database."""
        force_pragmas()
        self.adapter = importlib.import_module(f"{__package__}.libraries.{module}").create(target)
        self.loop = asyncio.new_event_loop() if self.adapter.asynchronous else None
        if self.loop:
            asyncio.set_event_loop(self.loop)
        self.probe = Probe(target)
        self.call(self.adapter.connect)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call an adapter's method and wait for its result."""
        result = function(*args)
        return self.loop.run_until_complete(result) if self.loop and asyncio.iscoroutine(result) else result

    def timed(self, function: Callable[..., Any], args: Input) -> tuple[Seconds, Any]:
        """Call a workload's method and return the time it took and its result."""
        if self.loop:
            return self.loop.run_until_complete(_timed(function, args))
        start = now()
        result = function(*args)
        return since(start), result

    def run(self, workload: Workload, size: int, chance: random.Random) -> Seconds:
        """Prepare the input, time the work, check what came out; returns the time."""
        function = getattr(self.adapter, workload.method)
        args = tuple(
            self.call(self.adapter.load_many if arg.many else self.adapter.load, arg.keys)
            if isinstance(arg, Load)
            else arg
            for arg in workload.prepare(self.adapter, self.probe, size, chance)
        )
        gc.collect()
        seconds, result = self.timed(function, args)
        workload.check(self.adapter, self.probe, args, result)
        if workload.writes:
            self.probe.clean()
        return seconds

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what one request asks for."""
        workload = find_workload(request["workload"])
        if not hasattr(self.adapter, workload.method):
            return {"missing": True}
        chance = random.Random(request["seed"])
        size = request["size"]
        if request["do"] == "first":
            answer = self.first(workload, size, chance)
        else:
            if workload.most > 1:
                self.run(workload, min(size, workload.start), chance)
            seconds, cpu = self.run(workload, size, chance)
            answer = {"seconds": seconds, "cpu": cpu, "units": size * workload.units}
        if workload.method == "concurrent":
            # Many connections to a server that has not many: give them back until the next round.
            self.call(self.adapter.disconnect)
            self.call(self.adapter.connect)
        return answer

    def first(self, workload: Workload, size: int, chance: random.Random) -> dict[str, Any]:
        """Run once to check and once to time; the long workload only once, with an eye on the memory."""
        self.probe.tidy()
        if workload.most > 1:
            self.run(workload, size, chance)
            return {"seconds": self.run(workload, size, chance)[0]}
        warm = find_workload("F")
        self.run(warm, warm.start, chance)
        with PeakMemory() as memory:
            self.run(workload, size, chance)
        return {"seconds": None, "memory": memory.growth}

    def recover(self) -> None:
        """Try to put library and database back in order after a failure."""
        for step in (self.adapter.disconnect, self.adapter.connect, self.probe.clean):
            try:
                self.call(step)
            except Exception:
                traceback.print_exc()

    def close(self) -> None:
        """Close everything."""
        self.call(self.adapter.disconnect)
        self.probe.close()


def now() -> Seconds:
    """Return the time on the wall and the processor's time of this process, all threads."""
    return time.perf_counter(), time.process_time()


def since(start: Seconds) -> Seconds:
    """Return how much of both has passed."""
    return time.perf_counter() - start[0], time.process_time() - start[1]


async def _timed(function: Callable[..., Awaitable[Any]], args: Input) -> tuple[Seconds, Any]:
    start = now()
    result = await function(*args)
    return since(start), result


def describe(error: BaseException) -> str:
    """Return an error's class and text in one line."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:400]


def main() -> None:
    """Serve requests until standard input ends. Whatever the library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def send(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")

    try:
        worker = Worker(sys.argv[1], Target(**json.loads(sys.argv[2])))
    except Exception as error:
        traceback.print_exc()
        send({"error": describe(error)})
        return
    send({"ready": True})
    for line in sys.stdin:
        try:
            send(worker.answer(json.loads(line)))
        except Exception as error:
            traceback.print_exc()
            worker.recover()
            send({"wrong" if isinstance(error, WrongResult) else "error": describe(error)})
    worker.close()


if __name__ == "__main__":
    main()
