"""SQL by hand: `connection.cursor()`, `execute()` and `fetch()`, with the same placeholders everywhere."""

from __future__ import annotations

from typing import Any

import pytest

import ormolu
from ormolu import CharField, IntegerField, Model, connection, connections, databases
from ormolu.databases.placeholders import for_driver
from support.worlds import World


class Stall(Model):
    name = CharField(max_length=50)
    places = IntegerField(default=0)

    class Meta:
        db_table = "custom_sql_stall"


def test_a_cursor_takes_django_s_placeholders(db: Any) -> None:
    """`%s`, `%(name)s` and `%%` mean the same on every database."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO custom_sql_stall (name, places) VALUES (%s, %s)", ["50 % off", 7])
        assert cursor.rowcount == 1
        cursor.executemany(
            "INSERT INTO custom_sql_stall (name, places) VALUES (%(name)s, %(places)s)",
            [{"name": "Fish", "places": 2}, {"places": 3, "name": "Fruit"}],
        )
        cursor.execute("SELECT name FROM custom_sql_stall WHERE name LIKE '%%off' AND places = %s", (7,))
        assert [tuple(row) for row in cursor.fetchall()] == [("50 % off",)]
        cursor.execute("SELECT name FROM custom_sql_stall WHERE name LIKE '%off'")
        assert [column[0] for column in cursor.description] == ["name"]
        assert [tuple(row) for row in cursor] == [("50 % off",)]
        cursor.execute(
            "SELECT count(*) FROM custom_sql_stall WHERE places > %(least)s OR places = %(least)s",
            {"least": 3},
        )
        assert tuple(cursor.fetchone()) == (2,)


def test_a_cursor_is_inside_the_transaction(db: Any) -> None:
    """What it writes is undone with the block that it was opened in."""
    with pytest.raises(RuntimeError), ormolu.atomic():
        with connections["default"].cursor() as cursor:
            cursor.execute("INSERT INTO custom_sql_stall (name, places) VALUES (%s, 1)", ["Lost"])
        assert Stall.objects.count() == 1
        assert connection.in_atomic_block
        raise RuntimeError
    assert Stall.objects.count() == 0


async def test_execute_and_fetch_take_them_too(db: Any, world: World) -> None:
    """The methods of a database take the same placeholders, in both worlds."""
    insert = "INSERT INTO custom_sql_stall (name, places) VALUES (%(name)s, %(places)s)"
    assert await world(connection.execute, insert, {"name": "Fish", "places": 2}) == 1
    assert await world(connection.execute, insert, {"name": "5 %", "places": 9}) == 1
    rows = await world(connection.fetch, "SELECT name FROM custom_sql_stall WHERE places < %s", [5])
    assert [tuple(row) for row in rows] == [("Fish",)]
    for sql, params in (
        ("SELECT places FROM custom_sql_stall WHERE name LIKE '%'", None),
        ("SELECT places FROM custom_sql_stall WHERE name LIKE '%%'", ()),
        ("SELECT places FROM custom_sql_stall WHERE name LIKE '%%' AND places > %s", (0,)),
    ):
        rows = await world(connection.fetch, sql, params)
        assert sorted(tuple(row) for row in rows) == [(2,), (9,)]


@pytest.mark.parametrize(
    ("sql", "params", "kind", "text"),
    [
        ("SELECT ?", [1], TypeError, "0 placeholders"),
        ("SELECT %s, %s", [1], TypeError, "2 placeholders .* 1 parameters"),
        ("SELECT %s", "a", TypeError, "not str"),
        ("SELECT %s", {"a": 1}, TypeError, "without names"),
        ("SELECT %(a)s", [1], TypeError, "give a dictionary"),
        ("SELECT %(a)s", {"b": 1}, KeyError, "'a' is not among 'b'"),
    ],
)
def test_what_does_not_fit_is_said(sql: str, params: Any, kind: type[Exception], text: str) -> None:
    """Parameters that don't fit the placeholders are errors before the database is asked."""
    with pytest.raises(kind, match=text):
        for_driver("qmark", sql, params)


def test_styles() -> None:
    """A statement is written in the style of the driver."""
    sql = "SELECT %(a)s, '%%', %(b)s, %(a)s"
    values = {"a": 1, "b": 2}
    assert for_driver("qmark", sql, values) == ("SELECT ?, '%', ?, ?", [1, 2, 1])
    assert for_driver("numeric_dollar", sql, values) == ("SELECT $1, '%', $2, $3", [1, 2, 1])
    assert for_driver("format", sql, values) == ("SELECT %s, '%%', %s, %s", [1, 2, 1])


def test_connections_are_the_databases(db: Any) -> None:
    """`connections` maps aliases to databases; `connection` is the default one."""
    assert connections["default"] is databases.get() == connection
    assert list(connections) == databases.aliases()
    assert connections.all()[0] is databases.get(next(iter(connections)))
    assert connection.vendor == databases.get().vendor
    assert "default" in connections
    assert "nowhere" not in connections
    with pytest.raises(ormolu.ImproperlyConfigured, match="nowhere"):
        connections["nowhere"]
