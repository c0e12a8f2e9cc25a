"""The values of ForeignKey(on_delete=...)."""

import copy
import pickle

import pytest

from ormolu.writes.on_delete import (
    CASCADE,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    SET,
    SET_DEFAULT,
    SET_NULL,
)

ALL = [CASCADE, DO_NOTHING, PROTECT, RESTRICT, SET_DEFAULT, SET_NULL]


@pytest.mark.parametrize("policy", ALL, ids=repr)
def test_policies_are_singletons(policy):
    """A policy survives pickling and copying as itself, and names itself for migrations."""
    assert pickle.loads(pickle.dumps(policy)) is policy
    assert copy.deepcopy(policy) is policy
    assert policy.deconstruct() == (f"ormolu.{policy!r}", (), {})
    assert callable(policy)


def test_set():
    """SET() compares by its value, and gives that or what its function returns."""
    assert SET(1) == SET(1)
    assert SET(1) != SET(2)
    assert SET(1).value_for(None) == 1
    assert SET(lambda: 5).value_for(None) == 5
    assert SET(1).deconstruct() == ("ormolu.SET", (1,), {})
    assert pickle.loads(pickle.dumps(SET(1))) == SET(1)
