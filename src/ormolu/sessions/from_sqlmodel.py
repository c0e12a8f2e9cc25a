"""Models written for SQLModel, read as text and written again as ours. SQLModel itself is not needed.

    text, notes = convert(Path("models.py").read_text())

A class with `table=True` becomes a `Model` with annotated columns; its bases without a table become mixins of columns;
other classes become Pydantic models. What can't be carried over is a note, with the line it is about.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, cast

__all__ = ["Converted", "Note", "convert"]

SQLALCHEMY = {
    "Session": "sqlalchemy.orm", "select": "sqlalchemy", "create_engine": "sqlalchemy", "or_": "sqlalchemy",
    "and_": "sqlalchemy", "not_": "sqlalchemy", "col": "", "func": "sqlalchemy", "Column": "sqlalchemy",
    "String": "sqlalchemy", "Integer": "sqlalchemy", "JSON": "sqlalchemy", "DateTime": "sqlalchemy",
    "Enum": "sqlalchemy", "UniqueConstraint": "sqlalchemy", "Index": "sqlalchemy", "text": "sqlalchemy",
    "delete": "sqlalchemy", "update": "sqlalchemy", "ForeignKey": "sqlalchemy", "AutoString": "",
}  # fmt: skip
"""Where names come from that SQLModel passes on."""
LIMITS = frozenset(
    {"gt", "ge", "lt", "le", "multiple_of", "min_length", "regex", "pattern", "min_items", "max_items"}
)
SAID = frozenset(
    {"title", "description", "alias", "exclude", "include", "schema_extra", "repr", "const", "discriminator"}
)
KEPT = frozenset({"primary_key", "index", "unique", "nullable"})
OF_SCHEMAS = frozenset({"model_validate", "from_orm", "parse_obj"})
TEXTS = frozenset({"EmailStr", "AnyUrl", "HttpUrl", "AutoString", "SecretStr"})


@dataclass(frozen=True, slots=True)
class Note:
    """What was not carried over, and the line of the original that it is about."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(slots=True)
class Converted:
    """The module that was written, and what to look at."""

    text: str
    notes: list[Note]

    def __iter__(self) -> Any:
        return iter((self.text, self.notes))


def convert(source: str, filename: str = "<models>") -> Converted:
    """Return a module of SQLModel classes as one of ours, with notes. Raises SyntaxError for what is no Python."""
    tree = ast.parse(source, filename)
    return _Module(tree).convert()


@dataclass(slots=True)
class _Module:
    """One module on its way."""

    tree: ast.Module
    notes: list[Note] = field(default_factory=list["Note"])
    imports: dict[str, set[str]] = field(default_factory=dict[str, "set[str]"])
    classes: dict[str, ast.ClassDef] = field(default_factory=dict[str, ast.ClassDef])
    tables: dict[str, str] = field(default_factory=dict[str, str])
    mixins: set[str] = field(default_factory=set[str])

    def convert(self) -> Converted:
        """Return the result."""
        self._survey()
        body: list[ast.stmt] = []
        for statement in self.tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.module in (
                "sqlmodel",
                "sqlmodel.ext.asyncio.session",
            ):
                self._move_imports(statement)
            elif isinstance(statement, ast.Import) and any(a.name == "sqlmodel" for a in statement.names):
                self._note(
                    statement, "`import sqlmodel` is left out: its names are imported from their homes."
                )
            elif isinstance(statement, ast.ClassDef) and statement.name in self.classes:
                body.append(self._class(statement))
            else:
                body.append(self._other(statement))
        at = 0
        while at < len(body) and _stays_first(body[at]):
            at += 1
        lines = [
            f"from {home} import {', '.join(sorted(names))}"
            for home, names in sorted(self.imports.items())
            if home
        ]
        module = ast.Module([*body[:at], *ast.parse("\n".join(lines)).body, *body[at:]], [])
        return Converted(
            ast.unparse(ast.fix_missing_locations(module)) + "\n", sorted(self.notes, key=lambda n: n.line)
        )

    def _note(self, node: Any, text: str) -> None:
        self.notes.append(Note(node.lineno, text))

    def _need(self, home: str, name: str) -> None:
        self.imports.setdefault(home, set()).add(name)

    # What there is

    def _survey(self) -> None:
        for statement in self.tree.body:
            if isinstance(statement, ast.ClassDef) and any(
                name == "SQLModel" or name in self.classes for name in map(_name, statement.bases)
            ):
                self.classes[statement.name] = statement
                if any(k.arg == "table" and _constant(k.value) is True for k in statement.keywords):
                    self.tables[statement.name] = _declared_table(statement) or statement.name.lower()
        for name in self.tables:
            self.mixins.update(base for base in self._lineage(name) if base not in self.tables)

    def _lineage(self, name: str) -> list[str]:
        found: list[str] = []
        for base in map(_name, self.classes[name].bases):
            if base in self.classes:
                found += [*self._lineage(base), base]
        return found

    def _move_imports(self, statement: ast.ImportFrom) -> None:
        for alias in statement.names:
            if alias.name in ("SQLModel", "Field", "Relationship"):
                continue
            if alias.name == "AsyncSession":
                self._need("sqlalchemy.ext.asyncio", alias.name)
                continue
            if alias.name not in SQLALCHEMY:
                self._note(statement, f"{alias.name} of sqlmodel has no counterpart here.")
            elif SQLALCHEMY[alias.name]:
                self._need(SQLALCHEMY[alias.name], alias.name)

    def _other(self, statement: ast.stmt) -> ast.stmt:
        for node in ast.walk(statement):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "exec"
            ):
                self._note(
                    node,
                    "session.exec(...) is session.scalars(...), or session.execute(...) for several columns.",
                )
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and (
                    node.func.attr == "sqlmodel_update"
                    or (node.func.attr in OF_SCHEMAS and _name(node.func.value) in self.tables)
                )
            ):
                self._note(node, f"{ast.unparse(node.func)}() is SQLModel's: a model is no schema here.")
            if (
                isinstance(node, ast.Attribute)
                and _name(node.value) == "SQLModel"
                and node.attr == "metadata"
            ):
                node.value = ast.Name("Model")
                self._need("ormolu", "Model")
        return statement

    # A class

    def _class(self, cls: ast.ClassDef) -> ast.ClassDef:
        if cls.name not in self.tables and cls.name not in self.mixins:
            return self._schema(cls)
        mapped = cls.name in self.tables
        body: list[ast.stmt] = []
        if mapped and _declared_table(cls) is None:
            body += ast.parse(f"__tablename__ = {self.tables[cls.name]!r}").body
        for item in cls.body:
            body += self._item(item)
        bases: list[ast.expr] = [base for base in cls.bases if _name(base) != "SQLModel"]
        if mapped and not any(base in self.tables for base in self._lineage(cls.name)):
            self._need("ormolu", "Model")
            bases.append(ast.Name("Model"))
        if not mapped:
            self._note(
                cls, f"{cls.name} is a mixin of columns now; for a schema take get_schema() of a model."
            )
        return ast.ClassDef(cls.name, bases, [], body or [ast.Pass()], cls.decorator_list)

    def _schema(self, cls: ast.ClassDef) -> ast.ClassDef:
        self._need("pydantic", "BaseModel")
        inherited = [base for base in self._lineage(cls.name) if base in self.mixins]
        body: list[ast.stmt] = []
        for base in inherited:
            body += [item for item in self.classes[base].body if isinstance(item, ast.AnnAssign)]
        if any(_called(node) == "Field" for item in [*body, *cls.body] for node in ast.walk(item)):
            self._need("pydantic", "Field")
        bases: list[ast.expr] = [
            b for b in cls.bases if _name(b) in self.classes and _name(b) not in self.mixins
        ]
        body = [*map(_for_schema, body), *(_for_schema(i) for i in cls.body if not isinstance(i, ast.Pass))]
        return ast.ClassDef(
            cls.name, bases or [ast.Name("BaseModel")], [], body or [ast.Pass()], cls.decorator_list
        )

    def _item(self, item: ast.stmt) -> list[ast.stmt]:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            if _name(getattr(item.annotation, "value", None)) == "ClassVar" or item.target.id.startswith(
                "__"
            ):
                return [item]
            made = self._relation(item) if _called(item.value) == "Relationship" else self._column(item)
            return [made]
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names = {_name(d.func if isinstance(d, ast.Call) else d) for d in item.decorator_list}
            if any("validator" in name or name == "computed_field" for name in names):
                self._note(
                    item, f"{item.name}() is Pydantic's: write it as clean(), or as a validator of the field."
                )
                return []
            return [self._other(item)]
        if isinstance(item, ast.Assign) and _name(item.targets[0]) == "model_config":
            self._note(item, "model_config is Pydantic's, and left out.")
            return []
        if isinstance(item, ast.ClassDef) and item.name == "Config":
            self._note(item, "class Config is Pydantic's, and left out.")
            return []
        return [item]

    def _relation(self, item: ast.AnnAssign) -> ast.stmt:
        call: Any = item.value
        options: list[ast.keyword] = []
        for option in call.keywords:
            if option.arg == "link_model":
                table = self.tables.get(_name(option.value))
                value: ast.expr = ast.Constant(table) if table else ast.Attribute(option.value, "__table__")
                options.append(ast.keyword("secondary", value))
            elif option.arg == "cascade_delete":
                if _constant(option.value) is True:
                    options.append(ast.keyword("cascade", ast.Constant("all, delete-orphan")))
            elif option.arg == "sa_relationship_kwargs" and isinstance(option.value, ast.Dict):
                options += _keywords(option.value)
            elif option.arg in ("back_populates", "passive_deletes"):
                options.append(option)
            else:
                self._note(item, f"Relationship({option.arg}=...) has to be written by hand.")
        self._need("sqlalchemy.orm", "relationship")
        return self._mapped(item, item.annotation, ast.Call(ast.Name("relationship"), [], options))

    def _column(self, item: ast.AnnAssign) -> ast.stmt:
        annotation, value = self._unwrapped(item)
        args: list[ast.expr] = []
        options: list[ast.keyword] = []
        if _called(value) == "Field":
            annotation = self._options_of(item, value, annotation, args, options)
        elif value is not None:
            options.append(ast.keyword("default", value))
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name) and node.id in TEXTS:
                self._note(
                    item,
                    f"{node.id} is str here: check the text with a validator, or take a field such as EmailField.",
                )
                node.id = "str"
            if isinstance(node, ast.Name) and node.id in ("List", "list", "Dict", "dict") and not args:
                self._need("sqlalchemy", "JSON")
                args.append(ast.Name("JSON"))
                self._note(item, "The column of a list or dictionary is taken to be JSON.")
        made = ast.Call(ast.Name("mapped_column"), args, options) if args or options else None
        if made is not None:
            self._need("sqlalchemy.orm", "mapped_column")
        return self._mapped(item, annotation, made)

    def _unwrapped(self, item: ast.AnnAssign) -> tuple[ast.expr, ast.expr | None]:
        """Return annotation and value of a field; of `Annotated[int, Field(...)] = 3` as of `int = Field(3, ...)`."""
        annotation, value = item.annotation, item.value
        if not (isinstance(annotation, ast.Subscript) and _name(annotation.value) == "Annotated"):
            return annotation, value
        if not isinstance(annotation.slice, ast.Tuple):
            return annotation, value
        inner, *said = annotation.slice.elts
        args: list[ast.expr] = []
        options: dict[str | None, ast.keyword] = {}
        fields = [one for one in said if _called(one) == "Field"]
        for one in said:
            if one not in fields:
                self._note(item, f"{ast.unparse(one)} in Annotated[...] is Pydantic's, and left out.")
        if _called(value) == "Field":
            fields.append(cast(ast.Call, value))
        for call in cast(list[ast.Call], fields):
            args = call.args or args
            options.update((option.arg, option) for option in call.keywords)
        if value is not None and _called(value) != "Field":
            args = [value]
        if args:
            options.pop("default", None)
        made = ast.Call(ast.Name("Field"), args, list(options.values()))
        return inner, made if fields else value

    def _options_of(
        self,
        item: ast.AnnAssign,
        call: Any,
        annotation: ast.expr,
        args: list[ast.expr],
        options: list[ast.keyword],
    ) -> ast.expr:
        """Translate Field(...) into what mapped_column() takes; return the annotation."""
        given = {option.arg: option.value for option in call.keywords}
        if call.args:
            given.setdefault("default", call.args[0])
        for name, value in given.items():
            if name == "default":
                required = isinstance(value, ast.Constant) and value.value is ...
                if not required and _constant(given.get("primary_key")) is not True:
                    options.append(ast.keyword("default", value))
            elif name == "default_factory":
                options.append(ast.keyword("default", value))
            elif name in KEPT:
                options.append(ast.keyword(name, value))
            elif name == "max_length":
                self._need("sqlalchemy", "String")
                args.insert(0, ast.Call(ast.Name("String"), [value], []))
            elif name == "max_digits":
                self._need("sqlalchemy", "Numeric")
                places = given.get("decimal_places")
                args.insert(
                    0, ast.Call(ast.Name("Numeric"), [value, *([places] if places is not None else [])], [])
                )
            elif name == "sa_type":
                args.insert(0, value)
            elif name == "foreign_key":
                self._need("sqlalchemy", "ForeignKey")
                more = [ast.keyword("ondelete", given["ondelete"])] if "ondelete" in given else []
                args.append(ast.Call(ast.Name("ForeignKey"), [value], more))
            elif name == "sa_column" and isinstance(value, ast.Call):
                args += value.args
                options += value.keywords
            elif name == "sa_column_args" and isinstance(value, (ast.List, ast.Tuple)):
                args += value.elts
            elif name == "sa_column_kwargs" and isinstance(value, ast.Dict):
                options += _keywords(value)
            elif name in LIMITS:
                self._note(
                    item,
                    f"Field({name}=...) checks values: write a validator, a constraint, or use a field of ours.",
                )
            elif name not in ("ondelete", "decimal_places"):
                known = "is Pydantic's" if name in SAID else "is not known"
                self._note(item, f"Field({name}=...) {known}, and left out.")
        if _constant(given.get("primary_key")) is True:
            return _not_optional(annotation)
        return annotation

    def _mapped(self, item: ast.AnnAssign, annotation: ast.expr, value: ast.expr | None) -> ast.stmt:
        self._need("sqlalchemy.orm", "Mapped")
        return ast.AnnAssign(item.target, ast.Subscript(ast.Name("Mapped"), annotation), value, 1)


def _stays_first(statement: ast.stmt) -> bool:
    text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return text or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__")


def _name(node: Any) -> str:
    """Return the last part of a name: `Field` of `sqlmodel.Field`; "" for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _called(node: Any) -> str:
    return _name(node.func) if isinstance(node, ast.Call) else ""


def _constant(node: Any) -> Any:
    return node.value if isinstance(node, ast.Constant) else None


def _keywords(node: ast.Dict) -> list[ast.keyword]:
    return [
        ast.keyword(str(_constant(key)), value)
        for key, value in zip(node.keys, node.values)
        if key is not None
    ]


def _declared_table(cls: ast.ClassDef) -> str | None:
    for item in cls.body:
        target = item.targets[0] if isinstance(item, ast.Assign) else getattr(item, "target", None)
        if _name(target) == "__tablename__":
            return str(_constant(getattr(item, "value", None)))
    return None


def _not_optional(annotation: ast.expr) -> ast.expr:
    """Return `int` of `Optional[int]`, and of `int | None`: a primary key is never NULL."""
    if isinstance(annotation, ast.Subscript) and _name(annotation.value) == "Optional":
        return annotation.slice
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.right, ast.Constant):
        return annotation.left
    return annotation


def _for_schema(item: ast.stmt) -> ast.stmt:
    """Return a field of a schema without what is said of its column."""
    if (
        not isinstance(item, ast.AnnAssign)
        or not isinstance(item.value, ast.Call)
        or _called(item.value) != "Field"
    ):
        return item
    column = {*KEPT, "foreign_key", "ondelete", "sa_type", "sa_column", "sa_column_args", "sa_column_kwargs"}
    kept = [option for option in item.value.keywords if option.arg not in column]
    return ast.AnnAssign(item.target, item.annotation, ast.Call(item.value.func, item.value.args, kept), 1)
