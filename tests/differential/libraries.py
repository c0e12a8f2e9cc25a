"""The two libraries: each runs source in a namespace of its own, on the same tables."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from .rows import Rows
from .schemas import LABEL, Schema
from .source import Question

HELPERS = Path(__file__).with_name("helpers.py").read_text(encoding="utf-8")
VALUES = "from datetime import date, datetime, time, timedelta\nfrom decimal import Decimal\nfrom uuid import UUID\n"
DJANGO = """\
from django.db.models import *
from django.db.models.fields.json import KT
from django.db.models.functions import *
from django.db.models.lookups import *
from django.db.transaction import atomic
"""
OURS = """\
from ormolu import *
from ormolu.query import *
from ormolu.query.functions import *
from ormolu.query.lookups import *
from ormolu.models import *
from ormolu.fields import *
"""


@dataclass(frozen=True)
class Failed:
    """An error in place of an answer."""

    kind: str
    text: str

    def __repr__(self) -> str:
        return f"raised {self.kind}: {self.text}"


class Library:
    """One library with the models of the schemas that it was told."""

    def __init__(self, imports: str) -> None:
        self.names: dict[str, Any] = {"__name__": __name__}
        exec(VALUES + imports, self.names)
        exec(compile(HELPERS, "helpers.py", "exec", dont_inherit=True), self.names)

    def declare(self, schema: Schema) -> None:
        """Make the models of a schema."""
        exec(schema.source, self.names)

    def models(self, schema: Schema) -> list[Any]:
        """Return the models of a schema, in the order of their declaration."""
        return [self.names[name] for name in schema.models]

    def run(self, lines: list[str]) -> None:
        """Run statements."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # naive datetimes are meant
            for line in lines:
                exec(line, self.names)

    def answer(self, question: Question) -> Any:
        """Return the answer as plain data, or a `Failed`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = eval(str(question), self.names)
                found = self.names["plain"](found)
        except Exception as error:
            return Failed(type(error).__name__, str(error))
        if not question.exact and not question.writes and isinstance(found, list):
            return sorted(found, key=repr)
        return found


class Undo(Exception):
    """Ends a transaction whose changes are not to stay."""


class Both:
    """Django and this library, and the rows of one schema after another.

    Each has a database of its own, whose tables it makes and fills itself: ours is named `<name>-ours`.
    """

    def __init__(self, url: str, time_zone: str = "") -> None:
        self.url = sa.make_url(url)
        self.vendor = self.url.get_backend_name()
        set_up_django(self.url, time_zone)
        if self.vendor == "postgresql":
            from django.db import connection

            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{self.url.database}-ours"')
        import ormolu

        mine = self.url.set(database=f"{self.url.database}-ours")
        ormolu.configure(
            mine.render_as_string(hide_password=False), USE_TZ=bool(time_zone), TIME_ZONE=time_zone or "UTC"
        )
        self.django, self.ours = Library(DJANGO), Library(OURS)
        self.declared: dict[int, tuple[Schema, Rows]] = {}

    def schema(self, seed: int) -> tuple[Schema, Rows]:
        """Return a schema whose tables and rows are there."""
        if seed not in self.declared:
            schema = Schema(seed)
            rows = Rows(schema)
            self.django.declare(schema)
            self.ours.declare(schema)
            self.create_tables(schema)
            self.django.run(rows.source)
            self.ours.names["create_tables"](*self.ours.models(schema))
            self.ours.run(rows.source)
            self.declared[seed] = schema, rows
        return self.declared[seed]

    def create_tables(self, schema: Schema) -> None:
        """Make the tables as Django does."""
        from django.db import connection

        with connection.schema_editor() as editor:
            for model in self.django.models(schema):
                editor.create_model(model)

    def ask(self, question: Question, schema: Schema) -> tuple[Any, Any]:
        """Return Django's answer and ours."""
        if question.loads:
            return self.counted(question)
        if not question.writes:
            return self.django.answer(question), self.ours.answer(question)
        return self.changed_by_django(question, schema), self.changed_by_ours(question, schema)

    def counted(self, question: Question) -> tuple[Any, Any]:
        """Return both answers; ours comes with what it took more queries for than Django, if anything."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from ormolu import capture_queries

        with CaptureQueriesContext(connection) as theirs:
            expected = self.django.answer(question)
        with capture_queries() as mine:
            found = self.ours.answer(question)
        if len(mine) > len(theirs) and not isinstance(expected, Failed) and not isinstance(found, Failed):
            return expected, (found, f"{len(mine)} queries, not {len(theirs)}")
        return expected, found

    def changed_by_django(self, question: Question, schema: Schema) -> Any:
        """Return what writes give with Django, and the rows that they leave."""
        self.reset_sequences(schema)
        found: Any = None
        try:
            with self.django.names["atomic"]():
                found = [self.django.answer(question), self.tables(schema)]
                raise Undo
        except Undo:
            return found

    def changed_by_ours(self, question: Question, schema: Schema) -> Any:
        """Return what writes give with ours, and the rows that they leave."""
        from ormolu import databases

        self.reset_sequences(schema, databases.get().fetch)
        found: Any = None
        try:
            with self.ours.names["atomic"]():
                answer = self.ours.answer(question)
                found = [answer, self.tables(schema, databases.get().fetch)]
                raise Undo
        except Undo:
            return found

    def tables(self, schema: Schema, fetch: Any = None) -> list[Any]:
        """Return all rows of a schema's tables as the database holds them."""
        found: list[Any] = []
        for table, columns in self.columns(schema):
            cast = "::text" if self.vendor == "postgresql" else ""
            statement = f'SELECT {", ".join(name + cast for name in columns)} FROM "{table}"'
            rows = fetch(statement) if fetch is not None else fetched(statement)
            found.append((table, sorted([tuple(map(stored, row)) for row in rows])))
        return found

    def columns(self, schema: Schema) -> list[tuple[str, list[str]]]:
        """Return a schema's tables with their columns. Keys between two models come in no order, and are left out."""
        found: list[tuple[str, list[str]]] = []
        for model in self.django.models(schema):
            found.append((model._meta.db_table, [f'"{f.column}"' for f in model._meta.local_concrete_fields]))
            for relation in model._meta.local_many_to_many:
                if relation.remote_field.through._meta.auto_created:
                    names = [f'"{relation.m2m_column_name()}"', f'"{relation.m2m_reverse_name()}"']
                    found.append((relation.m2m_db_table(), names))
        return found

    def reset_sequences(self, schema: Schema, run: Any = None) -> None:
        """Have the next key follow the greatest: an undone insertion leaves a gap on PostgreSQL."""
        from django.core.management.color import no_style
        from django.db import connection

        if self.vendor == "postgresql":
            for statement in connection.ops.sequence_reset_sql(no_style(), self.django.models(schema)):
                (run or fetched)(statement)

    def close(self) -> None:
        """Close all connections."""
        from django.db import connection

        from ormolu import databases
        from ormolu.conf import settings

        databases.close_all()
        if self.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{self.url.database}-ours" WITH (FORCE)')
        connection.close()
        settings.reset()


def stored(value: Any) -> str:
    """Return a value of a table as text.

    Django has SQLite's booleans read as such, and leaves microseconds out where there are none.
    """
    return (
        str(int(value))
        if isinstance(value, bool)
        else str(value).removesuffix("+00:00").removesuffix(".000000")
    )


def fetched(statement: str) -> list[Any]:
    """Return rows as Django's connection gives them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def django_database(url: sa.URL) -> dict[str, Any]:
    """Return Django's setting for a database."""
    if url.get_backend_name() == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.database}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.database,
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.query.get("host") or url.host or "",  # in the query it is the folder of a Unix socket
        "PORT": str(url.query.get("port") or url.port or ""),
    }


def set_up_django(url: sa.URL, time_zone: str) -> None:
    """Configure Django, once in a process."""
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": django_database(url)},
        INSTALLED_APPS=[f"{__package__}.peer.apps.PeerConfig"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=bool(time_zone),
        TIME_ZONE=time_zone or "UTC",
    )
    django.setup()


def script(question: Question, schema: Schema, rows: Rows) -> str:
    """Return a program that asks either library the question: Django, with `django` as its argument."""
    names = ", ".join(schema.models)
    return f'''\
"""Run with no argument for Ormolu, with `django` for Django."""
import sys
{VALUES}
if sys.argv[1:] == ["django"]:
    import types
    import django
    from django.conf import settings
    app = sys.modules["{LABEL}"] = types.ModuleType("{LABEL}")
    app.__path__, app.__file__ = [], __file__
    settings.configure(
        DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
        INSTALLED_APPS=["{LABEL}"], DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=False,
    )
    django.setup()
    {DJANGO.strip().replace(chr(10), chr(10) + "    ")}
else:
    import ormolu
    ormolu.configure("sqlite://", USE_TZ=False)
    {OURS.strip().replace(chr(10), chr(10) + "    ")}

{HELPERS.split('"""', 2)[2].replace("from __future__ import annotations", "")}

{schema.source}

if sys.argv[1:] == ["django"]:
    from django.db import connection
    with connection.schema_editor() as editor:
        for model in [{names}]:
            editor.create_model(model)
else:
    create_tables()
{chr(10).join(rows.source)}

asked = {str(question)!r}
print(asked)
found = plain(eval(asked))
print({"found" if question.exact or question.writes else "sorted(found, key=repr) if isinstance(found, list) else found"})
'''
