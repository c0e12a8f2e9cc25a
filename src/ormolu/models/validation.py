"""full_clean() and what it is made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Generator, Iterable
from typing import TYPE_CHECKING, Any

from ormolu.exceptions import NON_FIELD_ERRORS, ValidationError
from ormolu.fields.options import DatabaseDefault
from ormolu.models.persistence import Persistence, async_driver
from ormolu.models.routing import write_alias
from ormolu.query.q import Q
from ormolu.writes.overrides import call_override, is_librarys, librarys, prefers_sync

if TYPE_CHECKING:
    from ormolu.schemas import Schema

PARTS = ("clean_fields", "clean", "validate_unique", "validate_constraints")
"""What full_clean() calls, in order."""

Check = tuple[type[Any], tuple[str, ...]]
DateCheck = tuple[type[Any], str, str, str]


class Validation(Persistence):
    """Methods of model instances that validate."""

    @librarys
    def full_clean(
        self,
        exclude: Iterable[str] | None = None,
        validate_unique: bool = True,
        validate_constraints: bool = True,
    ) -> None:
        """Clean the fields, the object, uniqueness and constraints. Raises one ValidationError with all errors.

        One query for each unique field, group of fields and constraint, and for each foreign key that is set.
        Source: Django's documentation, "Model instance reference", "Validating objects".
        """
        cleaning = _cleaning(exclude, validate_unique, validate_constraints)
        error: ValidationError | None = None
        while True:
            try:
                name, options = next(cleaning) if error is None else cleaning.throw(error)
            except StopIteration:
                return
            error = None
            try:
                getattr(self, name)(**options)
            except ValidationError as found:
                error = found

    async def afull_clean(
        self,
        exclude: Iterable[str] | None = None,
        validate_unique: bool = True,
        validate_constraints: bool = True,
    ) -> None:
        """Do what `full_clean()` does, or an override of it.

        Methods of a class that have no asynchronous form are called in a thread, their queries in the same transaction.
        """
        if not is_librarys(type(self).full_clean) and prefers_sync(type(self), "full_clean"):
            await self._apart("full_clean", exclude, validate_unique, validate_constraints)
            return
        if all(_is_ours(type(self), f"a{name}") for name in PARTS):
            await self._apart("full_clean", exclude, validate_unique, validate_constraints)
            return
        cleaning = _cleaning(exclude, validate_unique, validate_constraints)
        error: ValidationError | None = None
        while True:
            try:
                name, options = next(cleaning) if error is None else cleaning.throw(error)
            except StopIteration:
                return
            error = None
            try:
                await getattr(self, f"a{name}")(**options)
            except ValidationError as found:
                error = found

    async def _apart(self, name: str, *args: Any, **options: Any) -> Any:
        """Call a synchronous method for async code."""
        return await call_override(async_driver(self, None), getattr(self, name), *args, **options)

    async def aclean(self) -> None:
        """Do what `clean()` does. Override it where that has to ask the database: `afull_clean()` awaits it."""
        await self._apart("clean")

    async def aclean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Do what `clean_fields()` does."""
        await self._apart("clean_fields", exclude)

    async def avalidate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Do what `validate_unique()` does."""
        await self._apart("validate_unique", exclude)

    async def avalidate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Do what `validate_constraints()` does."""
        await self._apart("validate_constraints", exclude)

    @classmethod
    def get_schema(cls, exclude: Iterable[str] | None = None) -> type[Schema]:
        """Return a Pydantic schema of the model's columns, without those in `exclude`: the same class each time.

        It reads objects and rows (`model_validate(obj)`, `queryset.as_schema(...)`), and has the fields' rules.
        Raises TypeError for names that the model doesn't have. Needs the extra `pydantic`. See `ormolu.schemas`.
        """
        from ormolu import schemas

        return schemas.get_schema(cls, exclude)

    def clean(self) -> None:
        """Validate what concerns several fields, and set values. Override it; it does nothing."""

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Convert and validate each field's value. Raises ValidationError with the errors by field."""
        excluded = exclude or ()
        errors: dict[str, Any] = {}
        for field in self._meta.fields:
            if field.name in excluded or field.column is None:
                continue
            if getattr(field, "generated", False):
                continue
            value = getattr(self, field.attname)
            if field.blank and value in field.empty_values:
                continue
            if isinstance(value, DatabaseDefault):
                continue
            try:
                cleaned = field.clean(value, self)
            except ValidationError as error:
                errors[field.name] = error.error_list
            else:
                if cleaned is not value:  # what is assigned counts as changed
                    setattr(self, field.attname, cleaned)
        if errors:
            raise ValidationError(errors)

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Check that no other row has this object's unique values. One query for each check."""
        unique, dates = self._get_unique_checks(exclude=exclude)
        errors = self._perform_unique_checks(unique)
        for name, found in self._perform_date_checks(dates).items():
            errors.setdefault(name, []).extend(found)
        if errors:
            raise ValidationError(errors)

    def get_constraints(self) -> list[tuple[type[Any], list[Any]]]:
        """Return the constraints of this model and its parents, by model."""
        found: list[tuple[type[Any], list[Any]]] = [(type(self), self._meta.constraints)]
        if not self._meta.proxy:
            parents = self._meta.get_parent_list()
            found.extend((parent, parent._meta.constraints) for parent in parents if parent._meta.constraints)
        return found

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Check Meta.constraints. One query for each. Raises ValidationError."""
        errors: dict[str, Any] = {}
        for model, constraints in self.get_constraints():
            for constraint in constraints:
                try:
                    constraint.validate(model, self, exclude=exclude, using=write_alias(self))
                except ValidationError as error:
                    fields: Any = getattr(constraint, "fields", ())
                    if getattr(error, "code", None) == "unique" and len(fields) == 1:
                        errors.setdefault(fields[0], []).append(error)
                    else:
                        errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def _get_unique_checks(
        self, exclude: Collection[str] | None = None, include_meta_constraints: bool = False
    ) -> tuple[list[Check], list[DateCheck]]:
        """Return the checks to perform: (model, names), and (model, lookup type, field, date field)."""
        excluded: Collection[str] = exclude or ()
        models = [type(self), *self._meta.get_parent_list()]
        unique: list[Check] = []
        dates: list[DateCheck] = []
        for model in models:
            meta = model._meta
            groups = list(meta.unique_together)
            if include_meta_constraints:
                groups += [tuple(c.fields) for c in meta.total_unique_constraints]
            unique += [(model, tuple(names)) for names in groups if not any(n in excluded for n in names)]
            if meta.is_composite_pk and not meta.proxy and "pk" not in excluded:
                names = tuple(field.name for field in meta.pk_fields)
                if not any(name in excluded for name in names):
                    unique.append((model, names))
            for field in meta.local_fields:  # a proxy has none: those of its model are unique
                if field.name in excluded:
                    continue
                if field.unique:
                    unique.append((model, (field.name,)))
                for kind in ("date", "year", "month"):
                    other = getattr(field, f"unique_for_{kind}", None)
                    if other and other not in excluded:
                        dates.append((model, kind, field.name, other))
        return unique, dates

    def _perform_unique_checks(self, checks: list[Check]) -> dict[str, list[ValidationError]]:
        errors: dict[str, list[ValidationError]] = {}
        for model, names in checks:
            lookups: dict[str, Any] = {}
            for name in names:
                field = self._meta.get_field(name)
                value = getattr(self, field.attname)
                if isinstance(value, DatabaseDefault):
                    value = field.db_default
                if value is None:
                    break  # NULL equals nothing
                if not self._state.adding and (field.primary_key or field in model._meta.pk_fields):
                    break  # its own row
                lookups[name] = value
            if len(lookups) != len(names):
                continue
            if self._others(model).filter(**lookups).exists():
                key = names[0] if len(names) == 1 else NON_FIELD_ERRORS
                errors.setdefault(key, []).append(self.unique_error_message(model, names))
        return errors

    def _others(self, model: type[Any]) -> Any:
        """Return the rows of a model without this object's own."""
        queryset = model._meta.default_manager.get_queryset().using(write_alias(self))
        if not self._state.adding and self._is_pk_set():
            # A child of several models has a key for each of them.
            queryset = queryset.exclude(pk=getattr(self, model._meta.pk.attname))
        return queryset

    def _perform_date_checks(self, checks: list[DateCheck]) -> dict[str, list[ValidationError]]:
        errors: dict[str, list[ValidationError]] = {}
        for model, kind, name, unique_for in checks:
            date = getattr(self, unique_for)
            if date is None:
                continue
            if kind == "date":
                day = date.date() if isinstance(date, dt.datetime) else date
                lookups = {f"{unique_for}__{part}": getattr(day, part) for part in ("day", "month", "year")}
            else:
                lookups = {f"{unique_for}__{kind}": getattr(date, kind)}
            lookups[name] = getattr(self, self._meta.get_field(name).attname)
            if self._others(model).filter(**lookups).exists():
                errors.setdefault(name, []).append(self.date_error_message(kind, name, unique_for))
        return errors

    def date_error_message(self, lookup_type: str, field_name: str, unique_for: str) -> ValidationError:
        """Return the error for a value that isn't unique for a date."""
        field = self._meta.get_field(field_name)
        return ValidationError(
            field.error_messages["unique_for_date"],
            code="unique_for_date",
            params={
                "model": self,
                "model_name": capfirst(self._meta.verbose_name),
                "lookup_type": lookup_type,
                "field": field_name,
                "field_label": capfirst(field.verbose_name),
                "date_field": unique_for,
                "date_field_label": capfirst(self._meta.get_field(unique_for).verbose_name),
            },
        )

    def unique_error_message(self, model_class: type[Any], unique_check: Collection[str]) -> ValidationError:
        """Return the error for values that another row has."""
        meta = model_class._meta
        params: dict[str, Any] = {
            "model": self,
            "model_class": model_class,
            "model_name": capfirst(meta.verbose_name),
            "unique_check": unique_check,
        }
        if len(unique_check) == 1:
            (name,) = unique_check
            field = meta.get_field(name)
            params["field_label"] = capfirst(field.verbose_name)
            return ValidationError(field.error_messages["unique"], code="unique", params=params)
        labels = [capfirst(meta.get_field(name).verbose_name) for name in unique_check]
        params["field_labels"] = listed(labels)
        return ValidationError(
            "%(model_name)s with this %(field_labels)s already exists.", code="unique_together", params=params
        )

    def _get_next_or_previous_by_FIELD(self, field: Any, is_next: bool, **lookups: Any) -> Any:
        """Return the next or previous object by a date field. One query; DoesNotExist at the end."""
        return self._neighbour(self._beyond(field, is_next, lookups).first())

    async def _aget_next_or_previous_by_FIELD(self, field: Any, is_next: bool, **lookups: Any) -> Any:
        """Return the next or previous object by a date field. One query; DoesNotExist at the end."""
        return self._neighbour(await self._beyond(field, is_next, lookups).afirst())

    def _neighbour(self, found: Any) -> Any:
        if found is None:
            model: Any = type(self)
            raise model.DoesNotExist(f"{self._meta.object_name} matching query does not exist.")
        return found

    def _beyond(self, field: Any, is_next: bool, lookups: dict[str, Any]) -> Any:
        """Return the objects after or before this one by a field, the nearest first."""
        if not self._is_pk_set():
            raise ValueError("get_next/get_previous cannot be used on unsaved objects.")
        op, order = ("gt", "") if is_next else ("lt", "-")
        value = getattr(self, field.attname)
        beyond = Q(**{f"{field.name}__{op}": value}) | Q(**{field.name: value, f"pk__{op}": self.pk})
        queryset = type(self)._meta.default_manager.using(self._state.db)
        return queryset.filter(**lookups).filter(beyond).order_by(f"{order}{field.name}", f"{order}pk")


def _cleaning(
    exclude: Iterable[str] | None, unique: bool, constraints: bool
) -> Generator[tuple[str, dict[str, Any]], None, None]:
    """Yield the methods that full_clean() calls, with their arguments; an error of one is thrown in."""
    excluded = set(exclude or ())
    errors: dict[str, Any] = {}
    for name in PARTS:
        if (name == "validate_unique" and not unique) or (name == "validate_constraints" and not constraints):
            continue
        if name.startswith("validate_"):  # a field that is wrong already isn't looked up
            excluded.update(field for field in errors if field != NON_FIELD_ERRORS)
        try:
            yield name, {} if name == "clean" else {"exclude": excluded}
        except ValidationError as error:
            errors = error.update_error_dict(errors)
    if errors:
        raise ValidationError(errors)


def _is_ours(cls: type[Any], name: str) -> bool:
    """Tell whether a class has a method as it is here."""
    return getattr(cls, name) is vars(Validation)[name]


def capfirst(text: Any) -> str:
    """Return a text with its first letter capital."""
    words = str(text)
    return words[:1].upper() + words[1:]


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


__all__ = ["Validation", "capfirst", "listed"]
