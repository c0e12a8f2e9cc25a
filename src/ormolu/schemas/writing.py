"""What a schema writes: new objects, changes of objects, and which of its values those are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ormolu.schemas.blocks import (
    ablock_around,
    ablock_through,
    asynchronous,
    block_around,
    block_through,
    connection_of,
)
from ormolu.schemas.definitions import is_read_only
from ormolu.schemas.members import COLUMN, MANY, Member, member
from ormolu.schemas.options import SchemaOptions

if TYPE_CHECKING:
    from typing import ClassVar

    from pydantic import BaseModel

    _Base = BaseModel
else:
    _Base = object

__all__ = ["Writing"]


class Writing(_Base):
    """The methods of a schema that write its model's objects."""

    if TYPE_CHECKING:
        __schema_options__: ClassVar[SchemaOptions]
        __schema_derived__: ClassVar[frozenset[str]]

    def create(self, manager: Any = None, /, **more: Any) -> Any:
        """Make an object of the schema's model and save it; return it.

        `more` are values that the schema doesn't have, or others in place of its own. `manager` is where the object
        is made: `author.books`, `Author.objects(session)`; the model's default manager without it. Read-only fields
        (keys that count up, computed columns, stamps, files) are not written. Lists of keys are set after the object,
        in one transaction with it: one more query or two for each. Raises TypeError for nested objects that `more`
        doesn't replace.
        """
        values, lists = self._to_write(more, new=True)
        makes = manager if manager is not None else self._model()._default_manager
        if not lists:
            return makes.create(**values)
        with block_through(makes):
            made = makes.create(**values)
            connection = connection_of(makes)
            for name, keys in lists.items():
                related = getattr(made, name)
                (related if connection is None else related(connection)).set(keys)
        return made

    async def acreate(self, manager: Any = None, /, **more: Any) -> Any:
        """Make an object of the schema's model and save it; return it. See `create()`."""
        values, lists = self._to_write(more, new=True)
        makes = manager if manager is not None else self._model()._default_manager
        if not lists:
            return await makes.acreate(**values)
        async with ablock_through(makes):
            made = await makes.acreate(**values)
            connection = connection_of(makes)
            for name, keys in lists.items():
                related = getattr(made, name)
                await (related if connection is None else related(asynchronous(connection))).aset(keys)
        return made

    def apply(self, instance: Any, /, *, exclude_unset: bool = True, **more: Any) -> Any:
        """Set the values that were given on an object, without saving it; return it.

        With `exclude_unset=False`, as for PUT, those that were not given are set to their defaults, too. Keys of the
        object and read-only fields stay as they are. Lists of keys are not set: that takes queries, see `update()`.
        """
        values, _lists = self._to_write(more, exclude_unset=exclude_unset)
        set_all(instance, values)
        return instance

    def update(self, instance: Any, /, *, exclude_unset: bool = True, **more: Any) -> Any:
        """Set the values that were given on an object and save what changed; return it. See `apply()`.

        With lists of keys that is one transaction.
        """
        values, lists = self._to_write(more, exclude_unset=exclude_unset)
        if not lists:
            set_all(instance, values)
            instance.save()
            return instance
        with block_around(instance):  # a session's savepoint flushes what was set before it
            set_all(instance, values)
            instance.save()
            for name, keys in lists.items():
                getattr(instance, name).set(keys)
        return instance

    async def aupdate(self, instance: Any, /, *, exclude_unset: bool = True, **more: Any) -> Any:
        """Set the values that were given on an object and save it; return it. See `update()`."""
        values, lists = self._to_write(more, exclude_unset=exclude_unset)
        if not lists:
            set_all(instance, values)
            await instance.asave()
            return instance
        async with ablock_around(instance):  # a session's savepoint flushes what was set before it
            set_all(instance, values)
            await instance.asave()
            for name, keys in lists.items():
                await getattr(instance, name).aset(keys)
        return instance

    def _model(self) -> Any:
        model = self.__schema_options__.model
        if model is None:
            raise TypeError(f"{type(self).__name__} has no Meta.model, and so no objects to write.")
        return model

    def _to_write(
        self, more: dict[str, Any], *, new: bool = False, exclude_unset: bool = True
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what to set on an object, and the lists of keys to set after it."""
        model = self._model()
        given, derived = self.model_fields_set, self.__schema_derived__
        values: dict[str, Any] = {}
        lists: dict[str, Any] = {}
        for name in type(self).model_fields:
            if name in more:
                continue
            one = member(model, name, as_key=True)
            if (
                one is None
                or one.field is None
                or (name not in given and (exclude_unset and (not new or name in derived)))
            ):
                continue
            if not is_written(one, new, name in derived):
                continue
            value = getattr(self, name)
            if one.kind != COLUMN or one.field.is_relation:
                self._refuse_nested(name, value)
            if name not in given and value is None and not one.field.null:
                continue  # it stands for nothing
            if one.kind == MANY:
                lists[name] = value
            else:
                values[one.name] = value
        for name, value in more.items():
            one = member(model, name)
            (lists if one is not None and one.kind == MANY else values)[name] = value
        return values, lists

    def _refuse_nested(self, name: str, value: Any) -> None:
        from pydantic import BaseModel

        items: list[Any] = list(cast("Any", value)) if isinstance(value, (list, tuple, set)) else [value]
        if any(isinstance(item, BaseModel) for item in items):
            raise TypeError(
                f"{type(self).__name__}.{name} holds nested objects, which are not written with this one. "
                f"Write them first, and say which they are: {name}=..."
            )


def set_all(instance: Any, values: dict[str, Any]) -> None:
    """Set attributes of an object."""
    for name, value in values.items():
        setattr(instance, name, value)


def is_written(one: Member, new: bool, derived: bool) -> bool:
    """Tell whether a schema's value goes to an object: no key of one that is there, nothing read-only."""
    if one.kind != COLUMN:
        return True
    field = one.field
    if not new and (field.primary_key or field in field.model._meta.pk_fields):
        return False
    return not is_read_only(field) if derived else not getattr(field, "generated", False)
