"""Fixtures: the database (`backend`, `db`), the world (`world`), and queries seen (`queries`).

A test that asks for `db` runs on every database. It finds the tables of its module's models, empty, and
the library configured with that database as its default. A module says which models these are with
`MODELS = [...]`; without it they are the models that the module itself defines. A test that asks for
`world` as well runs in both worlds; see `support.worlds`. `@pytest.mark.backends("sqlite")` and
`@pytest.mark.worlds("async")` narrow that down. The tests of a module share their tables, emptied after each; one
that changes a table, or gives it triggers, says `@pytest.mark.changes_tables`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import ormolu
from ormolu.conf import settings
from support.backends import NAMES, WORLDS, Backend, Backends, usual
from support.worlds import WORLDS as WORLD_OBJECTS
from support.worlds import World


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = metafunc.fixturenames
    backends = [
        name for name in _marked(metafunc, "backends", usual(metafunc.definition.path)) if name in NAMES
    ]
    worlds = _marked(metafunc, "worlds", ("sync", "async"))
    if "backend" in names and "world" in names:
        pairs = [(b, w) for b in backends for w in worlds if w in WORLDS[b]]
        ids = [f"{b}-{w}" for b, w in pairs]
        metafunc.parametrize(("backend", "world"), pairs, ids=ids, indirect=True)
    elif "backend" in names:
        metafunc.parametrize("backend", [b for b in backends if "sync" in WORLDS[b]], indirect=True)
    elif "world" in names:
        metafunc.parametrize("world", worlds, indirect=True)


def _marked(metafunc: pytest.Metafunc, marker: str, default: tuple[str, ...]) -> tuple[str, ...]:
    mark = metafunc.definition.get_closest_marker(marker)
    return mark.args if mark else default


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process is left alone with one at the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine function in its world; without a world, in an event loop."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    world: World = pyfuncitem.funcargs.get("world", WORLD_OBJECTS["async"])
    world.run(function(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """Every database of this run, by name."""
    made = Backends(tmp_path_factory.mktemp("databases"))
    yield made
    ormolu.databases.close_all()
    made.close()


@pytest.fixture(autouse=True, scope="module")
def kept_settings_of_module() -> Iterator[None]:
    """Take the settings of before again after a module, whose fixtures may configure a database for all its tests."""
    yield from _kept_settings()


@pytest.fixture(autouse=True)
def kept_settings() -> Iterator[None]:
    """Take the settings of before the test again after it, so that no test sees another one's database."""
    yield from _kept_settings()


def _kept_settings() -> Iterator[None]:
    before = settings._explicit
    yield
    if before is None:
        settings.reset()  # what files and the environment said is forgotten, too
    elif settings._explicit is not before:
        settings._replace(before)


@pytest.fixture
def backend(request: pytest.FixtureRequest, backends: Backends) -> Backend:
    """The database that this test runs on."""
    return backends[request.param]


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """The world, sync or async, that this test runs in."""
    return WORLD_OBJECTS[request.param]


@pytest.fixture(scope="module")
def kept_tables(backends: Backends) -> Iterator[None]:
    """Drop, after a module, the tables that its tests shared."""
    yield
    for backend in backends.made():
        backend.drop_tables()


@pytest.fixture
def configured(backend: Backend) -> Iterator[Backend]:
    """Make `backend` the default database, with no tables made, and close it afterwards."""
    ormolu.configure(backend.url)
    yield backend
    ormolu.databases.close_all()


@pytest.fixture
def db(request: pytest.FixtureRequest, configured: Backend, kept_tables: None) -> Iterator[Backend]:
    """The default database, with empty tables of this module's models."""
    if models := _models_of(request.module):
        ormolu.create_tables(*models)  # those that aren't there
    yield configured
    configured.tidy(changed=request.node.get_closest_marker("changes_tables") is not None)


@pytest.fixture
def queries(db: Backend) -> Iterator[Any]:
    """The statements that the test has sent so far, as `capture_queries` collects them."""
    with ormolu.capture_queries() as captured:
        yield captured


def _models_of(module: Any) -> list[type[ormolu.Model]]:
    if hasattr(module, "MODELS"):
        return list(module.MODELS)
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, ormolu.Model)
        and value.__module__ == module.__name__
        and not value._meta.abstract
    ]
