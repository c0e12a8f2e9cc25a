"""`dorm.signals`: Ormolu's. A receiver is held weakly unless it is connected with `weak=False`."""

from ormolu.signals import (
    Signal,
    m2m_changed,
    post_delete,
    post_query,
    post_save,
    pre_delete,
    pre_query,
    pre_save,
    receiver,
)

__all__ = [
    "Signal",
    "m2m_changed",
    "post_delete",
    "post_query",
    "post_save",
    "pre_delete",
    "pre_query",
    "pre_save",
    "receiver",
]
