"""`connection.ops`: how a database spells and limits things."""

from __future__ import annotations

from ormolu import CharField, IntegerField, Model, capture_queries, connection, transaction
from support.backends import Backend


class Quay(Model):
    name = CharField(max_length=20)
    depth = IntegerField(default=0)


def test_names_and_limits(db: Backend) -> None:
    """Names are quoted once; a statement takes as many rows as it may have parameters."""
    quoted = connection.ops.quote_name("quay")
    assert quoted == ("`quay`" if db.vendor == "mysql" else '"quay"')
    assert connection.ops.quote_name(quoted) == quoted
    assert connection.ops.max_name_length() == {"sqlite": None, "postgresql": 63, "mysql": 64}[db.vendor]
    rows = range(1_000_000)
    one, two = (connection.ops.bulk_batch_size(["a"] * columns, rows) for columns in (1, 2))
    assert one == two == 1_000_000 if db.vendor == "postgresql" else two == one // 2 > 0


def test_the_words_of_a_lock(db: Backend) -> None:
    """They are those that select_for_update() writes."""
    words = connection.ops.for_update_sql(nowait=True)
    with transaction.atomic(), capture_queries() as queries:
        list(Quay.objects.select_for_update(nowait=True))
    assert queries[-1].sql.endswith(words) is (db.vendor != "sqlite")
    assert connection.ops.for_update_sql(no_key=True, of=['"quay"'], skip_locked=True) == (
        'FOR NO KEY UPDATE OF "quay" SKIP LOCKED'
    )
