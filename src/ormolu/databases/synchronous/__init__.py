"""The synchronous driver, whatever is below it: runs programs on the ambient connection or on one of the pool.

A kind of database adds a connection class; the rest is here.
"""

from ormolu.databases.synchronous.connection import SyncConnection
from ormolu.databases.synchronous.driver import SyncDriver

__all__ = ["SyncConnection", "SyncDriver"]
