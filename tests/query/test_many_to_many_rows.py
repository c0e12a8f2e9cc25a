"""Conditions on the table in between of a many-to-many relation, from one of its objects."""

from typing import Any

import pytest

from ormolu import CharField, Exists, ForeignKey, ManyToManyField, Model, OuterRef
from ormolu.models import CASCADE
from support.backends import Backend
from support.worlds import World


class Worker(Model):
    name = CharField(max_length=20)


class Firm(Model):
    name = CharField(max_length=20)
    workers: Any = ManyToManyField(Worker, through="Job", related_name="firms")

    class Meta:
        ordering = ["name"]


class Job(Model):
    worker: Any = ForeignKey(Worker, on_delete=CASCADE)
    firm: Any = ForeignKey(Firm, on_delete=CASCADE, related_name="jobs")
    title = CharField(max_length=20)


class Skill(Model):
    code = CharField(max_length=20, unique=True)


class Guild(Model):
    code = CharField(max_length=20, unique=True)
    skills: Any = ManyToManyField(Skill, through="Charter", related_name="guilds")


class Charter(Model):
    skill: Any = ForeignKey(Skill, on_delete=CASCADE, to_field="code")
    guild: Any = ForeignKey(Guild, on_delete=CASCADE, to_field="code")


MODELS = [Worker, Firm, Job, Skill, Guild, Charter]


@pytest.fixture
def ann(db: Backend) -> Worker:
    """Ann cooks at one firm and drives at two; Bob cooks where Ann only drives."""
    ann, bob = Worker.objects.create(name="ann"), Worker.objects.create(name="bob")
    one, two = Firm.objects.create(name="one"), Firm.objects.create(name="two")
    for firm, worker, title in (
        (one, ann, "cook"),
        (one, ann, "driver"),
        (two, ann, "driver"),
        (two, bob, "cook"),
    ):
        Job.objects.create(firm=firm, worker=worker, title=title)
    return ann


async def test_the_first_condition_is_about_the_objects_own_rows(ann, world: World):
    """ann.firms.filter(jobs__title=...) asks for Ann's jobs; a further filter() for anybody's."""
    assert [f.name for f in await world.list(ann.firms.filter(jobs__title="cook"))] == ["one"]
    anybody = ann.firms.all().filter(name__in=["one", "two"]).filter(jobs__title="cook").distinct()
    assert [f.name for f in await world.list(anybody)] == ["one", "two"]


async def test_exclude_leaves_out_the_objects_own_rows(ann, world: World):
    """A firm stays for Ann's other jobs there, whatever Bob does."""
    assert [f.name for f in await world.list(ann.firms.exclude(jobs__title="cook"))] == ["one", "two"]


async def test_a_table_in_between_that_refers_to_other_columns(db: Backend, world: World):
    """Values of the relation are what the table in between holds: codes, and not primary keys."""
    weaving = await world(Skill.objects.create, code="w")
    baking = await world(Skill.objects.create, code="b")
    weavers = await world(Guild.objects.create, code="weavers")
    charter = await world(Charter.objects.create, skill=weaving, guild=weavers)
    for given in (weaving, "w"):
        assert await world.list(Guild.objects.filter(skills=given)) == [weavers]
    assert await world.list(Guild.objects.filter(skills__in=Skill.objects.filter(code="w"))) == [weavers]
    assert await world.list(Guild.objects.filter(skills__in=[weaving, baking])) == [weavers]
    assert await world.list(Guild.objects.exclude(skills=baking)) == [weavers]
    assert await world.list(Skill.objects.filter(guilds=weavers)) == [weaving]
    others = Charter.objects.filter(Exists(Guild.objects.exclude(skills=OuterRef("skill"))))
    assert not await world(others.exists)
    assert await world.list(Charter.objects.filter(guild__skills=weaving)) == [charter]
