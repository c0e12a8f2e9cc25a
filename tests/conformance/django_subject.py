"""Ormolu as a subject of the Django conformance bench: its names, its databases, its transactions.

It renames, and adds no behaviour: what is missing here is missing in the library.
"""

from __future__ import annotations

import contextlib
import inspect
import re
import warnings
from collections.abc import Iterator
from typing import Any

import django_names
from django.conf import global_settings
from django_suite import shim
from django_suite.adapter import Adapter as Base

import ormolu
from ormolu import databases, transaction
from ormolu.contrib.contenttypes.models import ContentType
from ormolu.models import registry
from ormolu.signals import pre_query

ALIASES = ("default", "other")


class Adapter(Base):
    """Connects the bench with the library."""

    OVERRIDES = django_names.overrides()
    # startswith and its like distinguish case on every database, also where the database's LIKE doesn't.
    # Times keep their microseconds when they are cast, on SQLite, too.
    FEATURES = {"has_case_insensitive_like": False, "time_cast_precision": 6}

    def setup(self) -> None:
        django_names.rename_paths()
        if self.ctx.package == "check_framework":  # what Django checks of itself is told in its own words
            own = "django.core.checks"
            self.OVERRIDES = {k: v for k, v in self.OVERRIDES.items() if not k.startswith(own)}
        ormolu.configure(
            DATABASES=dict(self.ctx.database_urls),
            USE_TZ=False,
            TIME_ZONE="America/Chicago",
            DEFAULT_AUTO_FIELD="ormolu.AutoField",
            FETCH_MODE="one",  # the tests count queries, and 5.2 fetches for one object at a time
            INSTALLED_APPS=[self.ctx.package],
        )

    def modules(self) -> Any:
        named = django_names.modules()
        flags = {**self.ctx.features, **self.FEATURES}
        connections = shim.Connections({alias: shim.Connection(self, alias, flags) for alias in ALIASES})
        for alias, connection in connections.items():
            connection.ops = Operations(alias, connection.ops)
        named["django.db"].insert(0, {"connections": connections, "connection": connections["default"]})
        return named

    # -- tables

    def create_tables(self, package: str) -> dict[str, str]:
        errors: dict[str, str] = {}
        for alias in ALIASES:  # Django's runner always has its own applications installed
            ormolu.create_tables(ContentType, using=alias)
        pending = [
            model
            for model in registry.apps.get_models(include_auto_created=True)
            if model.__module__.partition(".")[0] == package and model._meta.can_migrate()
        ]
        if not pending:
            return {}
        if self._create(pending, errors):
            make_content_types()
            return {}
        while pending:  # one by one, and once more after the tables that foreign keys refer to
            failed = [model for model in pending if not self._create([model], errors)]
            if len(failed) == len(pending):
                break
            pending = failed
        make_content_types()
        return {model.__name__: errors[model.__name__] for model in pending}

    def _create(self, models: list[Any], errors: dict[str, str]) -> bool:
        try:
            for alias in ALIASES:
                ormolu.create_tables(*models, using=alias)
        except Exception as error:
            errors.update(
                dict.fromkeys((model.__name__ for model in models), f"{type(error).__name__}: {error}"[:300])
            )
            return False
        return True

    def schema_editor(self, alias: str) -> Any:
        return databases.get(alias).schema_editor()

    def flush(self, alias: str) -> None:
        database = databases.get(alias)
        if database.vendor == "postgresql":
            rows = database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            names = ", ".join(f'"{row[0]}"' for row in rows)
            if names:
                database.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
            make_content_types(alias)
            return
        rows = database.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
        with transaction.atomic(alias):
            database.execute("PRAGMA defer_foreign_keys = ON")
            for (name,) in rows:
                database.execute(f'DELETE FROM "{name}"')
        make_content_types(alias)

    def load_fixtures(self, names: list[str], alias: str) -> None:
        # Reading them is Django's own code; it asks the library for `_meta` and `save_base()` alone.
        from django.core import serializers

        folder = self.ctx.sdist / "tests" / self.ctx.package / "fixtures"
        for path in [path for name in names for path in (*folder.glob(name), *folder.glob(f"{name}.*"))]:
            for found in serializers.deserialize(path.suffix[1:], path.read_text(), using=alias):
                found.save(using=alias)

    # -- what keeps tests apart

    def use_transaction(self, test_class: type) -> bool:
        # Async calls have a connection of their own, which can't see what a thread has not committed.
        tests = [getattr(test_class, name) for name in dir(test_class) if name.startswith("test")]
        return not any(inspect.iscoroutinefunction(test) for test in tests)

    def begin(self, alias: str) -> Any:
        block = transaction.atomic(alias)
        block.__enter__()
        # BEGIN and SAVEPOINT go out with the first statement: let that be here, not in the test.
        conn = databases.get(alias).driver.ambient()
        conn.begin(True)
        conn.blocks[-1].disposable = True
        return block

    def rollback(self, alias: str, mark: Any) -> None:
        mark.__exit__(Exception, None, None)

    @contextlib.contextmanager
    def capture_on_commit(self, alias: str, execute: bool) -> Iterator[list[Any]]:
        conn = databases.get(alias).driver.ambient()
        start, callbacks = len(conn.hooks), []
        yield callbacks
        while start < len(conn.hooks):
            hooks, start = conn.hooks[start:], len(conn.hooks)
            for hook in hooks:
                callbacks.append(hook.callback)
                if execute:
                    try:
                        hook.callback()
                    except Exception as error:
                        hook.failed(error)

    # -- what runs

    @contextlib.contextmanager
    def capture_queries(self, alias: str) -> Iterator[list[dict[str, str]]]:
        queries: list[dict[str, str]] = []
        name = alias

        def receive(sender: Any, sql: str, params: Any, alias: str, **kwargs: Any) -> None:
            if alias == name:
                queries.append({"sql": interpolated(sql, params), "time": "0"})

        pre_query.connect(receive, weak=False)
        try:
            yield queries
        finally:
            pre_query.disconnect(receive)

    def cursor(self, alias: str) -> Any:
        return databases.get(alias).cursor()

    def native_connection(self, alias: str) -> Any:
        return Native(databases.get(alias))

    # -- settings, models

    @contextlib.contextmanager
    def isolate_apps(self, *labels: str) -> Iterator[Any]:
        with registry.isolated(registry.Apps(installed_apps=labels)) as apps:
            yield apps

    def settings_changed(self, name: str, value: Any) -> None:
        own = name in ("USE_TZ", "TIME_ZONE", "DATABASE_ROUTERS", "DEFAULT_AUTO_FIELD")
        if own or not hasattr(global_settings, name):  # the tests' own settings are the program's here
            setattr(ormolu.settings, name, value)

    def teardown(self) -> None:
        with warnings.catch_warnings(action="ignore"):
            databases.close_all()


def make_content_types(*aliases: str) -> None:
    """Make the rows that Django's `migrate` and `flush` leave behind."""
    ContentType.objects.clear_cache()
    for alias in aliases or ALIASES:
        types = ContentType.objects.db_manager(alias)
        types.get_for_models(*registry.apps.get_models(), for_concrete_models=False)
    ContentType.objects.clear_cache()


class Operations:
    """The library's `connection.ops`, whose database is not known yet when this is made; else the bench's."""

    def __init__(self, alias: str, others: Any) -> None:
        self._alias, self._others = alias, others

    def __getattr__(self, name: str) -> Any:
        found = getattr(databases.get(self._alias).ops, name, None)
        return getattr(self._others, name) if found is None else found


class Native:
    """A database, and `copy()` for tests that stand in their own way."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def copy(self) -> Any:
        return OtherConnection(self._database)


class OtherConnection:
    """A connection beside that of the test, opened when it is used."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._opened: Any = None
        self.ops = self

    def for_update_sql(self) -> str:
        return "FOR UPDATE"

    def set_autocommit(self, value: bool) -> None:
        if not value:
            self._opened = self._database.engine.raw_connection()
            self._opened.driver_connection.autocommit = False

    def cursor(self) -> Any:
        return self._opened.cursor()

    def rollback(self) -> None:
        self._opened.rollback()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.driver_connection.rollback()
            self._opened.driver_connection.autocommit = True
            self._opened.close()


def interpolated(sql: str, params: Any) -> str:
    """Return a statement's text with its values in it, for reading."""
    values = iter(params if isinstance(params, (list, tuple)) else ())

    def literal(match: re.Match[str]) -> str:
        try:
            value = next(values)
        except StopIteration:
            return match.group()
        if value is None:
            return "NULL"
        return f"'{value}'" if isinstance(value, str) else str(value)

    return re.sub(r"\?|%s", literal, sql)
