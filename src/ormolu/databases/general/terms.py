"""How transactions begin and end in SQL, where the database is reached through SQLAlchemy's own connections."""

from __future__ import annotations

from math import ceil
from typing import Any

from ormolu.databases.blocks import Block
from ormolu.databases.terms import LEVELS, Terms, milliseconds, postgresql_begin, refuse

__all__ = ["after_statement", "begin_statements", "check"]

MYSQL = ("mysql", "mariadb")


def check(dialect: Any, terms: Terms) -> None:
    """Raise NotSupportedError for what a database can't do."""
    if dialect.name == "postgresql":
        refuse(terms, "PostgreSQL", LEVELS, ("deferrable", "lock_timeout", "statement_timeout"))
    elif dialect.name in MYSQL:
        name = "MariaDB" if dialect.is_mariadb else "MySQL"
        refuse(terms, name, LEVELS, ("lock_timeout", "statement_timeout"))
    else:
        refuse(terms, dialect.name, (), ())


def begin_statements(dialect: Any, block: Block) -> list[str]:
    """Return how a transaction begins."""
    terms = block.terms
    if dialect.name == "postgresql":
        return postgresql_begin(terms)
    read_only = terms is not None and terms.read_only
    if dialect.name not in MYSQL:
        return ["BEGIN READ ONLY" if read_only and dialect.name != "mssql" else "BEGIN TRANSACTION"]
    statements: list[str] = []
    if terms is not None:
        if terms.isolation is not None:
            statements.append(f"SET TRANSACTION ISOLATION LEVEL {terms.isolation.upper()}")
        if variables := _variables(dialect, terms):
            parts = [
                f"@ormolu_{name} = @@SESSION.{name}, SESSION {name} = {value}"
                for name, value in variables.items()
            ]
            statements.append(f"SET {', '.join(parts)}")
    return [*statements, "START TRANSACTION READ ONLY" if read_only else "START TRANSACTION"]


def after_statement(dialect: Any, block: Block) -> str | None:
    """Return what takes back, after a transaction's end, the variables that it set for the session."""
    if (
        block.terms is None
        or dialect.name not in MYSQL
        or not (variables := _variables(dialect, block.terms))
    ):
        return None
    return f"SET {', '.join(f'SESSION {name} = @ormolu_{name}' for name in variables)}"


def _variables(dialect: Any, terms: Terms) -> dict[str, str]:
    """Return the session variables of MariaDB or MySQL that stand for terms. Locks are waited for in whole seconds."""
    found: dict[str, str] = {}
    if terms.lock_timeout is not None:
        found["innodb_lock_wait_timeout"] = found["lock_wait_timeout"] = str(ceil(terms.lock_timeout))
    if terms.statement_timeout is not None:
        if dialect.is_mariadb:
            found["max_statement_time"] = f"{terms.statement_timeout:f}"
        else:
            found["max_execution_time"] = str(milliseconds(terms.statement_timeout))
    return found
