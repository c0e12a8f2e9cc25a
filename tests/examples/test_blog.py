"""The blog of examples/: its routes through both worlds, many requests at once, its worker and its script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from benchmarks.web import load
from examples.blog import app as asynchronous
from examples.blog import report, sync_app, worker
from examples.blog.models import Comment, Post, Tag, User

from ormolu import databases
from ormolu.conf import override

MODELS = [User, Tag, Post, Comment]


class Door:
    """Which of the applications."""

    def __init__(self, name: str) -> None:
        self.is_async = name == "async"


def run(body: Any, db: Any, door: str) -> None:
    """Run a test's body in a loop, where a synchronous question of the test itself is allowed."""

    async def whole() -> None:
        await body(db, Door(door))
        await databases.aclose_all()

    with override(SYNC_IN_ASYNC="off"):
        asyncio.run(whole())


@asynccontextmanager
async def client_of(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application that is written in this world; it runs as long as the block."""
    app = asynchronous.app if door.is_async else sync_app.app
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://blog")
    async with app.router.lifespan_context(app), client:
        yield client


async def populated(client: httpx.AsyncClient) -> None:
    """Two users; ten posts of the first one, each with a tag of two."""
    for name in ("ann", "bob"):
        made = await client.post("/users", json={"username": name, "email": f"{name}@example.com"})
        assert made.status_code == 201, made.text
    author = made.json()["id"] - 1
    for n in range(10):
        new = {"author_id": author, "title": f"Post {n}", "body": "Words", "tags": ["all", f"mod{n % 2}"]}
        assert (await client.post("/posts", json=new)).status_code == 201


async def answers(db: Any, door: Door) -> None:
    """Go through all routes."""
    async with client_of(door) as client:
        await populated(client)
        user = (await client.get(f"/users/{User.objects.get(username='ann').pk}")).json()
        assert (user["username"], user["email"]) == ("ann", "ann@example.com")

        feed = (await client.get("/posts?limit=3")).json()
        assert [post["title"] for post in feed] == ["Post 9", "Post 8", "Post 7"]
        assert feed[0]["author"] == {"id": user["id"], "username": "ann"}
        assert [tag["name"] for tag in feed[0]["tags"]] == ["all", "mod1"]
        older = (await client.get(f"/posts?limit=3&before={feed[-1]['id']}")).json()
        assert [post["title"] for post in older] == ["Post 6", "Post 5", "Post 4"]

        titles, after = [], ""
        while after is not None:
            page = (
                await client.get(
                    "/tags/mod0/posts", params={"limit": 2, **({"after": after} if after else {})}
                )
            ).json()
            titles += [post["title"] for post in page["items"]]
            after = page["next"]
        assert titles == ["Post 8", "Post 6", "Post 4", "Post 2", "Post 0"]

        post = f"/posts/{feed[0]['id']}"
        comment = await client.post(f"{post}/comments", json={"author_id": user["id"], "text": "Well said"})
        assert (comment.status_code, comment.json()["author"]["username"]) == (201, "ann")
        changed = (await client.patch(post, json={"title": "New"})).json()
        assert (changed["title"], len(changed["tags"])) == ("New", 2)
        detail = (await client.get(post)).json()
        assert (detail["title"], detail["body"]) == ("New", "Words"), "what was not named stays"
        assert [one["text"] for one in detail["comments"]] == ["Well said"]

        assert (await client.delete(post)).status_code == 204
        assert (await client.get(post)).status_code == 404
        assert not Comment.objects.exists()


@pytest.mark.parametrize("door", ["async", "sync"])
def test_the_routes(db, door):
    """Users, posts with tags, pages, comments, changes, deletion: the same from both applications."""
    run(answers, db, door)


async def refusals(db: Any, door: Door) -> None:
    """Ask for what can't be."""
    async with client_of(door) as client:
        await populated(client)
        missing = await client.get("/users/999999")
        assert (missing.status_code, missing.json()) == (
            404,
            {"detail": "User matching query does not exist."},
        )
        assert (
            await client.post("/posts/999999/comments", json={"author_id": 1, "text": "?"})
        ).status_code == 404
        assert (await client.get("/tags/nowhere/posts")).status_code == 404
        twice = await client.post("/users", json={"username": "ann", "email": "other@example.com"})
        assert twice.status_code == 409
        assert "username" in twice.json()["detail"]
        assert "other@example.com" not in twice.text, "nobody's data is in an answer"
        wrong = await client.post("/users", json={"username": "x" * 41, "email": "no address"})
        assert wrong.status_code == 422
        assert {tuple(one["loc"]) for one in wrong.json()["detail"]} == {
            ("body", "username"),
            ("body", "email"),
        }
        assert (await client.get("/tags/all/posts?after=nonsense")).status_code == 422
        assert User.objects.count() == 2


@pytest.mark.parametrize("door", ["async", "sync"])
def test_refusals(db, door):
    """What is missing is a 404, what the database refuses a 409, what breaks a field's rule a 422."""
    run(refusals, db, door)


async def health(db: Any, door: Door) -> None:
    """Ask how the database is."""
    async with client_of(door) as client:
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()["databases"]["default"]["status"]) == (200, "ok")


@pytest.mark.parametrize("door", ["async", "sync"])
def test_health(db, door):
    """The route answers 200 while the database does."""
    run(health, db, door)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[int]:
    """Serve an application on loopback; give its port."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="warning", access_log=False, timeout_keep_alive=60)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def many(db: Any, door: Door) -> None:
    """Send four hundred requests over 64 connections."""
    users = await User.objects.abulk_create(
        [User(username=f"u{n}", email=f"u{n}@example.com") for n in range(10)]
    )
    posts = await Post.objects.abulk_create(
        [Post(author=users[n % 10], title=f"T{n}", body="B") for n in range(50)]
    )
    requests = load.mixed(400, [post.pk for post in posts], [user.pk for user in users], seed=1)
    async with served(asynchronous.app if door.is_async else sync_app.app) as port:
        result = await load.run(port, requests, 64)
        database = databases.get()
        figures = database.async_pool_stats if door.is_async else database.pool_stats
        for _ in range(200):  # an answer is sent before what made it rests
            if (lent := figures())["in_use"] == 0:
                break
            await asyncio.sleep(0.01)
    assert set(result.statuses) == {200, 201}
    assert result.statuses.total() == 400
    assert (lent["in_use"], lent["requests_waiting"]) == (0, 0)
    assert await Comment.objects.acount() == result.statuses[201], "each was written once"


@pytest.mark.parametrize("door", ["async", "sync"])
def test_sixty_four_at_once(db, door):
    """Reads and writes over 64 connections: every one is answered, and no connection is left with the application."""
    run(many, db, door)


def test_the_worker(db):
    """Tasks run in threads, each in a transaction; one that is asked for twice is done once."""
    users = User.objects.bulk_create([User(username=f"u{n}", email=f"u{n}@example.com") for n in range(5)])
    kept, _ = Tag.objects.bulk_create([Tag(name="kept"), Tag(name="unused")])
    workers = worker.Worker()
    for user in users * 4:
        workers.delay(worker.welcome, user.pk)
    workers.delay(worker.welcome, -1)
    workers.close()
    assert [type(error) for error in workers.errors] == [User.DoesNotExist]
    assert sorted(Post.objects.values_list("author__username", flat=True)) == ["u0", "u1", "u2", "u3", "u4"]
    Post.objects.first().tags.add(kept)  # type: ignore[union-attr]
    assert worker.remove_unused_tags() == 1
    assert list(Tag.objects.all()) == [kept]


def test_the_script(db):
    """Authors by what they have written, with the tags that they use; four statements for any number of them."""
    ann, bob, _ = User.objects.bulk_create(
        [User(username=n, email=f"{n}@example.com") for n in ("ann", "bob", "cyd")]
    )
    for author, titles in ((ann, "a"), (bob, "bc")):
        for title in titles:
            Post.objects.create(author=author, title=title, body="").tags.add(
                Tag.objects.create(name=f"on {title}")
            )
    assert report.lines() == ["bob: 2 posts, about on b, on c", "ann: 1 posts, about on a"]
