"""Django's models and QuerySets, typed, sync and async, whose models are real SQLAlchemy mapped classes.

The public names, each resolved on first use (PEP 562): `import ormolu` itself loads next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
