"""Pieces of Python source: what both libraries are given to run, and what a failing case is cut down to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Code:
    """A piece of source. `text` has one {} for all parts, joined by `between`, or one for each.

    `kind` says what may stand in its place. `lookup` is a name that is resolved against a model, with that
    model's name; `negates` tells that what stands inside stands under NOT.
    """

    kind: str
    text: str
    parts: tuple[Code, ...] = ()
    between: str | None = None
    lookup: tuple[str, str] | None = None
    negates: bool = False
    fixed: bool = field(default=False, compare=False)  # whether the answer needs it to be comparable

    def __str__(self) -> str:
        if not self.parts:
            return self.text
        if self.between is not None:
            return self.text.replace("{}", self.between.join(map(str, self.parts)))
        whole, *rest = self.text.split("{}")
        for part, after in zip(self.parts, rest, strict=True):
            whole += str(part) + after
        return whole

    def walk(self, negated: bool = False) -> Iterator[tuple[Code, bool]]:
        """Yield this piece and all inside, each with whether it stands under NOT."""
        yield self, negated
        for part in self.parts:
            yield from part.walk(negated or self.negates)

    def smaller(self) -> Iterator[Code]:
        """Yield simpler pieces that may stand in this one's place."""
        if self.fixed:
            return
        for inside, _ in self.walk():
            if inside is not self and inside.kind == self.kind:
                yield inside
        if self.between is not None and len(self.parts) > 1:
            for place in range(len(self.parts)):
                yield replace(self, parts=self.parts[:place] + self.parts[place + 1 :])
        for place, part in enumerate(self.parts):
            for simpler in part.smaller():
                yield replace(self, parts=(*self.parts[:place], simpler, *self.parts[place + 1 :]))


@dataclass(frozen=True)
class Question:
    """What is asked: steps chained on a model's manager, and an end that reads the result.

    `exact` tells whether the rows of the answer have an order; else they are sorted. `writes` tells that
    the tables are compared afterwards, `loads` that no more queries are to be needed.
    """

    model: str
    steps: tuple[Code, ...]
    end: Code
    exact: bool = False
    writes: bool = False
    loads: bool = False

    def __str__(self) -> str:
        chain = f"{self.model}.objects" + "".join(map(str, self.steps))
        return str(self.end).replace("<queryset>", chain)

    def walk(self) -> Iterator[tuple[int, Code, bool]]:
        """Yield all pieces with the number of their step and whether they stand under NOT."""
        for number, step in enumerate((*self.steps, self.end)):
            for piece, negated in step.walk():
                yield number, piece, negated

    def smaller(self) -> Iterator[Question]:
        """Yield simpler questions."""
        for place, step in enumerate(self.steps):
            if not step.fixed:
                yield replace(self, steps=self.steps[:place] + self.steps[place + 1 :])
        for place, step in enumerate(self.steps):
            for simpler in step.smaller():
                yield replace(self, steps=(*self.steps[:place], simpler, *self.steps[place + 1 :]))
        for simpler in self.end.smaller():
            yield replace(self, end=simpler)


def shrink(question: Question, differs: Callable[[Question], bool], tries: int = 400) -> Question:
    """Return the smallest question found by cutting pieces off for which the answers still differ."""
    while True:
        for simpler in question.smaller():
            tries -= 1
            if tries < 0:
                return question
            if differs(simpler):
                question = simpler
                break
        else:
            return question
