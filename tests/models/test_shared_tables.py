"""Two models over one table: an unmanaged one beside the one whose table it is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ormolu import CharField, FieldError, ForeignKey, IntegerField, ManyToManyField, Model, databases
from ormolu.conf import override
from ormolu.models import CASCADE
from ormolu.models.registry import Apps, isolated
from ormolu.models.tables import tables_of
from support.backends import Backend
from support.worlds import World


class Shelf(Model):
    name = CharField(max_length=20)


class Tome(Model):
    title = CharField(max_length=20)
    pages = IntegerField(default=7, null=True)
    shelf: Any = ForeignKey(Shelf, on_delete=CASCADE)
    lent_to = ManyToManyField(Shelf, related_name="borrowed")


class BareShelf(Model):
    name = CharField(max_length=20)

    class Meta:
        db_table = Shelf._meta.db_table
        managed = False


class BareTome(Model):
    title = CharField(max_length=20)
    shelf: Any = ForeignKey(BareShelf, on_delete=CASCADE, related_name="tomes")
    lent_to = ManyToManyField(
        BareShelf, related_name="borrowed", db_table=Tome.lent_to.through._meta.db_table
    )

    class Meta:
        db_table = Tome._meta.db_table
        managed = False


async def test_both_read_and_write_the_table(db: Backend, world: World) -> None:
    """What one model writes the other reads, over relations, too."""
    shelf = await world(Shelf.objects.create, name="top")
    await world(Tome.objects.create, title="a", shelf=shelf)
    bare = await world(BareTome.objects.select_related("shelf").get, title="a", shelf__name="top")
    assert (bare.shelf.name, bare.shelf_id) == ("top", shelf.pk)
    assert {f.name for f in BareTome._meta.fields} == {"id", "title", "shelf"}
    bare.title = "b"
    await world(bare.save)
    assert (await world(Tome.objects.get)).title == "b"
    assert await world(BareShelf.objects.filter(tomes__title="b").count) == 1
    assert await world(BareTome.objects.filter(pk__in=Tome.objects.filter(shelf__name="top")).count) == 1


@pytest.mark.worlds("sync")
def test_the_managed_models_table_is_the_one_that_is_described(db: Backend) -> None:
    """MetaData, and so create_tables() and Alembic, know the managed model's, whichever was defined first."""
    assert Tome.metadata.tables[Tome._meta.db_table] is Tome._meta.table
    assert BareTome._meta.table is not Tome._meta.table
    apps = Apps()
    with isolated(apps):

        class Early(Model):
            class Meta:
                db_table = "late"
                managed = False

        class Owner(Model):
            name = CharField(max_length=3)

            class Meta:
                db_table = "late"

    assert apps.metadata.tables["late"] is Owner._meta.table
    assert Early._meta.table.metadata is not apps.metadata


@pytest.mark.worlds("sync")
def test_the_table_between_two_models_is_made_for_a_managed_one() -> None:
    """It isn't between two unmanaged models."""
    with isolated() as apps:

        class Ours(Model):
            theirs = ManyToManyField("Theirs", related_name="+")

        class Theirs(Model):
            ours = ManyToManyField(Ours, related_name="+")
            theirs = ManyToManyField("self")

            class Meta:
                managed = False

        names = {table.name for table in tables_of((), "default", apps)}
    assert names == {"tests_ours", "tests_ours_theirs", "tests_theirs_ours"}


@pytest.mark.worlds("sync")
def test_sqlalchemy_has_both(db: Backend) -> None:
    """Each is a mapped class of its own, in one Session, too."""
    with Session(databases.get().engine) as session:
        session.add(Shelf(name="s"))
        session.flush()
        assert session.scalars(select(BareShelf.name)).all() == ["s"]


@pytest.mark.worlds("sync")
def test_two_managed_models_of_one_table_are_refused() -> None:
    """Unless routers may send them to different databases: the error names both."""

    def define(name: str) -> None:
        type(Model)(
            name, (Model,), {"__module__": __name__, "Meta": type("Meta", (), {"db_table": "one_for_two"})}
        )

    with isolated():
        define("OneOwner")
        with pytest.raises(
            FieldError, match=r"'one_for_two' is used by multiple models: .*OneOwner, .*TwoOwner"
        ):
            define("TwoOwner")
        with override(DATABASE_ROUTERS=["somebody.Routes"]):
            define("ThreeOwner")
