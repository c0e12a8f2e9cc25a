"""Equality of Qs: what they say counts, not the class of a collection."""

import pytest

from ormolu import F, Q
from ormolu.query.functions import Lower

MODELS = ()


@pytest.mark.parametrize("values", [(1, 2), [1, 2], {1: "a", 2: "b"}.keys()])
def test_values_in_any_collection(values):
    """Lists, tuples and views of the same values are equal, and hash alike."""
    assert Q(("pk__in", values)) == Q(pk__in=[1, 2])
    assert hash(Q(("pk__in", values))) == hash(Q(pk__in=[1, 2]))


def test_what_differs():
    """Other values, another order of them, another lookup."""
    for other in (Q(pk__in=[2, 1]), Q(pk__in=[1]), Q(pk=1), ~Q(pk__in=[1, 2])):
        assert Q(pk__in=[1, 2]) != other
    assert Q(name__iexact=F("other")) != Q(name=Lower(F("other")))
