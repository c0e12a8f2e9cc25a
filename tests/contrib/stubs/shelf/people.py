"""Authors, with an abstract base, a generic manager and a lookup of one's own."""

from __future__ import annotations

import enum
import uuid
from typing import Any, ClassVar, TypeVar

from ormolu import (
    SET_NULL,
    CharField,
    DateTimeField,
    EmailField,
    EnumField,
    ForeignKey,
    IntegerField,
    JSONField,
    Lookup,
    Manager,
    Model,
    QuerySet,
    TextChoices,
    UUIDField,
)

M = TypeVar("M")
LIMIT = 30


class Mood(enum.Enum):
    GOOD = "g"
    BAD = "b"


class Level(TextChoices):
    HIGH = "h", "High"
    LOW = "l", "Low"


def shout(
    text: str,
    times: int = 1,  # how often
) -> str:
    """Return a text in capitals."""
    return text.upper() * times


@CharField.register_lookup
class Sounds(Lookup):
    """`name__sounds="Ann"`."""

    lookup_name = "sounds"


class Kept(Manager[M]):
    """A manager of any model."""

    def recent(self) -> QuerySet[M]:
        """Return the latest."""
        return self.order_by("-pk")


class Base(Model):
    """What all have."""

    id = UUIDField(primary_key=True, default=uuid.uuid4)
    joined = DateTimeField(auto_now_add=True)

    objects: ClassVar[Kept[Any]] = Kept()

    class Meta:
        abstract = True


class Author(Base):
    """Somebody who writes."""

    name = CharField(max_length=100)
    email = EmailField(null=True)
    age = IntegerField(null=True)
    level = CharField(max_length=1, choices=Level.choices, default=Level.LOW)
    mood = EnumField(Mood, null=True)
    extra = JSONField(default=dict)
    friend = ForeignKey("self", on_delete=SET_NULL, null=True, related_name="friends")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """Return the name in capitals."""
        return shout(self.name)

    async def greet(self, other: Author) -> str:
        return other.name


if __name__ == "__main__":
    print(LIMIT)
