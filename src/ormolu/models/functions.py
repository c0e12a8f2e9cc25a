"""Database functions, where Django's users look for them: `from ormolu.models.functions import Lower`."""

from ormolu.query.functions import *  # noqa: F403
from ormolu.query.functions import __all__ as __all__
