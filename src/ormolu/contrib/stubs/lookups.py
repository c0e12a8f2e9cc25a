"""What may be said of a model by keyword or by name: lookups with the types of their values, paths, values of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ormolu.contrib.stubs.names import Names
from ormolu.models import CompositePrimaryKey

# fmt: off
TEXT = frozenset([
    "contains", "endswith", "icontains", "iendswith", "iexact", "iregex", "istartswith", "regex", "startswith",
])
# fmt: on
COMPARED = ("gt", "gte", "lt", "lte", "in", "range")
RELATED = ("gt", "gte", "lt", "lte")
STRUCTURED = frozenset({"ArrayField", "JSONField", "HStoreField", "TupleField"})

_TYPES = {
    "BooleanField": ("", "bool"),
    "IntegerField": ("", "int"),
    "FloatField": ("", "float"),
    "CharField": ("", "str"),
    "TextField": ("", "str"),
    "FileField": ("", "str"),
    "FilePathField": ("", "str"),
    "GenericIPAddressField": ("", "str"),
    "BinaryField": ("", "bytes"),
    "DateTimeField": ("datetime", "date"),  # of which a datetime is one
    "DateField": ("datetime", "date"),
    "TimeField": ("datetime", "time"),
    "DurationField": ("datetime", "timedelta"),
    "UUIDField": ("uuid", "UUID"),
}


class Described:
    """What a stub says of one model; `depth` is how many relations a path follows."""

    def __init__(self, model: type[Any], names: Names, depth: int) -> None:
        self.meta: Any = model._meta
        self.names = names
        self.depth = depth

    # Types

    def any(self) -> str:
        """Return the name of Any."""
        return self.names.name("typing", "Any")

    def given(self, kind: str, type_: str) -> str:
        """Return `Given[type]`, or `Among` or `Between`."""
        return f"{self.names.name('ormolu.typing', kind)}[{type_}]"

    def type_of(self, field: Any) -> str:
        """Return the type of a field's values; for a relation that of the key."""
        seen = 0
        while getattr(field, "is_relation", False) and seen < 9:
            field, seen = field.target_field, seen + 1
        enum = getattr(field, "enum_class", None)
        if isinstance(enum, type):
            return self.names.of(enum)
        kind = field.get_internal_type()
        if kind == "DecimalField":
            return f"{self.names.part('decimal', 'Decimal')} | int"
        if kind not in _TYPES and kind.endswith(("IntegerField", "AutoField")):
            kind = "IntegerField"
        for base in type(field).__mro__:
            found = _TYPES.get(kind) or _TYPES.get(base.__name__)
            if found:
                return self.names.part(*found) if found[0] else found[1]
        return self.any()

    def related(self, model: type[Any], key: Any) -> str:
        """Return the type of what a relation may be compared with: an object or its key."""
        return _or(self.names.of(model), self.type_of(key))

    # Lookups

    def lookups(self) -> dict[str, str]:
        """Return the keywords of `filter()` with the types of their values."""
        return dict(sorted(self._of_meta(self.meta, "", self.depth, False)))

    def _of_meta(self, meta: Any, prefix: str, depth: int, outer: bool) -> Iterator[tuple[str, str]]:
        yield from self._of_key(meta, prefix)
        for field in meta.fields:
            if field.column is None and not field.is_relation:
                continue
            null = outer or field.null
            if not field.is_relation:
                yield from self._of_value(field, f"{prefix}{field.name}", null)
            else:
                yield from self._of_relation(field.related_model, field, f"{prefix}{field.name}", depth, null)
                if field.column is not None:
                    yield from self._compared(f"{prefix}{field.attname}", self.type_of(field), null)
        for field in meta.many_to_many:
            yield from self._of_relation(field.related_model, None, f"{prefix}{field.name}", depth, True)
        for rel in meta.related_objects:
            yield from self._of_relation(rel.related_model, None, f"{prefix}{rel.name}", depth, True)

    def _of_key(self, meta: Any, prefix: str) -> Iterator[tuple[str, str]]:
        composite = isinstance(meta.pk, CompositePrimaryKey)
        type_ = self.any() if composite or meta.pk is None else self.type_of(meta.pk)
        yield from self._compared(f"{prefix}pk", type_, True)

    def _compared(self, name: str, type_: str, null: bool) -> Iterator[tuple[str, str]]:
        yield name, self.given("Given", _or(type_, "None") if null else type_)
        yield f"{name}__isnull", "bool"
        yield f"{name}__exact", self.given("Given", _or(type_, "None") if null else type_)
        yield f"{name}__in", self.given("Among", type_)
        for lookup in RELATED:
            yield f"{name}__{lookup}", self.given("Given", type_)

    def _of_relation(
        self, model: type[Any], field: Any, name: str, depth: int, null: bool
    ) -> Iterator[tuple[str, str]]:
        meta: Any = model._meta
        key = meta.pk if field is None or not hasattr(field, "target_field") else field
        composite = isinstance(meta.pk, CompositePrimaryKey)
        type_ = self.names.of(model) if composite else self.related(model, key)
        yield from self._compared(name, type_, null)
        if depth > 0:
            yield from self._of_meta(meta, f"{name}__", depth - 1, True)

    def _of_value(self, field: Any, name: str, null: bool) -> Iterator[tuple[str, str]]:
        type_ = self.type_of(field)
        yield name, self.given("Given", _or(type_, "None") if null else type_)
        structured = field.get_internal_type() in STRUCTURED or type_ == self.any()
        for lookup, found in field.get_lookups().items():
            if not getattr(found, "is_transform", False):
                yield f"{name}__{lookup}", self._value(lookup, type_, structured, null)
                continue
            result = getattr(found, "output_field", None)
            inner = self.type_of(result) if hasattr(result, "get_internal_type") else type_
            yield f"{name}__{lookup}", self.given("Given", inner)
            for compared in COMPARED:
                yield f"{name}__{lookup}__{compared}", self._value(compared, inner, False, False)

    def _value(self, lookup: str, type_: str, structured: bool, null: bool) -> str:
        """Return the type of what stands behind `__<lookup>=`."""
        if lookup == "isnull":
            return "bool"
        if structured:
            return self.any()
        if lookup == "in":
            return self.given("Among", type_)
        if lookup == "range":
            return self.given("Between", type_)
        if lookup in TEXT:
            return self.given("Given", "str" if type_ == "str" else _or("str", type_))
        if lookup in ("exact", *COMPARED):
            return self.given("Given", _or(type_, "None") if null and lookup == "exact" else type_)
        return self.any()

    # Names

    def paths(self) -> list[str]:
        """Return what may be asked for by name: fields, keys, and those along relations."""
        return sorted(set(self._paths(self.meta, "", self.depth)))

    def _paths(self, meta: Any, prefix: str, depth: int) -> Iterator[str]:
        yield f"{prefix}pk"
        for field in meta.fields:
            yield f"{prefix}{field.name}"
            if field.is_relation:
                yield f"{prefix}{getattr(field, 'attname', None) or field.name}"
        for name, model in _relations(meta, True):
            yield f"{prefix}{name}"
            if depth > 0:
                yield from self._paths(model._meta, f"{prefix}{name}__", depth - 1)

    def joined(self) -> list[str]:
        """Return the paths for `select_related()`: along relations to one object."""
        return sorted(set(self._along(self.meta, "", self.depth, False)))

    def prefetched(self) -> list[str]:
        """Return the paths for `prefetch_related()`: along all relations, by the names of their attributes."""
        return sorted(set(self._along(self.meta, "", self.depth, True)))

    def _along(self, meta: Any, prefix: str, depth: int, many: bool) -> Iterator[str]:
        for name, model in _attributes(meta, many):
            yield f"{prefix}{name}"
            if depth > 0:
                yield from self._along(model._meta, f"{prefix}{name}__", depth - 1, many)

    # Values of a row

    def values(self) -> dict[str, str]:
        """Return what `update()` and `create()` set, with the types."""
        found: dict[str, str] = {}
        for field in self.meta.fields:
            if field.generated or (field.column is None and not field.is_relation):
                continue
            type_ = self.type_of(field)
            if field.get_internal_type() in STRUCTURED:
                type_ = self.any()
            null = field.null or field.primary_key
            if field.is_relation:
                target = self.names.of(field.related_model)
                found[field.name] = self.given("Given", _or(target, "None") if null else target)
            if field.column is not None:
                found[field.attname] = self.given("Given", _or(type_, "None") if null else type_)
        found.setdefault("pk", self.any())
        return dict(sorted(found.items()))


def _or(type_: str, other: str) -> str:
    """Return the union of two types, Any being all of them."""
    if type_.endswith("Any"):
        return type_
    return type_ if other in type_.split(" | ") else f"{type_} | {other}"


def _relations(meta: Any, many: bool) -> Iterator[tuple[str, Any]]:
    """Return the relations of a model by the names that a lookup calls them, with their other ends."""
    for field in (*meta.fields, *(meta.many_to_many if many else ())):
        if field.is_relation:
            yield field.name, field.related_model
    for rel in meta.related_objects:
        if many or rel.one_to_one:
            yield rel.name, rel.related_model


def _attributes(meta: Any, many: bool) -> Iterator[tuple[str, Any]]:
    """Return the relations of a model by the names of their attributes, with their other ends."""
    for field in (*meta.fields, *(meta.many_to_many if many else ())):
        if field.is_relation:
            yield field.name, field.related_model
    for rel in meta.related_objects:
        if many or rel.one_to_one:
            yield rel.get_accessor_name(), rel.related_model
