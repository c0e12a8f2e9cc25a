"""Write a catalogue to the default database: all of it, or nothing."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeAlias, TypeVar

from ormolu import Model, atomic
from ormolu.contrib.playground.catalogue import Catalogue
from ormolu.contrib.playground.models import (
    MODELS,
    Classifier,
    Credit,
    Distribution,
    File,
    License,
    Person,
    Requirement,
)

T = TypeVar("T")
M = TypeVar("M", bound=Model)
Progress: TypeAlias = Callable[[int], object]

# Small enough for a progress bar to move, large enough for the database not to notice.
_BATCH = 2_000


def load(catalogue: Catalogue, progress: Progress = lambda rows: None) -> dict[str, int]:
    """Write `catalogue` in one transaction, calling `progress` with the number of rows of each step.

    Returns the number of rows of each model. Rows are written in the catalogue's order, and so primary keys
    follow it.
    """
    with atomic():
        distributions = _distributions(catalogue, progress)
        _classify(catalogue, distributions, progress)
        _credit(catalogue, distributions, progress)
        _write(_files(catalogue, distributions), progress)
        _write(_requirements(catalogue, distributions), progress)
        return {model.__name__: model.objects.count() for model in MODELS}


def _distributions(catalogue: Catalogue, progress: Progress) -> dict[str, Distribution]:
    names = _spellings(d.license for d in catalogue.distributions if d.license)
    written = _write((License(name=name) for name in names.values()), progress)
    licenses = dict(zip(names, written))
    rows = (
        Distribution(
            name=d.name,
            version=d.version,
            summary=d.summary,
            requires_python=d.requires_python,
            installed=d.installed,
            urls=d.urls,
            license=licenses.get(d.license.casefold()),
        )
        for d in catalogue.distributions
    )
    return {distribution.name: distribution for distribution in _write(rows, progress)}


def _classify(catalogue: Catalogue, distributions: dict[str, Distribution], progress: Progress) -> None:
    names = _spellings(name for d in catalogue.distributions for name in d.classifiers)
    written = _write((Classifier(name=name) for name in names.values()), progress)
    classifiers = dict(zip(names, written))
    for record in catalogue.distributions:
        of_this = {classifiers[name.casefold()] for name in record.classifiers}
        distributions[record.name].classifiers.add(*of_this)
        progress(len(of_this))


def _credit(catalogue: Catalogue, distributions: dict[str, Distribution], progress: Progress) -> None:
    named = sorted({(c.name, c.email) for d in catalogue.distributions for c in d.credits})
    people = dict(zip(named, _write((Person(name=name, email=email) for name, email in named), progress)))
    rows = (
        Credit(distribution=distributions[d.name], person=people[c.name, c.email], role=c.role)
        for d in catalogue.distributions
        for c in d.credits
    )
    _write(rows, progress)


def _files(catalogue: Catalogue, distributions: dict[str, Distribution]) -> Iterator[File]:
    for record in catalogue.distributions:
        distribution = distributions[record.name]
        for f in record.files:
            yield File(distribution=distribution, path=f.path, kind=f.kind, size=f.size, sha256=f.sha256)


def _requirements(catalogue: Catalogue, distributions: dict[str, Distribution]) -> Iterator[Requirement]:
    for record in catalogue.distributions:
        for r in record.requirements:
            yield Requirement(
                distribution=distributions[record.name],
                target=distributions.get(r.name),
                name=r.name,
                specifier=r.specifier,
                extra=r.extra,
                marker=r.marker,
            )


def _spellings(names: Iterable[str]) -> dict[str, str]:
    """Give names that differ in case alone one spelling: databases differ in whether they are the same."""
    chosen: dict[str, str] = {}
    for name in sorted(set(names)):
        chosen.setdefault(name.casefold(), name)
    return chosen


def _write(instances: Iterable[M], progress: Progress) -> list[M]:
    written: list[M] = []
    for batch in _batches(instances):
        written += type(batch[0]).objects.bulk_create(batch)
        progress(len(batch))
    return written


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
