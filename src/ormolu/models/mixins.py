"""Fields that many models have. Plain classes: `class Post(Model, TimestampMixin)` and the other order both work."""

from __future__ import annotations

import uuid

from ormolu.fields import BigAutoField, DateTimeField, UUIDField
from ormolu.fields.server_uuids import ServerUUID


class TimestampMixin:
    """`created_at` and `updated_at`: when the row was inserted, and when it was saved last. Aware, in UTC."""

    created_at = DateTimeField(auto_now_add=True)
    updated_at = DateTimeField(auto_now=True)


class UpdateMixin(TimestampMixin):
    """Another name for TimestampMixin."""


class IntPKMixin:
    """`id`: a 64-bit integer that the database counts up."""

    id = BigAutoField(primary_key=True)


class UUIDPKMixin:
    """`id`: a random UUID, made when the object is."""

    id = UUIDField(primary_key=True, default=uuid.uuid4, editable=False)


class PGUUIDPKMixin:
    """`id`: a random UUID that the database makes, `gen_random_uuid()` on PostgreSQL; also of rows inserted by hand."""

    id = UUIDField(primary_key=True, db_default=ServerUUID(), editable=False)


class SoftDeleteMixin:
    """`deleted_at`: when the object was marked as deleted; None while it isn't. Nothing filters by it."""

    deleted_at = DateTimeField(null=True, blank=True, db_index=True)
