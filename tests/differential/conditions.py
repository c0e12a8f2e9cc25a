"""Random conditions: lookups of every kind, over relations, in nested Qs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from .rows import LITERALS, Rows
from .schemas import Schema, Table
from .source import Code

COMPARED = ["", "", "__gt", "__gte", "__lt", "__lte"]
PERIODS = ["year", "month", "day", "week", "week_day", "iso_week_day", "iso_year", "quarter"]
CLOCK = ["hour", "minute", "second"]
TRANSFORMS: dict[str, list[tuple[str, str]]] = {
    "date": [(f"__{name}", "small") for name in PERIODS],
    "datetime": [
        ("__date", "date"),
        ("__time", "time"),
        *((f"__{name}", "small") for name in PERIODS + CLOCK),
    ],
    "time": [(f"__{name}", "small") for name in CLOCK],
}
SMALL = ["1", "1", "2", "5", "6", "12", "30", "31", "53", "1999", "2000", "2021"]
# Patterns without letters: databases differ in whether case counts for the lookups that take case into account.
CASELESS = ["'1'", "'%'", "'_'", "''", "'日'", r"'\\'", "' '", "'.5'", '"\'"']
FOLDED = ["'a'", "'A'", "'AB'", "'abc'", "'1'", "'%'", "'_'", "''", "'日'", "'X'"]
PATTERNS = ["'^a'", "'^$'", "'[a-b]+$'", "'b|c'", r"'\\d'", "'^.{2}$'", "'A'"]
JSON_KEYS = ["__a", "__a__b", "__c", "__0", "__0__a", "__b__0", "__missing"]
JSON_VALUES = [*LITERALS["json"], "None", "'x'", "2", "False"]


@dataclass
class Scope:
    """What names may stand for: a model, annotations by name with their kinds, and what is allowed here."""

    table: Table
    named: dict[str, str] = field(default_factory=dict)
    many: bool = True  # relations that lead to several rows
    outer: Table | None = None  # the model of the enclosing query
    hops: int = 2
    json: bool = True  # whether conditions may be about JSON

    def alone(self) -> Scope:
        """Return the same without relations."""
        return Scope(replace(self.table, relations={}), {}, False, self.outer, 0)

    def single(self) -> Scope:
        """Return the same without relations that lead to several rows."""
        return Scope(self.table, self.named, False, self.outer, self.hops)


class Conditions:
    """Writes conditions about the rows of a schema."""

    def __init__(self, schema: Schema, rows: Rows, chance: Random, vendor: str) -> None:
        self.schema = schema
        self.rows = rows
        self.chance = chance
        self.vendor = vendor

    def likely(self, share: float) -> bool:
        """Draw."""
        return self.chance.random() < share

    def path(self, scope: Scope, longest: int | None = None) -> tuple[list[str], Table, bool]:
        """Return relations to follow, where they lead, and whether to several rows."""
        parts: list[str] = []
        table, many = scope.table, False
        for _ in range(scope.hops if longest is None else longest):
            open_to = [r for r in table.relations.values() if scope.many or not r.many]
            if not open_to or not self.likely(0.5):
                break
            relation = self.chance.choice(open_to)
            parts.append(relation.name)
            many |= relation.many
            table = self.schema.models[relation.target]
        return parts, table, many

    # One lookup

    def lookup(self, scope: Scope, negated: bool = False) -> Code:
        """Return Q(name=value) about a column, a relation or an annotation."""
        if scope.named and self.likely(0.3):
            name = self.chance.choice(list(scope.named))
            if (
                negated
            ):  # Django loses rows where it is NULL; of a negation it tests less than the whole for that
                name = name if scope.named[name] != "boolean" else "pk"
                return self.asked(scope, f"{name}__isnull", self.chance.choice(["True", "False"]))
            suffix, value = self.value_lookup(scope, scope.named[name], negated, True)
            return self.asked(scope, name + suffix, value)
        parts, table, _many = self.path(scope)
        if table.relations and self.likely(0.25):
            return self.relation_lookup(scope, parts, table)
        columns = [c for c in table.columns.values() if scope.json or c.kind != "json"]
        column = self.chance.choice(columns)
        name = "__".join([*parts, "pk" if column.name == table.key and self.likely(0.5) else column.name])
        if self.likely(0.12):
            return self.asked(scope, f"{name}__isnull", self.chance.choice(["True", "False"]))
        if (column.null or parts) and self.likely(0.08):
            return self.asked(
                scope,
                name + self.chance.choice(["", "", "__iexact"] if column.kind == "text" else [""]),
                "None",
            )
        if column.name == table.key and self.likely(0.6):
            return self.key_lookup(scope, name, self.rows.keys[table.name])
        suffix, value = self.value_lookup(scope, column.kind, negated, False)
        return self.asked(scope, name + suffix, value)

    def asked(self, scope: Scope, name: str, value: str | Code) -> Code:
        """Return Q(name=value)."""
        code = value if isinstance(value, Code) else Code("value", value)
        return Code("q", f"Q({name}={{}})", (code,), lookup=(scope.table.name, name))

    def relation_lookup(self, scope: Scope, parts: list[str], table: Table) -> Code:
        """Return a lookup of a relation itself."""
        relation = self.chance.choice(
            [r for r in table.relations.values() if scope.many or not r.many] or [None]
        )
        if relation is None:
            return self.asked(scope, "pk__isnull", "False")
        name = "__".join([*parts, relation.name])
        if self.likely(0.3):
            return self.asked(scope, f"{name}__isnull", self.chance.choice(["True", "False"]))
        if relation.values == "pk" and self.likely(0.15):
            inner = self.rows_of(self.schema.models[relation.target])
            return self.asked(scope, f"{name}__in", inner)
        if self.likely(0.1) and self.rows.keys[relation.target]:
            key = self.chance.choice(self.rows.keys[relation.target])
            return self.asked(scope, name, f"{relation.target}.objects.get(pk={key})")
        there = (self.rows.codes if relation.values == "code" else self.rows.keys)[relation.target]
        return self.key_lookup(scope, name, there)

    def key_lookup(self, scope: Scope, name: str, there: list[str]) -> Code:
        """Return a lookup of a key."""
        there = there or ["1"]
        if self.likely(0.3):
            chosen = [self.chance.choice(there) for _ in range(self.chance.randint(0, 3))]
            if self.likely(0.15):
                chosen.append("None")
            return self.asked(scope, f"{name}__in", f"[{', '.join(chosen)}]")
        suffix = self.chance.choice(["", "", "", "__gt", "__lte"])
        return self.asked(scope, name + suffix, self.chance.choice(there))

    def rows_of(self, table: Table) -> Code:
        """Return a queryset of a model, for a subquery."""
        inner = self.condition(Scope(table, hops=1), 1)
        end = self.chance.choice(
            ["", "", "", ".order_by('-pk')[:3]", ".values('pk')", ".order_by('pk').distinct()"]
        )
        return Code("queryset", f"{table.name}.objects.filter({{}}){end}", (inner,))

    # Values

    def value_lookup(self, scope: Scope, kind: str, negated: bool, annotated: bool) -> tuple[str, str | Code]:
        """Return the rest of a lookup's name, and its value."""
        if annotated and self.likely(0.1) and kind != "boolean":
            return "__isnull", self.chance.choice(["True", "False"])
        if kind == "json":
            return self.json_lookup()
        if kind == "text":
            return self.text_lookup(scope, negated)
        if kind == "boolean":
            value = self.chance.choice(["True", "False"])
            return ("__in", f"[{value}]") if self.likely(0.2) else ("", value)
        if kind in TRANSFORMS and self.likely(0.5):
            name, of = self.chance.choice(TRANSFORMS[kind])
            suffix, value = self.compared(of, scope, negated)
            return name + suffix, value
        return self.compared(kind, scope, negated)

    def literal(self, kind: str) -> str:
        """Return a value."""
        return self.chance.choice(SMALL if kind == "small" else LITERALS[kind])

    def compared(self, kind: str, scope: Scope, negated: bool) -> tuple[str, str | Code]:
        """Return a comparison with values of a kind."""
        if self.likely(0.15):
            chosen = [self.literal(kind) for _ in range(self.chance.randint(0, 3))]
            if self.likely(0.1):
                chosen.append("None")
            return "__in", f"[{', '.join(chosen)}]"
        if self.likely(0.12) and kind not in ("uuid",):
            return "__range", f"({self.literal(kind)}, {self.literal(kind)})"
        suffix = self.chance.choice(COMPARED if kind != "uuid" else [""])
        if self.likely(0.15) and kind != "small":
            # Under NOT only with columns of the same row.
            own = Scope(scope.table, scope.named if not negated else {}, False, scope.outer, 0)
            other = self.reference(own if negated else scope.single(), kind)
            if other is not None:
                return suffix, other
        if self.likely(0.06) and kind == "integer" and not negated:
            return suffix, self.expression(Scope(scope.table, {}, False, None, 0), "integer", 1)
        return suffix, self.literal(kind)

    def text_lookup(self, scope: Scope, negated: bool) -> tuple[str, str | Code]:
        """Return a lookup of text."""
        draw = self.chance.random()
        if draw < 0.55:
            return self.compared("text", scope, negated)
        if draw < 0.7:
            return self.chance.choice(
                ["__iexact", "__icontains", "__istartswith", "__iendswith"]
            ), self.chance.choice(FOLDED)
        if draw < 0.85:
            how = self.chance.choice(["__contains", "__startswith", "__endswith"])
            return how, self.chance.choice(CASELESS if self.vendor == "sqlite" else CASELESS + FOLDED)
        return self.chance.choice(["__regex", "__iregex"]), self.chance.choice(PATTERNS)

    def json_lookup(self) -> tuple[str, str]:
        """Return a lookup of JSON."""
        keys = JSON_KEYS
        if self.vendor == "postgresql":  # to which a single value is a list of one, too
            keys = [key for key in keys if "0" not in key]
        key = self.chance.choice(keys) if self.likely(0.6) else ""
        draw = self.chance.random()
        if draw < 0.5:
            return key, self.chance.choice(JSON_VALUES)
        if draw < 0.6:
            return f"{key}__isnull", self.chance.choice(["True", "False"])
        if draw < 0.75:
            name = self.chance.choice(["'a'", "'b'", "'c'"])
            how, value = self.chance.choice(
                [("has_key", name), ("has_keys", f"[{name}, 'c']"), ("has_any_keys", f"[{name}, 'c']")]
            )
            return f"{key}__{how}", value
        if draw < 0.85:
            one, other = self.chance.choice(JSON_VALUES), self.chance.choice(JSON_VALUES)
            if {one, other} == {"1", "True"}:  # which Django takes for one, as Python does
                other = one
            return f"{key}__in", f"[{one}, {other}]"
        if draw < 0.93 and key not in ("", "__c"):  # of which the text is null, or none: databases differ
            how = self.chance.choice(["icontains", "iexact", "istartswith", "gt", "lte"])
            return f"{key}__{how}", "1" if how in ("gt", "lte") else "'x'"
        return "__contains" if self.vendor == "postgresql" else key, self.chance.choice(JSON_VALUES)

    def reference(self, scope: Scope, kind: str) -> Code | None:
        """Return F(name) of a kind, if there is one."""
        named = [name for name, of in scope.named.items() if of == kind]
        if named and self.likely(0.3):
            return Code(kind, f"F('{self.chance.choice(named)}')")
        for _ in range(3):
            parts, table, _many = self.path(scope)
            names = table.of_kind(kind)
            if names:
                name = "__".join([*parts, self.chance.choice(names)])
                return Code(kind, f"F('{name}')", lookup=(scope.table.name, name))
        return None

    # Trees

    def condition(self, scope: Scope, depth: int = 2, negated: bool = False) -> Code:
        """Return a Q, or an expression that is true or false."""
        draw = self.chance.random()
        if depth == 0 or draw < 0.5:
            return self.lookup(scope, negated)
        if draw < 0.66:
            return self.joined(" & ", scope, depth, negated)
        if draw < 0.82:
            return self.joined(" | ", scope, depth, negated)
        if draw < 0.93:
            return Code("q", "~{}", (self.condition(scope, depth - 1, True),), negates=True)
        if draw < 0.96:
            # Of the model's own columns: Django's ^ loses rows that a relation leads nowhere from.
            return Code("q", "({})", self.sides(scope.alone(), depth, True), " ^ ", negates=True)
        if draw < 0.97 and scope.outer is None:
            return Code("q", "Q({})", (self.exists(scope),))
        if draw < 0.98 and not negated:
            return self.compared_values(scope)
        return self.joined(", ", scope, depth, negated)

    def compared_values(self, scope: Scope) -> Code:
        """Return a lookup that stands as an expression itself."""
        kind = self.chance.choice(["integer", "text", "date"])
        how = self.chance.choice(["Exact", "GreaterThan", "LessThanOrEqual"])
        sides = (self.expression(scope.single(), kind, 0), Code("value", self.literal(kind)))
        return Code("q", f"Q({how}({{}}, {{}}))", sides)

    def joined(self, connector: str, scope: Scope, depth: int, negated: bool) -> Code:
        """Return several conditions joined."""
        around = "Q({})" if connector == ", " else "({})"
        return Code("q", around, self.sides(scope, depth, negated), connector)

    def sides(self, scope: Scope, depth: int, negated: bool) -> tuple[Code, ...]:
        """Return two or three conditions."""
        return tuple(self.condition(scope, depth - 1, negated) for _ in range(self.chance.choice([2, 2, 3])))

    def exists(self, scope: Scope) -> Code:
        """Return Exists() of rows that refer to this one, or of others."""
        return Code("boolean", "Exists({})", (self.correlated(scope),))

    def correlated(self, scope: Scope) -> Code:
        """Return a queryset tied to the enclosing row."""
        backwards = [r for r in scope.table.relations.values() if not r.forward]
        if backwards and self.likely(0.8):
            relation = self.chance.choice(backwards)
            inner = self.schema.models[relation.target]
            ties = [r for r in inner.relations.values() if r.forward and r.target == scope.table.name]
            if ties:
                tie = self.chance.choice(ties)
                text = f"{inner.name}.objects.filter({tie.name}=OuterRef('{'code' if tie.values == 'code' else 'pk'}'))"
                return self.narrowed(text, inner)
        inner = self.chance.choice(list(self.schema.models.values()))
        mine, theirs = scope.table.of_kind("integer"), inner.of_kind("integer")
        if mine and theirs:
            text = f"{inner.name}.objects.filter({self.chance.choice(theirs)}=OuterRef('{self.chance.choice(mine)}'))"
            return self.narrowed(text, inner)
        return self.narrowed(f"{inner.name}.objects.all()", inner)

    def narrowed(self, text: str, inner: Table) -> Code:
        """Return a queryset with one more condition, sometimes."""
        if self.likely(0.5):
            return Code("inner", text)
        how = self.chance.choice(["filter", "filter", "exclude"])
        asked = self.condition(Scope(inner, outer=inner, hops=1), 1, how == "exclude")
        return Code("inner", f"{text}.{how}({{}})", (asked,), negates=how == "exclude")

    def expression(self, scope: Scope, kind: str, depth: int = 2) -> Any:
        """Return an expression: see `Expressions`."""
        raise NotImplementedError
