"""The typed queryset and manager of one model: what its keywords and names may be."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from ormolu.contrib.stubs.layout import function, literal, typed_dict
from ormolu.contrib.stubs.lookups import Described
from ormolu.contrib.stubs.names import Names
from ormolu.fields.autos import AutoFieldMixin
from ormolu.models import Manager, TypedModel
from ormolu.query.queryset import QuerySet

MYPY_OVERRIDE = "# type: ignore[override]"
PYRIGHT_OVERRIDE = "# pyright: ignore[reportIncompatibleMethodOverride]"
OVERRIDE = f"{MYPY_OVERRIDE}  {PYRIGHT_OVERRIDE}"
KEPT = ("all", "none", "reverse")
"""Methods of a manager that only say which queryset they return."""


class ModelStub:
    """The text that goes into a stub for one model."""

    def __init__(self, model: type[Any], names: Names, depth: int, width: int) -> None:
        self.model: Any = model
        self.names = names
        self.width = width
        self.meta: Any = model._meta
        self.described = Described(model, names, depth)
        self.name = model.__name__

    def aliases(self) -> list[list[str]]:
        """Return what stands before the model's class: keywords and names that its methods take."""
        described, names = self.described, self.names
        alias, word = names.name("typing", "TypeAlias"), names.name("typing", "Literal")
        base = names.name("typing", "TypedDict")
        paths = described.paths()
        found = [
            typed_dict(f"_{self.name}Lookups", base, described.lookups(), self.width),
            typed_dict(f"_{self.name}Values", base, described.values(), self.width),
        ]
        if self.required:
            found.append(typed_dict(f"_{self.name}New", base, self._new(), self.width))
        found.append(literal(f"_{self.name}Name", alias, word, paths))
        ordered = [*paths, *(f"-{path}" for path in paths), "?"]
        found.append(literal(f"_{self.name}Order", alias, word, ordered))
        for kind, values in (("Joined", described.joined()), ("Related", described.prefetched())):
            if values:
                found.append(literal(f"_{self.name}{kind}", alias, word, values))
        return found

    # What a TypedModel must be given

    @property
    def required(self) -> frozenset[str]:
        """The names that the constructor of a TypedModel can't do without."""
        if not issubclass(self.model, TypedModel):
            return frozenset()
        annotated = {name for base in self.model.__mro__ for name in vars(base).get("__annotations__", ())}
        found: set[str] = set()
        for field in self.model._meta.concrete_fields:
            if isinstance(field, AutoFieldMixin) or field.has_default() or hasattr(field, "plain_column"):
                continue
            if field.name in annotated and field.in_constructor:
                found.add(field.name)
            elif field.is_relation and field.attname in annotated and not field.key_is_named:
                found.add(field.attname)
        return frozenset(found)

    def _new(self) -> dict[str, str]:
        required = self.names.name("typing", "Required")
        values = self.described.values()
        return {n: f"{required}[{t}]" if n in self.required else t for n, t in values.items()}

    # Classes

    def queryset(self, queryset_class: type[Any], name: str) -> list[str]:
        """Return the queryset of a manager."""
        base = self._base(queryset_class, "QuerySet", QuerySet)
        return [f"class {name}({base}):", *self._asked(self.names.name("typing", "Self"), False)]

    def manager(self, manager: Any, name: str, queryset: str) -> list[str]:
        """Return the manager's class."""
        cls: type[Any] = manager.__class__
        passed: list[str] = []
        if not is_written(cls):  # made of a queryset's class
            passed = list(self._passed_on(cls, queryset))
            cls = Manager
        base = self._base(cls, "Manager", Manager)
        lines = [f"class {name}({base}):", *passed]
        lines += function("get_queryset", (), queryset, self.width)
        for method in KEPT:
            lines += function(method, (), queryset, self.width)
        lines += function("using", ["alias: str | None"], queryset, self.width)
        lines += function("distinct", ["*fields: str"], queryset, self.width)
        return [*lines, *self._asked(queryset, True)]

    def _base(self, cls: type[Any], name: str, librarys: type[Any]) -> str:
        """Return what a class of this model derives from: the user's, or the library's of this model."""
        model = self.names.of(self.model)
        if cls is librarys:
            return f"{self.names.name('ormolu', name, librarys)}[{model}]"
        return f"{self.names.of(cls)}[{model}]" if argument_of(cls) == GENERIC else self.names.of(cls)

    def _asked(self, chained: str, on_manager: bool) -> Iterator[str]:
        """Return the methods that take keywords and names of the model's."""
        any_, unpack = self.names.name("typing", "Any"), self.names.name("typing", "Unpack")
        model, computed = self.names.of(self.model), self.names.name("ormolu.typing", "Computed")
        args, lookups = f"*args: {any_}", f"**kwargs: {unpack}[_{self.name}Lookups]"
        values = f"**kwargs: {unpack}[_{self.name}Values]"
        new = f"**kwargs: {unpack}[_{self.name}New]" if self.required else values
        plain = f"{self.names.name('ormolu', 'QuerySet', QuerySet)}[{model}]"
        defaults = f"defaults: _{self.name}Values | None = None"
        fields = f"*fields: _{self.name}Name | {computed}"
        creation, only = ("", OVERRIDE) if on_manager else (OVERRIDE, "")

        def method(name: str, params: list[str], result: str, ignore: str = "") -> list[str]:
            return function(name, params, result, self.width, is_async=name in _TWINS, ignore=ignore)

        for name in ("filter", "exclude"):
            yield from method(name, [args, lookups], chained)
        for name in ("get", "aget"):
            yield from method(name, [args, lookups], model)
        for name in ("get_or_none", "aget_or_none"):
            yield from method(name, [args, lookups], f"{model} | None")
        for name in ("create", "acreate"):
            yield from method(name, [new], model, creation)
        for name in ("get_or_create", "aget_or_create"):
            yield from method(name, [defaults, lookups], f"tuple[{model}, bool]", OVERRIDE)
        for name in ("update_or_create", "aupdate_or_create"):
            more = f"create_defaults: _{self.name}Values | None = None"
            yield from method(name, [defaults, more, lookups], f"tuple[{model}, bool]", OVERRIDE)
        for name in ("update", "aupdate"):
            yield from method(name, [values], "int", OVERRIDE)
        yield from method("order_by", [f"*fields: _{self.name}Order | {computed}"], chained)
        yield from method("only", [f"*fields: _{self.name}Name"], chained, only)
        yield from method("defer", [f"*fields: _{self.name}Name | None"], chained)
        if self.described.joined():
            yield from method("select_related", [f"*fields: _{self.name}Joined | None"], chained)
        if self.described.prefetched():
            prefetch = self.names.name("ormolu", "Prefetch")
            one = f"*lookups: _{self.name}Related | {prefetch} | None"
            yield from method("prefetch_related", [one], chained)
        rows = f"{plain[:-1]}, dict[str, {any_}]]"
        yield from method("values", [fields, f"**expressions: {any_}"], rows)
        yield from method("avalues", [fields, f"**expressions: {any_}"], f"list[dict[str, {any_}]]")
        listed = [fields, "flat: bool = False", "named: bool = False"]
        yield from method("values_list", listed, f"{plain[:-1]}, {any_}]")
        yield from method("avalues_list", listed, f"list[{any_}]")
        if not on_manager:  # whose names are known no more
            for name in ("annotate", "alias"):
                yield from method(name, [args, f"**kwargs: {any_}"], plain, OVERRIDE)

    def _passed_on(self, cls: type[Any], queryset: str) -> Iterator[str]:
        """Return the methods that a manager has of its queryset's class, with the signatures of the source."""
        source: Any = cls._queryset_class
        for name, _ in inspect.getmembers(cls, inspect.isfunction):
            found = getattr(source, name, None)
            if hasattr(Manager, name) or found is None:
                continue
            any_ = self.names.name("typing", "Any")
            params, result = [f"*args: {any_}", f"**kwargs: {any_}"], any_
            if source.__module__ == self.names.module.__name__:
                params, result = _signature(found, params, result)
            if result.strip("\"'") in ("Self", source.__name__):
                result = queryset
            is_async = inspect.iscoroutinefunction(found)
            yield from function(name, params, result, self.width, is_async=is_async)


def is_written(cls: type[Any]) -> bool:
    """Tell whether a class stands in a module, and was not made by `from_queryset()` or `as_manager()`."""
    return vars(inspect.getmodule(cls)).get(cls.__name__) is cls


def argument_of(cls: type[Any]) -> str:
    """Return the name of the model that a manager's or queryset's class is of, as its source says: Manager["Book"].

    Empty where it says none; `GENERIC` where it is a type variable.
    """
    for base in cls.__mro__:
        if base.__module__.startswith("ormolu."):
            break
        tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        for parent in tree.bases if isinstance(tree, ast.ClassDef) else ():
            if isinstance(parent, ast.Subscript):
                first = parent.slice.elts[0] if isinstance(parent.slice, ast.Tuple) else parent.slice
                name = ast.unparse(first).strip("\"'").rpartition(".")[2]
                known = vars(inspect.getmodule(base)).get(name)
                return GENERIC if type(known).__name__ == "TypeVar" else name
    return ""


def is_of(cls: type[Any], model: type[Any]) -> bool:
    """Tell whether a class of managers or querysets may be that of a model."""
    return argument_of(cls) in ("", "Any", GENERIC, model.__name__)


GENERIC = "*"
# fmt: off
_TWINS = frozenset({
    "acreate", "aget", "aget_or_create", "aget_or_none", "aupdate", "aupdate_or_create", "avalues", "avalues_list",
})
# fmt: on


def _signature(method: Any, params: list[str], result: str) -> tuple[list[str], str]:
    """Return the parameters and the result of a method as its source has them, without self."""
    tree: Any = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0]
    if tree.returns is not None:
        result = ast.unparse(tree.returns)
    arguments: ast.arguments = tree.args
    for group in (arguments.posonlyargs, arguments.args):
        if group:
            del group[0]
            break
    return [*_positional(arguments), *_keywords(arguments)], result


def _positional(arguments: ast.arguments) -> Iterator[str]:
    every = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(every) - len(arguments.defaults)) + list(arguments.defaults)
    for number, (argument, default) in enumerate(zip(every, defaults, strict=True), 1):
        yield _parameter(argument, default)
        if number == len(arguments.posonlyargs):
            yield "/"
    if arguments.vararg:
        yield f"*{_parameter(arguments.vararg, None)}"
    elif arguments.kwonlyargs:
        yield "*"


def _keywords(arguments: ast.arguments) -> Iterator[str]:
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, default)
    if arguments.kwarg:
        yield f"**{_parameter(arguments.kwarg, None)}"


def _parameter(argument: ast.arg, default: Any) -> str:
    annotation = "" if argument.annotation is None else f": {ast.unparse(argument.annotation)}"
    if default is None:
        return f"{argument.arg}{annotation}"
    value = ast.unparse(default)
    value = value.replace("'", '"') if '"' not in value else value
    return f"{argument.arg}{annotation}{' = ' if annotation else '='}{value}"
