"""Registries of their own for tests that define models in their bodies."""

from collections.abc import Iterator

import pytest

from ormolu.models.registry import Apps, isolated


@pytest.fixture
def apps() -> Iterator[Apps]:
    """A registry that models defined in the test belong to."""
    with isolated() as registry:
        yield registry
