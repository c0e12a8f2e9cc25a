"""Compare answers, and cut a difference down to a small program."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from .known import chooses_by_subquery, confuses_django, leaves_parents_out, unites_with_nothing, verdict
from .libraries import Both, Failed, script
from .rows import Rows
from .schemas import Schema
from .source import Question, shrink
from .writes import Writes

PER_SCHEMA = 100
AGREE = {"same", "both raise", "Django fails", "listed", "mixed types", "refused early"}


@dataclass
class Difference:
    """A question that the libraries answer differently."""

    number: int
    kind: str
    question: Question
    expected: Any
    found: Any
    schema: Schema
    rows: Rows

    @cached_property
    def script(self) -> str:
        """A program that shows the difference."""
        return script(self.question, self.schema, self.rows)

    def __str__(self) -> str:
        expected, found = self.expected, self.found
        if self.question.writes:
            expected, found = parted(expected, found)
        return (
            f"--- question {self.number}: {self.kind}\n{self.question}\n"
            f"  Django {short(expected)}\n  ours   {short(found)}\n"
        )


class Comparison:
    """Asks questions by their numbers, which decide all: the schema, the rows and what is asked."""

    def __init__(self, both: Both) -> None:
        self.both = both
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.full = 0
        self.differences: list[Difference] = []

    def question(self, number: int) -> tuple[Question, Schema, Rows]:
        """Return a question."""
        schema, rows = self.both.schema(number // PER_SCHEMA)
        writer = Writes(schema, rows, Random(f"question {number}"), self.both.vendor)
        asked = writer.changes() if number % 8 == 7 else writer.question()
        return asked, schema, rows

    def compare(self, number: int) -> None:
        """Ask one question."""
        asked, schema, rows = self.question(number)
        expected, found = self.both.ask(asked, schema)
        kind = verdict(expected, found)
        if kind not in AGREE and listed(asked, schema):
            kind = "listed"
        self.counts[kind] += 1
        self.full += kind == "same" and bool(expected)
        if kind == "both raise":
            self.errors[expected.kind] += 1
        elif kind == "Django fails":
            self.broken[getattr(expected, "kind", "a write")] += 1
        elif kind not in AGREE:
            self.differences.append(self.smallest(number, kind, asked, schema, rows))

    def smallest(self, number: int, kind: str, asked: Question, schema: Schema, rows: Rows) -> Difference:
        """Return a difference of the same kind with a simpler question."""

        def differs(simpler: Question) -> bool:
            if not compiles(simpler) or listed(simpler, schema):
                return False
            return verdict(*self.both.ask(simpler, schema)) == kind

        asked = shrink(asked, differs)
        expected, found = self.both.ask(asked, schema)
        return Difference(number, kind, asked, expected, found, schema, rows)


def listed(asked: Question, schema: Schema) -> bool:
    """Tell whether the page of differences says of such a question that the answers may differ."""
    return (
        confuses_django(asked, schema)
        or chooses_by_subquery(asked)
        or unites_with_nothing(asked)
        or leaves_parents_out(asked, schema)
    )


def compiles(question: Question) -> bool:
    """Tell whether a question that was cut is Python still."""
    try:
        compile(str(question), "question", "eval")
    except SyntaxError:
        return False
    return not question.writes or str(question.end).startswith("[attempt(")


def parted(expected: Any, found: Any) -> tuple[Any, Any]:
    """Return what writes gave and the rows they left, of the latter only what differs."""
    sides: list[Any] = [[expected[0]], [found[0]]]
    for (table, mine), (_table, theirs) in zip(expected[1], found[1], strict=True):
        if mine != theirs:
            sides[0].append((table, [row for row in mine if row not in theirs]))
            sides[1].append((table, [row for row in theirs if row not in mine]))
    return sides[0], sides[1]


def short(answer: Any) -> str:
    """Return an answer in a line."""
    text = repr(answer)
    if isinstance(answer, Failed):
        text = text.splitlines()[0]
    return text if len(text) < 1500 else text[:1500] + "..."
