"""A server on this machine that speaks as much of S3 as the storage needs: objects in one bucket, in memory."""

from __future__ import annotations

import hashlib
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Handler(BaseHTTPRequestHandler):
    """GET, HEAD, PUT and DELETE of objects; GET of the bucket lists them."""

    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def place(self) -> tuple[str, dict[str, list[str]]]:
        url = urlsplit(self.path)
        return unquote(url.path).lstrip("/").partition("/")[2], parse_qs(url.query)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            data = unchunked(data)
        self.server.objects[self.place()[0]] = (data, self.headers.get("Content-Type", ""))
        self.answer(200, ETag=etag(data))

    def do_DELETE(self) -> None:
        self.server.objects.pop(self.place()[0], None)
        self.answer(204)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        key, query = self.place()
        if not key:
            self.answer(200, self.listing(query.get("prefix", [""])[0]).encode())
        elif key in self.server.objects:
            data, kind = self.server.objects[key]
            headers = {"Content_Type": kind, "ETag": etag(data), "Last_Modified": formatdate(usegmt=True)}
            if self.command == "HEAD":
                self.answer(200, b"", Content_Length=str(len(data)), **headers)
            else:
                self.answer(200, data, **headers)
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def listing(self, prefix: str) -> str:
        rest = sorted(key[len(prefix) :] for key in self.server.objects if key.startswith(prefix))
        folders = sorted({name.partition("/")[0] for name in rest if "/" in name})
        found = [
            f"<CommonPrefixes><Prefix>{escape(prefix + name)}/</Prefix></CommonPrefixes>" for name in folders
        ]
        found += [
            f"<Contents><Key>{escape(prefix + name)}</Key></Contents>" for name in rest if "/" not in name
        ]
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(found)}</ListBucketResult>"


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def unchunked(data: bytes) -> bytes:
    """Return the content of a body that was sent in pieces, each with its size in hexadecimal before it."""
    content = b""
    while data:
        head, _, data = data.partition(b"\r\n")
        size = int(head.partition(b";")[0], 16)
        if not size:
            break
        content, data = content + data[:size], data[size + 2 :]
    return content


def start() -> ThreadingHTTPServer:
    """Start a server on a free port; `objects` has what it holds."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.objects = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server  # type: ignore[no-any-return]
