"""The models of the cancellation tests, their rows, and a view of these from outside."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa

import ormolu
from ormolu import CASCADE, CharField, ForeignKey, IntegerField, ManyToManyField, Model
from ormolu.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from ormolu.contrib.contenttypes.models import ContentType


class Writer(Model):
    name = CharField(max_length=30, unique=True)
    score = IntegerField(default=0)
    labels = GenericRelation("Sticker")

    class Meta:
        app_label = "cancellation"


class Sticker(Model):
    text = CharField(max_length=30)
    content_type = ForeignKey(ContentType, on_delete=CASCADE)
    object_id = IntegerField()
    content_object = GenericForeignKey()

    class Meta:
        app_label = "cancellation"


class Tag(Model):
    name = CharField(max_length=30, unique=True)

    class Meta:
        app_label = "cancellation"


class Work(Model):
    title = CharField(max_length=30, unique=True)
    pages = IntegerField(default=0)
    writer = ForeignKey(Writer, on_delete=CASCADE, null=True, related_name="works")
    tags = ManyToManyField(Tag, related_name="works")

    class Meta:
        app_label = "cancellation"


class Stubborn(Model):
    """Overrides save() alone: asynchronous code runs that in a thread."""

    name = CharField(max_length=30, unique=True)

    class Meta:
        app_label = "cancellation"

    def save(self, *args: Any, **kwargs: Any) -> None:
        Tag.objects.create(name=f"of {self.name}")
        super().save(*args, **kwargs)


MODELS = [ContentType, Writer, Sticker, Tag, Work, Work.tags.through, Stubborn]
TABLES = [model._meta.table for model in MODELS]
ROWS: dict[str, list[dict[str, Any]]] = {
    Writer._meta.db_table: [{"id": n, "name": f"writer {n}", "score": n} for n in (1, 2, 3)],
    Tag._meta.db_table: [{"id": n, "name": f"tag {n}"} for n in (1, 2, 3)],
    Work._meta.db_table: [
        {"id": n, "title": f"work {n}", "pages": n * 10, "writer_id": 1 if n < 4 else None}
        for n in range(1, 7)
    ],
    Work.tags.through._meta.db_table: [
        {"id": n, "work_id": work, "tag_id": tag} for n, (work, tag) in enumerate(((1, 1), (1, 2), (2, 1)), 1)
    ],
}


def make_tables(url: str) -> Outside:
    """Make the tables in the database of a URL, which is configured; return the view of it from outside."""
    ormolu.configure(url)
    if "+asyncpg" in url:
        asyncio.run(ormolu.acreate_tables(*MODELS))
    else:
        ormolu.create_tables(*MODELS)
    engine = sa.create_engine(url.replace("+asyncpg", "+psycopg"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(ContentType._meta.table), [{"id": 1, "app_label": "cancellation", "model": "writer"}]
        )
        if engine.dialect.name == "postgresql":
            for model in MODELS:
                name = model._meta.db_table
                connection.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), 1000)"))
    return Outside(engine, 1)


class Outside:
    """The rows, seen and set on a connection that the library does not know of."""

    def __init__(self, engine: sa.Engine, content_type: int) -> None:
        self.engine = engine
        self.connection = engine.connect()
        self.content_type = content_type

    def close(self) -> None:
        self.connection.close()
        self.engine.dispose()

    def reconnect(self) -> None:
        """Take another connection: the server may have crashed."""
        self.connection.invalidate()
        self.connection.close()
        self.connection = self.engine.connect()

    @property
    def pid(self) -> int:
        """The server's process of this connection. PostgreSQL only."""
        with self.connection.begin():
            return int(self.connection.scalar(sa.text("SELECT pg_backend_pid()")) or 0)

    def reset(self) -> None:
        """Make all rows what they were at first."""
        labels = [
            {"id": n, "text": f"label {n}", "content_type_id": self.content_type, "object_id": 1}
            for n in (1, 2)
        ]
        rows = {**ROWS, Sticker._meta.db_table: labels}
        with self.connection.begin():
            for table in reversed(TABLES[1:]):
                self.connection.execute(sa.delete(table))
            for table in TABLES[1:]:
                if found := rows.get(table.name):
                    self.connection.execute(sa.insert(table), found)

    def rows(self) -> Any:
        """Return all rows, without the keys that the database chose."""
        run = self.connection.execute
        writer, tag, work = (model._meta.table for model in (Writer, Tag, Work))
        through, label, stubborn = (model._meta.table for model in (Work.tags.through, Sticker, Stubborn))
        with self.connection.begin():
            return tuple(
                sorted(tuple(str(value) for value in row) for row in run(statement))
                for statement in (
                    sa.select(writer.c.name, writer.c.score),
                    sa.select(work.c.title, work.c.pages, work.c.writer_id),
                    sa.select(tag.c.name),
                    sa.select(work.c.title, tag.c.name)
                    .join(through, through.c.work_id == work.c.id)
                    .join(tag, tag.c.id == through.c.tag_id),
                    sa.select(label.c.text, label.c.object_id),
                    sa.select(stubborn.c.name),
                )
            )

    def others(self) -> list[Any]:
        """Return what the server's other sessions in this database are at, if not idle. PostgreSQL only."""
        if self.engine.dialect.name != "postgresql":
            return []
        statement = sa.text(
            "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle' AND backend_type = 'client backend'"
        )
        with self.connection.begin():
            return [tuple(row) for row in self.connection.execute(statement)]
