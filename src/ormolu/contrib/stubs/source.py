"""A module's source as a stub: signatures without bodies, models with what they have at run time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from ormolu.contrib.stubs.classes import ModelStub, is_of, is_written
from ormolu.contrib.stubs.layout import INDENT, imported
from ormolu.contrib.stubs.names import Names
from ormolu.models import ForeignKey, ManyToManyField, Model, OneToOneField

HEADER = "# Written by `ormolu stubs`, which also checks that it is up to date. Do not edit.\n"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class ModuleStub:
    """The stub of one module."""

    def __init__(self, module: Any, source: str, depth: int, width: int) -> None:
        self.module = module
        self.lines = source.splitlines()
        self.tree = ast.parse(source)
        self.names = Names(module)
        self.depth = depth
        self.width = width

    def text(self) -> str:
        """Return the whole text."""
        imports: list[ast.Import | ast.ImportFrom] = []
        blocks: list[list[str]] = []
        before: list[list[str]] = []
        for node in self.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                imports.append(node)
            elif isinstance(node, ast.ClassDef):
                model = self._model(node)
                if model is not None:
                    before += model.aliases()
                    before += self._managers(model)
                blocks.append(self._class(node, model))
            elif isinstance(node, FUNCTIONS):
                blocks.append(self._function(node, ""))
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.If, ast.Try)) and not _is_main(node):
                blocks.append(self._segment(node))
        groups = _grouped([*blocks, *before])
        used = set(re.findall(r"\w+", "\n".join(groups)))
        theirs = [line for node in imports for line in self._import(node, used)]
        first = "\n".join([*theirs, *self.names.lines(self.width)])
        return "\n\n".join(part for part in (HEADER.rstrip(), first, *groups) if part) + "\n"

    # Statements

    def _segment(self, node: Any) -> list[str]:
        """Return the lines of a statement as they are."""
        return self.lines[node.lineno - 1 : node.end_lineno]

    def _import(self, node: ast.Import | ast.ImportFrom, used: set[str]) -> list[str]:
        """Return an import of what the stub uses."""
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return []  # a stub is read as if it had them all
        offers = hasattr(self.module, "__path__") and isinstance(node, ast.ImportFrom)
        names: list[str] = []
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if offers and alias.name != "*":  # what a package imports, it offers: a stub has to say so
                names.append(f"{alias.name} as {alias.asname or alias.name}")
            elif alias.name == "*" or bound in used:
                names.append(alias.name + (f" as {alias.asname}" if alias.asname else ""))
        if isinstance(node, ast.Import):
            return [f"import {name}" for name in names]
        return imported(f"{'.' * node.level}{node.module or ''}", names, self.width) if names else []

    def _function(self, node: Any, indent: str) -> list[str]:
        decorators = [line for found in node.decorator_list for line in self._segment(found)]
        last = node.body[0].lineno - 1
        if last < node.lineno:  # all on one line
            return [*decorators, self.lines[node.lineno - 1][: node.body[0].col_offset] + "..."]
        header = self.lines[node.lineno - 1 : last]
        while header and not header[-1].split("#")[0].rstrip().endswith(":"):
            header.pop()
        header[-1] = header[-1].split("#")[0].rstrip() + " ..."
        return [*decorators, *header]

    def _class(self, node: ast.ClassDef, model: ModelStub | None, indent: str = "") -> list[str]:
        decorators = [line for found in node.decorator_list for line in self._segment(found)]
        first = node.body[0]
        start = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", ()))]) - 1
        header = self.lines[node.lineno - 1 : max(start, node.lineno)]
        while len(header) > 1 and not header[-1].split("#")[0].rstrip().endswith(":"):
            header.pop()
        named = {manager.name for manager in model.model._meta.local_managers} if model else set[str]()
        body: list[str] = []
        for part in node.body:
            if isinstance(part, FUNCTIONS):
                body += self._function(part, indent)
            elif isinstance(part, ast.ClassDef):
                if part.name != "Meta":
                    body += self._class(part, None, indent + INDENT)
            elif isinstance(part, (ast.Assign, ast.AnnAssign, ast.If)) and not _targets(part) & named:
                body += self._label(part, model) or self._segment(part)
        if model is not None:
            body += [f"{INDENT}{line}" for line in self._attributes(model, node)]
        if not body:
            return [
                *decorators,
                *header[:-1],
                header[-1].split("#")[0].rstrip().split(": ")[0].rstrip(":") + ": ...",
            ]
        return [*decorators, *header, *body]

    # Models

    def _label(self, node: Any, stub: ModelStub | None) -> list[str]:
        """Return the declaration of a relation whose target is a text, which says nothing to checkers; else nothing."""
        call = node.value if isinstance(node, ast.Assign) else None
        if stub is None or not isinstance(call, ast.Call) or not (call.args or call.keywords):
            return []
        to = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "to"), None)
        names = _targets(node)
        if not isinstance(to, ast.Constant) or not isinstance(to.value, str) or len(names) != 1:
            return []
        name = names.pop()
        found = (f for f in (*stub.meta.fields, *stub.meta.many_to_many) if f.name == name)
        field: Any = next(found, None)
        if field.__class__ not in (ForeignKey, OneToOneField, ManyToManyField):
            return []
        target = self.names.of(field.related_model) + (" | None" if field.null else "")
        return [f"{INDENT}{name}: {ast.unparse(call.func)}[{target}] = ..."]

    def _model(self, node: ast.ClassDef) -> ModelStub | None:
        found: Any = getattr(self.module, node.name, None)
        if not (isinstance(found, type) and issubclass(found, Model)) or found._meta.abstract:
            return None
        return ModelStub(found, self.names, self.depth, self.width)

    def _managers(self, stub: ModelStub) -> Iterator[list[str]]:
        for manager, name in _own_managers(stub.model):
            queryset: type[Any] = manager.get_queryset().__class__
            yield stub.queryset(queryset, f"{name}QuerySet")
            yield stub.manager(manager, f"{name}Manager", f"{name}QuerySet")

    def _attributes(self, stub: ModelStub, node: ast.ClassDef) -> Iterator[str]:
        """Return what a model has at run time and its source doesn't name: keys, reverse relations, managers."""
        meta = stub.model._meta
        said = {name for part in node.body for name in _targets(part)}
        class_var = self.names.name("typing", "ClassVar")
        for field in meta.local_fields:
            key = field.attname if field.is_relation else field.name
            if key in said or field.column is None or not (field.is_relation or field.auto_created):
                continue
            type_ = stub.described.type_of(field) + (" | None" if field.null else "")
            mapped = self.names.name("sqlalchemy.orm", "Mapped")
            yield f"{key}: {mapped}[{type_}] = ..."
        for rel in meta.related_objects:
            name = rel.get_accessor_name()
            if name in said or rel.model is not stub.model:
                continue
            target = self.names.of(rel.related_model)
            if rel.one_to_one:
                yield f"{name}: {class_var}[{target}]"
            else:
                kind = "ManyRelatedManager" if rel.many_to_many else "ReverseManager"
                yield f"{name}: {class_var}[{self.names.name('ormolu.models', kind)}[{target}]]"
        bases = [base for base in stub.model.__mro__[1:] if "_meta" in vars(base)]
        ignore = ""
        if bases:
            ignore = "  # pyright: ignore[reportIncompatibleVariableOverride]"
        if any(not base._meta.abstract for base in bases):
            ignore = f"  # type: ignore[assignment]{ignore}"
        for manager, name in _own_managers(stub.model):
            yield f"{manager.name}: {class_var}[{name}Manager] = ...{ignore}"
        for field in meta.local_fields:
            display = f"get_{field.name}_display"
            if field.choices is not None and display not in said:
                yield f"def {display}(self) -> str: ..."


def _own_managers(model: Any) -> Iterator[tuple[Any, str]]:
    """Return a model's managers, each with the beginning of the names of its classes."""
    for manager in model._meta.managers:
        own = getattr(model, manager.name)
        classes: list[type[Any]] = [own.get_queryset().__class__, own.__class__]
        if not all(is_of(cls, model) for cls in classes if is_written(cls)):
            continue  # inherited, and of the parent's objects to checkers
        suffix = "" if manager.name == "objects" else manager.name.title().replace("_", "")
        yield own, f"_{model.__name__}{suffix}"


def _targets(node: Any) -> set[str]:
    """Return the names that a statement of a class body gives a value or a type."""
    if isinstance(node, ast.AnnAssign):
        return {node.target.id} if isinstance(node.target, ast.Name) else set()
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return {node.name}
    return set()


def _is_main(node: Any) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test)


def _grouped(blocks: list[list[str]]) -> list[str]:
    """Return blocks of lines as texts; assignments and functions that follow one another make one."""
    found: list[str] = []
    before = ""
    for block in blocks:
        kind = "class" if any(line.startswith("class ") for line in block) else block[0].split(" ")[0]
        kind = (
            "function" if kind in ("def", "async") or (block[0].startswith("@") and kind != "class") else kind
        )
        text = "\n".join(block)
        simple = kind not in ("class", "if", "try") and before not in ("class", "if", "try", "")
        if simple and (kind == "function") == (before == "function"):
            found[-1] += f"\n{text}"
        else:
            found.append(text)
        before = kind
    return found


__all__ = ["HEADER", "ModuleStub"]
