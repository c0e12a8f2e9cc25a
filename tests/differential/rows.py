"""Random rows for random models, as source: ties, gaps, empty and extreme values."""

from __future__ import annotations

from random import Random

from .schemas import Schema, Table

LITERALS: dict[str, list[str]] = {
    "text": [
        "''", "'a'", "'a'", "'A'", "'b'", "'ab'", "'Abc'", "'É'", "'日本'", "'10'", "'1.5'", "'a%'", "'a_b'",
        r"'a\\b'", "' x '", '"q\'s"',
    ],
    "integer": ["0", "1", "1", "2", "3", "-1", "-7", "10", "2147483647", "-2147483648"],
    "decimal": [
        f"Decimal('{text}')" for text in ("0.00", "1.50", "1.50", "-2.25", "10.00", "0.10", "9999.99")
    ],
    "float": ["0.0", "0.5", "0.5", "-1.25", "3.75", "1e10"],
    "boolean": ["True", "False"],
    "date": [
        f"date({text})"
        for text in ("2000, 1, 1", "2000, 1, 1", "1999, 12, 31", "2024, 2, 29", "2021, 1, 3", "1, 1, 1", "9999, 12, 31")
    ],
    "datetime": [
        f"datetime({text})"
        for text in (
            "2000, 1, 1", "2000, 1, 1, 12, 30", "2000, 1, 1, 12, 30", "1999, 12, 31, 23, 59, 59, 999999",
            "2024, 2, 29, 6, 5, 4, 3", "2021, 1, 3, 12, 30",
        )
    ],
    "time": ["time(0)", "time(12, 30)", "time(12, 30)", "time(23, 59, 59, 999999)", "time(6, 5, 4)"],
    "duration": [
        f"timedelta({text})"
        for text in ("0", "days=1", "days=1", "days=-2, seconds=5", "microseconds=7", "hours=36")
    ],
    "json": [
        "{}", "[]", "{'a': 1}", "{'a': {'b': 'x'}, 'c': None}", "[1, 2]", "[{'a': 'É'}]", "'s'", "1", "1.5",
        "True", "{'a': 'x', 'b': [1]}",
    ],
    "uuid": [f"UUID(int={n})" for n in (0, 1, 2, 3, 2**127)],
}  # fmt: skip


class Rows:
    """The rows of a schema: `source`, a statement a line; `keys` and `codes`, literals of what is there."""

    def __init__(self, schema: Schema, seed: int = 0) -> None:
        self.schema = schema
        self.chance = Random(f"rows {schema.seed} {seed}")
        self.source: list[str] = []
        self.keys: dict[str, list[str]] = {name: [] for name in schema.models}
        self.codes: dict[str, list[str]] = {name: [] for name in schema.models}
        self.counts: dict[str, int] = {}
        plain = [table for table in schema.models.values() if table.name[0] != "T"]
        between = [table for table in schema.models.values() if table.name[0] == "T"]
        for table in [*plain, *between]:
            for _ in range(self.chance.randint(5, 9) if table.name[0] != "T" else self.chance.randint(4, 12)):
                self.add(table)
        for table in plain:
            self.link(table)

    def literal(self, kind: str) -> str:
        """Return a value of a kind."""
        return self.chance.choice(LITERALS[kind])

    def add(self, table: Table) -> None:
        """Add a row, if what it must refer to is there."""
        given = self.values_of(table)
        if given is None:
            return
        self.source.append(f"{table.name}.objects.create({', '.join(given)})")

    def values_of(self, table: Table) -> list[str] | None:
        """Return the keywords that make a row, or None if a relation lacks a target."""
        given: list[str] = []
        chain = [table]
        while chain[-1].parent:
            chain.append(self.schema.models[chain[-1].parent])
        for owner in chain:
            for name in owner.stored:
                found = self.target_of(owner, name)
                if found is None:
                    return None
                given.append(found)
        root = chain[-1]
        number = self.counts[root.name] = self.counts.get(root.name, 0) + 1
        key = {"key": f"'k{number}'", "uid": f"UUID(int={number})"}.get(root.key, str(number))
        if root.key != "id":
            given.insert(0, f"{root.key}={key}")
        for owner in chain:
            self.keys[owner.name].append(key)
            for name in owner.own:
                column = owner.columns[name]
                if column.unique:
                    given.append(f"{name}='c{number}'")
                    for one in chain:
                        self.codes[one.name].append(f"'c{number}'")
                elif not column.null or self.chance.random() < 0.7:
                    given.append(f"{name}={self.literal(column.kind)}")
        return given

    def target_of(self, owner: Table, name: str) -> str | None:
        """Return the keyword of a foreign key, or None if it has to refer to a row and there is none."""
        relation = owner.relations[name]
        there = (self.codes if relation.values == "code" else self.keys)[relation.target]
        one = any("OneToOneField" in line for line in owner.lines if line.startswith(f"{name} ="))
        if one:
            used = self.used.setdefault((owner.name, name), set())
            there = [literal for literal in there if literal not in used]
        if there and (not relation.null or self.chance.random() < 0.75):
            chosen = self.chance.choice(there)
            if one:
                used.add(chosen)
            return f"{name}_id={chosen}"
        return f"{name}_id=None" if relation.null else None

    @property
    def used(self) -> dict[tuple[str, str], set[str]]:
        """What one-to-one relations refer to already."""
        return self.__dict__.setdefault("_used", {})

    def link(self, table: Table) -> None:
        """Fill the many-to-many relations that a model declares and that have no model in between."""
        for relation in table.relations.values():
            if not (relation.plain and relation.forward and relation.through.startswith(f"{table.name}.")):
                continue
            for key in self.keys[table.name]:
                there = self.keys[relation.target]
                chosen = self.chance.sample(there, min(len(there), self.chance.choice([0, 0, 1, 2, 3])))
                if chosen:
                    self.source.append(
                        f"{table.name}.objects.get(pk={key}).{relation.name}.set([{', '.join(chosen)}])"
                    )
