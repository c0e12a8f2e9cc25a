"""Random models that refer to one another, random rows, a deletion: `python -m tests.differential.deletions --examples 500`.

What is counted, what is left, which signals are sent and which error is raised is what it is with Django.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from .libraries import set_up_django

POLICIES = (
    "CASCADE",
    "CASCADE",
    "CASCADE",
    "PROTECT",
    "RESTRICT",
    "SET_NULL",
    "SET_DEFAULT",
    "SET",
    "SET_CALLED",
    "DO_NOTHING",
    "OWN_CASCADE",
    "OWN_NULL",
)
KEYS = (1, 2, 3)


@dataclass
class Relation:
    """A relation of a model to one that is named by its number."""

    kind: str
    target: int
    policy: str = "CASCADE"
    by_code: bool = False
    name: str = ""


@dataclass
class Shape:
    """A model: of which it is a child, and what it refers to."""

    parent: int | None
    relations: list[Relation] = field(default_factory=list)
    listens: bool = False


@dataclass
class Case:
    """Models, rows and the deletion."""

    shapes: list[Shape]
    rows: dict[tuple[int, int], dict[str, int | None]]
    links: list[tuple[int, str, int, int]]
    victim: int
    keys: list[int]
    how: str


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Make models with relations in any direction, rows with links at random, and a deletion."""
    number = draw(st.integers(2, 5))
    shapes: list[Shape] = []
    for this in range(number):
        parent = draw(st.integers(0, this - 1)) if this and draw(st.integers(0, 3)) == 0 else None
        shapes.append(Shape(parent, listens=draw(st.integers(0, 4)) == 0))
    for this, shape in enumerate(shapes):
        for n in range(draw(st.integers(0, 3))):
            kind = draw(st.sampled_from(["key", "key", "key", "one", "many"]))
            relation = Relation(kind, draw(st.integers(0, number - 1)), draw(st.sampled_from(POLICIES)))
            relation.by_code = kind != "many" and draw(st.integers(0, 4)) == 0
            relation.name = f"r{this}{n}"
            shape.relations.append(relation)
    rows: dict[tuple[int, int], dict[str, int | None]] = {}
    links: list[tuple[int, str, int, int]] = []
    for this, shape in enumerate(shapes):
        for key in KEYS:
            values: dict[str, int | None] = {}
            for relation in shape.relations:
                if relation.kind == "many":
                    there = draw(st.sets(st.sampled_from(KEYS), max_size=2))
                    links += [(this, relation.name, key, other) for other in sorted(there)]
                elif relation.kind == "one":
                    values[relation.name] = draw(st.sampled_from([None, key]))
                else:
                    values[relation.name] = draw(st.sampled_from([None, *KEYS]))
            rows[this, key] = values
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True))
    how = draw(st.sampled_from(["instance", "queryset", "all", "keep_parents", "deferred"]))
    return Case(shapes, rows, links, draw(st.integers(0, number - 1)), keys, how)


class Side:
    """One library: it makes the models, fills them, deletes, and says what happened."""

    lib: Any
    signals: Any

    def registry(self) -> Any:
        """Return an empty registry of models."""
        raise NotImplementedError

    def make_tables(self, models: list[Any], registry: Any) -> None:
        """Make the tables of the models in a new database."""
        raise NotImplementedError

    def declare(self, case: Case) -> list[Any]:
        """Make the models of a case."""
        lib, registry, models = self.lib, self.registry(), []
        for this, shape in enumerate(case.shapes):
            base = lib.Model if shape.parent is None else models[shape.parent]
            meta = type("Meta", (), {"app_label": "differential", "apps": registry, "ordering": ["pk"]})
            body: dict[str, Any] = {"__module__": __name__, "Meta": meta}
            if shape.parent is None:
                body["id"] = lib.IntegerField(primary_key=True)
            body[f"code{this}"] = lib.IntegerField(unique=True, null=True)
            for relation in shape.relations:
                body[relation.name] = self.relation(case, relation)
            models.append(type(f"M{this}", (base,), body))
        self.make_tables(models, registry)
        return models

    def relation(self, case: Case, relation: Relation) -> Any:
        """Return the field of a relation."""
        lib, target = self.lib, f"differential.M{relation.target}"
        if relation.kind == "many":
            return lib.ManyToManyField(target, related_name=f"{relation.name}_back")
        options: dict[str, Any] = {"null": True, "related_name": f"{relation.name}_back"}
        if relation.by_code:
            options["to_field"] = f"code{relation.target}"
        if relation.policy == "SET_DEFAULT" and relation.kind == "key":
            options["default"] = 3 if relation.by_code else self.key_of(case, relation.target, 3)
        made = lib.ForeignKey if relation.kind == "key" else lib.OneToOneField
        return made(target, on_delete=self.policy(case, relation), **options)

    def policy(self, case: Case, relation: Relation) -> Any:
        """Return what a relation says of deletions."""
        lib = self.lib
        value = 2 if relation.by_code else self.key_of(case, relation.target, 2)
        if relation.kind == "one":
            value = None

        def own_cascade(collector: Any, field: Any, objs: Any, using: str) -> None:
            lib.CASCADE(collector, field, objs, using)

        def own_null(collector: Any, field: Any, objs: Any, using: str) -> None:
            lib.SET_NULL(collector, field, objs, using)

        own = {
            "SET": lib.SET(value),
            "SET_CALLED": lib.SET(lambda: value),
            "OWN_CASCADE": own_cascade,
            "OWN_NULL": own_null,
        }
        return own.get(relation.policy) or getattr(lib, relation.policy)

    def fill(self, case: Case, models: list[Any]) -> None:
        """Make the rows; those of a child have a parent's row of their own, with another key."""
        for this, shape in enumerate(case.shapes):
            for key in KEYS:
                values: dict[str, Any] = {f"code{this}": key}
                values.update((r.name, None) for r in self.inherited(case, this) if r.kind != "many")
                row = self.key_of(case, this, key)
                models[this].objects.create(
                    **values, **({"id": row} if shape.parent is None else {"pk": row})
                )
        for (this, key), values in case.rows.items():
            for name, value in values.items():
                relation = next(r for r in case.shapes[this].relations if r.name == name)
                if value is not None and not relation.by_code:
                    value = self.key_of(case, relation.target, value)
                models[this].objects.filter(pk=self.key_of(case, this, key)).update(**{name: value})
        for this, name, key, other in case.links:
            relation = next(r for r in case.shapes[this].relations if r.name == name)
            row = models[this].objects.get(pk=self.key_of(case, this, key))
            getattr(row, name).add(self.key_of(case, relation.target, other))

    def inherited(self, case: Case, this: int) -> Iterator[Relation]:
        """Return a model's relations, with those of its parents."""
        shape = case.shapes[this]
        yield from shape.relations
        if shape.parent is not None:
            yield from self.inherited(case, shape.parent)

    def key_of(self, case: Case, this: int, number: int) -> int:
        """Return the key of a model's row by its number: different for each child of a parent."""
        return number if case.shapes[this].parent is None else 10 * this + number

    def answer(self, case: Case) -> dict[str, Any]:
        """Return what a deletion says, and what it leaves."""
        models = self.declare(case)
        self.fill(case, models)
        sent: list[tuple[str, str, Any]] = []
        with self.listening(case, models, sent):
            try:
                total, counts = self.delete(case, models[case.victim])
            except Exception as error:
                result: Any = type(error).__name__
                if result not in ("ProtectedError", "RestrictedError", "IntegrityError"):
                    raise
            else:
                result = (total, {label: count for label, count in counts.items() if count})
        before = sorted(entry[1:] for entry in sent if entry[0] == "pre")
        after = sorted(entry[1:] for entry in sent if entry[0] == "post")
        failed = isinstance(result, str)
        return {
            "result": result,
            "rows": [self.rows(model) for model in models],
            "signals": None if failed else (before, after),
        }

    def delete(self, case: Case, model: Any) -> tuple[int, dict[str, int]]:
        """Delete the case's rows in its way."""
        keys = [self.key_of(case, case.victim, key) for key in case.keys]
        if case.how == "queryset":
            return model.objects.filter(pk__in=keys).delete()
        if case.how == "all":
            return model.objects.all().delete()
        found = model.objects.filter(pk=keys[0])
        if case.how == "deferred":
            return found.only("pk").get().delete()
        return found.get().delete(keep_parents=case.how == "keep_parents")

    def rows(self, model: Any) -> list[Any]:
        """Return a model's rows, and those between it and others."""
        names = [f.attname for f in model._meta.concrete_fields]
        found = [sorted(model.objects.values_list(*names), key=repr)]
        for relation in model._meta.local_many_to_many:
            through = relation.remote_field.through
            pairs = [relation.m2m_column_name(), relation.m2m_reverse_name()]
            found.append(sorted(through.objects.values_list(*pairs)))
        return found

    @contextmanager
    def listening(self, case: Case, models: list[Any], sent: list[Any]) -> Iterator[None]:
        """Hear of deletions of some models inside the block."""
        chosen = [m for m, shape in zip(models, case.shapes, strict=True) if shape.listens]
        pairs = [("pre", self.signals.pre_delete), ("post", self.signals.post_delete)]
        receivers = []
        for name, signal in pairs:

            def receive(sender: Any, instance: Any, name: str = name, **rest: Any) -> None:
                sent.append((name, sender.__name__, instance.pk))

            receivers.append((signal, receive))
            for model in chosen:
                signal.connect(receive, sender=model)
        try:
            yield
        finally:
            for signal, receive in receivers:
                for model in chosen:
                    signal.disconnect(receive, sender=model)


class Django(Side):
    """Django, in a database of its own."""

    def __init__(self) -> None:
        set_up_django(sa.make_url("sqlite:///:memory:"), "")
        from django.db import models
        from django.db.models import signals

        self.lib, self.signals = models, signals

    def registry(self) -> Any:
        from django.apps.registry import Apps

        return Apps([f"{__package__}.peer.apps.PeerConfig"])

    def make_tables(self, models: list[Any], registry: Any) -> None:
        from django.db import connection

        if connection.connection is not None:
            connection.connection.close()  # and with it the database
            connection.connection = None
        with connection.schema_editor() as editor:
            for model in models:
                editor.create_model(model)


class Ours(Side):
    """This library, in a database of its own."""

    def __init__(self) -> None:
        from ormolu import models, signals

        self.lib, self.signals = models, signals

    def registry(self) -> Any:
        return self.lib.Apps()

    def make_tables(self, models: list[Any], registry: Any) -> None:
        import ormolu

        ormolu.databases.close_all()
        ormolu.configure("sqlite://", USE_TZ=False)
        ormolu.create_tables(apps=registry)


def compare(examples: int) -> None:
    """Compare so many cases; the smallest that differs is an error."""
    django, ours = Django(), Ours()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
    )
    @given(cases())
    def agree(case: Case) -> None:
        expected = django.answer(case)
        found = ours.answer(case)
        note(f"{case}\nDjango: {expected}\nours:   {found}")
        assert found == expected

    agree()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    compare(parser.parse_args().examples)
