"""What `Model.check()` finds in a model's `class Meta`: its ordering, indexes and constraints."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ormolu.exceptions import FieldDoesNotExist
from ormolu.problems import CheckMessage, Error, Warning
from ormolu.query.references import F

__all__ = ["meta_problems"]

Problems = Iterator[CheckMessage]

NOT_MADE = "A constraint won't be created. Silence this warning if you don't care about it."
NO_MATTER = "Silence this warning if you don't care about it."


def meta_problems(model: Any, aliases: Collection[str]) -> Problems:
    """Yield what is wrong with a model's `class Meta`; on these databases, if any are named."""
    meta = model._meta
    for name in meta.unique_together:
        yield from _fields(model, "unique_together", dict.fromkeys(name))
    for index in meta.indexes:
        yield from _index_name(model, index)
    yield from _fields(model, "indexes", _references(meta.indexes))
    yield from _ordering(model)
    yield from _fields(model, "constraints", _references(meta.constraints))
    yield from _raw_conditions(model)
    yield from _in_databases(model, aliases)


# -- what options refer to


def _references(parts: Collection[Any]) -> dict[str, None]:
    """Return the names of fields that indexes or constraints refer to, with what follows them."""
    found: dict[str, None] = {}
    for part in parts:
        for name in (*getattr(part, "fields", ()), *getattr(part, "include", ())):
            found[name.lstrip("-")] = None
        conditions = (*getattr(part, "expressions", ()), getattr(part, "condition", None))
        for expression in conditions:
            pair = isinstance(expression, (tuple, list))  # an exclusion constraint's, with its operator
            for name in _names(expression[0] if pair else expression):
                found[name] = None
    return found


def _names(part: Any) -> Iterator[str]:
    """Yield the names in an expression: those of F(), and what conditions are called by."""
    if isinstance(part, str):
        yield part
        return
    parts: Any = part.flatten() if hasattr(part, "flatten") else ()
    for one in parts:
        children: Any = getattr(one, "children", ())
        yield from (str(child[0]) for child in children if child.__class__ is tuple)
        if isinstance(one, F):
            yield str(one.name)


def _fields(model: Any, option: str, names: dict[str, None]) -> Problems:
    for name in names:
        yield from _field(model, option, name)


def _field(model: Any, option: str, path: str) -> Problems:
    meta = model._meta
    name, _, rest = path.partition("__")
    refers = f"'{option}' refers to"
    if name == "pk" and not meta.is_composite_pk:
        return
    try:
        field = meta.get_field(name)
    except FieldDoesNotExist:
        field = None
    if field is None or (field.auto_created and not field.concrete and field.is_relation):
        yield Error(f"{refers} the nonexistent field '{name}'.", obj=model, id="models.E012")
    elif field.many_to_many:
        message = (
            f"{refers} a ManyToManyField '{name}', but ManyToManyFields are not permitted in '{option}'."
        )
        yield Error(message, obj=model, id="models.E013")
    elif hasattr(field, "field_names"):
        kind = "CompositePrimaryKey"
        message = f"{refers} a {kind} '{name}', but {kind}s are not permitted in '{option}'."
        yield Error(message, obj=model, id="models.E048")
    elif all(field is not one for one in meta.local_fields):
        message = f"{refers} field '{name}' which is not local to model '{meta.object_name}'."
        hint = "This issue may be caused by multi-table inheritance."
        yield Error(message, hint=hint, obj=model, id="models.E016")
    elif rest and field.is_relation and _is_field(field, rest.partition("__")[0]):
        yield Error(f"{refers} the joined field '{path}'.", obj=model, id="models.E041")


def _is_field(relation: Any, name: str) -> bool:
    """Tell whether a relation's target has a field of this name."""
    target = getattr(relation.remote_field, "resolved", None)
    try:
        return target is not None and target._meta.get_field(name) is not None
    except FieldDoesNotExist:
        return False


# -- ordering


def _ordering(model: Any) -> Problems:
    found: dict[str, None] = {}
    for part in model._meta.ordering or ():
        if isinstance(part, str):
            if part != "?":
                found[part.lstrip("-+")] = None
        else:
            found |= dict.fromkeys(_names(part))
    for name in found:
        if not _leads_somewhere(model._meta, name):
            message = f"'ordering' refers to the nonexistent field, related field, or lookup '{name}'."
            yield Error(message, obj=model, id="models.E015")


def _leads_somewhere(meta: Any, path: str) -> bool:
    """Tell whether a path of names over relations, with transforms or a lookup at its end, is one of a model's."""
    first, *rest = path.split("__")
    if first == "pk" and meta.pk is not None:
        field = meta.pk
    elif first == "_order" and meta.order_with_respect_to:
        return True
    else:
        try:
            field = meta.get_field(first)
        except FieldDoesNotExist:
            return False
    if not rest:
        return not field.many_to_many
    if field.is_relation:
        reverse = field.auto_created and not field.concrete
        target = field.related_model if reverse else getattr(field.remote_field, "resolved", None)
        if target is None:
            return True  # not there yet; that is another message
        if _leads_somewhere(target._meta, "__".join(rest)):
            return True
    return field.get_transform(rest[0]) is not None or field.get_lookup(rest[0]) is not None


# -- indexes and constraints


def _index_name(model: Any, index: Any) -> Problems:
    name, limit = str(index.name), index.max_name_length
    if name[:1] == "_" or name[:1].isdigit():
        message = f"The index name '{name}' cannot start with an underscore or a number."
        yield Error(message, obj=model, id="models.E033")
    if len(name) > limit:
        message = f"The index name '{name}' cannot be longer than {limit} characters."
        yield Error(message, obj=model, id="models.E034")


def _raw_conditions(model: Any) -> Problems:
    for constraint in model._meta.constraints:
        if hasattr(constraint, "fields"):
            continue
        condition: Any = getattr(constraint, "condition", None)
        parts = condition.flatten() if hasattr(condition, "flatten") else ()
        if any(type(part).__name__ == "RawSQL" for part in parts):
            message = (
                f"Check constraint '{constraint.name}' contains RawSQL() expression and won't be validated during the "
                "model full_clean()."
            )
            yield Warning(message, hint=NO_MATTER, obj=model, id="models.W045")


def _in_databases(model: Any, aliases: Collection[str]) -> Problems:
    from ormolu import databases

    meta = model._meta
    for alias in aliases:
        vendor = databases.get(alias).vendor
        name = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}.get(vendor, vendor)
        missing = MISSING.get(vendor, {})
        needed = set(meta.required_db_features)
        if meta.db_table_comment and vendor == "sqlite" and "supports_comments" not in needed:
            message = f"{name} does not support comments on tables (db_table_comment)."
            yield Warning(message, obj=model, id="models.W046")
        for part in (*meta.indexes, *meta.constraints):
            index = not hasattr(part, "violation_error_code")
            for option, (what, of_index, of_constraint, feature) in missing.items():
                id = of_index if index else of_constraint
                if getattr(part, option, None) in (None, (), []) or id is None or feature in needed:
                    continue
                if option == "condition" and not index and not hasattr(part, "fields"):
                    continue  # a CHECK's
                kind = "indexes" if index else "unique constraints"
                adjective = what == "deferrable"
                message = f"{name} does not support " + (
                    f"{what} {kind}." if adjective else f"{kind} with {what}."
                )
                yield Warning(message, hint=_hint(index, option), obj=model, id=id)


def _hint(index: bool, option: str) -> str:
    if not index:
        return NOT_MADE
    what = "Non-key columns" if option == "include" else "Conditions"
    return f"{what} will be ignored. {NO_MATTER}"


_INCLUDE = ("non-key columns", "models.W040", "models.W039", "supports_covering_indexes")
_DEFERRABLE = ("deferrable", None, "models.W038", "supports_deferrable_unique_constraints")
_NULLS = ("nulls distinct", None, "models.W047", "supports_nulls_distinct_unique_constraints")
MISSING: dict[str, dict[str, tuple[str, str | None, str, str]]] = {
    "sqlite": {"include": _INCLUDE, "deferrable": _DEFERRABLE, "nulls_distinct": _NULLS},
    "mysql": {
        "include": _INCLUDE,
        "deferrable": _DEFERRABLE,
        "nulls_distinct": _NULLS,
        "condition": ("conditions", "models.W037", "models.W036", "supports_partial_indexes"),
    },
}
"""What a database has not: the option, what it is called, the ids for indexes and for constraints, the feature."""
