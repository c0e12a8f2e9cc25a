"""The same model in Django and here, and one step of a history on either: what the machine compares."""

from __future__ import annotations

import copy
import pickle
import sys
import types
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

COLUMNS = ("code", "n", "text", "data", "stamp")
OWN = ("extra", "more")

MODELS = '''
class Stamp(IntegerField):
    """Sets itself when it is saved, as auto_now does."""

    def pre_save(self, model_instance, add):
        value = len(model_instance.text)
        setattr(model_instance, self.attname, value)
        return value


class Post(Model):
    code = CharField(max_length=10, unique=True, null=True)
    n = IntegerField(default=0)
    text = CharField(max_length=20, default="")
    data = JSONField(default=list)
    stamp = Stamp(default=0)

    class Meta:
        app_label = "saving"


class Story(Post):
    extra = IntegerField(default=0)
    more = JSONField(default=dict)

    class Meta:
        app_label = "saving"
'''


class Undo(Exception):
    """Rolls a block back."""


class Side:
    """One library: its models, and the objects that the history has made with it."""

    def __init__(self, imports: str, module: str, restart: Callable[[], Any]) -> None:
        made = types.ModuleType(module)
        sys.modules[module] = made  # objects are pickled by their module's name
        exec(imports + MODELS, made.__dict__)
        self.names: dict[str, Any] = made.__dict__
        self.restart = restart
        self.objects: dict[int, Any] = {}
        self.blocks: list[ExitStack] = []

    def model(self, child: bool) -> Any:
        return self.names["Story" if child else "Post"]

    def rows(self) -> Any:
        """Return all rows of both tables."""
        posts = self.names["Post"].objects.order_by("pk").values_list("pk", *COLUMNS)
        stories = self.names["Story"].objects.order_by("pk").values_list("pk", *OWN)
        return list(posts), list(stories)

    def attempt(self, step: str, *args: Any) -> str:
        """Do a step in a savepoint, or in autocommit; return the kind of its error, if any."""
        try:
            if not self.blocks:
                getattr(self, step)(*args)
            else:
                with self.names["atomic"]():
                    getattr(self, step)(*args)
        except Exception as error:
            # Ours is a ValueError, too; and what reads a column without a key is an error of some kind.
            return type(error).__name__.replace("FieldError", "ValueError").replace("Attribute", "Value")
        return ""

    def seen(self) -> dict[int, Any]:
        """Return what the objects know."""
        found: dict[int, Any] = {}
        for slot, obj in self.objects.items():
            values = obj.__dict__
            names = ("id", *COLUMNS, *OWN)
            known = {name: values[name] for name in names if name in values}
            found[slot] = obj.pk, obj._state.adding, known
        return found

    # Steps

    def new(self, slot: int, child: bool, values: dict[str, Any]) -> None:
        self.objects[slot] = self.model(child)(**copy.deepcopy(values))

    def create(self, slot: int, child: bool, values: dict[str, Any]) -> None:
        self.objects[slot] = self.model(child).objects.create(**copy.deepcopy(values))

    def load(self, slot: int, child: bool, pk: int, only: tuple[str, ...], defer: tuple[str, ...]) -> None:
        chosen = self.model(child).objects.all()
        if only:
            chosen = chosen.only(*only)
        elif defer:
            chosen = chosen.defer(*defer)
        self.objects[slot] = chosen.get(pk=pk)

    def assign(self, slot: int, name: str, value: Any) -> None:
        setattr(self.objects[slot], name, copy.deepcopy(value))

    def mutate(self, slot: int, value: Any) -> None:
        self.objects[slot].data.append(value)

    def mutate_more(self, slot: int, value: Any) -> None:
        self.objects[slot].more[str(value)] = value

    def save(self, slot: int, options: dict[str, Any]) -> None:
        self.objects[slot].save(**options)

    def save_and_undo(self, slot: int, options: dict[str, Any]) -> None:
        with self.names["atomic"]():
            self.objects[slot].save(**options)
            raise Undo

    def save_raw(self, slot: int) -> None:
        obj = self.objects[slot]
        if obj.pk is None:
            return  # raw rows come with their keys
        for name in obj.get_deferred_fields():
            getattr(obj, name)  # which Django writes, too
        obj.save_base(raw=True)

    def bump(self, slot: int, options: dict[str, Any]) -> None:
        obj = self.objects[slot]
        obj.n = self.names["F"]("n") + 1
        try:
            obj.save(**options)
        except Exception:
            obj.n = -1
            obj.stamp = 0  # set before or after the error
            raise
        obj.refresh_from_db(fields=["n"])

    def refresh(self, slot: int, names: tuple[str, ...]) -> None:
        self.objects[slot].refresh_from_db(**({"fields": list(names)} if names else {}))
        self.objects[slot]._state.adding = False  # which Django leaves as it was

    def delete(self, slot: int) -> None:
        if self.objects[slot]._state.adding:
            return  # with a key, Django looks for a parent's row that it doesn't find
        if self.objects[slot].pk != self.objects[slot].id:
            return  # rekeyed: Django deletes the parent's row of the old key, under a child's that stays
        self.objects[slot].delete()
        self.objects[slot]._state.adding = True  # which Django leaves as it was

    def duplicate(self, slot: int) -> None:
        obj = self.objects[slot]
        # While it has a key: neither saves a copy that lacks a column, and which keys it has after that is each one's
        # affair. Ours needs not know the stamp, since it sets itself; Django wants to.
        for name in (*COLUMNS, *(OWN if obj.__class__ is self.model(True) else ())):
            getattr(obj, name)
        obj.pk = None
        obj.id = None
        obj._state.adding = True
        obj.code = None
        obj.save()

    def rekey(self, slot: int, pk: int) -> None:
        self.objects[slot].pk = pk

    def pickled(self, slot: int) -> None:
        self.objects[slot] = pickle.loads(pickle.dumps(self.objects[slot]))

    def copied(self, slot: int) -> None:
        self.objects[slot] = copy.copy(self.objects[slot])

    def bulk_update(self, slot: int, names: tuple[str, ...]) -> None:
        self.objects[slot].__class__.objects.bulk_update([self.objects[slot]], names)

    def bulk_create(self, slot: int, values: dict[str, Any]) -> None:
        self.objects[slot] = self.model(False)(**copy.deepcopy(values))
        self.model(False).objects.bulk_create([self.objects[slot]])

    def update_or_create(self, slot: int, code: str, defaults: dict[str, Any]) -> None:
        found, _ = self.model(False).objects.update_or_create(copy.deepcopy(defaults), code=code)
        self.objects[slot] = found

    def update_rows(self, slot: int, values: dict[str, Any]) -> None:
        obj = self.objects[slot]
        obj.__class__.objects.filter(pk=obj.pk).update(**values)
        obj.refresh_from_db()
        obj._state.adding = False  # it has a row, as ours knows now

    # Blocks

    def enter(self) -> None:
        block = ExitStack()
        block.enter_context(self.names["atomic"]())
        self.blocks.append(block)

    def leave(self, undo: bool) -> None:
        block = self.blocks.pop()
        if not undo:
            block.close()
            return
        try:
            with block:
                raise Undo
        except Undo:
            pass

    def forget(self) -> None:
        while self.blocks:
            self.leave(True)
        self.objects.clear()
        self.names["Story"].objects.all().delete()
        self.names["Post"].objects.all().delete()
        self.restart()  # the keys: a history is the same when it is run again
