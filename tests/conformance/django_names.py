"""Where the names of `django.db`, `django.apps` and `django.core` come from in Ormolu."""

from __future__ import annotations

import contextlib
import importlib
import types
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

import ormolu
from ormolu import exceptions, lazy
from ormolu.fields import timezones
from ormolu.fields.choices import CallableChoices
from ormolu.fields.identity import FieldIdentity
from ormolu.query import lookups, pickling, terminals

MODULES: dict[str, list[str]] = {
    "django.apps": ["ormolu.models.registry"],
    "django.apps.registry": ["ormolu.models.registry"],
    "django.contrib.contenttypes.fields": ["ormolu.contrib.contenttypes.fields"],
    "django.contrib.contenttypes.models": ["ormolu.contrib.contenttypes.models"],
    "django.contrib.contenttypes.prefetch": ["ormolu.contrib.contenttypes.prefetch"],
    "django.contrib.postgres.aggregates": ["ormolu.contrib.postgres.aggregates"],
    "django.contrib.postgres.expressions": ["ormolu.contrib.postgres.expressions"],
    "django.contrib.postgres.fields": ["ormolu.contrib.postgres.fields"],
    "django.contrib.postgres.fields.array": ["ormolu.query.postgres.arrays", "ormolu.fields.arrays"],
    "django.contrib.postgres.fields.hstore": ["ormolu.query.postgres.hstore", "ormolu.fields.hstore"],
    "django.contrib.postgres.fields.ranges": ["ormolu.query.postgres.ranges", "ormolu.fields.ranges"],
    "django.contrib.postgres.functions": ["ormolu.contrib.postgres.functions"],
    "django.contrib.postgres.constraints": ["ormolu.contrib.postgres.constraints"],
    "django.contrib.postgres.indexes": ["ormolu.contrib.postgres.indexes"],
    "django.contrib.postgres.search": ["ormolu.contrib.postgres.search"],
    "django.contrib.postgres.validators": ["ormolu.contrib.postgres.validators"],
    "django.db": ["ormolu.exceptions", "ormolu.databases.routing"],
    "django.db.backends.postgresql.psycopg_any": ["ormolu.contrib.postgres.fields"],
    "django.db.utils": ["ormolu.exceptions", "ormolu.databases.routing"],
    "django.db.transaction": ["ormolu.transaction", "ormolu.exceptions"],
    "django.db.models": [
        "ormolu",
        "ormolu.models",
        "ormolu.fields",
        "ormolu.query",
        "ormolu.exceptions",
        "ormolu.query.transforms",
        "ormolu.query.lookups",
        "ormolu.query.windows",
        "ormolu.models.relations",
        "ormolu.models.related_fields",
        "ormolu.models.foreign_objects",
        "ormolu.fields.base",
    ],
    "django.db.models.aggregates": ["ormolu.query.aggregates"],
    "django.db.models.base": ["ormolu.models.base", "ormolu.models.constructor"],
    "django.db.models.constants": ["ormolu.query.lookups", "ormolu.query.constants"],
    "django.db.models.constraints": ["ormolu.models.constraints"],
    "django.db.models.deletion": ["ormolu.writes.on_delete", "ormolu.writes.collector", "ormolu.exceptions"],
    "django.db.models.enums": ["ormolu.fields.choices"],
    "django.db.models.expressions": [
        "ormolu.query",
        "ormolu.query.expressions",
        "ormolu.query.references",
        "ormolu.query.values",
        "ormolu.query.func",
        "ormolu.query.conditional",
        "ormolu.query.subqueries",
        "ormolu.query.windows",
        "ormolu.query.combinable",
        "ormolu.query.raw",
        "ormolu.exceptions",
    ],
    "django.db.models.fields": ["ormolu.fields", "ormolu.fields.base", "ormolu.fields.plain"],
    "django.db.models.fields.composite": ["ormolu.models.keys"],
    "django.db.models.fields.files": ["ormolu.fields.files", "ormolu.fields.field_files"],
    "django.db.models.fields.json": [
        "ormolu.fields.json",
        "ormolu.query.json_keys",
        "ormolu.query.json_lookups",
    ],
    "django.db.models.fields.mixins": ["ormolu.models.rels"],
    "django.db.models.fields.related": [
        "ormolu.models.relations",
        "ormolu.models.related_fields",
        "ormolu.models.foreign_objects",
        "ormolu.models.many_to_many",
        "ormolu.models.rels",
        "ormolu.models.accessors",
    ],
    "django.db.models.fields.related_descriptors": [
        "ormolu.models.accessors",
        "ormolu.models.related_managers",
    ],
    "django.db.models.fields.reverse_related": ["ormolu.models.rels"],
    "django.db.models.fields.tuple_lookups": ["ormolu.query.tuple_lookups"],
    "django.db.models.functions": ["ormolu.query.functions"],
    "django.db.models.functions.comparison": ["ormolu.query.functions"],
    "django.db.models.functions.datetime": ["ormolu.query.functions"],
    "django.db.models.functions.json": ["ormolu.query.functions"],
    "django.db.models.functions.math": ["ormolu.query.functions"],
    "django.db.models.functions.text": ["ormolu.query.functions"],
    "django.db.models.functions.window": ["ormolu.query.functions"],
    "django.db.models.fields.related_lookups": [],
    "django.db.models.indexes": ["ormolu.models.constraints", "ormolu.models.indexes"],
    "django.db.models.lookups": [
        "ormolu.query.lookups",
        "ormolu.query.text_lookups",
        "ormolu.query.date_lookups",
        "ormolu.query.transforms",
    ],
    "django.db.models.manager": ["ormolu.models.manager"],
    "django.db.models.options": ["ormolu.models.options"],
    "django.db.models.query": ["ormolu.query.queryset", "ormolu.query.prefetch", "ormolu.query"],
    "django.db.models.query_utils": [
        "ormolu.query.q",
        "ormolu.query",
        "ormolu.query.name_paths",
        "ormolu.models.attributes",
    ],
    "django.db.models.signals": ["ormolu.signals"],
    "django.db.models.sql": ["ormolu.query.query"],
    "django.db.models.sql.constants": ["ormolu.compile.tables"],
    "django.db.models.sql.query": ["ormolu.query.query"],
}
"""Django's modules, and the modules of ours that are searched for their names, in order."""


RELATION_LOOKUPS = (
    "Exact",
    "In",
    "GreaterThan",
    "GreaterThanOrEqual",
    "LessThan",
    "LessThanOrEqual",
    "IsNull",
)


def found(name: str) -> dict[str, Any]:
    """Return the names of a module of ours, those that it imports on first use included; {} if there is none."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        return {}
    # Not its submodules: `models.expressions` is the module that has Django's names.
    names: dict[str, Any] = {k: v for k, v in vars(module).items() if not isinstance(v, types.ModuleType)}
    for public in getattr(module, "__all__", ()):
        with contextlib.suppress(AttributeError, ImportError):  # not there yet: missing, for the bench
            names[public] = getattr(module, public)
    return names


def modules() -> dict[str, list[dict[str, Any] | types.ModuleType]]:
    """Return, for each of Django's modules, the names that stand for its own."""
    named: dict[str, list[Any]] = {name: [found(home) for home in homes] for name, homes in MODULES.items()}
    named["django.db"].insert(0, {"DJANGO_VERSION_PICKLE_KEY": pickling.VERSION_KEY})
    named["django.db.models"].insert(0, {"signals": ormolu.signals})
    named["django.db.models.query_utils"].insert(0, {"DeferredAttribute": InstrumentedAttribute})
    named["django.db.models.query"].insert(0, {"MAX_GET_RESULTS": terminals.MOST_FOR_GET})
    # A relation's lookups are those of the key that it refers to.
    named["django.db.models.fields.related_lookups"].append(
        {f"Related{name}": lookup for name, lookup in vars(lookups).items() if name in RELATION_LOOKUPS}
    )
    return named


PACKAGES = {
    "ormolu": "django.db.models",
    "ormolu.fields": "django.db.models",
    "ormolu.models": "django.db.models",
    "ormolu.query": "django.db.models",
    "ormolu.query.functions": "django.db.models.functions",
    "ormolu.contrib.postgres.constraints": "django.contrib.postgres.constraints",
    "ormolu.contrib.postgres.fields": "django.contrib.postgres.fields",
    "ormolu.contrib.postgres.indexes": "django.contrib.postgres.indexes",
    "ormolu.contrib.contenttypes.fields": "django.contrib.contenttypes.fields",
    "ormolu.fields.validators": "django.core.validators",
}
"""What our public classes are imported from, and where Django has them."""


def rename_paths() -> None:
    """Let `deconstruct()` and the reprs of fields say what Django calls the place of a class."""
    home_of, show = lazy.home_of, FieldIdentity.__repr__

    def renamed(cls: type) -> str:
        home = home_of(cls)
        return PACKAGES.get(home, home)

    def shown(field: Any) -> str:
        module = "fields.related" if "ormolu.models." in type(field).__module__ else "fields"
        return show(field).replace("<django.db.models.", f"<django.db.models.{module}.", 1)

    lazy.home_of, FieldIdentity.__repr__ = renamed, shown  # type: ignore[method-assign]


def overrides() -> dict[str, dict[str, Any]]:
    """Return our exceptions and validators for the places where Django's own code has its own."""
    ours = vars(exceptions)
    named = (
        "NON_FIELD_ERRORS EmptyResultSet FieldDoesNotExist FieldError FullResultSet ImproperlyConfigured "
        "MultipleObjectsReturned ObjectDoesNotExist SuspiciousFileOperation SuspiciousOperation "
        "SynchronousOnlyOperation ValidationError"
    )
    validators = found("ormolu.fields.validators")
    return {
        "django.utils.timezone": {
            name: vars(timezones)[name]
            for name in ("activate", "deactivate", "override", "get_current_timezone")
        },
        "django.utils.connection": {"ConnectionDoesNotExist": exceptions.ImproperlyConfigured},
        # What is deprecated there, and here for the same reason, warns as deprecated things of no framework do.
        "django.utils.deprecation": {
            "RemovedInDjango60Warning": DeprecationWarning,
            "RemovedInDjango61Warning": DeprecationWarning,
        },
        "django.utils.choices": {"CallableChoiceIterator": CallableChoices},
        "django.core.checks": found("ormolu.checks"),
        "django.core.checks.messages": found("ormolu.problems"),
        "django.core.exceptions": {name: ours[name] for name in named.split()},
        "django.core.validators": {
            name: value
            for name, value in validators.items()
            if name.endswith("Validator") or name.startswith("validate_") or name == "EMPTY_VALUES"
        },
    }
