"""The sans-I/O protocol: one program, two runners."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ormolu.programs import (
    Await,
    Enter,
    Execute,
    ExecuteMany,
    Fetch,
    Insert,
    Leave,
    OnCommit,
    arun,
    atomically,
    run,
)


class Recorder:
    """A connection that writes down what it is asked for."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def note(self, *what: Any) -> Any:
        self.log.append(what)
        if what[0] == "execute" and what[1] == "fail":
            raise ValueError("fail")
        return f"result of {what[0]}"

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: self.note(name, *args, *kwargs.values())


class AsyncRecorder(Recorder):
    def __getattr__(self, name: str) -> Any:
        async def method(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            return self.note(name, *args, *kwargs.values())

        return method


def both(program: Any, *args: Any) -> tuple[Any, list[Any]]:
    """Run a program in both worlds; return its result and what it asked for, the same in both."""
    conn, aconn = Recorder(), AsyncRecorder()
    outcomes = []
    for go in (lambda: run(program(*args), conn), lambda: asyncio.run(arun(program(*args), aconn))):
        try:
            outcomes.append(go())
        except ValueError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    assert conn.log == aconn.log
    return outcomes[0], conn.log


def test_steps_reach_the_connection() -> None:
    """Each step calls the connection's method, and its result comes back to the program."""

    def program() -> Any:
        results = [
            (yield Fetch("a", (1,))),
            (yield Execute("b")),
            (yield Insert("c")),
            (yield ExecuteMany("d", [(1,)])),
        ]
        token = yield Enter(savepoint=False)
        yield OnCommit(print)
        yield Await(print)  # type: ignore[arg-type]
        yield Leave(token, False)
        return results

    result, log = both(program)
    assert result == [f"result of {name}" for name in ("fetch", "execute", "insert", "executemany")]
    assert log[:4] == [
        ("fetch", "a", (1,)),
        ("execute", "b", ()),
        ("insert", "c", ()),
        ("executemany", "d", [(1,)]),
    ]
    assert log[4:] == [
        ("enter", False, False),
        ("on_commit", print),
        ("await_", print),
        ("leave", "result of enter", False),
    ]


def test_errors_are_thrown_into_the_program() -> None:
    """A program can catch the error of a step, and go on."""

    def program() -> Any:
        try:
            yield Execute("fail")
        except ValueError:
            return (yield Fetch("instead"))

    assert both(program) == ("result of fetch", [("execute", "fail", ()), ("fetch", "instead", ())])


@pytest.mark.parametrize("sql", ["fine", "fail"])
def test_atomically(sql: str) -> None:
    """A program inside a block leaves it, with the error or without."""

    def program() -> Any:
        return (yield Execute(sql))

    result, log = both(lambda: atomically(program(), durable=True))
    assert result == ("result of execute" if sql == "fine" else "fail")
    assert log == [("enter", True, True), ("execute", sql, ()), ("leave", "result of enter", sql == "fail")]


def test_programs_compose() -> None:
    """A program is part of another one by `yield from`."""

    def inner(name: str) -> Any:
        return (yield Fetch(name))

    def outer() -> Any:
        return [(yield from inner("a")), (yield from inner("b"))]

    assert both(outer)[0] == ["result of fetch"] * 2


def test_a_program_without_steps() -> None:
    """A program that needs nothing just returns."""

    def program() -> Any:
        return 1
        yield

    assert both(program) == (1, [])
