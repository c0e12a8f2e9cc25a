"""create_tables() and drop_tables(): what stands in the database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.schema import CreateTable

import ormolu
from models.library import Author, Book, Membership, Note
from ormolu.fields import CharField, IntegerField
from ormolu.models import Apps, Index, Model, UniqueConstraint
from ormolu.models.tables import statements
from ormolu.query.q import Q
from ormolu.query.references import F
from ormolu.schema.names import index_name


async def test_create_and_drop(configured: Any, world: Any) -> None:
    """Tables are made once, those of many-to-many relations too, and dropped again."""
    from models.library import Tag

    made = await world(ormolu.create_tables, Author, Tag, Book)
    assert set(made) == {"shelf_author", "shelf_tag", "shelf_book", "shelf_book_tags"}
    assert await world(ormolu.create_tables, Author, Tag, Book) == []
    assert set(await world(ormolu.drop_tables, Author, Tag, Book)) == set(made)
    assert await world(ormolu.drop_tables, Author, Tag, Book) == []


def test_references_are_checked_at_the_end() -> None:
    """Foreign keys are deferred, and have an index."""
    sql = "\n".join(statements(postgresql.dialect(), [Membership.__table__]))
    assert "FOREIGN KEY(club_id) REFERENCES shelf_club (id) DEFERRABLE INITIALLY DEFERRED" in sql
    assert "CREATE INDEX shelf_membership_club_id_1e620b84 ON shelf_membership (club_id)" in sql


def test_indexes_come_in_one_order(apps: Apps) -> None:
    """The statements are the same in every process: indexes in the order of the table's columns."""

    class Ordered(Model):
        b, c, a = (IntegerField(db_index=True) for _ in range(3))

        class Meta:
            indexes = [Index(fields=["c", "a"], name="by_both")]

    made = [
        sql.split('"')[1] if '"' in sql else sql.split()[2]
        for sql in statements(sqlite.dialect(), [Ordered.__table__])
    ]
    table = Ordered._meta.db_table
    assert made[1:] == [*(index_name(table, [name]) for name in "bc"), "by_both", index_name(table, ["a"])]


def test_options_for_sqlite(apps: Apps) -> None:
    """A table with an automatic key says AUTOINCREMENT; all other options of the dialect can be read and set."""

    class Plain(Model):
        class Meta:
            app_label = "library"

    class Strict(Model):
        __table_args__ = {"sqlite_strict": True}

        class Meta:
            app_label = "library"

    plain, strict = Plain._meta.table, Strict._meta.table
    assert dict(plain.kwargs) == {"sqlite_autoincrement": True}
    for table in (plain, plain.to_metadata(sa.MetaData())):
        options = table.dialect_options["sqlite"]
        assert options["autoincrement"] is True
        assert options["with_rowid"] is True
        assert "strict" in options
        assert "AUTOINCREMENT" in str(CreateTable(table).compile(dialect=sqlite.dialect()))
    assert dict(strict.kwargs) == {"sqlite_strict": True, "sqlite_autoincrement": True}
    assert str(CreateTable(strict).compile(dialect=sqlite.dialect())).rstrip().endswith("STRICT")
    plain.dialect_options["sqlite"]["strict"] = True
    assert dict(plain.kwargs) == {"sqlite_autoincrement": True, "sqlite_strict": True}


def test_constraints_and_indexes(apps: Apps) -> None:
    """Meta's indexes and constraints are in the table, conditions in the database's own words."""

    class Thing(Model):
        name = CharField(max_length=10)
        rank = IntegerField()

        class Meta:
            db_table = "thing"
            unique_together = (("name", "rank"),)
            indexes = (
                Index(fields=["-rank", "name"]),
                Index(fields=["rank"], condition=Q(name="it's") | Q(rank__gt=3), name="some"),
                Index(F("rank") + 1, name="next_rank"),
            )
            constraints = (UniqueConstraint(fields=["name"], condition=Q(rank=1), name="%(class)s_name"),)

    sql = "\n".join(statements(sqlite.dialect(), [Thing.__table__]))
    assert "CONSTRAINT thing_name_rank_d7a6b85a_uniq UNIQUE (name, rank)" in sql
    assert "CREATE INDEX thing_rank_404bf0_idx ON thing (rank DESC, name)" in sql
    assert "CREATE INDEX some ON thing (rank) WHERE name = 'it''s' OR rank > 3" in sql
    assert "CREATE UNIQUE INDEX thing_name ON thing (name) WHERE rank = 1" in sql
    assert "CREATE INDEX next_rank ON thing ((rank + 1))" in sql
    plain = "\n".join(statements(mysql.dialect(), [Thing.__table__]))
    assert "INDEX thing_name" not in plain
    plain = "\n".join(statements(mysql.dialect(), [Membership.__table__]))
    assert "FOREIGN KEY(club_id) REFERENCES shelf_club (id)" in plain
    assert "DEFERRABLE" not in plain


def test_the_database_holds_what_meta_says(db: Any) -> None:
    """A violated constraint is an IntegrityError."""
    import pytest

    with pytest.raises(ormolu.IntegrityError):
        Note.objects.create(text="a", rank=-1)
    Note.objects.create(text="a", topic="x")
    if db.vendor != "mysql":  # MariaDB has no indexes of some rows only
        with pytest.raises(ormolu.IntegrityError):
            Note.objects.create(text="b", topic="x")
    Note.objects.create(text="b", topic="x", rank=2)


MODELS = [Note]
