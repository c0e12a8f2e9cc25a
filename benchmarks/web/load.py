"""A client that asks an application over many connections at once, and counts what comes back."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

__all__ = ["CONNECTIONS", "Request", "Result", "mixed", "once", "run"]

CONNECTIONS = 64


@dataclass(frozen=True)
class Request:
    """One request, ready to send."""

    kind: str
    data: bytes


@dataclass
class Result:
    """What a run of requests came to."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return sum(self.statuses.values()) / self.seconds

    def percentile(self, share: float) -> float:
        """Return how long a request took at most, in milliseconds, for this share of them."""
        return sorted(self.times)[int(share * (len(self.times) - 1))] * 1000


def request(kind: str, method: str, path: str, body: object = None) -> Request:
    """Return a request of HTTP/1.1 on a connection that stays open."""
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n"
    if data:
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return Request(kind, head.encode() + b"\r\n" + data)


def mixed(count: int, posts: Sequence[int], users: Sequence[int], seed: int) -> list[Request]:
    """Return requests as a blog gets them, for rows with these keys.

    Of ten, four are for the feed, three for a post, one for a user, and two write.
    """
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        post, user, kind = chance.choice(posts), chance.choice(users), chance.randrange(10)
        if kind < 4:
            found.append(request("feed", "GET", f"/posts?limit=20&before={post}"))
        elif kind < 7:
            found.append(request("post", "GET", f"/posts/{post}"))
        elif kind < 8:
            found.append(request("user", "GET", f"/users/{user}"))
        elif kind < 9:
            found.append(
                request(
                    "comment", "POST", f"/posts/{post}/comments", {"author_id": user, "text": "Well said"}
                )
            )
        else:
            found.append(request("change", "PATCH", f"/posts/{post}", {"title": f"Title {chance.random()}"}))
    return found


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one response: its status and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, await reader.readexactly(length)


async def once(port: int, one: Request) -> tuple[int, bytes]:
    """Send one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(one.data)
    try:
        return await answer(reader)
    finally:
        writer.close()


async def run(port: int, requests: Sequence[Request], connections: int = CONNECTIONS) -> Result:
    """Send all requests, as fast as the answers come, over so many connections."""
    waiting = list(reversed(requests))
    result = Result()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            one = waiting.pop()
            began = perf_counter()
            writer.write(one.data)
            status, _ = await answer(reader)
            result.times.append(perf_counter() - began)
            result.statuses[status] += 1
        writer.close()

    started = perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    result.seconds = perf_counter() - started
    return result
