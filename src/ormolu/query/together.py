"""Several programs as one, in lockstep: what they want to read at the same time is read in one round trip."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any

from ormolu.programs import Fetch, FetchMany, brief

__all__ = ["together"]

Program = Generator[Any, Any, Any]
READS = (Fetch, FetchMany)


class Run:
    """A program on its way: the step that it waits for, or its result."""

    __slots__ = ("program", "result", "step")

    def __init__(self, program: Program) -> None:
        self.program = program
        self.result: Any = None
        self.step: Any = None
        self.send(None)

    def send(self, value: Any) -> None:
        """Go on with the result of the step."""
        try:
            self.step = self.program.send(value)
        except StopIteration as stop:
            self.step, self.result = None, stop.value

    def throw(self, error: BaseException) -> None:
        """Go on with the error of the step."""
        try:
            self.step = self.program.throw(error)
        except StopIteration as stop:
            self.step, self.result = None, stop.value


@brief
def together(driver: Any, programs: Iterable[tuple[Any, Sequence[Any]]]) -> Program:
    """Run programs, each given with its arguments, and return a list of their results.

    An error of one is the error of all.
    """
    runs: list[Run] = []
    try:
        runs.extend(Run(program(driver, *args)) for program, args in programs)
        while waiting := [run for run in runs if run.step is not None]:
            other = next((run for run in waiting if not isinstance(run.step, READS)), None)
            if other is None:
                yield from read(waiting)
            else:
                yield from alone(other)
        return [run.result for run in runs]
    finally:
        for run in runs:
            run.program.close()


def read(waiting: Sequence[Run]) -> Program:
    """Do the steps of programs that all wait for rows, and let them go on."""
    wanted = [run.step.steps if isinstance(run.step, FetchMany) else [run.step] for run in waiting]
    steps = [step for some in wanted for step in some]
    found: Iterator[Any] = iter((yield FetchMany(steps)) if len(steps) > 1 else [(yield steps[0])])
    for run, some in zip(waiting, wanted):
        rows = [next(found) for _ in some]
        run.send(rows if isinstance(run.step, FetchMany) else rows[0])


def alone(run: Run) -> Program:
    """Do a step that is something else than reading."""
    try:
        result = yield run.step
    except GeneratorExit:
        raise
    except BaseException as error:
        run.throw(error)
    else:
        run.send(result)
