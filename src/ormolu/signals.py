"""Signals: tell interested code that something happened, as Django's do.

A receiver is any callable that takes `sender` and keywords. It is held by a weak reference unless
`weak=False`. A receiver that does not take `**kwargs` gets only the keywords that it names. An async
receiver is awaited by `asend()` and by async programs; a synchronous `send()` that meets one raises, rather
than losing the call.

Source: Django's documentation, "Signals" and "Model signals".
"""

from __future__ import annotations

import inspect
import logging
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, overload

from ormolu.exceptions import SynchronousOnlyOperation

__all__ = [
    "ModelSignal",
    "Signal",
    "class_prepared",
    "m2m_changed",
    "pool_closed",
    "pool_opened",
    "post_delete",
    "post_init",
    "post_query",
    "post_save",
    "pre_delete",
    "pre_init",
    "pre_query",
    "pre_save",
    "receiver",
    "setting_changed",
]

_log = logging.getLogger("ormolu.signals")

Receiver = Callable[..., Any]
F = TypeVar("F", bound=Receiver)


class _Entry:
    """One connection of a receiver to a signal."""

    __slots__ = ("dead", "is_async", "key", "keywords", "ref", "sender", "sender_id")

    def __init__(self, target: Receiver, sender: object, weak: bool, key: object, signal: Signal) -> None:
        self.key = key
        self.sender: Callable[[], object] = _reference(sender, signal) if sender is not None else _nobody
        self.sender_id = id(sender) if sender is not None else None
        self.ref: Callable[[], Receiver | None] = _reference(target, signal) if weak else lambda: target
        self.is_async = is_async_callable(target)
        self.keywords = _keywords_of(target)


def _nobody() -> None:
    return None


def _reference(target: Any, signal: Signal) -> Callable[[], Any]:
    """Return a weak reference that tells the signal when its target dies; a plain getter if that can't be."""
    try:
        if inspect.ismethod(target):
            return weakref.WeakMethod(target, signal._clear_dead_receivers)
        return weakref.ref(target, signal._clear_dead_receivers)
    except TypeError:
        return lambda: target


def is_async_callable(target: Any) -> bool:
    """Say whether calling `target` gives an awaitable: a coroutine function, or an async `__call__`."""
    while hasattr(target, "func"):  # functools.partial
        target = target.func
    if inspect.iscoroutinefunction(target):
        return True
    return callable(target) and inspect.iscoroutinefunction(type(target).__call__)


def _keywords_of(target: Receiver) -> frozenset[str] | None:
    """Return the keywords that `target` takes, or None when it takes any."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return frozenset(p.name for p in parameters if p.kind is not p.VAR_POSITIONAL)


class Signal:
    """A named event. Connect receivers to it, and send it."""

    def __init__(self, name: str = "", *, use_caching: bool = False) -> None:
        self.name = name
        self.receivers: list[_Entry] = []
        """The connections; an empty list means that nobody listens (read by hot paths)."""
        self._live: weakref.WeakKeyDictionary[Any, list[_Entry]] = weakref.WeakKeyDictionary()
        """What reaches each class that has sent this signal, until a connection changes."""
        self.lock = threading.RLock()
        self._watchers: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Signal {self.name or hex(id(self))}: {len(self.receivers)} receivers>"

    # -- connecting

    @overload
    def connect(
        self, receiver: F, sender: object = None, weak: bool = True, dispatch_uid: object = None
    ) -> F: ...
    @overload
    def connect(
        self, receiver: None = None, sender: object = None, weak: bool = True, dispatch_uid: object = None
    ) -> Callable[[F], F]: ...
    def connect(
        self, receiver: Any = None, sender: object = None, weak: bool = True, dispatch_uid: object = None
    ) -> Any:
        """Call `receiver` whenever this signal is sent (by `sender`, if one is given), and return `receiver`.

        Usable as a decorator, with or without arguments. Connecting the same receiver and sender again, or
        the same `dispatch_uid`, changes nothing. Raises TypeError for something that can't be called.
        """
        if receiver is None:

            def decorate(target: Any) -> Any:
                return self.connect(target, sender, weak, dispatch_uid)

            return decorate
        if not callable(receiver):
            raise TypeError(f"A signal's receiver must be callable, not {receiver!r}.")
        with self.lock:
            key = self._key(receiver, sender, dispatch_uid)
            if all(entry.key != key for entry in self.receivers):
                self.receivers = [*self.receivers, _Entry(receiver, sender, weak, key, self)]
                self._changed()
        return receiver

    def connect_for(
        self, sender: object, *, weak: bool = True, dispatch_uid: object = None
    ) -> Callable[[F], F]:
        """Return a decorator that connects a receiver for one sender."""
        return self.connect(None, sender, weak, dispatch_uid)

    def disconnect(
        self, receiver: Receiver | None = None, sender: object = None, dispatch_uid: object = None
    ) -> bool:
        """Undo `connect()` of the same arguments; return whether there was something to undo."""
        with self.lock:
            key = self._key(receiver, sender, dispatch_uid)
            kept = [entry for entry in self.receivers if entry.key != key]
            found = len(kept) < len(self.receivers)
            if found:
                self.receivers = kept
                self._changed()
        return found

    def watch(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each change of the connections."""
        self._watchers.append(callback)

    def _key(self, receiver: Any, sender: object, dispatch_uid: object) -> object:
        who = self._sender_key(sender)
        if dispatch_uid is not None:
            return "uid", dispatch_uid, who
        if inspect.ismethod(receiver):
            return id(receiver.__self__), id(receiver.__func__), who
        return id(receiver), who

    def _sender_key(self, sender: object) -> object:
        return sender if sender is None or isinstance(sender, str) else id(sender)

    def _clear_dead_receivers(self, _ref: object = None) -> None:
        """Drop the connections whose receiver or sender is gone; called by the garbage collector."""
        with self.lock:
            self.receivers = [
                entry
                for entry in self.receivers
                if entry.ref() is not None and (entry.sender_id is None or entry.sender() is not None)
            ]
            self._changed()

    def _changed(self) -> None:
        self._live.clear()
        for callback in self._watchers:
            callback()

    # -- sending

    def _matches(self, entry: _Entry, sender: object) -> bool:
        if entry.sender_id is None or (entry.sender_id == id(sender) and entry.sender() is sender):
            return True
        return isinstance(sender, str) and entry.sender() == sender

    def live(self, sender: object) -> list[_Entry]:
        """Return the connections that a signal from `sender` reaches, in the order of connecting."""
        receivers = self.receivers
        if not receivers:
            return []
        if not isinstance(sender, type):
            return [entry for entry in receivers if self._matches(entry, sender) and entry.ref() is not None]
        found = self._live.get(sender)
        if found is None:
            found = [entry for entry in receivers if self._matches(entry, sender) and entry.ref() is not None]
            with self.lock:
                if self.receivers is receivers:  # else somebody has connected meanwhile
                    self._live[sender] = found
        return found

    def has_listeners(self, sender: object = None) -> bool:
        """Say whether anybody would hear a signal from `sender`."""
        return bool(self.receivers) and bool(self.live(sender))

    def call(self, entry: _Entry, sender: object, named: dict[str, Any]) -> tuple[Receiver | None, Any]:
        """Call one receiver and return it with its response (None, None if it is gone meanwhile)."""
        target = entry.ref()
        if target is None:
            return None, None
        values: dict[str, Any] = {"signal": self, "sender": sender, **named}
        if entry.keywords is not None:
            values = {name: value for name, value in values.items() if name in entry.keywords}
        return target, target(**values)

    def _refuse_async(self, entry: _Entry) -> None:
        target = entry.ref()
        raise SynchronousOnlyOperation(
            f"The async receiver {getattr(target, '__qualname__', target)!r} of {self.name or 'a signal'} "
            "can't be called from synchronous code. Use the async method (asave, adelete, ...), or connect a "
            "plain function."
        )

    def send(self, sender: object = None, **named: Any) -> list[tuple[Receiver, Any]]:
        """Call the receivers in order; return (receiver, response) pairs.

        An exception of a receiver propagates, and the rest are not called. Raises SynchronousOnlyOperation if
        one of the receivers is async, before any is called.
        """
        entries = self.live(sender)
        for entry in entries:
            if entry.is_async:
                self._refuse_async(entry)
        return [pair for entry in entries if (pair := self.call(entry, sender, named))[0] is not None]  # type: ignore[misc]

    async def asend(self, sender: object = None, **named: Any) -> list[tuple[Receiver, Any]]:
        """Call the receivers in order, awaiting async ones; return (receiver, response) pairs.

        One after the other and in this task, so that they take part in its transaction.
        """
        responses: list[tuple[Receiver, Any]] = []
        for entry in self.live(sender):
            target, response = self.call(entry, sender, named)
            if target is not None:
                responses.append((target, await response if entry.is_async else response))
        return responses

    def send_robust(self, sender: object = None, **named: Any) -> list[tuple[Receiver, Any]]:
        """Call all receivers as `send()` does; an exception is logged and becomes the response."""
        responses: list[tuple[Receiver, Any]] = []
        for entry in self.live(sender):
            target = entry.ref()
            if target is None:
                continue
            try:
                if entry.is_async:
                    self._refuse_async(entry)
                response = self.call(entry, sender, named)[1]
            except Exception as error:
                response = self._failed(target, error)
            responses.append((target, response))
        return responses

    async def asend_robust(self, sender: object = None, **named: Any) -> list[tuple[Receiver, Any]]:
        """Call all receivers as `asend()` does; an exception is logged and becomes the response."""
        responses: list[tuple[Receiver, Any]] = []
        for entry in self.live(sender):
            target = entry.ref()
            if target is None:
                continue
            try:
                response = self.call(entry, sender, named)[1]
                if entry.is_async:
                    response = await response
            except Exception as error:
                response = self._failed(target, error)
            responses.append((target, response))
        return responses

    def _failed(self, target: Receiver, error: Exception) -> Exception:
        name = getattr(target, "__qualname__", repr(target))
        _log.error("Error calling %s in %s.send_robust() (%s)", name, self.name, error, exc_info=error)
        return error


class ModelSignal(Signal):
    """A signal whose sender is a model, or a model's label (`"blog.Author"`), perhaps before it exists."""

    @overload
    def connect(
        self,
        receiver: F,
        sender: object = None,
        weak: bool = True,
        dispatch_uid: object = None,
        apps: Any = None,
    ) -> F: ...
    @overload
    def connect(
        self,
        receiver: None = None,
        sender: object = None,
        weak: bool = True,
        dispatch_uid: object = None,
        apps: Any = None,
    ) -> Callable[[F], F]: ...
    def connect(
        self,
        receiver: Any = None,
        sender: object = None,
        weak: bool = True,
        dispatch_uid: object = None,
        apps: Any = None,
    ) -> Any:
        """Call `receiver` whenever this signal is sent. See `Signal.connect()`.

        A label stands for the model of that name in the registry `apps`, by default the application's; the receiver
        is connected once that exists. Raises ValueError for a text that is no label.
        """
        if receiver is None:

            def decorate(target: Any) -> Any:
                return self.connect(target, sender, weak, dispatch_uid, apps)

            return decorate
        if not isinstance(sender, str):
            return super().connect(receiver, sender, weak, dispatch_uid)
        if not callable(receiver):
            raise TypeError(f"A signal's receiver must be callable, not {receiver!r}.")
        connect = super().connect
        _with_model(apps, sender, lambda model: connect(receiver, model, weak, dispatch_uid))
        return receiver

    def disconnect(
        self,
        receiver: Receiver | None = None,
        sender: object = None,
        dispatch_uid: object = None,
        apps: Any = None,
    ) -> Any:
        """Undo `connect()` of the same arguments; return whether there was something to undo, for a label None."""
        if not isinstance(sender, str):
            return super().disconnect(receiver, sender, dispatch_uid)
        disconnect = super().disconnect
        _with_model(apps, sender, lambda model: disconnect(receiver, model, dispatch_uid))
        return None


_registry: Callable[[], Any] | None = None
_waiting: list[tuple[tuple[str, str], Callable[[Any], Any]]] = []


def use_registry(current: Callable[[], Any]) -> None:
    """Say where models are found by their labels. The models call it, which this module can't import."""
    global _registry
    _registry = current
    while _waiting:
        key, function = _waiting.pop(0)
        current().lazy_model_operation(function, key)


def known_models() -> list[Any]:
    """Return the models that a program has declared, those of many-to-many relations included."""
    return [] if _registry is None else list(_registry().get_models(include_auto_created=True))


def _with_model(apps: Any, label: str, function: Callable[[Any], Any]) -> None:
    """Call `function(model)` once the model of a label exists. Raises ValueError for a text that is no label."""
    app_label, dot, name = label.partition(".")
    if not (app_label and dot and name) or "." in name:
        raise ValueError(
            f"Invalid model reference {label!r}. String model references must be of the form 'app_label.ModelName'."
        )
    key = (app_label, name.lower())
    if apps is None and _registry is None:
        _waiting.append((key, function))
    else:
        (_registry() if apps is None else apps).lazy_model_operation(function, key)  # type: ignore[misc]


def receiver(signal: Signal | Iterable[Signal], **kwargs: Any) -> Callable[[F], F]:
    """Return a decorator that connects to one signal or several; keywords as for `connect()`."""

    def decorate(target: F) -> F:
        for one in [signal] if isinstance(signal, Signal) else signal:
            one.connect(target, **kwargs)
        return target

    return decorate


class_prepared = Signal("class_prepared")
"""A model class is complete. Sender: the model."""
pre_init = ModelSignal("pre_init")
"""A model's `__init__` begins. Keywords: args, kwargs."""
post_init = ModelSignal("post_init")
"""A model's `__init__` has ended. Keywords: instance."""
pre_save = ModelSignal("pre_save")
"""Before a row is written. Keywords: instance, raw, using, update_fields, created."""
post_save = ModelSignal("post_save")
"""After a row was written. Keywords: instance, created, raw, using, update_fields."""
pre_delete = ModelSignal("pre_delete")
"""Before a row is deleted. Keywords: instance, using, origin."""
post_delete = ModelSignal("post_delete")
"""After a row was deleted. Keywords: instance, using, origin."""
m2m_changed = ModelSignal("m2m_changed")
"""A many-to-many relation changed. Sender: the through model.

Keywords: instance, action, reverse, model, pk_set, using.
"""
pre_query = Signal("pre_query")
"""Before each statement. Sender: the vendor ("sqlite", "postgresql", ...). Keywords: sql, params, alias."""
post_query = Signal("post_query")
"""After each statement. Sender: the vendor. Keywords: sql, params, alias, elapsed_ms, error."""
pool_opened = Signal("pool_opened")
"""A pool is used for the first time. Sender: the vendor. Keywords: alias, is_async."""
pool_closed = Signal("pool_closed")
"""A pool was closed: by the program, by other settings, or because its event loop ends. Keywords: alias, is_async."""
setting_changed = Signal("setting_changed")
"""A setting changed for a test. Keywords: setting, value, enter."""

AsyncReceiver = Callable[..., Awaitable[Any]]
