"""Random queries give the same rows here as with Django's ORM."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from ormolu import configure, databases
from ormolu.conf import settings as our_settings

from . import questions
from .asking import attempt, fill

COUNT = int(os.environ.get("ORMOLU_DIFFERENTIAL", "1000"))
BATCH = 100


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """Both ORMs, each with its models, over one SQLite file with rows in it."""
    import django
    from django.conf import settings

    path = tmp_path_factory.mktemp("differential") / "rows.sqlite3"
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}},
        INSTALLED_APPS=[f"{__package__}.peer.apps.PeerConfig"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=False,
    )
    django.setup()
    from django.db import connection, models

    from .peer import models as theirs

    with connection.schema_editor() as editor:
        for name in questions.COLUMNS:
            editor.create_model(getattr(theirs, name))
    fill(theirs)
    configure(f"sqlite:///{path}", USE_TZ=False)
    import ormolu

    from . import ours

    yield (models, theirs), (ormolu, ours)
    databases.close_all()
    connection.close()
    our_settings.reset()


@pytest.mark.parametrize("start", range(0, COUNT, BATCH))
def test_random_queries_agree_with_django(worlds: tuple[Any, Any], start: int) -> None:
    """Filters, exclusions, annotations, groups and summaries over random paths find what Django finds."""
    django, ours = worlds
    differences: list[str] = []
    for seed in range(start, start + BATCH):
        asked = questions.question(Random(seed))
        if questions.confuses_django(asked):
            continue
        expected, found = attempt(*django, asked), attempt(*ours, asked)
        if repr(expected) != repr(found):
            differences.append(f"seed {seed}: {asked}\n  Django {expected}\n  ours   {found}")
    assert not differences, "\n".join(differences[:3])
