"""The database of a test, configured as djanorm's users do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ormolu.ports.djanorm as dorm
from ormolu import databases
from support.backends import Backend


@pytest.fixture
def configured(backend: Backend) -> Iterator[Backend]:
    """Make `backend` the default database with `dorm.configure()`."""
    dorm.configure(DATABASES={"default": {"URL": backend.url}})
    yield backend
    databases.close_all()
