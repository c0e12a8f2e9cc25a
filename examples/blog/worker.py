"""A synchronous worker, as Celery's are: tasks that processes or threads take from a queue, each one transaction."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec

from ormolu import Count, atomic

from .models import Post, Tag, User

__all__ = ["Worker", "remove_unused_tags", "welcome"]

P = ParamSpec("P")
Job = Callable[[], object]


class Worker:
    """Runs tasks on some threads until it is closed."""

    def __init__(self, threads: int = 4) -> None:
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.errors: list[Exception] = []
        self.threads = [threading.Thread(target=self._work) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def delay(self, task: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Let a thread run a task."""
        self.jobs.put(partial(task, *args, **kwargs))

    def close(self) -> None:
        """Wait for what is queued."""
        for _ in self.threads:
            self.jobs.put(None)
        for thread in self.threads:
            thread.join()

    def _work(self) -> None:
        while (job := self.jobs.get()) is not None:
            try:
                atomic(job, immediate=True, retries=3)()
            except Exception as error:
                self.errors.append(error)


def welcome(user_id: int) -> Post:
    """Write a user's first post, once however often it is asked for."""
    user = User.objects.select_for_update().get(pk=user_id)
    post, _ = Post.objects.get_or_create(
        author=user, title="Hello", defaults={"body": f"{user.username} has joined."}
    )
    return post


def remove_unused_tags() -> int:
    """Delete tags that no post has; return how many."""
    unused = Tag.objects.annotate(uses=Count("posts")).filter(uses=0)
    count, _ = Tag.objects.filter(pk__in=list(unused.values_list("pk", flat=True))).delete()
    return count
