"""Ask a question, and keep what a reader wants to see of it: the Python, the SQL, the time, the answer."""

import ast
import asyncio
import inspect
import textwrap
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from ormolu import capture_queries, databases

Rows: TypeAlias = list[dict[str, Any]]
Question: TypeAlias = Callable[[], Rows | Coroutine[Any, Any, Rows]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question. `seconds` is the whole time, the database's and ours."""

    title: str
    python: str
    sql: list[str]
    seconds: float
    rows: Rows


def ask(question: Question) -> Answer:
    """Ask `question` of the default database."""
    with capture_queries() as queries:
        started = time.perf_counter()
        asked = question()
        rows = asked if isinstance(asked, list) else asyncio.run(_and_close(asked))
        seconds = time.perf_counter() - started
    return Answer(
        title=inspect.getdoc(question) or question.__name__,
        python=body_of(question),
        sql=[query.sql for query in queries],
        seconds=seconds,
        rows=rows,
    )


def body_of(function: Callable[..., Any]) -> str:
    """Return the source of a function's body, without its signature and docstring."""
    source = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    assert isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef))
    if ast.get_docstring(definition):
        before = definition.body[0].end_lineno or 0
    else:
        before = definition.body[0].lineno - 1
    return textwrap.dedent("\n".join(source.splitlines()[before:]))


async def _and_close(rows: Coroutine[Any, Any, Rows]) -> Rows:
    """Await the rows, then close the connections that live on this event loop."""
    try:
        return await rows
    finally:
        await databases.aclose_all()
