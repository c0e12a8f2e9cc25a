"""class Meta, option by option. Source: Django's documentation, "Model Meta options"."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

import ormolu
from ormolu import CASCADE, CharField, F, FieldError, ForeignKey, IntegerField, ManyToManyField, Model, Q
from ormolu.models import Manager, isolated
from ormolu.models.registry import Apps

registry = Apps()


class Named(Model):
    name = CharField(max_length=20)
    rank = IntegerField(default=0, null=True)

    class Meta:
        apps = registry
        abstract = True
        ordering = ["name"]


class Team(Named):
    class Meta(Named.Meta):
        get_latest_by = ["rank", "-name"]
        verbose_name = "crew"


class Player(Named):
    team: Any = ForeignKey(Team, on_delete=CASCADE)
    rivals = ManyToManyField("self", symmetrical=False)

    class Meta(Named.Meta):
        default_related_name = "%(model_name)ss"
        ordering = [F("rank").desc(nulls_last=True), "name"]
        db_table = "the_players"


class Veteran(Player):
    class Meta:
        proxy = True
        ordering = ["-name"]


class Club(Named):
    pass


@pytest.fixture
def db(backend):
    import ormolu.conf as conf

    conf.configure(backend.url)
    ormolu.drop_tables(apps=registry)
    ormolu.create_tables(apps=registry)
    yield backend
    ormolu.drop_tables(apps=registry)
    ormolu.databases.close_all()


def test_abstract():
    """It has no table; its Meta is inherited, without being abstract, and what a child says itself counts."""
    assert Named._meta.abstract
    assert "named" not in registry.metadata.tables
    assert not Club._meta.abstract
    assert Club._meta.ordering == ["name"]
    assert Team._meta.ordering == ["name"]
    with pytest.raises(TypeError, match="Abstract models cannot be instantiated"):
        Named()


def test_names():
    """Labels, names and plurals."""
    assert (Team._meta.verbose_name, Team._meta.verbose_name_plural) == ("crew", "crews")
    assert (Club._meta.verbose_name, Club._meta.verbose_name_plural) == ("club", "clubs")
    assert Player._meta.db_table == "the_players"
    assert Player._meta.label.endswith("Player")
    assert Player._meta.label_lower == Player._meta.label.lower()
    with isolated():

        class BigRedBus(Model):
            class Meta:
                app_label = "traffic"
                verbose_name_plural = "buses"
                db_table_comment = "What drives"

        meta = BigRedBus._meta
    assert (meta.label, meta.db_table) == ("traffic.BigRedBus", "traffic_bigredbus")
    assert (meta.verbose_name, meta.verbose_name_plural) == ("big red bus", "buses")
    ddl = sa.schema.SetTableComment(meta.table).compile(dialect=postgresql.dialect())
    assert "What drives" in str(ddl)


async def test_ordering(db, world):
    """Names and expressions; a proxy's own; none where the caller says so, and none in what groups."""
    team = await world(Team.objects.create, name="t")
    for name, rank in (("a", None), ("b", 1), ("c", 2), ("d", 1)):
        await world(Player.objects.create, name=name, rank=rank, team=team)
    assert [p.name for p in await world.list(Player.objects.all())] == ["c", "b", "d", "a"]
    assert [p.name for p in await world.list(Veteran.objects.all())] == ["d", "c", "b", "a"]
    assert [p.name for p in await world.list(team.players.reverse())] == ["a", "d", "b", "c"]
    assert "ORDER BY" not in str(Player.objects.order_by().query)
    assert "ORDER BY" not in str(Player.objects.values("rank").annotate(n=ormolu.Count("pk")).query)


async def test_get_latest_by(db, world):
    """latest() and earliest() go by it, where no field is named."""
    for name, rank in (("a", 1), ("b", 2), ("c", 2)):
        await world(Team.objects.create, name=name, rank=rank)
    assert (await world(Team.objects.latest)).name == "b"
    assert (await world(Team.objects.earliest)).name == "a"
    with pytest.raises(ValueError, match="get_latest_by"):
        await world(Club.objects.latest)


def test_default_related_name(db):
    """It names the way back of all relations, in attributes and in queries; so a second relation clashes."""
    assert Team.players.rel is Player._meta.get_field("team").remote_field
    assert str(Team.objects.filter(players__name="x").query)
    assert Player._meta.get_field("rivals").remote_field.get_accessor_name() == "players"
    with isolated(), pytest.raises(FieldError, match="clashes"):

        class Twice(Model):
            one = ForeignKey(Team, on_delete=CASCADE)
            two = ForeignKey(Team, on_delete=CASCADE)

            class Meta:
                default_related_name = "pairs"


def test_managed_and_required_vendor(tmp_path):
    """Tables of unmanaged models are somebody else's, and those of a model for another database are not made."""
    ormolu.configure(f"sqlite:///{tmp_path}/db.sqlite3")
    with isolated() as mine:

        class Foreign(Model):
            class Meta:
                managed = False
                db_table = "theirs"

        class Managed(Model):
            foreign = ManyToManyField(Foreign)

        class Elsewhere(Model):
            class Meta:
                required_db_vendor = "postgresql"

        class Here(Model):
            class Meta:
                required_db_vendor = "sqlite"

        assert "theirs" in mine.metadata.tables
        made = ormolu.create_tables(apps=mine)
        assert made == [Managed._meta.db_table, Managed.foreign.through._meta.db_table, Here._meta.db_table]
        assert set(ormolu.drop_tables(apps=mine)) == set(made)
        assert ormolu.create_tables(Elsewhere) == []
    ormolu.databases.close_all()


def test_what_is_kept_for_others():
    """Permissions and their like mean nothing here, and can be read."""
    with isolated():

        class Pizza(Model):
            class Meta:
                permissions = [("can_deliver_pizzas", "Can deliver pizzas")]
                default_permissions = ("add",)
                required_db_features = ["gis_enabled"]
                select_on_save = True
                db_tablespace = "fast"

        meta = Pizza._meta
    assert meta.permissions == [("can_deliver_pizzas", "Can deliver pizzas")]
    assert meta.default_permissions == ("add",)
    assert meta.required_db_features == ["gis_enabled"]
    assert meta.select_on_save
    assert meta.db_tablespace == "fast"
    assert Club._meta.default_permissions == ("add", "change", "delete", "view")


def test_unknown_options():
    """An option that isn't one is an error with the near miss."""
    with isolated(), pytest.raises(TypeError, match="Did you mean 'ordering'"):

        class Wrong(Model):
            class Meta:
                orderings = ["id"]


def test_managers_by_name():
    """default_manager_name and base_manager_name choose among the managers; children inherit both."""

    class Some(Manager):
        def get_queryset(self):
            return super().get_queryset().filter(~Q(name="hidden"))

    with isolated():

        class Thing(Model):
            name = CharField(max_length=10)
            everything = Manager()
            some = Some()

            class Meta:
                default_manager_name = "some"
                base_manager_name = "some"

        class Child(Thing):
            pass

        class Own(Thing):
            mine = Manager()

            class Meta:
                proxy = True

        class OfOwn(Own):
            pass

        assert Own._default_manager.name == "mine"  # before what its parent says
        assert OfOwn._default_manager.name == "mine"
        assert Own._base_manager.name == "some"

        class Base(Model):
            name = CharField(max_length=10)
            first = Some()

            class Meta:
                abstract = True

        class Leaf(Base):
            second = Manager()

        assert Thing._default_manager.name == Thing._base_manager.name == "some"
        assert Child._default_manager.name == "some"
        assert Child._default_manager.model is Child
        assert [m.name for m in Leaf._meta.managers] == [
            "second",
            "first",
        ]  # its own before those it inherits
        assert Leaf._default_manager.name == "second"
        assert type(Leaf._base_manager) is Manager
        assert not hasattr(Leaf, "objects")

    with isolated(), pytest.raises(ValueError, match=r"no manager named 'other'.*Choices are: .*objects"):

        class Broken(Model):
            class Meta:
                default_manager_name = "other"

        _ = Broken._default_manager
