"""Names of indexes and constraints: those that Django gives."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ormolu.schema.names import (
    LONGEST,
    check_name,
    foreign_key_name,
    index_name,
    key_name,
    meta_index_name,
    split_table_name,
    unique_name,
)

LONG = "a_very_long_table_name_for_a_model_that_is_too_long"
identifiers = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=70)


def test_they_are_djangos() -> None:
    """What Django 5.2 makes of the same tables and columns, on PostgreSQL."""
    assert index_name("shop_author", ["name"]) == "shop_author_name_0200c809"
    assert index_name("shop_author", ["name"], "_like") == "shop_author_name_0200c809_like"
    assert index_name("shop_book", ["author_id", "n"], "_uniq") == "shop_book_author_id_n_31f43828_uniq"
    assert foreign_key_name("shop_book", "author_id", "shop_author", "code") == (
        "shop_book_author_id_82b8ab51_fk_shop_author_code"
    )
    assert foreign_key_name("shop_book", "tag2_id", LONG, "id") == "shop_book_tag2_id_0d938ed1_fk_a_very_lo"
    assert index_name(LONG, ["a_very_long_column_name_for_an_index_that_is_too_long"], "_like") == (
        "a_very_long_table_name_f_a_very_long_column_name__94028894_like"
    )
    assert meta_index_name("shop_book", ["x"], "idx") == "shop_book_x_8b7841_idx"
    assert meta_index_name("model_indexes_book", ["-author"], "idx") == "model_index_author_708765_idx"
    assert meta_index_name('"t_quoted"', ["name"], "idx") == "t_quoted_name_e4ed1b_idx"


def test_the_servers_own() -> None:
    """What PostgreSQL calls a key, a unique column and a check that have no name."""
    assert key_name("shop_book") == "shop_book_pkey"
    assert unique_name("shop_book", ["isbn"]) == "shop_book_isbn_key"
    assert check_name("shop_book", "n") == "shop_book_n_check"
    assert len(unique_name(LONG, ["a_very_long_column_name"])) == LONGEST


def test_a_suffix_that_is_too_long() -> None:
    """A name that not every database could have is refused."""
    with pytest.raises(ValueError, match="longer than 3"):
        meta_index_name("model_indexes_book", ["page_count"], "suff")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(identifiers, st.lists(identifiers, min_size=1, max_size=4), st.sampled_from(["", "_like", "_uniq"]))
def test_names_fit_and_differ(table: str, columns: list[str], suffix: str) -> None:
    """A name fits every database, begins with a letter, and is another one for other columns."""
    name = index_name(table, columns, suffix)
    assert len(name) <= LONGEST
    assert not name[0].isdigit()
    assert name[0] != "_"
    assert name.endswith(suffix)
    assert name != index_name(table, [*columns, "one_more"], suffix)
    assert len(server := unique_name(table, columns)) <= LONGEST
    assert server.endswith("_key")


@pytest.mark.parametrize(
    ("db_table", "parts"),
    [
        ("plain", (None, "plain")),
        ('"quoted"', (None, "quoted")),
        ('"some"."table"', ("some", "table")),
        ('"a""b"', (None, 'a"b')),
    ],
)
def test_quoted_tables(db_table: str, parts: tuple[str | None, str]) -> None:
    """`db_table` may be in quotes, and so name a schema."""
    assert split_table_name(db_table) == parts
