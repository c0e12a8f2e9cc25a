"""Random chains of QuerySet methods, and ends that read their result."""

from __future__ import annotations

import re
from dataclasses import replace

from .conditions import Scope
from .expressions import VALUED, Expressions
from .schemas import Relation, Table
from .source import Code, Question

QUOTED = re.compile(r"'-?(\w+)'")
EMPTY = re.compile(r"\[(|None|:0|(\d):\2)\]")  # values of which there are none, slices without rows
SORTABLE = ["text", "integer", "decimal", "float", "boolean", "date", "datetime", "time", "duration", "uuid"]


class Chains(Expressions):
    """Writes questions that read."""

    def question(self) -> Question:
        """Return a random question."""
        names = [name for name in self.schema.models if name[0] != "T" or self.likely(0.4)]
        return Chain(self, self.schema.models[self.chance.choice(names)]).question()

    def multiple_root(self, table: Table, name: str) -> tuple[str, ...] | None:
        """Return the relations of a name up to the first that leads to several rows, or None."""
        found: list[str] = []
        for part in name.split("__"):
            relation = table.relations.get(part)
            if relation is None:
                return None
            found.append(part)
            if relation.many:
                return tuple(found)
            table = self.schema.models[relation.target]
        return None


class Chain:
    """One question in the making."""

    def __init__(self, writer: Chains, table: Table) -> None:
        self.writer = writer
        self.chance = writer.chance
        self.likely = writer.likely
        self.table = table
        self.scope = Scope(table)
        self.steps: list[Code] = []
        self.repeats = False  # whether an object may come with several values
        self.grouped: list[str] = []  # the names that rows are grouped by
        self.totals: list[str] = []
        self.windows: set[str] = set()  # annotations with a window, which can't be aggregated
        self.shown: list[str] = []  # annotations
        self.roots: set[tuple[str, ...]] = set()
        self.multiplied = False  # whether an aggregate minds that rows repeat

    def question(self) -> Question:
        """Return a random question about the model."""
        draw = self.chance.random()
        if draw < 0.09:
            return self.related_objects()
        if draw < 0.14:
            return self.combined()
        if draw < 0.30:
            return self.groups()
        self.conditions()
        self.annotations()
        if self.likely(0.5):
            self.conditions()
        return self.plain_end()

    def add(self, kind: str, text: str, *parts: Code, negates: bool = False, fixed: bool = False) -> None:
        """Add a step."""
        self.steps.append(Code(kind, text, parts, negates=negates, fixed=fixed))

    def conditions(self) -> None:
        """Add filter() and exclude(), some with several arguments."""
        self.scope.json = not self.totals  # groups by a key of a document are those by the document here
        for _ in range(self.chance.choice([0, 1, 1, 2, 3])):
            negated = self.likely(0.4)
            how = "exclude" if negated else "filter"
            write = self.writer.possible if self.totals else self.writer.condition
            asked = [write(self.scope, 2, negated) for _ in range(self.chance.choice([1, 1, 2]))]
            self.steps.append(Code("step", f".{how}({{}})", tuple(asked), ", ", negates=negated))

    def annotations(self, totals: bool = True) -> None:
        """Add annotate() and alias(); of aggregates and windows, too, if these are not to be grouped."""
        for _ in range(self.chance.choice([0, 0, 1, 1, 2])):
            name = f"x{len(self.steps)}"
            how = "alias" if self.likely(0.15) else "annotate"
            draw = self.chance.random() if totals else 0.4 + 0.6 * self.chance.random()
            if draw < 0.4:
                made, kind = self.single_root()
                self.totals.append(name)
            elif draw < 0.5 and totals:
                made, kind = self.writer.window(self.scope)
                self.windows.add(name)
            elif draw < 0.54:
                self.filtered_relation(name)
                continue
            else:
                kind = self.chance.choice([*VALUED, "json"])
                if self.likely(0.08):
                    kind, made = "boolean", self.writer.exists(self.scope)
                else:
                    made = self.writer.expression(
                        self.scope if self.likely(0.1) else self.scope.single(), kind
                    )
                self.repeats |= self.reads_many(made)
            self.add("step", f".{how}({name}={{}})", made)
            if how == "annotate":
                self.shown.append(name)
            self.scope.named[name] = kind

    def filtered_relation(self, name: str) -> None:
        """Add a FilteredRelation and something that uses it."""
        # Where there must be a row, Django's join is an inner one, which the condition then narrows. Of a
        # many-to-many relation it shares the table in between with what else is joined over it.
        relations = [r for r in self.table.relations.values() if (r.many or r.null) and not r.through]
        if not relations:
            return
        relation = self.chance.choice(relations)
        target = self.writer.schema.models[relation.target]
        inner = self.writer.lookup(Scope(target, hops=0))
        if inner.lookup is None or ".objects" in str(inner) or "[]" in str(inner) or "[None]" in str(inner):
            return
        text = str(inner).replace("Q(", f"Q({relation.name}__", 1)
        self.add(
            "step", f".annotate({name}=FilteredRelation('{relation.name}', condition={text}))", fixed=True
        )
        column = self.chance.choice(list(target.columns))
        if self.likely(0.5):
            self.add("step", f".filter({name}__{column}__isnull={self.chance.choice(['True', 'False'])})")
        elif relation.many and not self.roots:  # its join is another than an aggregate's over the relation
            self.roots.add((relation.name, name))
            self.multiplied = True
            self.add("step", f".annotate({name}n=Count('{name}__{column}'))")
            self.shown.append(f"{name}n")
            self.totals.append(f"{name}n")
        else:
            self.add("step", f".annotate({name}v=F('{name}__{column}'))")
            self.shown.append(f"{name}v")
            self.repeats |= relation.many

    def reads_many(self, code: Code) -> bool:
        """Tell whether a piece names columns over a relation that leads to several rows."""
        return any(
            piece.lookup is not None
            and piece.lookup[0] == self.table.name
            and self.writer.multiple_root(self.table, piece.lookup[1]) is not None
            for piece, _ in code.walk()
        )

    def single_root(self) -> tuple[Code, str]:
        """Return an aggregate that reads no other multi-valued relation than those before it.

        Over several, Django's aggregates multiply one another's rows, and only those that don't mind are right. Here
        each has its own.
        """
        for _ in range(8):
            named = {
                name: kind
                for name, kind in self.scope.named.items()
                if name not in self.windows and name not in self.totals
            }
            made, kind = self.writer.aggregate(Scope(self.table, named))
            found = {
                root
                for piece, _ in made.walk()
                if piece.lookup is not None and piece.lookup[0] == self.table.name
                for root in [self.writer.multiple_root(self.table, piece.lookup[1])]
                if root is not None
            }
            alone = not str(made).startswith(("Min", "Max")) and "distinct=True" not in str(made)
            if len(self.roots | found) <= 1 or not (alone or self.multiplied):
                self.roots |= found
                self.multiplied |= alone
                return made, kind
        return Code("aggregate", "Count('pk', distinct=True)"), "integer"

    # Ends

    def order(self, fixed: bool = True) -> None:
        """Add a total order."""
        self.add(
            "order",
            f".order_by({', '.join([*self.sort_keys(), repr(self.chance.choice(['pk', '-pk']))])})",
            fixed=fixed,
        )

    def impossible(self, name: str) -> bool:
        """Tell whether an annotation has a condition that nothing can meet: sorting by it may empty Django's query."""
        return any(f"({name}=" in str(step) and EMPTY.search(str(step)) for step in self.steps)

    def sort_keys(self, columns: int = 2) -> list[str]:
        """Return what to sort by before the key."""
        found: list[str] = []
        for _ in range(self.chance.choice([0, 1, 1, columns])):
            if self.shown and self.likely(0.3):
                sortable = [
                    n for n in self.shown if self.scope.named.get(n) in SORTABLE and not self.impossible(n)
                ]
                if sortable:
                    found.append(repr(self.chance.choice(["", "-"]) + self.chance.choice(sortable)))
                    continue
            parts, table, _many = self.writer.path(self.scope if self.likely(0.2) else self.scope.single())
            if parts and self.likely(0.2):
                found.append(repr(self.chance.choice(["", "-"]) + "__".join(parts)))
                continue
            names = table.of_kind(*SORTABLE)
            name = "__".join([*parts, self.chance.choice(names)])
            if self.likely(0.2):
                how = self.chance.choice(
                    ["asc(nulls_first=True)", "desc(nulls_last=True)", "asc(nulls_last=True)", "desc()"]
                )
                found.append(f"F('{name}').{how}")
            elif self.likely(0.1):
                of = self.chance.choice(["integer", "text"])
                found.append(
                    str(self.writer.expression(self.scope.single(), of, 1))
                    + self.chance.choice([".asc()", ".desc()"])
                )
            else:
                found.append(repr(self.chance.choice(["", "-"]) + name))
        return found

    def end(self, text: str, *parts: Code, exact: bool = False) -> Question:
        """Return the question."""
        return Question(self.table.name, tuple(self.steps), Code("end", text, parts, fixed=not parts), exact)

    def plain_end(self) -> Question:
        """End a chain of conditions and annotations."""
        ordered = self.likely(0.55)
        if self.likely(0.08):
            self.loading()
        if (
            self.likely(0.12) and not self.windows and not self.totals
        ):  # of rows that a window's value chose, Django's are not distinct
            self.add("step", ".distinct()")
        if ordered:
            self.order()
        exact = ordered and not self.repeats and not (self.windows and self.joins_rows())
        sliced = exact and self.likely(0.4)
        if sliced and self.likely(0.8):
            self.slice()
        asked = "".join(map(str, self.steps))
        if self.likely(0.03) and not EMPTY.search(asked):  # else nothing is asked
            self.mistake()
        draw = self.chance.random()
        if draw < 0.3:
            return self.end("list(<queryset>)", exact=exact)
        if draw < 0.5:
            return self.values_end(exact, sliced)
        if draw < 0.6:
            return self.end("<queryset>.count()")
        if draw < 0.65:
            return self.end("<queryset>.exists()")
        if draw < 0.78:
            return self.summary()
        return self.other_end(exact, sliced)

    def slice(self) -> None:
        """Add a slice."""
        start = self.chance.choice([0, 0, 1, 2])
        stop = start + self.chance.choice([0, 1, 2, 3, 5])
        self.add("step", self.chance.choice([f"[{start}:{stop}]", f"[:{stop}]", f"[{start}:]"]))

    def mistake(self) -> None:
        """Add a step that is refused, at least where it stands."""
        column = self.chance.choice(list(self.table.columns))
        self.add(
            "step",
            self.chance.choice(
                [
                    ".filter(nope=1)", ".order_by('nope')", ".values('nope')", f".filter({column}__nope=1)",
                    f".filter({column}__nope__exact=1)", f".annotate({column}=Value(1))", "[-1]", "[:3].filter(pk=1)",
                    "[:3].order_by('pk')", ".select_related('nope')", ".only('nope')", ".annotate(y=F('nope'))",
                    f".order_by('{column}__nope')", ".filter(pk__in=3)", ".filter(pk__range=(1,))", ".filter(pk__isnull=1)",
                    ".annotate(y=Sum(Count('pk')))", ".filter(1)", ".annotate(Count('pk') + 1)", ".prefetch_related('nope')",
                    ".values('pk').only('pk')", ".reverse()[:2].last()", ".filter(pk=[1])", ".dates('pk', 'year')",
                    f".earliest('{column}')", ".in_bulk(field_name='nope')", ".values_list('pk', 'pk', flat=True)", ".aggregate(F('pk'))",
                    ".annotate(y=Value(1), z=F('y') + 1)", ".order_by(F('nope').asc())", ".union(1)", ".exclude(pk=F('nope'))",
                ]
            ),
        )  # fmt: skip

    def loading(self) -> None:
        """Add only() or defer()."""
        names = [n for n in self.table.columns if n != self.table.key]
        if names:
            how = self.chance.choice(["only", "defer"])
            chosen = self.chance.sample(names, min(len(names), self.chance.randint(1, 2)))
            self.add("step", f".{how}({', '.join(map(repr, chosen))})")

    def names(self) -> list[str]:
        """Return names to select."""
        found: list[str] = []
        for _ in range(self.chance.choice([1, 2, 2, 3])):
            if self.shown and found and self.likely(0.4):
                found.append(self.chance.choice(self.shown))
                continue
            parts, table, many = self.writer.path(self.scope if self.likely(0.15) else self.scope.single())
            self.repeats |= many
            last = [self.chance.choice([*table.columns, "pk"])] if not parts or self.likely(0.8) else []
            if self.windows and last in (
                [],
                ["pk"],
            ):  # Django selects a column once there, whatever its names
                last = [table.key]
            found.append("__".join([*parts, *last]))
        return list(dict.fromkeys(found))

    def values_end(self, exact: bool, sliced: bool) -> Question:
        """End with values() or values_list()."""
        before = self.repeats
        names = self.names()
        if sliced and self.repeats != before:
            self.repeats, names = before, ["pk"]
        exact &= not self.repeats
        shown = [repr(name) for name in names]
        draw = self.chance.random()
        if draw < 0.15:
            return self.end(f"list(<queryset>.values_list({shown[0]}, flat=True))", exact=exact)
        if draw < 0.25:
            return self.end("list(<queryset>.values())", exact=exact)
        if draw < 0.35:
            made = self.writer.expression(self.scope.single(), self.chance.choice(VALUED), 1)
            how = self.chance.choice(["values", "values_list"])
            return self.end(
                f"list(<queryset>.{how}({', '.join(shown)}, v={{}}))"
                if how == "values"
                else f"list(<queryset>.{how}({', '.join(shown)}, {{}}))",
                made,
                exact=exact,
            )
        how = self.chance.choice(["values({})", "values_list({})", "values_list({}, named=True)"])
        if self.likely(0.15) and not self.windows and not self.totals:
            self.add("step", f".{how}".replace("{}", ", ".join(shown)), fixed=True)
            self.add("step", ".distinct()")
            self.steps = [s for s in self.steps if not str(s).startswith((".order_by", "["))]
            self.steps.insert(0, Code("order", ".order_by()", fixed=True))
            return self.end("list(<queryset>)" if self.likely(0.7) else "<queryset>.count()")
        return self.end(f"list(<queryset>.{how.replace('{}', ', '.join(shown))})", exact=exact)

    def summary(self) -> Question:
        """End with aggregate()."""
        parts: list[Code] = []
        for _ in range(self.chance.choice([1, 1, 2])):
            if self.shown and self.likely(0.4):
                name = self.chance.choice(self.shown)
                kind = self.scope.named.get(name)
                how = self.chance.choice(
                    ["Sum", "Avg", "Max", "Min", "Count"]
                    if kind in ("integer", "float", "decimal")
                    else ["Max", "Min", "Count"]
                    if kind in SORTABLE and kind not in ("boolean", "uuid")
                    else ["Count"]
                )
                made = Code("aggregate", f"{how}('{name}')")
            else:
                # Over several rows of a relation, what counts once depends on what else is selected.
                before = any(str(step).startswith(("[", ".distinct")) for step in self.steps)
                many = not (self.shown or self.totals or before)
                made, _kind = self.writer.aggregate(Scope(self.table, many=many))
            parts.append(Code("named", f"z{len(parts)}={{}}", (made,)))
        inside = Code("args", "{}", tuple(parts), ", ")
        return self.end("<queryset>.aggregate({})", inside)

    def other_end(self, exact: bool, sliced: bool) -> Question:
        """End with one of the other methods."""
        key = self.chance.choice(self.writer.rows.keys[self.table.name] or ["1"])
        draw = self.chance.random()
        if draw < 0.25 and exact:
            return self.end(
                f"<queryset>.{self.chance.choice(['first()', 'last()', 'reverse()[:2]', 'reverse().first()'])}",
                exact=True,
            )
        if draw < 0.45 and not self.shown and not self.totals and not self.windows:
            return self.dates()
        if draw < 0.55:
            return self.end("<queryset>.get()")
        if draw < 0.7 and not sliced and not self.repeats:
            return self.end(f"<queryset>.in_bulk({self.chance.choice(['', f'[{key}]'])})")
        if draw < 0.8 and exact:
            names = self.table.of_kind("integer", "date", "datetime", "text")
            if names:
                how = self.chance.choice(["earliest", "latest"])
                return self.end(f"<queryset>.{how}('{self.chance.choice(names)}', 'pk')", exact=True)
        if draw < 0.88:
            return self.end(f"<queryset>.contains({self.table.name}.objects.get(pk={key}))")
        if draw < 0.94:
            return self.end("list(<queryset>.iterator(chunk_size=3))", exact=exact)
        return self.end(
            "list(<queryset>.none() | <queryset>)" if not sliced else "list(<queryset>)", exact=exact
        )

    def dates(self) -> Question:
        """End with dates() or datetimes()."""
        self.steps = [
            s for s in self.steps if s.kind != "order" and not str(s).startswith(("[", ".only", ".defer"))
        ]
        for kind, how, periods in (
            ("date", "dates", ["year", "month", "week", "day"]),
            ("datetime", "datetimes", ["year", "month", "week", "day", "hour", "minute", "second"]),
        ):
            names = self.table.of_kind(kind)
            if names:
                period = self.chance.choice(periods)
                order = self.chance.choice(["", ", order='DESC'"])
                return self.end(
                    f"list(<queryset>.{how}('{self.chance.choice(names)}', '{period}'{order}))", exact=True
                )
        return self.end("list(<queryset>)")

    # Groups

    def groups(self) -> Question:
        """Ask for groups: values() and annotate() in both orders, with conditions around them."""
        self.conditions()
        if self.likely(0.3):
            self.annotations(totals=False)
        self.repeats = False
        first = self.names()
        named = ""
        if self.likely(0.25):
            kind = self.chance.choice(["integer", "text", "date"])
            made = self.writer.expression(self.scope.single(), kind, 1)
            self.add("step", f".values({', '.join(map(repr, first))}, g={{}})", made, fixed=True)
            named, self.scope.named["g"] = "g", kind
        else:
            self.add("step", f".values({', '.join(map(repr, first))})", fixed=True)
        if not self.likely(0.15):
            self.steps.insert(0, Code("order", ".order_by()", fixed=True))
        totals = []
        before = Scope(self.table, dict(self.scope.named))
        for number in range(self.chance.choice([1, 1, 2])):
            made, kind = self.writer.aggregate(before if self.likely(0.7) else Scope(self.table))
            totals.append(f"k{number}")
            self.totals.append(f"k{number}")
            self.add("step", f".annotate(k{number}={{}})", made)
            self.scope.named[f"k{number}"] = kind
        self.scope.outer = self.table  # no subqueries in HAVING
        if self.writer.vendor == "postgresql":
            # Said in GROUP BY and in HAVING, an expression has other parameters, which is another to PostgreSQL.
            self.scope.named = {name: kind for name, kind in self.scope.named.items() if name in totals}
        if self.likely(0.4):
            self.conditions()
        draw = self.chance.random()
        if draw < 0.1:
            return self.end("<queryset>.count()")
        if draw < 0.2:
            kind = self.scope.named["k0"]
            how = self.chance.choice(
                ["Sum", "Max", "Avg"] if kind in ("integer", "float") else ["Max", "Count"]
            )
            return self.end(f"<queryset>.aggregate(z={how}('k0'))")
        if draw < 0.35:
            chosen = self.chance.sample([*first, *totals], 1)
            return self.end(f"list(<queryset>.values_list({', '.join(map(repr, chosen))}))")
        if draw < 0.6 and all(map(self.sorts, first)):
            by = [*first, *([named] if named else []), *totals[:1]]
            self.add(
                "order",
                f".order_by({', '.join(self.chance.choice(['', '-']).join([chr(39), n + chr(39)]) for n in by)})",
                fixed=True,
            )
            if self.likely(0.4) and len(totals) == 1:
                self.slice()
            return self.end("list(<queryset>)", exact=len(totals) == 1)
        return self.end("list(<queryset>)" if self.likely(0.9) else "<queryset>.exists()")

    def joins_rows(self) -> bool:
        """Tell whether a step names a relation that leads to several rows: windows number them in no order then."""
        names = QUOTED.findall("".join(map(str, self.steps)))
        return any(self.writer.multiple_root(self.table, name) is not None for name in names)

    def sorts(self, name: str) -> bool:
        """Tell whether a name orders rows by what it shows: JSON doesn't, nor does a relation."""
        if name in self.scope.named:
            return self.scope.named[name] in SORTABLE
        table = self.table
        *path, last = name.split("__")
        for part in path:
            table = self.writer.schema.models[table.relations[part].target]
        return last == "pk" or (last in table.columns and table.columns[last].kind in SORTABLE)

    # Set operations

    def combined(self) -> Question:
        """Ask for a union, an intersection or a difference."""
        sides: list[Code] = []
        names = [self.chance.choice(self.table.of_kind("integer", "text", "decimal", "date") or ["pk"]), "pk"]
        if self.likely(0.4):
            names = names[:1]
        valued = self.likely(0.6)
        tail = (
            self.chance.choice([".values({})", ".values_list({})"]).replace("{}", ", ".join(map(repr, names)))
            if valued
            else ""
        )
        for _ in range(self.chance.choice([2, 2, 3])):
            how = self.chance.choice(["filter", "exclude"])
            asked = self.writer.condition(Scope(self.table), 1, how == "exclude")
            if "[]" in str(asked):  # a side that can't find anything: Django has the others' rows repeat then
                asked = Code("q", "Q(pk__isnull=False)")
            sides.append(
                Code(
                    "inner",
                    f"{self.table.name}.objects.order_by().{how}({{}}){tail}",
                    (asked,),
                    negates=how == "exclude",
                )
            )
        kind = self.chance.choice(["union", "union", "intersection", "difference"])
        option = ", all=True" if kind == "union" and self.likely(0.3) else ""
        around = self.likely(0.2) and kind != "difference"
        first, *others = sides
        self.steps = []
        inside = Code("args", "{}", tuple(others), ", ", fixed=len(others) == 1)
        text = f"{{}}.{kind}({{}}{option})"
        parts: tuple[Code, ...] = (first, inside)
        if not valued and not around and not option and self.likely(0.3):
            # The operators of two querysets instead.
            text, parts = f"({{}} {self.chance.choice(['&', '|'])} {{}})", (first, others[0])
            end = self.chance.choice(["list({})", "{}.count()", "list({}.distinct())"])
            return self.end(end.replace("{}", text), *parts)
        if self.likely(0.6) and not option:
            text += f".order_by({', '.join(repr(self.chance.choice(['', '-']) + n) for n in (names if valued else ['pk']))})"
            if self.likely(0.5):
                text += self.chance.choice(["[:2]", "[1:3]", "[1:]"])
            return self.end(f"list({text})", *parts, exact=True)
        end = self.chance.choice(["list({})", "list({})", "{}.count()", "{}.exists()"])
        return self.end(end.replace("{}", text, 1), *parts)

    # Related objects

    def related_objects(self) -> Question:
        """Ask for objects with their related ones: select_related(), prefetch_related(), only()."""
        self.conditions()
        self.repeats = False
        graph = ["o"]
        parent = self.writer.schema.models.get(self.table.parent, self.table)
        inherited = set() if parent is self.table else set(parent.relations)
        # select_related() takes no way back to another child of the parent.
        singles = [
            r for r in self.table.relations.values() if not r.many and (r.forward or r.name not in inherited)
        ]
        if singles and self.likely(0.6):
            graph += self.joined_objects(singles)
        elif singles and self.likely(0.2):
            self.add("step", ".select_related()")
            graph += [f"getattr(o, '{r.accessor}', None)" for r in singles if r.forward]
        many = list(self.table.relations.values())
        for relation in self.chance.sample(many, min(len(many), self.chance.choice([0, 1, 1, 2]))):
            graph.append(self.prefetched(relation))
        self.order()
        if self.likely(0.3):
            self.slice()
        asked = self.end(f"[({', '.join(graph)},) for o in <queryset>]", exact=True)
        return replace(asked, loads=True)

    def joined_objects(self, singles: list[Relation]) -> list[str]:
        """Add select_related(), with only() sometimes; return what reads the objects."""
        chosen = self.chance.sample(singles, min(len(singles), self.chance.choice([1, 2])))
        paths, graph, only = [], [], []
        for relation in chosen:
            target = self.writer.schema.models[relation.target]
            read = f"getattr(o, '{relation.accessor}', None)"
            further = [r for r in target.relations.values() if not r.many]
            path = relation.name
            graph.append(read)
            only += [f"{relation.name}__{self.chance.choice(target.own)}"]
            if further and self.likely(0.5):
                second = self.chance.choice(further)
                path += f"__{second.name}"
                graph.append(f"getattr({read}, '{second.accessor}', None)")
                only.append(f"{path}__{self.writer.schema.models[second.target].key}")
            paths.append(path)
        self.add("step", f".select_related({', '.join(map(repr, paths))})")
        if self.likely(0.2):
            own = [r.name for r in chosen]
            links = {self.table.key} if self.table.parent else set[str]()
            if any(not r.forward or r.name in links for r in chosen) or any("__" in path for path in paths):
                return graph
            how = self.chance.choice(["only", "defer"])
            names = [*own, *only] if how == "only" else only
            self.add("step", f".{how}({', '.join(map(repr, names))})")
        return graph

    def prefetched(self, relation: Relation) -> str:
        """Add prefetch_related(); return what reads the objects."""
        target = self.writer.schema.models[relation.target]
        read = f"o.{relation.accessor}.all()" if relation.many else f"getattr(o, '{relation.accessor}', None)"
        draw = self.chance.random()
        if draw < 0.4 or not relation.many:
            further = list(target.relations.values())
            if further and self.likely(0.4):
                second = self.chance.choice(further)
                self.add("step", f".prefetch_related('{relation.accessor}__{second.accessor}')")
                deep = (
                    f"bag(x.{second.accessor}.all())"
                    if second.many
                    else f"getattr(x, '{second.accessor}', None)"
                )
                source = read if relation.many else f"([{read}] if {read} else [])"
                return f"bag((x, {deep}) for x in {source})"
            self.add("step", f".prefetch_related('{relation.accessor}')")
            return f"bag({read})" if relation.many else read
        how = self.chance.choice(["filter", "exclude"])
        # Django takes a table in between that is joined twice for one of the two.
        scope = Scope(target).alone() if relation.through else Scope(target)
        asked = self.writer.condition(scope, 1, how == "exclude")
        names = target.of_kind("integer", "text", "date")
        order = f"'{self.chance.choice(['', '-'])}{self.chance.choice(names)}', 'pk'" if names else "'pk'"
        sliced = self.chance.choice(["", "", "[:2]", "[1:3]"])
        to = f"got{len(self.steps)}" if sliced or self.likely(0.5) else ""
        option = f", to_attr='{to}'" if to else ""
        self.add(
            "step",
            f".prefetch_related(Prefetch('{relation.accessor}', {relation.target}.objects.{how}({{}}).order_by({order}){sliced}{option}))",
            asked,
            negates=how == "exclude",
        )
        return f"list(getattr(o, '{to}', ()))" if to else f"list({read})"
