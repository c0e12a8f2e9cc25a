"""Random models, as source that both libraries run, and what can be asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

FIELDS = {
    "text": ["CharField(max_length=20{})", "CharField(max_length=20{})", "TextField({})"],
    "integer": ["IntegerField({})", "IntegerField({})", "BigIntegerField({})"],
    "decimal": ["DecimalField(max_digits=8, decimal_places=2{})"],
    "float": ["FloatField({})"],
    "boolean": ["BooleanField({})"],
    "date": ["DateField({})"],
    "datetime": ["DateTimeField({})"],
    "time": ["TimeField({})"],
    "duration": ["DurationField({})"],
    "json": ["JSONField({})"],
    "uuid": ["UUIDField({})"],
}
PREFIX = {
    "text": "s", "integer": "n", "decimal": "dec", "float": "fl", "boolean": "ok", "date": "day", "datetime": "at",
    "time": "clock", "duration": "span", "json": "j", "uuid": "u",
}  # fmt: skip
KINDS = list(FIELDS)
LABEL = "differential"


@dataclass
class Column:
    """A column: its name, the kind of its values."""

    name: str
    kind: str
    null: bool = False
    unique: bool = False


@dataclass
class Relation:
    """A way from a model to another, by the name that queries use and by the one that objects use."""

    name: str
    accessor: str
    target: str
    many: bool = False
    null: bool = False
    forward: bool = False
    through: str = ""  # the table in between
    values: str = "pk"  # the target's column that the relation is compared with
    plain: bool = False  # whether add() and set() may write it
    key: str = ""  # of a way back over a foreign key, that key's name


@dataclass
class Table:
    """A model: what can be asked of it."""

    name: str
    key: str = "id"
    parent: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)  # columns that its class declares
    stored: list[str] = field(default_factory=list)  # foreign keys that its class declares
    ordering: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    abstract: bool = False

    def of_kind(self, *kinds: str) -> list[str]:
        """Return the names of columns of these kinds."""
        return [column.name for column in self.columns.values() if column.kind in kinds]


class Schema:
    """Models A, B, C, ... with a number behind, which makes them unique in a process."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = Random(f"schema {seed}")
        self.models: dict[str, Table] = {}
        for letter in "ABCDEF"[: self.chance.choice([4, 5, 5, 6])]:
            self.declare(Table(f"{letter}{seed}"))
        self.source = "\n\n\n".join(self.text_of(table) for table in self.models.values())

    def declare(self, table: Table) -> None:
        """Choose one model's key, columns, relations and order."""
        bases = [m.name for m in self.models.values() if m.key == "id" and m.name[0] in "ABCDEF"]
        if bases and self.chance.random() < 0.15:
            self.inherit(table, self.models[self.chance.choice(bases)])
        else:
            self.choose_key(table)
            table.abstract = self.chance.random() < 0.15
        self.models[table.name] = table
        for number in range(self.chance.randint(2, 5)):
            kind = self.chance.choice(["text", "integer", *KINDS])
            name = f"{PREFIX[kind]}{number + 1}{'c' if table.parent else ''}"
            self.add_column(table, Column(name, kind, null=self.chance.random() < 0.45))
        if not table.parent and self.chance.random() < 0.3:
            self.add_column(table, Column("code", "text", unique=True))
        self.choose_relations(table)
        self.choose_ordering(table)

    def choose_key(self, table: Table) -> None:
        """Choose the primary key."""
        draw = self.chance.random()
        if draw < 0.1:
            table.key = "key"
            table.columns["key"] = Column("key", "text", unique=True)
            table.lines.append("key = CharField(max_length=10, primary_key=True)")
        elif draw < 0.18:
            table.key = "uid"
            table.columns["uid"] = Column("uid", "uuid", unique=True)
            table.lines.append("uid = UUIDField(primary_key=True)")
        else:
            table.columns["id"] = Column("id", "integer", unique=True)

    def inherit(self, table: Table, parent: Table) -> None:
        """Give a model what its parent has, and ways to it and back."""
        table.parent, table.key = parent.name, f"{parent.name.lower()}_ptr"
        table.columns, table.ordering = dict(parent.columns), list(parent.ordering)
        # The ways from a parent to its other children are no relations of this one.
        table.relations = {
            name: relation
            for name, relation in parent.relations.items()
            if self.models[relation.target].parent != parent.name or relation.name != relation.target.lower()
        }
        table.relations[table.key] = Relation(table.key, table.key, parent.name, forward=True)
        back = table.name.lower()
        parent.relations[back] = Relation(back, back, table.name, null=True)

    def add_column(self, table: Table, column: Column) -> None:
        """Declare a column."""
        table.columns[column.name] = column
        table.own.append(column.name)
        options = ["null=True"] if column.null else []
        options += ["unique=True"] if column.unique else []
        if self.chance.random() < 0.1:
            options.append(f"db_column='c_{column.name}'")
        text = "CharField(max_length=20{})" if column.unique else self.chance.choice(FIELDS[column.kind])
        inside = ", ".join(options)
        if inside and "({" not in text:
            inside = ", " + inside
        table.lines.append(f"{column.name} = {text.format(inside)}")

    def choose_relations(self, table: Table) -> None:
        """Choose relations to the models declared so far, and to itself."""
        suffix = "c" if table.parent else ""
        names = [m.name for m in self.models.values() if m.name[0] in "ABCDEF"]
        for number in range(
            self.chance.choice([1, 1, 2, 2, 3]) if len(names) > 1 else self.chance.choice([0, 1])
        ):
            kind = self.chance.choice(["fk", "fk", "fk", "one", "m2m", "m2m", "through"])
            target = self.models[self.chance.choice(names)]
            if (target is table and kind in ("one", "through")) or (
                target.name == table.parent and kind == "one"
            ):
                kind = "fk"
            name = f"r{number + 1}{suffix}"
            if kind in ("fk", "one"):
                self.add_key(table, target, name, kind == "one")
            else:
                self.add_many(table, target, name, kind == "through")

    def add_key(self, table: Table, target: Table, name: str, one: bool = False) -> None:
        """Declare a foreign key or a one-to-one relation."""
        null = target is table or self.chance.random() < 0.5
        on_delete = self.chance.choice(
            ["CASCADE", "CASCADE", "SET_NULL", "PROTECT", "RESTRICT", "DO_NOTHING"]
        )
        if (on_delete == "SET_NULL" and not null) or target is table or on_delete == "DO_NOTHING":
            on_delete = "CASCADE"
        options = ["null=True"] if null else []
        values = "pk"
        if "code" in target.own and self.chance.random() < 0.6:
            options.append("to_field='code'")
            values = "code"
        back, accessor = self.backwards(table, target, name, options, one)
        table.stored.append(name)
        table.relations[name] = Relation(name, name, target.name, null=null, forward=True, values=values)
        self.reverse(target, Relation(back, accessor, table.name, many=not one, null=True, key=name))
        shown = "'self'" if target is table else target.name
        kind = "OneToOneField" if one else "ForeignKey"
        table.lines.append(f"{name} = {kind}({', '.join([shown, f'on_delete={on_delete}', *options])})")

    def add_many(self, table: Table, target: Table, name: str, through: bool) -> None:
        """Declare a many-to-many relation."""
        options: list[str] = []
        between = f"T{table.name}{name}" if through else f"{table.name}.{name}"
        forward = Relation(name, name, target.name, True, True, True, between, plain=not through)
        table.relations[name] = forward
        if target is table and self.chance.random() < 0.5:
            table.lines.append(f"{name} = ManyToManyField('self')")
            return
        if target is table:
            options.append("symmetrical=False")
        back, accessor = self.backwards(table, target, name, options, False)
        self.reverse(
            target, Relation(back, accessor, table.name, True, True, False, between, plain=not through)
        )
        if through:
            options.append(f"through='{between}'")
            self.add_between(between, table, target)
        shown = "'self'" if target is table else target.name
        table.lines.append(f"{name} = ManyToManyField({', '.join([shown, *options])})")

    def add_between(self, name: str, table: Table, target: Table) -> None:
        """Declare the model between two others."""
        between = Table(name, columns={"id": Column("id", "integer", unique=True)})
        self.models[name] = between
        self.add_key(between, table, "source")
        self.add_key(between, target, "target")
        self.add_column(between, Column("n1", "integer", null=True))

    def backwards(
        self, table: Table, target: Table, name: str, options: list[str], one: bool
    ) -> tuple[str, str]:
        """Choose the name of the way back: as queries and as objects have it."""
        lower = table.name.lower()
        if (
            self.chance.random() < 0.3
            and lower not in target.relations
            and target is not table
            and not target.parent
        ):
            return lower, lower if one else f"{lower}_set"
        back = f"{lower}_by_{name}"
        options.append(f"related_name='{back}'")
        return back, back

    def reverse(self, target: Table, relation: Relation) -> None:
        """Add the way back, to models that inherit it, too."""
        target.relations[relation.name] = relation
        for child in self.models.values():
            if child.parent == target.name:
                child.relations[relation.name] = relation

    def choose_ordering(self, table: Table) -> None:
        """Choose Meta.ordering, sometimes."""
        plain = [name for name in table.own if table.columns[name].kind != "json"]
        if self.chance.random() < 0.3 and plain:
            table.ordering = [self.chance.choice(["", "-"]) + self.chance.choice(plain)]
            others = [name for name in table.stored if table.relations[name].target != table.name]
            if others and self.chance.random() < 0.3:  # not itself: that is an endless loop
                table.ordering.append(self.chance.choice(others))

    def text_of(self, table: Table) -> str:
        """Return the source of a model, and of its abstract base."""
        meta = ["class Meta:", f"    app_label = '{LABEL}'"]
        if table.ordering and (not table.parent or table.ordering != self.models[table.parent].ordering):
            meta.append(f"    ordering = {table.ordering!r}")
        lines, base, before = table.lines, table.parent or "Model", ""
        if table.abstract:
            moved = [line for line in lines if line.startswith(("s", "n"))]
            lines = [line for line in lines if line not in moved]
            base = f"Base{table.name}"
            before = class_text(base, "Model", [*moved, *meta[:2], "    abstract = True"]) + "\n\n\n"
        return before + class_text(table.name, base, [*lines, *meta])


def class_text(name: str, base: str, lines: list[str]) -> str:
    """Return the source of a class."""
    return "\n".join([f"class {name}({base}):", *(f"    {line}" for line in lines)])
