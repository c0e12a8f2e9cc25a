"""Another app, with a model of the same name as one of test_models."""

from typing import Any

from ormolu import CASCADE, CharField, ForeignKey, Model


class Catalogue(Model):
    there = CharField(max_length=10)
    first: Any = ForeignKey("traps.Catalogue", on_delete=CASCADE)

    class Meta:
        app_label = "traps_annex"
