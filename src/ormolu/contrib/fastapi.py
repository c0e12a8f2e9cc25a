"""FastAPI and Starlette: answers for this library's errors, a health route, connections closed at the end.

    app = FastAPI()
    install(app, health="/health")

| error | answer |
|---|---|
| `ObjectDoesNotExist`, SQLAlchemy's `NoResultFound` | 404 |
| `IntegrityError` (SQLAlchemy's as well), `StaleObjectError` | 409 |
| `ValidationError` | 422, in the form of FastAPI's own |
| `InvalidCursor` of a page | 422 |
| `ServerUnreachable`, `LockNotAvailable` | 503 |

What a database says of a conflict may hold somebody else's data, so that an answer names no more than the constraint.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy.exc

from ormolu import databases
from ormolu.exceptions import (
    InvalidCursor,
    LockNotAvailable,
    ObjectDoesNotExist,
    ServerUnreachable,
    StaleObjectError,
    ValidationError,
)

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse

__all__ = ["install"]

NON_FIELD = "__all__"


def install(app: Starlette, *, health: str | None = None, close: bool = True) -> None:
    """Teach an application this library's errors; add a health route; close all connections when it stops.

    `health` is the route's path, None for no such route: it answers 200 while every configured database does, else 503,
    with each database's state. With `close`, the pools are closed after the application's own lifespan.
    """
    for error, answer in ANSWERS.items():
        app.add_exception_handler(error, answer)
    if health is not None:
        app.add_route(health, _health, methods=["GET"], include_in_schema=False)
    if close:
        _close_at_the_end(app)


def _answered(status: int) -> Callable[[Request, Any], JSONResponse]:
    from starlette.responses import JSONResponse

    return lambda _request, detail: JSONResponse({"detail": detail}, status)


async def _missing(request: Request, error: Exception) -> JSONResponse:
    return _answered(404)(request, str(error) or "Not found.")


async def _conflict(request: Request, error: Exception) -> JSONResponse:
    name = constraint_of(error)
    detail = "The data is in conflict with what is stored."
    return _answered(409)(request, f"{detail[:-1]}: {name}." if name else detail)


async def _stale(request: Request, error: Exception) -> JSONResponse:
    return _answered(409)(request, "Somebody else has changed this in the meantime.")


async def _invalid(request: Request, error: Any) -> JSONResponse:
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD: error.error_list}
    details = [
        {
            "type": one.code or "invalid",
            "loc": ["body"] if name == NON_FIELD else ["body", name],
            "msg": message,
        }
        for name, errors in by_field.items()
        for one in errors
        for message in one.messages
    ]
    return _answered(422)(request, details)


async def _bad_cursor(request: Request, error: Exception) -> JSONResponse:
    return _answered(422)(request, [{"type": "cursor", "loc": ["query"], "msg": str(error)}])


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    answer = _answered(503)(request, "The database is not available.")
    answer.headers["Retry-After"] = "1"
    return answer


ANSWERS: dict[type[Exception], Callable[..., Any]] = {
    ObjectDoesNotExist: _missing,
    sqlalchemy.exc.NoResultFound: _missing,
    sqlalchemy.exc.IntegrityError: _conflict,
    StaleObjectError: _stale,
    ValidationError: _invalid,
    InvalidCursor: _bad_cursor,
    ServerUnreachable: _unavailable,
    LockNotAvailable: _unavailable,
}
"""The handler of each class of errors; that of its nearest base answers for a subclass."""


def constraint_of(error: Any) -> str:
    """Return the name of the constraint that a row would have broken, the columns of it on SQLite, else ""."""
    orig = getattr(error, "orig", None)
    orig = getattr(orig, "driver_exception", orig)  # under SQLAlchemy's asyncpg
    name = getattr(getattr(orig, "diag", None), "constraint_name", None) or getattr(
        orig, "constraint_name", None
    )
    if name:
        return str(name)
    _, failed, columns = str(orig).partition("constraint failed: ")
    return columns if failed else ""


async def _health(_request: Request) -> JSONResponse:
    from starlette.responses import JSONResponse

    from ormolu.databases.health import ahealth_check

    found = {alias: await ahealth_check(alias) for alias in databases.aliases()}
    ok = all(one["status"] == "ok" for one in found.values())
    told = {
        alias: {name: one[name] for name in ("status", "elapsed_ms")} for alias, one in found.items()
    }  # to anybody
    body = {"status": "ok" if ok else "error", "databases": told}
    return JSONResponse(body, 200 if ok else 503)


def _close_at_the_end(app: Starlette) -> None:
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: Any) -> AsyncGenerator[Any]:
        try:
            async with inner(running) as state:
                yield state
        finally:
            await databases.aclose_all()

    app.router.lifespan_context = lifespan
