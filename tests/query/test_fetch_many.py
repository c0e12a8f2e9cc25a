"""fetch_many(): several questions at once, on PostgreSQL in one round trip."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import ormolu
from ormolu import (
    CASCADE,
    Avg,
    CharField,
    Count,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    Model,
    Prefetch,
    fetch_many,
)  # fmt: skip
from ormolu.exceptions import DataError, TransactionManagementError
from support.backends import Backend
from support.proxy import Proxy
from support.worlds import World


class Team(Model):
    name = CharField(max_length=20)


class Talent(Model):
    name = CharField(max_length=20)


class Player(Model):
    name = CharField(max_length=20)
    age = IntegerField(null=True)
    team: Any = ForeignKey(Team, on_delete=CASCADE, related_name="players")
    skills: Any = ManyToManyField(Talent, related_name="players")

    @property
    def biggest(self) -> list[Any]:
        """The biggest shoe."""
        return sorted(self.shoes.all(), key=lambda shoe: shoe.size)[-1:]


class Shoe(Model):
    player: Any = ForeignKey(Player, on_delete=CASCADE, related_name="shoes")
    size = IntegerField()


MODELS = [Team, Talent, Player, Shoe]


@pytest.fixture
def players(db: Backend) -> None:
    """Two teams, three players with skills and shoes."""
    reds, blues = Team.objects.create(name="reds"), Team.objects.create(name="blues")
    skills = [Talent.objects.create(name=name) for name in ("run", "jump")]
    for number, team in enumerate([reds, blues, reds]):
        player = Player.objects.create(name="ABC"[number], age=20 + number, team=team)
        player.skills.set(skills[: number + 1])
        Shoe.objects.create(player=player, size=40 + number)


async def test_results_come_in_order(players, world: World, queries):
    """Lists of rows, values and what terminal methods give; one statement each."""
    queries.clear()
    teams, names, one, count, ages, there, first, none, keys, page = await world(
        fetch_many,
        Team.objects.order_by("name"),
        Player.objects.order_by("-name").values_list("name", flat=True)[:2],
        Player.objects.later.get(name="B"),
        Team.objects.later.count(),
        Player.objects.later.aggregate(mean=Avg("age"), n=Count("pk")),
        Player.objects.filter(age__gt=90).later.exists(),
        Player.objects.order_by("-age").later.first(),
        Player.objects.filter(age=1).later.last(),
        Team.objects.later.in_bulk(),
        Player.objects.order_by("name").later.page(2),
    )
    assert len(queries) == 10
    assert [team.name for team in teams] == ["blues", "reds"]
    assert names == ["C", "B"]
    assert (one.name, count, ages, there) == ("B", 2, {"mean": 21.0, "n": 3}, False)
    assert (first.name, none) == ("C", None)
    assert {team.name for team in keys.values()} == {"blues", "reds"}
    assert [player.name for player in page] == ["A", "B"]
    assert page.next is not None


async def test_more_questions(players, world: World):
    """The rest of the terminal methods; what needs no query has its answer."""
    team = await world(Team.objects.get, name="reds")
    latest, earliest, has, everything, nothing = await world(
        fetch_many,
        Player.objects.later.latest("age"),
        Player.objects.later.earliest("age"),
        Team.objects.later.contains(team),
        Team.objects.order_by("name").later.all(),
        Team.objects.later.aggregate(),
    )
    assert (latest.name, earliest.name, has, len(everything), nothing) == ("C", "A", True, 2, {})
    assert await world(fetch_many) == ()


async def test_querysets_keep_their_results(players, world: World, queries):
    """As when they are read; one that has been read is not asked again."""
    teams, skills = Team.objects.all(), Talent.objects.all()
    found = await world(fetch_many, teams, skills)
    queries.clear()
    assert found == (await world.list(teams), await world.list(skills))
    again = await world(fetch_many, teams, Team.objects.none(), Team.objects.filter(pk__in=[]))
    assert again == (found[0], [], [])
    assert len(queries) == 0


async def test_the_form_of_a_queryset(players, world: World):
    """`queryset.fetch_many(others)` is the same, with the queryset first."""
    names = Team.objects.order_by("name").values_list("name", flat=True)
    assert await world(names.fetch_many, Player.objects.later.count()) == (["blues", "reds"], 3)
    teams, _skills = await world(Team.objects.fetch_many, Talent.objects.all())
    assert len(teams) == 2


async def test_prefetches_come_along(players, world: World, queries):
    """Nested ones, too: one statement for each relation, as without it."""
    queries.clear()
    teams, players = await world(
        fetch_many,
        Team.objects.order_by("name").prefetch_related(
            "players__skills",
            Prefetch("players", Player.objects.filter(age__gt=20), to_attr="old"),
            "old__shoes",
        ),
        Player.objects.order_by("name").prefetch_related("skills", "shoes").select_related("team"),
    )
    assert len(queries) == 2 + 4 + 2
    queries.clear()
    assert sorted(len(player.skills.all()) for player in teams[1].players.all()) == [1, 2]
    assert [[shoe.size for shoe in player.shoes.all()] for player in teams[1].old] == [[42]]
    assert (players[0].team.name, [shoe.size for shoe in players[0].shoes.all()]) == ("reds", [40])
    assert len(queries) == 0


async def test_prefetches_that_build_on_others(players, world: World, queries):
    """What begins at a property, which may be made of what was loaded, waits for that: no query more."""
    lookups = ("shoes", "skills", "biggest__player", "skills__players")
    rows = Player.objects.order_by("name").prefetch_related(*lookups)
    queries.clear()
    (found,) = await world(fetch_many, rows)
    assert [player.biggest[0].size for player in found] == [40, 41, 42]
    assert len(queries) == 4  # a shoe knows its player
    again = rows.prefetch_related(Prefetch("shoes", Shoe.objects.filter(size=1)))
    with pytest.raises(ValueError, match="already seen"):
        await world(fetch_many, again)


async def test_raw_queries(players, world: World):
    """They are asked beside the others, and keep what they find."""
    raw = Player.objects.raw("SELECT * FROM query_player WHERE age > %s ORDER BY age", [20])
    found, count = await world(fetch_many, raw, Team.objects.later.count())
    assert [player.name for player in found] == ["B", "C"]
    assert count == 2
    assert raw.columns[0] == "id"


async def test_an_error_is_everybodys(players, world: World):
    """The first one is raised; the connection goes on afterwards."""
    with pytest.raises(Player.DoesNotExist):
        await world(fetch_many, Team.objects.all(), Player.objects.later.get(name="Z"))
    with pytest.raises(TypeError, match=r"Say \.all\(\)"):
        await world(fetch_many, Team.objects)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="queryset.later"):
        await world(fetch_many, 3)  # type: ignore[arg-type]
    assert await world(fetch_many, Team.objects.later.count()) == (2,)


@pytest.mark.backends("postgresql", "asyncpg")
async def test_an_error_of_the_database(players, world: World):
    """It names its own statement; a block around it is spoilt, as by any error."""
    wrong = Player.objects.extra(where=["1 / (age - age) = 1"])
    with pytest.raises(DataError, match="zero") as caught:
        await world(fetch_many, Team.objects.all(), wrong, Talent.objects.all())
    assert "age - age" in str(caught.value.statement)
    assert await world(fetch_many, Team.objects.later.count()) == (2,)
    with pytest.raises(DataError):
        async with world.atomic():
            await world(Team.objects.create, name="greens")
            await world(fetch_many, Team.objects.all(), wrong)
    assert await world(Team.objects.count) == 2


@pytest.mark.backends("postgresql", "asyncpg")
async def test_errors_leave_the_connection_as_it_was(players, world: World):
    """Also where statements behind the one that failed were about to be prepared on the server."""
    for number in range(10):
        after = Talent.objects.filter(name="run"), Team.objects.filter(name="reds").later.count()
        with pytest.raises(DataError):
            await world(fetch_many, Team.objects.extra(where=["1 / (id - id) = 1"]), *after)
        if number % 3 == 2:
            with pytest.raises(DataError):
                async with world.atomic():
                    await world(fetch_many, Team.objects.extra(where=["1 / (id - id) = 1"]), *after)
        skills, count = await world(fetch_many, *after)
        assert (len(skills), count) == (1, 1)
        assert await world(Team.objects.filter(name="reds").count) == 1


@pytest.mark.backends("postgresql", "asyncpg")
@pytest.mark.worlds("async")
@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.2])
async def test_a_cancelled_task_leaves_no_trace(players, world: World, seconds: float):
    """Before, within and behind a pipeline, inside and outside of a transaction."""

    async def ask(inside: bool) -> None:
        slow = Team.objects.extra(where=["pg_sleep(0.05)::text = ''"])
        for _ in range(8):
            if inside:
                async with ormolu.aatomic():
                    await ormolu.afetch_many(Talent.objects.all(), slow.all(), Team.objects.later.count())
            else:
                await ormolu.afetch_many(Talent.objects.all(), slow.all(), Team.objects.later.count())

    for inside in (False, True):
        task = asyncio.create_task(ask(inside))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(7):
            skills, count = await ormolu.afetch_many(Talent.objects.all(), Team.objects.later.count())
            assert (len(skills), count) == (2, 2)


async def test_inside_a_transaction(players, world: World):
    """On its connection, so that its work is seen; locks need one."""
    async with world.atomic():
        await world(Team.objects.create, name="greens")
        locked, count = await world(
            fetch_many, Team.objects.select_for_update().filter(name="reds"), Team.objects.later.count()
        )
        assert (len(locked), count) == (1, 3)
    if ormolu.databases.get().vendor != "sqlite":
        with pytest.raises(TransactionManagementError):
            await world(fetch_many, Team.objects.select_for_update(), Team.objects.later.count())


@pytest.mark.backends("sqlite", "postgresql")
async def test_of_a_session(players, backend: Backend, world: World):
    """Its transaction, its identity map, and its flush before."""
    if not world.is_async:
        with Session(ormolu.databases.get().engine) as session:
            session.add(Team(name="greens"))
            reds = Team.objects(session).get(name="reds")
            teams, count = fetch_many(
                Team.objects(session).order_by("name"),
                Player.objects(session).filter(age__gt=20).later.count(),
            )
            assert [team.name for team in teams] == ["blues", "greens", "reds"]
            assert (teams[2] is reds, count) == (True, 2)
        return
    engine = create_async_engine(backend.url.replace("sqlite:", "sqlite+aiosqlite:"))
    async with AsyncSession(engine) as session:
        session.add(Team(name="greens"))
        teams, count = await Team.objects(session).fetch_many(Team.objects(session).later.count())
        assert (len(teams), count) == (3, 3)
        assert all(team in session for team in teams)
    await engine.dispose()


async def test_several_databases(players, world: World, tmp_path):
    """Each is asked for what is its own."""
    ormolu.configure(
        DATABASES={
            "default": ormolu.databases.get().config.url.render_as_string(hide_password=False),
            "other": f"sqlite:///{tmp_path}/other.sqlite3",
        }
    )
    await world(ormolu.create_tables, Team, using="other")
    await world(Team.objects.using("other").create, name="others")
    count, names, teams = await world(
        fetch_many,
        Team.objects.later.count(),
        Team.objects.using("other").values_list("name", flat=True),
        Team.objects.all(),
    )
    assert (count, names, len(teams)) == (2, ["others"], 2)


@pytest.fixture
def far(players: None, backend: Backend) -> Iterator[Proxy]:
    """The database by way of a proxy that counts."""
    proxy = Proxy(backend.url)
    ormolu.databases.close_all()
    ormolu.configure(proxy.url)
    yield proxy
    ormolu.databases.close_all()
    ormolu.configure(backend.url)
    proxy.close()


@pytest.mark.backends("postgresql")
async def test_one_round_trip(far: Proxy, world: World):
    """For all questions; one more for all prefetches of a level; BEGIN goes along."""

    async def trips(*asked: Any) -> int:
        far.trips = 0
        await world(fetch_many, *asked)
        return far.trips

    await world(Team.objects.count)  # the connection is made
    assert await trips(Team.objects.all(), Talent.objects.all(), Player.objects.later.count()) == 1
    prefetching = Player.objects.prefetch_related("skills", "shoes", "team__players")
    assert await trips(prefetching, Team.objects.prefetch_related("players__shoes")) == 3
    async with world.atomic():
        assert await trips(Team.objects.all(), Talent.objects.all()) == 1
        assert await trips(Team.objects.all(), Talent.objects.all()) == 1
    far.trips = 0
    await world.list(Player.objects.prefetch_related("skills", "shoes", "team__players"))
    assert far.trips == 3
    for _ in range(8):  # past the use at which a statement is prepared on the server
        assert await trips(Team.objects.filter(name="reds"), Talent.objects.filter(name="run")) == 1
    with ormolu.capture_queries() as captured:
        assert await trips(Team.objects.all(), Talent.objects.all()) == 1
    assert len(captured) == 2


@pytest.mark.backends("postgresql")
async def test_a_connection_that_died_is_replaced(far: Proxy, world: World):
    """What only reads is asked again on a new one."""
    assert await world(fetch_many, Team.objects.later.count(), Talent.objects.later.count()) == (2, 2)
    far.cut()
    assert await world(fetch_many, Team.objects.later.count(), Talent.objects.later.count()) == (2, 2)
