"""Errors that are ValueErrors, as the original's."""

from __future__ import annotations

from ormolu.exceptions import MultipleObjectsReturned, ObjectDoesNotExist

__all__ = ["DoesNotExistError", "FlashDBError", "MultipleObjectsReturnedError"]


class FlashDBError(Exception):
    """Base of the port's errors."""


class DoesNotExistError(ObjectDoesNotExist, FlashDBError, ValueError):
    """No row meets the conditions."""


class MultipleObjectsReturnedError(MultipleObjectsReturned, FlashDBError, ValueError):
    """Several rows meet the conditions of `get()`."""
