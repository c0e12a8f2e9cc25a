"""What tests of queries share."""

from __future__ import annotations

import pytest

from ormolu import databases
from support.backends import Backend


@pytest.fixture
def zones(db: Backend) -> None:
    """Skip a test where the database knows no names of time zones: MariaDB must be given them."""
    if db.vendor == "mysql":
        with databases.get().engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT CONVERT_TZ('2020-01-01', 'UTC', 'Europe/Berlin')")
            if found.scalar() is None:
                pytest.skip("mysql_tzinfo_to_sql has not been run")
