"""Random expressions, by the kind of their value, aggregates and windows."""

from __future__ import annotations

from .conditions import Conditions, Scope
from .source import Code

# Templates by kind: each {kind} is an expression of that kind, {q} a condition.
MADE: dict[str, list[str]] = {
    "integer": [
        "({integer} + {integer})", "({integer} - {integer})", "({integer} * 2)", "({integer} % 3)", "(-{integer})",
        "({integer} + 1)", "({integer} / 2)", "Length({text})", "Abs({integer})", "Sign({integer})",
        "Coalesce({integer}, {integer})", "Coalesce({integer}, 0)", "NullIf({integer}, {integer})",
        "Greatest({integer}, {integer})", "Least({integer}, {integer})", "StrIndex({text}, Value('a'))",
        "ExtractYear({date})", "ExtractMonth({datetime})", "ExtractHour({datetime})", "Extract({date}, 'week_day')",
        "ExtractMinute({time})", "Length({text}).bitand(3)", "Length({text}).bitor(1)", "Mod({integer}, 3)",
        "Case(When({q}, then={integer}), default={integer})", "Case(When({q}, then=1), When({q}, then=2))",
        "Case(When({q}, then=Value(1)), default=Value(0))", "Cast({float}, IntegerField())", "Cast({boolean}, IntegerField())",
        "ExpressionWrapper({integer} + {integer}, output_field=IntegerField())",
    ],
    "decimal": [
        "({decimal} + {decimal})", "({decimal} - {integer})", "({decimal} * 2)", "Round({decimal}, 1)", "Abs({decimal})",
        "Coalesce({decimal}, {decimal})", "Cast({integer}, DecimalField(max_digits=12, decimal_places=2))",
        "Case(When({q}, then={decimal}), default=Value(Decimal('7.00')))", "Greatest({decimal}, {decimal})", "Ceil({decimal})",
        "Floor({decimal})",
    ],
    "float": [
        "({float} + {float})", "({float} * 0.5)", "({float} / 2)", "Abs({float})", "Sqrt(Abs({integer}))", "Round({float})",
        "Coalesce({float}, {float})", "Cast({integer}, FloatField())", "({integer} + {float})", "Floor({float})",
        "Case(When({q}, then={float}), default=Value(0.25))",
    ],
    "text": [
        "Lower({text})", "Upper({text})", "Concat({text}, {text})", "Concat({text}, Value('-'), {text})", "Trim({text})",
        "Left({text}, 1)", "Right({text}, 2)", "Substr({text}, 2, 2)", "Replace({text}, Value('a'), Value('z'))",
        "LPad({text}, 4, Value('.'))", "RPad({text}, 4, Value('.'))", "Repeat({text}, 2)", "Reverse({text})", "Coalesce({text}, Value('none'))",
        "Coalesce({text}, {text})", "NullIf({text}, Value(''))", "Case(When({q}, then={text}), default=Value('other'))",
        "Case(When({q}, then=Value('yes')), When({q}, then=Value('no')))", "Cast({integer}, CharField(max_length=12))",
        "MD5({text})", "LTrim({text})", "Greatest({text}, {text})", "Cast({integer}, TextField())",
    ],
    "date": [
        "TruncMonth({date})", "TruncYear({date})", "TruncWeek({date})", "TruncQuarter({date})", "Coalesce({date}, {date})",
        "TruncDate({datetime})", "Trunc({date}, 'day')", "Cast({datetime}, DateField())", "Greatest({date}, {date})",
        "TruncMonth({datetime}, output_field=DateField())",
    ],
    "datetime": [
        "TruncHour({datetime})", "TruncDay({datetime})", "TruncMinute({datetime})", "Trunc({datetime}, 'month')",
        "({datetime} + timedelta(days=1))", "({datetime} - timedelta(hours=3))", "Coalesce({datetime}, {datetime})",
        "({datetime} + {duration})", "TruncSecond({datetime})", "Least({datetime}, {datetime})",
    ],
    "time": ["TruncTime({datetime})", "Coalesce({time}, {time})", "TruncHour({time})"],
    "duration": ["({datetime} - {datetime})", "Coalesce({duration}, {duration})", "({duration} + {duration})", "({date} - {date})", "({duration} - timedelta(hours=1))"],
    "boolean": [
        "ExpressionWrapper({q}, output_field=BooleanField())", "Case(When({q}, then=True), default=False)",
        "Coalesce({boolean}, False)", "Case(When({q}, then=Value(True)))", "~ExpressionWrapper({q}, output_field=BooleanField())",
        "Q({q})",
    ],
    "json": ["Coalesce({json}, {json})", "JSONObject(a={integer}, b={text})", "JSONArray({integer}, {text})"],
    "uuid": ["Coalesce({uuid}, {uuid})"],
}  # fmt: skip
VALUED = [
    "integer",
    "integer",
    "decimal",
    "float",
    "text",
    "text",
    "date",
    "datetime",
    "time",
    "duration",
    "boolean",
]
FRAMES = [
    "", "", ", frame=RowRange(start=-1, end=0)", ", frame=RowRange(end=0)", ", frame=RowRange(start=-1, end=1)",
    ", frame=ValueRange(end=0)", ", frame=RowRange(start=0)", ", frame=RowRange(start=1, end=2)",
]  # fmt: skip


class Expressions(Conditions):
    """Writes expressions."""

    def expression(self, scope: Scope, kind: str, depth: int = 2) -> Code:
        """Return an expression of a kind."""
        if depth <= 0 or self.likely(0.3):
            return self.leaf(scope, kind)
        if self.likely(0.06) and scope.outer is None:
            found = self.subquery(scope, kind)
            if found is not None:
                return found
        made = MADE[kind]
        if (
            self.vendor == "postgresql"
        ):  # where Django gives a Decimal for what is extracted, within another function
            made = [template for template in made if not template.startswith(("Extract", "Trunc"))]
            # A Value(0.5) is a numeric there, which rounds to 1, and here a double, which rounds to 0.
            made = [template for template in made if template != "Cast({float}, IntegerField())"]
        return self.templated(kind, self.chance.choice(made), scope, depth)

    def templated(self, kind: str, template: str, scope: Scope, depth: int) -> Code:
        """Fill the gaps of a template."""
        text, parts = "", []
        while "{" in template:
            before, rest = template.split("{", 1)
            wanted, template = rest.split("}", 1)
            text += before + "{}"
            if wanted == "q":
                parts.append(self.condition(scope.single(), 1))
            else:
                parts.append(self.expression(scope, wanted, depth - 1))
        return Code(kind, text + template, tuple(parts))

    def leaf(self, scope: Scope, kind: str) -> Code:
        """Return F() or Value()."""
        found = self.reference(scope, kind)
        if found is not None and kind == "text" and self.likely(0.08):
            return Code(
                kind, str(found) + self.chance.choice(["[:2]", "[1:3]", "[2:]", "[0]"]), lookup=found.lookup
            )
        if found is not None and self.likely(0.9):
            return found
        json = scope.table.of_kind("json")
        if kind == "text" and json and self.likely(0.3):
            name = self.chance.choice(json) + self.chance.choice(["__a", "__a__b", "__0"])
            # Django's is a number where the value is one, on SQLite, and compares as JSON.
            return Code(kind, f"Cast(KT('{name}'), TextField())")
        if kind == "json":
            return Code(kind, "Value({'a': 1}, JSONField())")
        return Code(kind, f"Value({self.literal(kind)})")

    def subquery(self, scope: Scope, kind: str) -> Code | None:
        """Return a Subquery of one value."""
        inner = self.correlated(scope)
        model = str(inner).split(".", 1)[0]
        table = self.schema.models[model]
        if kind == "integer" and self.likely(0.3):
            return Code(
                kind,
                "Subquery({}.order_by().values('"
                + self.grouped_by(table)
                + "').annotate(total=Count('pk')).order_by('total', '"
                + self.grouped_by(table)
                + "').values('total')[:1])",
                (inner,),
            )
        # The key of a child is its parent's, with which Django's arithmetic has trouble.
        names = [name for name in table.of_kind(kind) if not (table.parent and name == "id")]
        if not names:
            return None
        name = self.chance.choice(names)
        order = self.chance.choice([f"'{name}', 'pk'", f"'-{name}', 'pk'", "'-pk'"])
        return Code(kind, f"Subquery({{}}.order_by({order}).values('{name}')[:1])", (inner,))

    def grouped_by(self, table: object) -> str:
        """Return a column to group by."""
        return "pk"

    # Aggregates

    def aggregate(self, scope: Scope, plain: bool = False) -> tuple[Code, str]:
        """Return an aggregate and the kind of its value."""
        options: list[str] = []
        parts: list[Code] = []
        name = self.chance.choice(["Count", "Count", "Sum", "Min", "Max", "Avg", "StdDev", "Variance"])
        if name == "Count":
            kind, what = "integer", self.counted(scope)
        elif name in ("Sum", "Avg"):
            of = self.chance.choice(["integer", "integer", "decimal", "float", "duration"])
            what = self.summed(scope, of)
            kind = of if name == "Sum" else {"integer": "float"}.get(of, of)
        elif name in ("Min", "Max"):
            kind = self.chance.choice([k for k in VALUED if k != "boolean"])
            what = self.summed(scope, kind)
        else:
            kind, what = "float", self.summed(scope, self.chance.choice(["integer", "float"]))
        parts.append(what)
        if not plain and self.likely(0.2):
            options.append("filter={}")
            parts.append(self.possible(scope, 1))
        if name in ("Count", "Sum", "Avg") and self.likely(0.2) and str(what) != "'*'":
            options.append("distinct=True")
        if name != "Count" and self.likely(0.15) and kind in ("integer", "decimal", "float", "text"):
            options.append(f"default={self.literal(kind)}")
        return Code("aggregate", f"{name}({', '.join(['{}', *options])})", tuple(parts)), kind

    def possible(self, scope: Scope, depth: int, negated: bool = False) -> Code:
        """Return a condition that is not impossible for certain: Django's HAVING has no rows then."""
        while True:
            found = self.condition(scope, depth, negated)
            if "[]" not in str(found) and "[None]" not in str(found):
                return found

    def counted(self, scope: Scope) -> Code:
        """Return what Count() counts."""
        parts, table, _many = self.path(scope)
        if not parts and self.likely(0.3):
            return Code("value", "'*'")
        last = [] if parts and self.likely(0.6) else [self.chance.choice([*table.columns, "pk"])]
        name = "__".join([*parts, *last])
        return Code("value", f"'{name}'", lookup=(scope.table.name, name))

    def summed(self, scope: Scope, kind: str) -> Code:
        """Return what an aggregate sums up."""
        found = self.reference(scope, kind) if self.likely(0.8) else None
        if found is None and kind in (
            "date",
            "time",
        ):  # PostgreSQL truncates to a datetime, which Django then gives
            return Code(kind, f"Value({self.literal(kind)})")
        return found or self.expression(scope, kind, 1)

    def window(self, scope: Scope) -> tuple[Code, str]:
        """Return a window function over a total order and the kind of its value."""
        scope = Scope(scope.table, {}, False, scope.outer, 1)
        over = self.chance.choice(["F('pk').asc()", "['pk']", "F('pk').desc()", self.ordered(scope)])
        options: list[str] = []
        parts: list[Code] = []
        kind = self.chance.choice(["integer", "text", "date"])
        value = self.reference(scope, kind)
        if self.likely(0.5):
            by = self.reference(scope, self.chance.choice(["integer", "text"]))
            if by is not None:
                options.append("partition_by=[{}]")
                parts.append(by)
        options.append(f"order_by={over}")
        draw = self.chance.random()
        if draw < 0.35 or value is None:
            name = self.chance.choice(
                ["RowNumber()", "Rank()", "DenseRank()", "PercentRank()", "CumeDist()", "Ntile(2)"]
            )
            kind = "float" if name.startswith(("Percent", "Cume")) else "integer"
            return self.windowed(Code("window", name), options, parts), kind
        if draw < 0.65:
            name = self.chance.choice(
                ["Lag({})", "Lead({})", "FirstValue({})", "LastValue({})", "NthValue({}, 2)", "Lag({}, 2)"]
            )
            if name.startswith(("First", "Last", "Nth")):
                options[-1] += self.chance.choice(FRAMES)
            return self.windowed(Code("window", name, (value,)), options, parts), kind
        name = self.chance.choice(
            ["Count({})", "Max({})", "Min({})", *(["Sum({})", "Avg({})"] if kind == "integer" else [])]
        )
        options[-1] += self.chance.choice(FRAMES)
        made = self.windowed(Code("window", name, (value,)), options, parts)
        return made, "integer" if name.startswith("Count") else "float" if name.startswith("Avg") else kind

    def windowed(self, function: Code, options: list[str], parts: list[Code]) -> Code:
        """Return Window(function, ...)."""
        return Code("windowed", f"Window({{}}, {', '.join(options)})", (function, *parts))

    def ordered(self, scope: Scope) -> str:
        """Return an order with the key last."""
        names = scope.table.of_kind("integer", "text", "date")
        if not names:
            return "['pk']"
        return f"[F('{self.chance.choice(names)}').{self.chance.choice(['asc()', 'desc(nulls_last=True)'])}, 'pk']"
