"""Signals and their receivers."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from ormolu import Model
from ormolu.exceptions import SynchronousOnlyOperation
from ormolu.models.registry import isolated
from ormolu.programs import arun, notify, run
from ormolu.signals import ModelSignal, Signal, receiver


class Sender:
    pass


def test_connect_is_a_decorator() -> None:
    """connect() returns the receiver, with and without arguments; send() gives pairs in order."""
    signal = Signal("made")

    @signal.connect
    def first(sender: Any, **kwargs: Any) -> Any:
        return kwargs["value"]

    @signal.connect(sender=Sender)
    def second(sender: Any, value: int) -> Any:
        return value * 2

    @signal.connect_for(Signal)
    def third(**kwargs: Any) -> None:
        raise AssertionError

    assert signal.send(Sender, value=2) == [(first, 2), (second, 4)]
    assert signal.send(object, value=2) == [(first, 2)]


def test_connecting_twice_is_connecting_once() -> None:
    """The same receiver and sender, or the same dispatch_uid, count once."""
    signal = Signal()

    def one(**kwargs: Any) -> int:
        return 1

    def two(**kwargs: Any) -> int:
        return 2

    signal.connect(one)
    signal.connect(one)
    signal.connect(two, dispatch_uid="x")
    signal.connect(one, dispatch_uid="x")
    assert [value for _, value in signal.send()] == [1, 2]
    assert signal.disconnect(dispatch_uid="x")
    assert not signal.disconnect(dispatch_uid="x")
    assert signal.disconnect(one)
    assert signal.send() == []


def test_receivers_are_held_weakly() -> None:
    """A receiver that nobody else holds is gone, a bound method with its object, unless weak=False."""
    signal = Signal()

    class Listener:
        def hear(self, **kwargs: Any) -> str:
            return "heard"

    listener = Listener()
    signal.connect(listener.hear)
    signal.connect(lambda **kwargs: "weak")
    signal.connect(lambda **kwargs: "strong", weak=False)
    gc.collect()
    assert [value for _, value in signal.send()] == ["heard", "strong"]
    del listener
    gc.collect()
    assert [value for _, value in signal.send()] == ["strong"]


def test_has_listeners() -> None:
    """has_listeners() tells whether a sender's signal would reach anybody."""
    signal = Signal()
    assert not signal.has_listeners(Sender)

    @signal.connect_for(Sender)
    def hear(**kwargs: Any) -> None: ...

    assert signal.has_listeners(Sender)
    assert not signal.has_listeners(object)


def test_an_exception_ends_send_but_not_send_robust(caplog: pytest.LogCaptureFixture) -> None:
    """send() lets it through; send_robust() logs it, and gives it as the response."""
    signal = Signal("risky")

    def fail(**kwargs: Any) -> None:
        raise ValueError("no")

    def work(**kwargs: Any) -> int:
        return 1

    signal.connect(fail)
    signal.connect(work)
    with pytest.raises(ValueError, match="no"):
        signal.send()
    (_, error), (_, value) = signal.send_robust()
    assert isinstance(error, ValueError)
    assert value == 1
    assert "fail" in caplog.text


def test_async_receivers() -> None:
    """asend() awaits them; send() refuses before anything is called."""
    signal = Signal("both")
    seen: list[str] = []

    @signal.connect
    def plain(**kwargs: Any) -> None:
        seen.append("plain")

    @signal.connect
    async def coroutine(**kwargs: Any) -> str:
        seen.append("async")
        return "done"

    assert asyncio.run(signal.asend())[1] == (coroutine, "done")
    assert seen == ["plain", "async"]
    with pytest.raises(SynchronousOnlyOperation, match=r"coroutine.*of both"):
        signal.send()
    assert seen == ["plain", "async"]
    assert isinstance(signal.send_robust()[1][1], SynchronousOnlyOperation)
    assert asyncio.run(signal.asend_robust())[1] == (coroutine, "done")


def test_notify_inside_a_program() -> None:
    """In a program plain receivers are called, async ones are steps that only async code can do."""
    signal = Signal()
    seen: list[str] = []

    @signal.connect
    def plain(sender: Any, value: int) -> None:
        seen.append(f"plain {value}")

    @signal.connect
    async def coroutine(value: int, **kwargs: Any) -> None:
        seen.append(f"async {value}")

    class Conn:
        async def await_(self, callback: Any) -> Any:
            return await callback()

    class SyncConn:
        def await_(self, callback: Any) -> Any:
            raise SynchronousOnlyOperation(callback.__qualname__)

    asyncio.run(arun(notify(signal, Sender, value=1), Conn()))  # type: ignore[arg-type]
    assert seen == ["plain 1", "async 1"]
    with pytest.raises(SynchronousOnlyOperation, match="coroutine"):
        run(notify(signal, Sender, value=2), SyncConn())  # type: ignore[arg-type]


def test_models_by_label() -> None:
    """A model signal takes the label of a model that may not exist yet, and undoes that in the same way."""
    signal = ModelSignal()
    with isolated() as registry:

        @receiver(signal, sender="blog.Author", apps=registry)
        def hear(**kwargs: Any) -> str:
            return "heard"

        def never(**kwargs: Any) -> str:
            return "never"

        signal.connect(never, sender="blog.Author", apps=registry)
        assert signal.disconnect(never, sender="blog.Author", apps=registry) is None

        class Author(Model):
            class Meta:
                app_label = "blog"

        assert signal.send(Author) == [(hear, "heard")]
        assert signal.send(Sender) == []
        assert signal.disconnect(hear, sender=Author)
        assert signal.send(Author) == []
        signal.connect(hear, sender="blog.Author")  # the registry that is current
        assert signal.send(Author) == [(hear, "heard")]
        assert signal.disconnect(hear, sender="blog.Author") is None
        assert signal.send(Author) == []


@pytest.mark.parametrize("label", ["invalid", "blog.", ".Author", "a.b.C"])
def test_a_text_that_is_no_label(label: str) -> None:
    """It is refused when connecting: the receiver would never be called."""
    with pytest.raises(ValueError, match="must be of the form 'app_label.ModelName'"):
        ModelSignal().connect(lambda **_: None, sender=label)
    with pytest.raises(TypeError, match="must be callable"):
        ModelSignal().connect(3, sender="blog.Author")  # type: ignore[call-overload]


def test_texts_as_senders_of_other_signals() -> None:
    """A text is a sender by its value."""
    signal = Signal()

    def hear(**kwargs: Any) -> None:
        pass

    signal.connect(hear, sender="postgresql")
    assert signal.has_listeners("POSTGRESQL".lower())
    assert not signal.has_listeners("sqlite")
    assert signal.disconnect(hear, sender="POSTGRESQL".lower())


def test_what_cannot_be_called_is_refused() -> None:
    """connect() of something that is no function raises."""
    with pytest.raises(TypeError, match="must be callable"):
        Signal().connect(3)  # type: ignore[call-overload]


def test_what_reaches_a_class_is_found_once() -> None:
    """A class that has sent a signal is not compared with the connections again, until these change."""
    signal = Signal()
    seen: list[str] = []

    def hear(sender: Any, **kwargs: Any) -> None:
        seen.append(sender.__name__)

    signal.connect(hear, sender=Sender)
    assert signal.live(Sender) is signal.live(Sender)
    assert signal.live(Signal) is signal.live(Signal)
    signal.connect(hear, sender=Signal)
    signal.send(Signal)
    signal.disconnect(hear, sender=Sender)
    signal.send(Sender)
    assert seen == ["Signal"]

    class Brief:
        def hear(self, sender: Any, **kwargs: Any) -> None:
            seen.append("brief")

    listener = Brief()
    signal.connect(listener.hear)
    signal.send(Sender)
    del listener
    gc.collect()
    signal.send(Sender)
    assert seen == ["Signal", "brief"]
