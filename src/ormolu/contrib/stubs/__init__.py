"""Stub files for modules of models: with them, checkers know the keywords of `filter()` and its kin.

`write()` is what `ormolu stubs` calls. See docs/typing.md.
"""

from ormolu.contrib.stubs.files import Stub, stubs_of

__all__ = ["Stub", "stubs_of"]
