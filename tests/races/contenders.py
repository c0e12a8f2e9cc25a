"""Contenders: threads, tasks or processes that meet at a barrier before each round."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from typing import Any

import ormolu
from support.worlds import WORLDS

from .contests import CONTESTS

PATIENCE = 120


def told(error: BaseException) -> str:
    """Return an error as one of a contender's results."""
    return f"{type(error).__name__}: {error}"


async def contend(world: Any, name: str, rounds: int, meet: Any) -> list[Any]:
    """Do all rounds; return the result, or the error, of each."""
    act = CONTESTS[name][0]
    results: list[Any] = []
    for number in range(rounds):
        waited = meet()
        if waited is not None:
            await waited
        try:
            results.append(await act(world, str(number)))
        except Exception as error:
            results.append(told(error))
    return results


def in_sync(name: str, rounds: int, barrier: Any) -> list[Any]:
    """Contend in synchronous code."""

    def meet() -> None:
        barrier.wait(PATIENCE)

    body = contend(WORLDS["sync"], name, rounds, meet)
    try:
        body.send(None)
    except StopIteration as stop:
        found: list[Any] = stop.value
        return found
    raise RuntimeError("awaited in the sync world")


def threads(name: str, rounds: int, contenders: int) -> list[list[Any]]:
    """Contend in threads."""
    barrier = threading.Barrier(contenders)
    results: list[list[Any]] = [[] for _ in range(contenders)]

    def work(place: int) -> None:
        results[place] = in_sync(name, rounds, barrier)

    started = [threading.Thread(target=work, args=(place,)) for place in range(contenders)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return results


def tasks(name: str, rounds: int, contenders: int) -> list[list[Any]]:
    """Contend in tasks of one event loop."""

    async def main() -> list[list[Any]]:
        barrier = asyncio.Barrier(contenders)
        try:
            return await asyncio.gather(
                *(contend(WORLDS["async"], name, rounds, barrier.wait) for _ in range(contenders))
            )
        finally:
            await ormolu.databases.aclose_all()

    return asyncio.run(main())


def processes(name: str, rounds: int, contenders: int) -> list[list[Any]]:
    """Contend in processes of their own."""
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(contenders), context.Queue()
    url = ormolu.databases.get().engine.url.render_as_string(hide_password=False)
    started = [
        context.Process(target=process, args=(url, name, rounds, barrier, queue)) for _ in range(contenders)
    ]
    for one in started:
        one.start()
    results = [queue.get(timeout=PATIENCE * 5) for _ in started]
    for one in started:
        one.join()
    return results


def process(url: str, name: str, rounds: int, barrier: Any, queue: Any) -> None:
    """Be a contender in a process."""
    ormolu.configure(url)
    queue.put(in_sync(name, rounds, barrier))
    ormolu.databases.close_all()


KINDS = {"threads": threads, "tasks": tasks, "processes": processes}
