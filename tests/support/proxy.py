"""A way to a database server that is long, and on which round trips are counted."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import sqlalchemy as sa


class Proxy:
    """Stands between a client and a server, and passes on what they say after `delay` seconds.

    `trips` counts how often the client had its turn after the server had spoken: the round trips that it waited
    for. The way must be long enough for that: what a client says just after its question is part of it.
    """

    def __init__(self, url: str, delay: float = 0.003) -> None:
        self._target = sa.make_url(url)
        self.delay = delay
        self.trips = 0
        self._last = "server"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        """The server's URL by way of the proxy."""
        host, port = self._listener.getsockname()
        query = {**self._target.query, "sslmode": "disable", "gssencmode": "disable"}
        for name in ("host", "port"):  # of a server that listens on a Unix socket
            query.pop(name, None)
        if "asyncpg" in self._target.drivername:
            query.pop("gssencmode")
        through = self._target.set(host=host, port=port, query=query)
        return through.render_as_string(hide_password=False)

    def close(self) -> None:
        """Cut all connections, and take no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or the thread would go on waiting for a client
        self._acceptor.join()
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut all connections."""
        while self._open:
            one = self._open.pop()
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            server = self._connect()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(server)
            self._start(client, server, self._of_client)
            self._start(server, client, self._of_server)

    def _connect(self) -> socket.socket:
        """Return a connection to the server, which may listen on a Unix socket alone."""
        port = self._target.query.get("port") or self._target.port or 5432
        folder = str(self._target.query.get("host", ""))
        if folder.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{folder}/.s.PGSQL.{port}")
            return server
        server = socket.create_connection((folder or self._target.host or "127.0.0.1", int(str(port))))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server

    def _start(self, source: socket.socket, target: socket.socket, note: Callable[[], None]) -> None:
        said: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        threading.Thread(target=self._hear, args=(source, said, note), daemon=True).start()
        threading.Thread(target=self._say, args=(target, said), daemon=True).start()

    def _of_client(self) -> None:
        if self._last == "server":
            self.trips += 1
        self._last = "client"

    def _of_server(self) -> None:
        self._last = "server"

    def _hear(self, source: socket.socket, said: SimpleQueue[Any], note: Callable[[], None]) -> None:
        data = b"..."
        while data:
            try:
                data = source.recv(2**16)
            except OSError:
                data = b""
            if data:
                note()
            said.put((time.monotonic() + self.delay, data))

    def _say(self, target: socket.socket, said: SimpleQueue[Any]) -> None:
        data = b"..."
        while data:
            due, data = said.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                target.sendall(data)
            except OSError:
                return
        target.close()
