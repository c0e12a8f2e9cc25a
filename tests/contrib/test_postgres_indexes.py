"""PostgreSQL's kinds of indexes, with their parameters and operator classes."""

import pytest

import ormolu
from ormolu import ArrayField, CharField, DateTimeField, Index, IntegerField, Model, Q
from ormolu.contrib.postgres.indexes import (
    BloomIndex,
    BrinIndex,
    BTreeIndex,
    GinIndex,
    GistIndex,
    HashIndex,
    OpClass,
    SpGistIndex,
)
from ormolu.fields.search import SearchVectorField
from ormolu.query.functions import Lower
from ormolu.query.search import SearchVector
from support.backends import Backend


class Parcel(Model):
    name = CharField(max_length=50)
    words = SearchVectorField(null=True)
    tags = ArrayField(IntegerField(), null=True)
    sent = DateTimeField(null=True)

    class Meta:
        indexes = [
            GinIndex(fields=["words"], fastupdate=False, gin_pending_list_limit=100, name="p_gin"),
            GinIndex(fields=["tags"]),
            GinIndex(SearchVector("name", config="english"), name="p_vector"),
            BrinIndex(fields=["sent"], autosummarize=True, pages_per_range=4, name="p_brin"),
            BTreeIndex(fields=["name"], fillfactor=80, deduplicate_items=False, name="p_btree"),
            HashIndex(fields=["name"], name="p_hash"),
            SpGistIndex(fields=["name"], name="p_spgist"),
            GistIndex(fields=["words"], fillfactor=70, condition=Q(name="x"), name="p_gist"),
            Index(OpClass(Lower("name"), name="text_pattern_ops").desc(), name="p_class"),
        ]


@pytest.mark.backends("postgresql")
def test_they_are_made(db: Backend) -> None:
    """Each by its method, with its parameters, its condition and its operator class."""
    rows = ormolu.databases.get().fetch("SELECT indexname, indexdef FROM pg_indexes")
    made = {name: definition.partition(" USING ")[2] for name, definition in rows}
    assert made["p_gin"] == "gin (words) WITH (gin_pending_list_limit='100', fastupdate=off)"
    assert made["contrib_par_tags_607c8d_gin"] == "gin (tags)"
    assert made["p_vector"] == "gin (to_tsvector('english'::regconfig, (name)::text))"
    assert made["p_brin"] == "brin (sent) WITH (autosummarize='on', pages_per_range='4')"
    assert made["p_btree"] == "btree (name) WITH (fillfactor='80', deduplicate_items=off)"
    assert made["p_hash"] == "hash (name)"
    assert made["p_spgist"] == "spgist (name)"
    assert made["p_gist"].startswith("gist (words) WITH (fillfactor='70') WHERE")
    assert made["p_class"] == "btree (lower((name)::text) text_pattern_ops DESC)"


@pytest.mark.backends("sqlite")
def test_other_databases_do_without(db: Backend) -> None:
    """Only the plain one is there, without its operator class."""
    rows = ormolu.databases.get().fetch(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = %s", [Parcel._meta.db_table]
    )
    assert [name for (name,) in rows] == ["p_class"]


def test_they_can_be_made_again() -> None:
    """deconstruct() has what was given, and clone() equals the index."""
    index = BloomIndex(fields=["name"], name="p_bloom", length=80, columns=[4])
    path, arguments, options = index.deconstruct()
    assert path == "ormolu.contrib.postgres.indexes.BloomIndex"
    assert (arguments, options) == ((), {"name": "p_bloom", "fields": ["name"], "length": 80, "columns": [4]})
    assert index.clone() == index
    assert index.storage_parameters() == {"length": 80, "col1": 4}
    assert OpClass("name", name="a_ops") == OpClass("name", name="a_ops") != OpClass("name", name="b_ops")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BrinIndex(fields=["a"], pages_per_range=0), "positive integer"),
        (lambda: BloomIndex(fields=["a"] * 33), "32 fields"),
        (lambda: BloomIndex(fields=["a"], columns="x"), "list or tuple"),
        (lambda: BloomIndex(fields=["a"], columns=[4, 3]), "more values than fields"),
        (lambda: BloomIndex(fields=["a"], columns=[4096]), "from 1 to 4095"),
        (lambda: BloomIndex(fields=["a"], length=0), "from 1 to 4096"),
        (lambda: OpClass("a", name="ops; DROP TABLE x"), "operator class"),
    ],
)
def test_what_they_refuse(make, message) -> None:
    """Parameters that PostgreSQL would refuse later, and names that are none."""
    with pytest.raises(ValueError, match=message):
        make()
