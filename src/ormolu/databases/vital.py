"""Whether the other end of an idle connection is still there: a look at the socket, not a question to the server.

An idle server says nothing. If there is something to read it has said goodbye, or something else that the driver's
library takes in. A look takes a microsecond.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

__all__ = ["Socket", "lost"]

_OK = 0
"""libpq's status of a connection that works."""


class Socket:
    """A socket, to be looked at often."""

    __slots__ = ("_fd", "_poll")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._poll: Callable[[int], Any] | None = None
        if hasattr(select, "poll"):  # not on Windows
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            self._poll = poll.poll

    def speaks(self) -> bool:
        """Say whether there is something to read, be it the end."""
        if self._poll is not None:
            return bool(self._poll(0))
        return bool(select.select([self._fd], [], [], 0)[0])


def lost(socket: Socket, pgconn: Any) -> bool:
    """Say whether libpq finds its server gone, taking in what that has said meanwhile."""
    try:
        for _ in range(3):
            if not socket.speaks():
                break
            pgconn.consume_input()
    except Exception:  # psycopg's, where the end is read
        return True
    return bool(pgconn.status != _OK)
