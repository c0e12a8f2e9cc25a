"""What `Model.check()` finds in a model. Source: Django's documentation, "System check framework", Models.

What can't be declared at all (clashing names and accessors, two models of one table, `unique_together` of fields that
aren't there) is an error where it is declared, and so is not looked for here.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from ormolu.conf import settings
from ormolu.models.meta_checks import meta_problems
from ormolu.problems import CheckMessage, Error, Warning

__all__ = ["check_models", "model_problems"]

Problems = Iterator[CheckMessage]

NAME_LIMITS = {"postgresql": 63, "mysql": 64}
"""Characters that a column's name may have, where there is a limit."""


def check_models(models: Collection[Any], databases: Collection[str] | None = None) -> list[CheckMessage]:
    """Return what is wrong with these models, each by itself and beside the others."""
    found: list[CheckMessage] = []
    for model in models:
        if inspect.ismethod(getattr(model, "check", None)):
            found += model.check(databases=databases)
        else:
            message = (
                f"The '{model.__name__}.check()' class method is currently overridden by {model.check!r}."
            )
            found.append(Error(message, obj=model, id="models.E020"))
            found += model_problems(model, databases)
    return [*found, *_same_names(models)]


def model_problems(model: Any, databases: Collection[str] | None = None) -> Problems:
    """Yield what is wrong with a model, its fields and its managers; on these databases, if any are named."""
    meta = model._meta
    yield from _swapped(model, meta)
    if meta.swapped:
        return
    for manager in meta.managers:
        yield from manager.check(databases=databases)
    yield from _model_name(model)
    for field in (*meta.local_fields, *meta.private_fields):
        yield from field.check(databases=databases)
    for field in meta.local_many_to_many:
        yield from field.check(from_model=model, databases=databases)
    yield from _many_tables(meta)
    yield from _twice_through(model, meta)
    yield from _keys(model, meta)
    yield from _properties(model, meta)
    yield from _long_names(model, meta, databases or ())
    yield from meta_problems(model, databases or ())


def _swapped(model: Any, meta: Any) -> Problems:
    label = getattr(settings, meta.swappable, None) if meta.swappable else None
    if not label:
        return
    app_label, dot, name = str(label).partition(".")
    if not dot:
        yield Error(f"'{meta.swappable}' is not of the form 'app_label.app_name'.", id="models.E001")
        return
    try:
        meta.apps.get_model(app_label, name)
    except LookupError:
        message = f"'{meta.swappable}' references '{label}', which has not been installed, or is abstract."
        yield Error(message, id="models.E002")


def _model_name(model: Any) -> Problems:
    name = model.__name__
    collides = "as it collides with the query lookup syntax."
    if name.startswith("_") or name.endswith("_"):
        message = f"The model name '{name}' cannot start or end with an underscore {collides}"
        yield Error(message, obj=model, id="models.E023")
    elif "__" in name:
        message = f"The model name '{name}' cannot contain double underscores {collides}"
        yield Error(message, obj=model, id="models.E024")


def _many_tables(meta: Any) -> Problems:
    """Where routers may part tables of one name, that is only a warning: see the module for the rest."""
    if not settings.DATABASE_ROUTERS:
        return
    for field in meta.local_many_to_many:
        through = through_of(field)
        if through is None or not through._meta.auto_created:
            continue
        table = through._meta.db_table
        for other in meta.apps.get_models(include_auto_created=True):
            if other is through or other._meta.db_table != table or not other._meta.managed:
                continue
            maker = other._meta.auto_created
            label = other._meta.label
            if maker:
                names = [
                    one.name
                    for one in maker._meta.local_many_to_many
                    if one.remote_field.given_through is other
                ]
                label = f"{maker._meta.label}.{names[0]}" if names else label
            message = f"The field's intermediary table '{table}' clashes with the table name of '{label}'."
            hint = (
                f"You have configured settings.DATABASE_ROUTERS. Verify that the table of '{label}' is correctly "
                "routed to a separate database."
            )
            yield Warning(message, hint=hint, obj=field, id="fields.W344")


def _twice_through(model: Any, meta: Any) -> Problems:
    seen: set[Any] = set()
    for field in meta.local_many_to_many:
        rel = field.remote_field
        through = through_of(field)
        if through is None or rel.resolved is None:
            continue
        key = rel.resolved, through, tuple(rel.through_fields or ())
        if key in seen:
            label = through._meta.label
            message = (
                "The model has two identical many-to-many relations through the intermediate model "
                f"'{label}'."
            )
            yield Error(message, obj=model, id="models.E003")
        seen.add(key)


def through_of(field: Any) -> Any:
    """Return the model in between of a many-to-many field, None while it isn't there."""
    through = field.remote_field.given_through
    return None if isinstance(through, str) else through


def _keys(model: Any, meta: Any) -> Problems:
    for field in meta.local_fields:
        if field.name == "id" and not field.primary_key and not meta.is_composite_pk and meta.pk is not field:
            message = "'id' can only be used as a field name if the field also sets 'primary_key=True'."
            yield Error(message, obj=model, id="models.E004")


def _properties(model: Any, meta: Any) -> Problems:
    keys = {field.attname for field in meta.fields if field.is_relation and field.column is not None}
    for name in sorted(keys):
        if isinstance(inspect.getattr_static(model, name, None), property):
            message = f"The property '{name}' clashes with a related field accessor."
            yield Error(message, obj=model, id="models.E025")


def _long_names(model: Any, meta: Any, aliases: Collection[str]) -> Problems:
    from ormolu import databases

    limits = [(NAME_LIMITS.get(databases.get(alias).vendor, 0), alias) for alias in aliases]
    limit, alias = min(((limit, alias) for limit, alias in limits if limit), default=(0, ""))
    if not limit:
        return
    for field in meta.local_fields:
        if field.column is not None and field.db_column is None and len(field.column) > limit:
            message = (
                f'Autogenerated column name too long for field "{field.column}". Maximum length is "{limit}" for '
                f'database "{alias}".'
            )
            hint = "Set the column name manually using 'db_column'."
            yield Error(message, hint=hint, obj=model, id="models.E018")
    for field in meta.local_many_to_many:
        through = through_of(field)
        for key in () if through is None else through._meta.local_fields:
            if key.column is not None and key.db_column is None and len(key.column) > limit:
                message = (
                    f'Autogenerated column name too long for M2M field "{key.column}". Maximum length is "{limit}" '
                    f'for database "{alias}".'
                )
                hint = "Use 'through' to create a separate model for M2M and then set column_name using 'db_column'."
                yield Error(message, hint=hint, obj=model, id="models.E019")


def _same_names(models: Collection[Any]) -> Problems:
    for kind, option, within, among in (
        ("index", "indexes", "models.E029", "models.E030"),
        ("constraint", "constraints", "models.E031", "models.E032"),
    ):
        owners: dict[str, list[str]] = {}
        for model in models:
            for one in getattr(model._meta, option):
                owners.setdefault(str(one.name), []).append(model._meta.label)
        for name, labels in owners.items():
            if len(labels) < 2:
                continue
            counted = Counter(labels)
            if len(counted) == 1:
                yield Error(f"{kind} name '{name}' is not unique for model {labels[0]}.", id=within)
            else:
                listed = ", ".join(sorted(counted))
                yield Error(f"{kind} name '{name}' is not unique among models: {listed}.", id=among)
