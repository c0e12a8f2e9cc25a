"""Serve the applications one after the other, and compare how many requests they answer."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.environment import ROOT
from benchmarks.postgres import free_port, postgres_server

from . import data
from .load import CONNECTIONS, Result, mixed, once, request, run

APPLICATIONS = {
    "ormolu": "examples.blog.app:app",
    "sqlalchemy": "benchmarks.web.sqlalchemy_app:app",
    "tortoise": "benchmarks.web.tortoise_app:app",
    "django": "benchmarks.web.django_app:app",
}
PREFIX = "ormolu_web"


@contextmanager
def served(name: str, url: str) -> Iterator[tuple[int, int]]:
    """Run an application in a process of its own; give its port and its process. Stopped gently, and it must obey."""
    port = free_port()
    environment = os.environ | {"BLOG_URL": url, "DATABASE_URL": url, "ORMOLU_POOL_SIZE": "16"}
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        APPLICATIONS[name],
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    process = subprocess.Popen(
        [*command, "--no-access-log", "--timeout-keep-alive", "60"], cwd=ROOT, env=environment
    )
    try:
        asyncio.run(answering(port, process))
        yield port, process.pid
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()


async def answering(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the application is there. Raises RuntimeError if it ended instead."""
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the application ended with {process.returncode}")
        try:
            await once(port, request("health", "GET", "/health"))
        except OSError:
            await asyncio.sleep(0.05)
        else:
            return
    raise RuntimeError("the application does not answer")


async def sample(port: int) -> list[object]:
    """Return what the application says to some requests, without times of day."""
    asked = [
        request("feed", "GET", "/posts?limit=5&before=400"),
        request("post", "GET", "/posts/7"),
        request("user", "GET", "/users/3"),
        request("none", "GET", "/posts/999999"),
        request("comment", "POST", "/posts/8/comments", {"author_id": 2, "text": "é"}),
        request("none", "POST", "/posts/999999/comments", {"author_id": 2, "text": "é"}),
        request("change", "PATCH", "/posts/9", {"title": "Changed"}),
        request("post", "GET", "/posts/8"),
        request("post", "GET", "/posts/9"),
    ]
    answers = [await once(port, one) for one in asked]
    return [(status, timeless(json.loads(body)) if status < 400 else None) for status, body in answers]


def timeless(value: object) -> object:
    """Return a JSON value with its keys in order and without the times, which SQLite's libraries write in two ways."""
    if isinstance(value, dict):
        return {k: timeless(value[k]) for k in sorted(value) if not k.endswith("_at")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def measure(urls: dict[str, str], count: int, rounds: int, connections: int) -> dict[str, list[Result]]:
    """Let the applications answer the same requests by turns; check that they answer alike."""
    results: dict[str, list[Result]] = {name: [] for name in urls}
    posts, users = range(1, data.POSTS + 1), range(1, data.USERS + 1)
    expected: list[object] | None = None
    for number in range(rounds):
        for name, url in urls.items():
            with served(name, url) as (port, _):
                if number == 0:
                    said = asyncio.run(sample(port))
                    expected = expected or said
                    if said != expected:
                        other = next((a, b) for a, b in zip(said, expected, strict=True) if a != b)
                        raise SystemExit(f"{name} answers otherwise than the first:\n{other[0]}\n{other[1]}")
                asyncio.run(run(port, mixed(count // 10, posts, users, -1), connections))
                results[name].append(asyncio.run(run(port, mixed(count, posts, users, number), connections)))
    return results


def report(title: str, results: dict[str, list[Result]]) -> bool:
    """Print a table; return whether all went well, and the first application is the fastest."""
    print(f"\n## {title}\n")
    print("| application | requests/s | of the first | p50 ms | p99 ms | answers |")
    print("|---|---:|---:|---:|---:|---|")
    rates = {name: median(one.rate for one in found) for name, found in results.items()}
    first, *others = rates
    for name, found in results.items():
        middle = sorted(found, key=lambda one: one.rate)[len(found) // 2]
        statuses = {status: sum(one.statuses[status] for one in found) for status in found[0].statuses}
        share = rates[name] / rates[first]
        times = f"{middle.percentile(0.5):.1f} | {middle.percentile(0.99):.1f}"
        print(f"| {name} | {rates[name]:.0f} | {share:.2f} | {times} | {statuses} |")
    fine = all(set(one.statuses) <= {200, 201} for found in results.values() for one in found)
    return fine and all(rates[first] > rates[name] for name in others)


def sqlite_urls(directory: Path, names: list[str]) -> dict[str, str]:
    """Give each application a file of its own."""
    template = directory / "template.sqlite3"
    data.fill(f"sqlite:///{template}")
    for name in names:
        shutil.copy(template, directory / f"{name}.sqlite3")
    return {name: f"sqlite:///{directory / name}.sqlite3" for name in names}


@contextmanager
def postgres_urls(directory: Path, names: list[str]) -> Iterator[dict[str, str]]:
    """Give each application a database of its own."""
    import psycopg

    with (
        postgres_server(directory) as admin,
        psycopg.connect(autocommit=True, **admin.keywords()) as connection,
    ):
        every = [f"{PREFIX}_{name}" for name in ("template", *names)]
        for name in every:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{every[0]}"')
        try:
            data.fill(replace(admin, name=every[0]).url("postgresql"))
            for name in every[1:]:
                connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{every[0]}"')
            yield {name: replace(admin, name=f"{PREFIX}_{name}").url("postgresql") for name in names}
            left = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE %s", (f"{PREFIX}_%",)
            ).fetchone()
            print(f"\nConnections left behind on the server: {left[0] if left else 0}")
        finally:
            for name in every:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web", description=__doc__)
    parser.add_argument("--db", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--only", default=",".join(APPLICATIONS), help="applications, e.g. ormolu,django")
    parser.add_argument("--requests", type=int, default=3000, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    options = parser.parse_args()
    names = options.only.split(",")
    started, fine = time.perf_counter(), True
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        size = (options.requests, options.rounds, options.connections)
        if options.db != "postgres":
            fine &= report("SQLite", measure(sqlite_urls(Path(directory), names), *size))
        if options.db != "sqlite":
            with postgres_urls(Path(directory), names) as urls:
                results = measure(urls, *size)
            fine &= report("PostgreSQL", results)
    print(f"\n{time.perf_counter() - started:.0f} s")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
