"""QuerySet: the half that changes the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

from ormolu import databases
from ormolu.compile.locking import OWN
from ormolu.databases.routing import router
from ormolu.exceptions import FieldDoesNotExist, FieldError, NotSupportedError, ValidationError
from ormolu.fields.composite import TupleField
from ormolu.fields.locating import locate
from ormolu.query import terminals
from ormolu.query.bulk_writing import BulkWriting
from ormolu.query.chain import M, R
from ormolu.query.fetch_modes import give_mode
from ormolu.query.naming import near
from ormolu.query.references import F
from ormolu.query.returning import Returning
from ormolu.writes.overrides import HEARD, hear_overrides, is_librarys


def adriver_of(queryset: Any) -> Any:
    """Return the asynchronous driver of the database that a queryset writes to; of a bound one what runs there."""
    if queryset._binding is not None:
        return queryset._binding
    return databases.get(queryset._write_alias()).adriver


class Writing(BulkWriting[M, R]):
    """The terminals that write; they run on the database for writing."""

    _hears_overrides = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls._hears_overrides:
            hear_overrides(cls, HEARD, adriver_of)

    def _write_alias(self) -> str:
        return router.alias_to_write(self.model, self._db, self._hints)

    def _write(self, program: Any, *args: Any) -> Any:
        self._result_cache = None
        if self._binding is not None:
            return self._binding.run(program, *args)
        return databases.get(self._write_alias()).driver.run(program, *args)

    async def _awrite(self, program: Any, *args: Any) -> Any:
        self._result_cache = None
        if self._binding is not None:
            return await self._binding.arun(program, *args)
        return await databases.get(self._write_alias()).adriver.arun(program, *args)

    # One object

    def create(self, **kwargs: Any) -> M:
        """Make an object, insert it and return it. One INSERT."""
        self._not_combined("create")
        self._check_reverse(kwargs)
        instance: Any = self.model(**kwargs)
        cls: Any = instance.__class__
        if is_librarys(cls.save):
            self._write(terminals.insert, instance)
        else:
            instance.save(force_insert=True, using=self._write_alias())
        self._give_mode(instance)
        return instance  # type: ignore[no-any-return]

    async def acreate(self, **kwargs: Any) -> M:
        """Make an object, insert it and return it. One INSERT."""
        self._not_combined("create")
        self._check_reverse(kwargs)
        instance: Any = self.model(**kwargs)
        cls: Any = instance.__class__
        if is_librarys(cls.save) and is_librarys(cls.asave):
            await self._awrite(terminals.insert, instance)
        else:
            await instance.asave(force_insert=True, using=self._write_alias())
        self._give_mode(instance)
        return instance  # type: ignore[no-any-return]

    def _give_mode(self, instance: Any) -> None:
        """Let a new object have the fetch mode that was asked for."""
        if "query" in self.__dict__ and self.query.fetch_mode is not None:
            give_mode(instance, self.query.fetch_mode)

    def _check_reverse(self, kwargs: dict[str, Any]) -> None:
        """Refuse reverse one-to-one names, which are no values of this row (Django's rule)."""
        if not kwargs:
            return
        meta: Any = cast(Any, self.model)._meta
        related = meta.related_objects
        if related and (
            bad := [name for rel in related if rel.one_to_one and (name := rel.get_accessor_name()) in kwargs]
        ):
            raise ValueError(f"The following fields do not exist in this model: {', '.join(bad)}")

    def get_or_create(self, defaults: dict[str, Any] | None = None, **kwargs: Any) -> tuple[M, bool]:
        """Return (object, created): the one that meets the lookups, else a new one of lookups and defaults.

        Holds under races: who loses one gets the winner's object.
        """
        params = self._creator(kwargs, defaults)
        return self._write(terminals.get_or_create, self._locked(kwargs), kwargs, params)  # type: ignore[no-any-return]

    async def aget_or_create(self, defaults: dict[str, Any] | None = None, **kwargs: Any) -> tuple[M, bool]:
        """Return (object, created). See `get_or_create()`."""
        params = self._creator(kwargs, defaults)
        return await self._awrite(terminals.get_or_create, self._locked(kwargs), kwargs, params)  # type: ignore[no-any-return]

    def update_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """Return (object, created): the one that meets the lookups, changed by `defaults`, else a new one."""
        params = self._creator(kwargs, defaults if create_defaults is None else create_defaults)
        self._creator({}, defaults)
        return self._write(  # type: ignore[no-any-return]
            terminals.update_or_create, self._locked(kwargs, True), kwargs, defaults, params
        )

    async def aupdate_or_create(
        self,
        defaults: dict[str, Any] | None = None,
        create_defaults: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[M, bool]:
        """Return (object, created). See `update_or_create()`."""
        params = self._creator(kwargs, defaults if create_defaults is None else create_defaults)
        self._creator({}, defaults)
        return await self._awrite(  # type: ignore[no-any-return]
            terminals.update_or_create, self._locked(kwargs, True), kwargs, defaults, params
        )

    def _locked(self, lookups: dict[str, Any], lock: bool = False) -> Any:
        made: Any = cast(Any, self)._prepare_get((), lookups)
        if lock:
            made.query.select_for_update = OWN
        return made

    def _creator(self, lookups: dict[str, Any], defaults: Any) -> Callable[[], dict[str, Any]]:
        """Return what makes the values of a new object. A lazy `defaults` isn't touched before that."""
        if defaults is None or isinstance(defaults, dict):
            params = self._creation(lookups, cast(Any, defaults))
            return partial(self._creatable, params)
        return lambda: self._creatable(self._creation(lookups, defaults))

    def _creatable(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the values of a new object, which is needed now; ValueError for what is no value of its row."""
        self._check_reverse(params)
        return params

    def _creation(self, lookups: dict[str, Any], defaults: dict[str, Any] | None) -> dict[str, Any]:
        """Return the values of a new object; FieldError where a name is no attribute of the model."""
        meta: Any = cast(Any, self.model)._meta
        defaults = defaults or {}
        params = {name: value for name, value in lookups.items() if "__" not in name}
        params.update(defaults)
        invalid: list[str] = []
        for name in params:
            if name == "pk":
                continue
            try:
                meta.get_field(name)
            except FieldDoesNotExist:
                if (
                    not isinstance(getattr(self.model, name, None), property)
                    or getattr(self.model, name).fset is None
                ):
                    invalid.append(name)
        if invalid:
            known = [field.name for field in meta.get_fields()]
            raise FieldError(
                f"Invalid field name(s) for model {meta.object_name}: {', '.join(map(repr, sorted(invalid)))}."
                f"{near(invalid[0], known)}"
            )
        return params

    # All rows of the query

    def update(self, **kwargs: Any) -> int:
        """Set columns of all rows, to values or expressions; return how many rows matched. One UPDATE.

        A model's version (`Meta.version_field`) counts up in each row.
        """
        return self._write(terminals.update, *self._assignments(kwargs))  # type: ignore[no-any-return]

    async def aupdate(self, **kwargs: Any) -> int:
        """Set columns of all rows. One UPDATE."""
        return await self._awrite(terminals.update, *self._assignments(kwargs))  # type: ignore[no-any-return]

    update.alters_data = aupdate.alters_data = True  # type: ignore[attr-defined]

    def returning(self) -> Returning[M, R]:
        """Return this queryset's `update()` and `delete()` in a form that gives the rows, and not how many they are.

        The rows are what the queryset gives: objects, or as `only()`, `values()` and `values_list()` say.
        """
        if self._binding is not None:
            raise NotSupportedError(
                "returning() is not for a queryset of a session, whose objects would not follow."
            )
        return Returning(cast(Any, self))

    returning.queryset_only = True  # type: ignore[attr-defined]

    def _assignments(self, kwargs: dict[str, Any]) -> tuple[Any, list[tuple[Any, Any]]]:
        self._not_combined("update")
        if self.query.is_sliced:
            raise TypeError("Cannot update a query once a slice has been taken.")
        if self.query.distinct_fields:
            raise TypeError("Cannot call update() after .distinct(*fields).")
        meta: Any = cast(Any, self.model)._meta
        pairs: list[tuple[Any, Any]] = []
        for name, value in kwargs.items():
            field = meta.get_field(meta.pk.name if name == "pk" else name)
            if isinstance(field, TupleField):
                names = ", ".join(part.name for part in field.fields)
                raise FieldError(f"Composite primary key fields must be updated individually: {names}.")
            if hasattr(field, "from_fields"):
                pairs.extend(of_object(field, value))
                continue
            if (
                not getattr(field, "concrete", False)
                or field.many_to_many
                or (field.auto_created and field.is_relation and not field.concrete)
            ):
                raise FieldError(
                    f"Cannot update model field {field!r} (only non-relations and foreign keys permitted)."
                )
            if getattr(field, "generated", False):
                raise FieldError(
                    f"Cannot update {field.model._meta.label}.{field.name}: the database computes it. "
                    "Update the fields that it is computed from."
                )
            check_value(field, value)
            pairs.append((field, value))
        version = meta.version
        if version is not None and pairs and all(field is not version for field, _ in pairs):
            pairs.append((version, F(version.name) + 1))
        self._check_order_of_update()
        query = self.query.copy()
        query.order_by, query.default_ordering = (), False
        query.deferred, query.select_related = (frozenset(), True), False
        return query, pairs

    def _check_order_of_update(self) -> None:
        aggregates = {
            op[1]: op[2]
            for op in self.query.ops
            if op[0] == "annotate"
            and hasattr(op[2], "flatten")
            and any(getattr(part, "contains_aggregate", False) for part in op[2].flatten())
        }
        for item in self.query.order_by:
            name = item.lstrip("-+") if isinstance(item, str) else None
            if name in aggregates:
                raise FieldError(f"Cannot update when ordering by an aggregate: {aggregates[name]!r}")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete all rows, and what on_delete says must go with them; return (total, {label: count})."""
        return self._write(terminals.delete, self._deleted(), self)  # type: ignore[no-any-return]

    async def adelete(self) -> tuple[int, dict[str, int]]:
        """Delete all rows. See `delete()`."""
        return await self._awrite(terminals.delete, self._deleted(), self)  # type: ignore[no-any-return]

    delete.alters_data = adelete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = adelete.queryset_only = True  # type: ignore[attr-defined]

    def _deleted(self) -> Any:
        self._not_combined("delete")
        if self.query.is_sliced:
            raise TypeError("Cannot use 'limit' or 'offset' with delete().")
        if self.query.distinct_fields:
            raise TypeError("Cannot call delete() after .distinct(*fields).")
        if self.query.values_fields is not None:
            raise TypeError("Cannot call delete() after .values() or .values_list()")
        made = self._clone()
        made.query.order_by, made.query.default_ordering = (), False
        made.query.select_related = False
        made._prefetch = ()
        return made

    def _raw_delete(self, using: str | None = None) -> int:
        """Delete all rows with one DELETE, without on_delete or signals."""
        made = self._deleted()
        return made._write(terminals.delete_rows, made.query)  # type: ignore[no-any-return]


def of_object(field: Any, value: Any) -> list[tuple[Any, Any]]:
    """Return what the columns of a ForeignObject are set to for an object, or for None."""
    if value is not None and not hasattr(value, "_meta"):
        raise FieldError(
            f"{field.model._meta.object_name}.{field.name} takes an object or None. Set its columns one by one: "
            f"{', '.join(field.from_fields)}."
        )
    if value is not None:
        field.check_instance(value)
    return field.assigned(value)  # type: ignore[no-any-return]


def check_value(field: Any, value: Any) -> None:
    """Raise where a plain value does not fit a field, before anything is written."""
    if (
        value is None
        or hasattr(value, "as_term")
        or hasattr(value, "__clause_element__")
        or hasattr(value, "compile")
    ):
        return
    if hasattr(value, "_meta"):
        if not field.is_relation:
            raise TypeError(
                f"Field {field.name!r} of {field.model._meta.object_name} takes no model instance: {value!r}."
            )
        check = getattr(field, "check_instance", None)
        if check is not None:
            check(value)
        return
    try:
        field.get_prep_value(value)
    except (TypeError, ValueError, ValidationError) as error:
        raise locate(error, field) from error.__cause__


__all__ = ["Sequence", "Writing"]
