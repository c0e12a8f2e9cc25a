"""What an environment holds: distributions, and what hangs on them.

Rows are written in alphabetical order (see `loader`), so `pk` sorts by name as well. Questions order by it,
because databases do not agree on how to sort text.
"""

from typing import TYPE_CHECKING

from ormolu import (
    CASCADE,
    SET_NULL,
    CharField,
    DateTimeField,
    ForeignKey,
    JSONField,
    ManyToManyField,
    Model,
    PositiveBigIntegerField,
    TextChoices,
    TextField,
)

if TYPE_CHECKING:
    from ormolu.models import ReverseManager


class License(Model):
    """A licence, as distributions name it: `MIT`."""

    name = CharField(max_length=200, unique=True)

    class Meta:
        app_label = "playground"

    def __str__(self) -> str:
        return self.name


class Classifier(Model):
    """A trove classifier: `Topic :: Database`."""

    name = CharField(max_length=200, unique=True)

    class Meta:
        app_label = "playground"

    def __str__(self) -> str:
        return self.name


class Person(Model):
    """Somebody, or some team, whom a distribution names."""

    name = CharField(max_length=300)
    email = CharField(max_length=300, blank=True)

    class Meta:
        app_label = "playground"

    def __str__(self) -> str:
        return self.name or self.email


class Distribution(Model):
    """An installed distribution. `name` is normalised, as requirements refer to it: `typing-extensions`."""

    name = CharField(max_length=200, unique=True)
    version = CharField(max_length=100)
    summary = TextField(blank=True)
    requires_python = CharField(max_length=200, blank=True)
    installed = DateTimeField(null=True)
    urls = JSONField(default=dict)
    license = ForeignKey(License, on_delete=SET_NULL, null=True, related_name="distributions")
    classifiers = ManyToManyField(Classifier, related_name="distributions")
    people = ManyToManyField(Person, through="Credit", related_name="distributions")

    if TYPE_CHECKING:  # a checker can't know what `related_name` makes
        files: ReverseManager["File"]

    class Meta:
        app_label = "playground"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Credit(Model):
    """That a person is a distribution's author or maintainer."""

    class Role(TextChoices):
        AUTHOR = "author"
        MAINTAINER = "maintainer"

    distribution = ForeignKey(Distribution, on_delete=CASCADE, related_name="credits")
    person = ForeignKey(Person, on_delete=CASCADE, related_name="credits")
    role = CharField(max_length=10, choices=Role)

    class Meta:
        app_label = "playground"
        unique_together = [("distribution", "person", "role")]


class File(Model):
    """A file that a distribution installed. `sha256` is empty where its record has none (bytecode)."""

    class Kind(TextChoices):
        SOURCE = "source"
        TYPES = "types"
        BYTECODE = "bytecode"
        NATIVE = "native"
        METADATA = "metadata"
        OTHER = "other"

    distribution = ForeignKey(Distribution, on_delete=CASCADE, related_name="files")
    path = CharField(max_length=500)
    kind = CharField(max_length=10, choices=Kind, db_index=True)
    size = PositiveBigIntegerField()
    sha256 = CharField(max_length=64, blank=True)

    class Meta:
        app_label = "playground"

    def __str__(self) -> str:
        return self.path


class Requirement(Model):
    """An edge of the graph: `distribution` needs `target` (null where that is not installed)."""

    distribution = ForeignKey(Distribution, on_delete=CASCADE, related_name="requirements")
    target = ForeignKey(Distribution, on_delete=SET_NULL, null=True, related_name="dependents")
    name = CharField(max_length=200, db_index=True)
    specifier = CharField(max_length=200, blank=True)
    extra = CharField(max_length=100, blank=True)
    marker = CharField(max_length=500, blank=True)

    class Meta:
        app_label = "playground"

    def __str__(self) -> str:
        return f"{self.name}{self.specifier}"


MODELS = [License, Classifier, Person, Distribution, Credit, File, Requirement]
