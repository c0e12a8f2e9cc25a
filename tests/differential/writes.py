"""Random sequences of writes; the tables are compared afterwards."""

from __future__ import annotations

import re

from .chains import Chains
from .conditions import Scope
from .schemas import Table
from .source import Code, Question


class Writes(Chains):
    """Writes questions that change rows."""

    def changes(self) -> Question:
        """Return one to three changes, in a transaction that is rolled back."""
        names = list(self.schema.models)
        made = [
            self.change(self.schema.models[self.chance.choice(names)])
            for _ in range(self.chance.choice([1, 1, 2, 3]))
        ]
        inside = Code("changes", "[{}]", tuple(made), ", ")
        return Question(names[0], (), Code("end", "{}", (inside,)), False, True)

    def change(self, table: Table) -> Code:
        """Return one change, whose error is a result."""
        kinds = [
            self.updated,
            self.updated,
            self.deleted,
            self.created,
            self.saved,
            self.got,
            self.many,
            self.many,
            self.bulk,
            self.removed,
        ]
        return Code("attempt", "attempt(lambda: {})", (self.chance.choice(kinds)(table),))

    def key(self, table: Table) -> str:
        """Return a key of a row, mostly one that is there."""
        return self.chance.choice(self.rows.keys[table.name] or ["1"])

    def chosen(self, table: Table) -> Code:
        """Return a queryset of some rows."""
        how = self.chance.choice(["filter", "filter", "exclude"])
        asked = self.condition(Scope(table), 1, how == "exclude")
        return Code("queryset", f"{table.name}.objects.{how}({{}})", (asked,), negates=how == "exclude")

    def assigned(self, table: Table, expressions: bool = True) -> list[Code]:
        """Return keywords that set columns."""
        found: list[Code] = []
        names = [n for n in table.columns if n != table.key and not table.columns[n].unique]
        for name in self.chance.sample(names, min(len(names), self.chance.choice([1, 1, 2]))):
            column = table.columns[name]
            draw = self.chance.random()
            if column.null and draw < 0.2:
                value = Code("value", "None")
            elif expressions and draw < 0.5 and not table.parent:  # whose columns are in two tables
                value = self.expression(Scope(table, hops=0), column.kind)
                if "[]" in str(
                    value
                ):  # a subquery that can't find anything: Django's update() does nothing then
                    value = Code("value", self.literal(column.kind))
            else:
                value = Code("value", self.literal(column.kind))
            found.append(Code("assigned", f"{name}={{}}", (value,)))
        keys = [r for r in table.relations.values() if r.forward and not r.many and r.name[0] in "rst"]
        if keys and self.likely(0.25):
            relation = self.chance.choice(keys)
            there = (self.rows.codes if relation.values == "code" else self.rows.keys)[relation.target]
            value = "None" if (relation.null and self.likely(0.3)) or not there else self.chance.choice(there)
            found.append(
                Code(
                    "assigned",
                    f"{relation.name if relation.values == 'pk' else relation.name + '_id'}={{}}",
                    (Code("value", value),),
                )
            )
        return found

    def updated(self, table: Table) -> Code:
        """Return an update()."""
        chosen = self.chosen(table)
        if "[]" in str(chosen):  # nothing: Django looks at what is assigned, all the same
            chosen = Code("queryset", f"{table.name}.objects.all()")
        assigned = Code("args", "{}", tuple(self.assigned(table)), ", ")
        return Code("change", "{}.update({})", (chosen, assigned))

    def deleted(self, table: Table) -> Code:
        """Return a delete() of some rows."""
        return Code("change", "{}.delete()", (self.chosen(table),))

    def removed(self, table: Table) -> Code:
        """Return a delete() of one object."""
        return Code("change", f"{table.name}.objects.get(pk={self.key(table)}).delete()")

    def new_row(self, table: Table) -> str:
        """Return the keywords of a new row, some of which clash with rows that are there."""
        counts = (
            dict(self.rows.counts),
            {k: list(v) for k, v in self.rows.keys.items()},
            {k: list(v) for k, v in self.rows.codes.items()},
        )
        chance, self.rows.chance = self.rows.chance, self.chance
        if self.likely(0.2):
            for name in self.rows.counts:
                self.rows.counts[name] = max(0, self.rows.counts[name] - 1)
        given = self.rows.values_of(table) or []
        self.rows.counts, self.rows.keys, self.rows.codes = counts
        self.rows.chance = chance
        return ", ".join(given)

    def created(self, table: Table) -> Code:
        """Return a create()."""
        return Code("change", f"{table.name}.objects.create({self.new_row(table)})")

    def saved(self, table: Table) -> Code:
        """Return a save() of a changed object."""
        given = ", ".join(map(str, self.assigned(table, False)))
        return Code("change", f"change({table.name}.objects.get(pk={self.key(table)}), {given})")

    def got(self, table: Table) -> Code:
        """Return get_or_create() or update_or_create()."""
        how = self.chance.choice(["get_or_create", "update_or_create"])
        given = self.new_row(table)
        if self.likely(0.5):
            return Code("change", f"{table.name}.objects.{how}(pk={self.key(table)}, defaults=dict({given}))")
        name = self.chance.choice(list(table.columns))
        kind = table.columns[name].kind
        value = self.key(table) if name == table.key else self.literal(kind) if kind != "json" else "None"
        return Code("change", f"{table.name}.objects.{how}({name}={value}, defaults=dict({given}))")

    def many(self, table: Table) -> Code:
        """Return a change through a related manager."""
        relations = [r for r in table.relations.values() if r.many and (r.plain or not r.through)]
        if not relations:
            return self.updated(table)
        relation = self.chance.choice(relations)
        there = self.rows.keys[relation.target] or ["1"]
        some = [self.chance.choice(there) for _ in range(self.chance.choice([0, 1, 2, 3]))]
        of = f"{table.name}.objects.get(pk={self.key(table)}).{relation.accessor}"
        objects = [f"{relation.target}.objects.get(pk={key})" for key in some]
        if relation.plain and self.likely(0.5):
            objects = some
        how = self.chance.choice(["add", "remove", "set", "set", "clear", "create"])
        if how == "clear":
            return Code("change", f"{of}.clear()")
        if how == "create":
            given = self.new_row(self.schema.models[relation.target])
            if relation.key:  # the manager gives it
                given = re.sub(rf"\b{relation.key}_id=('\w*'|UUID\(int=\d+\)|\w+)(, )?", "", given)
            return Code("change", f"{of}.create({given})")
        if how == "set":
            option = self.chance.choice(["", "", ", clear=True"])
            return Code("change", f"{of}.set([{', '.join(objects)}]{option})")
        return Code("change", f"{of}.{how}({', '.join(objects)})")

    def bulk(self, table: Table) -> Code:
        """Return bulk_create() or bulk_update()."""
        names = [n for n in table.own if not table.columns[n].unique]
        if self.likely(0.5) and names:
            name = self.chance.choice(names)
            column = table.columns[name]
            values = [self.literal(column.kind) for _ in range(2)]
            objects = [
                f"changed({table.name}.objects.get(pk={self.key(table)}), {name}={value})" for value in values
            ]
            size = self.chance.choice(["", ", batch_size=1"])
            return Code(
                "change", f"{table.name}.objects.bulk_update([{', '.join(objects)}], ['{name}']{size})"
            )
        rows = [f"{table.name}({self.new_row(table)})" for _ in range(self.chance.choice([1, 2, 3]))]
        option = self.chance.choice(
            ["", "", ", ignore_conflicts=True" if f"{table.name}()" not in rows else ""]
        )
        if names and self.likely(0.2) and "code" in table.own:
            option = f", update_conflicts=True, update_fields=['{names[0]}'], unique_fields=['code']"
        return Code("change", f"{table.name}.objects.bulk_create([{', '.join(rows)}]{option})")
