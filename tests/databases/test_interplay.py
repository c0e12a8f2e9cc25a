"""SQLAlchemy's own transactions on the same engines, and its connections inside ours."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy.orm import Session

import ormolu
from ormolu import transaction

INSERT = sa.text("INSERT INTO numbers VALUES (:n)")
COUNT = sa.text("SELECT count(*) FROM numbers")


def test_sqlalchemys_blocks_are_transactions(numbers: Any) -> None:
    """engine.begin() commits or rolls back, and a Session that is not committed leaves nothing."""
    engine = numbers.database.engine
    with engine.begin() as connection:
        connection.execute(INSERT, {"n": 1})
    with pytest.raises(KeyError), engine.begin() as connection:
        connection.execute(INSERT, {"n": 2})
        raise KeyError
    with Session(engine) as session:
        session.execute(INSERT, {"n": 3})
    with Session(engine) as session:
        session.execute(INSERT, {"n": 4})
        with session.begin_nested() as nested:
            session.execute(INSERT, {"n": 5})
            nested.rollback()
        session.commit()
    assert numbers.all_now() == [1, 4]


def test_isolation_levels_are_put_back(numbers: Any) -> None:
    """After SQLAlchemy used AUTOCOMMIT or SERIALIZABLE, ours and its transactions are what they were."""
    engine = numbers.database.engine
    for number, level in enumerate(["AUTOCOMMIT", "SERIALIZABLE"] * 2):
        with engine.connect().execution_options(isolation_level=level) as connection:
            connection.execute(INSERT, {"n": number})
            if level == "SERIALIZABLE":
                connection.rollback()
        numbers.add_now(10 + number)
        with pytest.raises(KeyError), engine.begin() as connection:
            connection.execute(INSERT, {"n": 20 + number})
            raise KeyError
        with pytest.raises(KeyError), transaction.atomic():
            numbers.add_now(30 + number)
            raise KeyError
    assert numbers.all_now() == [0, 2, 10, 11, 12, 13]


@pytest.mark.worlds("async")
async def test_async_engine(numbers: Any, world: Any) -> None:
    """The loop's AsyncEngine works beside the driver, with transactions and isolation levels."""
    engine = numbers.database.async_engine
    assert engine is numbers.database.async_engine
    async with engine.begin() as connection:
        await connection.execute(INSERT, {"n": 1})
    with pytest.raises(KeyError):
        async with engine.begin() as connection:
            await connection.execute(INSERT, {"n": 2})
            raise KeyError
    connection = await engine.connect()
    await connection.execution_options(isolation_level="AUTOCOMMIT")
    await connection.execute(INSERT, {"n": 3})
    await connection.close()
    await numbers.add(4)
    with pytest.raises(KeyError):
        async with engine.begin() as connection:
            await connection.execute(INSERT, {"n": 5})
            raise KeyError
    with pytest.raises(KeyError):
        async with transaction.aatomic():
            await numbers.add(6)
            raise KeyError
    assert await numbers.all() == [1, 3, 4]


async def test_ddl_and_core_take_part_in_the_block(numbers: Any, world: Any) -> None:
    """ddl() and addl() work on the ambient connection; their commit and rollback end nothing of ours."""
    driver = numbers.database.adriver if world.is_async else numbers.database.driver

    async def ddl(fn: Any) -> Any:
        return await driver.addl(fn) if world.is_async else driver.ddl(fn)

    def insert(connection: sa.Connection) -> int:
        connection.execute(INSERT, {"n": 2})
        connection.commit()
        return connection.execute(COUNT).scalar_one()

    with pytest.raises(KeyError):
        async with world.atomic():
            await numbers.add(1)
            assert await ddl(insert) == 2
            raise KeyError
    assert await numbers.all() == []
    assert await ddl(insert) == 1
    assert await numbers.all() == [2]


async def test_errors_in_ddl_are_ours_and_spoil_the_block(numbers: Any, world: Any) -> None:
    """An error of SQLAlchemy's connection is translated, and undoes the block."""
    driver = numbers.database.adriver if world.is_async else numbers.database.driver

    def fail(connection: sa.Connection) -> None:
        connection.execute(INSERT, {"n": 1})
        connection.execute(INSERT, {"n": 1})

    with pytest.raises(ormolu.IntegrityError) as caught:
        await driver.addl(fail) if world.is_async else driver.ddl(fail)
    assert isinstance(caught.value, sqlalchemy.exc.IntegrityError)
    assert await numbers.all() == []


async def test_streams(numbers: Any, world: Any) -> None:
    """A stream gives lists of rows; queries beside it work, and one that is left early leaves nothing open."""
    for number in range(25):
        await numbers.add(number)
    driver = numbers.database.adriver if world.is_async else numbers.database.driver

    async def chunks() -> Any:
        stream = driver.stream("SELECT n FROM numbers ORDER BY n", driver.no_params, 10)
        if world.is_async:
            async for rows in stream:
                yield rows
        else:
            for rows in stream:
                yield rows

    sizes = []
    async for rows in chunks():
        sizes.append(len(rows))
        assert len(await numbers.all()) == 25
    assert sizes == [10, 10, 5]
    stream = chunks()
    await anext(stream)
    await stream.aclose()
    async with world.atomic():
        await numbers.add(100)
        assert [row[0] async for rows in chunks() for row in rows][-1] == 100


async def test_writes_between_the_rows_of_a_stream_are_their_own(numbers: Any, world: Any) -> None:
    """Outside of blocks, what is written inside the loop over a stream is committed there and then."""
    for number in range(4):
        await numbers.add(number)
    driver = numbers.database.adriver if world.is_async else numbers.database.driver
    sql = "SELECT n FROM numbers ORDER BY n"

    async def loop() -> None:
        if world.is_async:
            async for rows in driver.stream(sql, driver.no_params, 2):
                await numbers.add(100 + rows[0][0])
                if rows[0][0] == 2:
                    raise KeyError
        else:
            for rows in driver.stream(sql, driver.no_params, 2):
                await numbers.add(100 + rows[0][0])
                if rows[0][0] == 2:
                    raise KeyError

    with pytest.raises(KeyError):
        await loop()
    assert await numbers.all() == [0, 1, 2, 3, 100, 102]
