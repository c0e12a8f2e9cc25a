"""The asynchronous driver, for drivers that are asynchronous themselves.

Their connections belong to one event loop, so each loop has an engine and a pool of its own, which is closed
when the loop ends. A kind of database adds a connection class; the rest is here.
"""

from ormolu.databases.asynchronous.connection import AsyncConnection
from ormolu.databases.asynchronous.driver import AsyncDriver
from ormolu.databases.asynchronous.pool import LoopPool

__all__ = ["AsyncConnection", "AsyncDriver", "LoopPool"]
