"""Coordinate the libraries' processes: rounds interleaved A B C A B C, one library at a time."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .catalogue import Library
from .environment import process_environment
from .schema import Target
from .workloads import Workload

PATIENCE = 90.0


@dataclass
class Cell:
    """What was measured for one library and one workload; `note` says why there is nothing."""

    per_unit: list[float] = field(default_factory=list)
    cpu_per_unit: list[float] = field(default_factory=list)
    memory: float | None = None
    note: str = ""


@dataclass
class Plan:
    """How much to measure: rounds, and the seconds that one round of one library should take."""

    rounds: int = 5
    seconds: float = 0.04
    long_rounds: int = 2


Results = dict[str, dict[str, Cell]]


class Process:
    """Talk with one worker over its pipes."""

    def __init__(self, library: Library, target: Target, python: Path, log: Path) -> None:
        """Start the process; `ready` waits for it."""
        self.library = library
        self.log = log
        command = [str(python), "-m", f"{__package__}.worker", library.module, json.dumps(asdict(target))]
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
                cwd=log.parent,
                env=process_environment(),
            )

    def ready(self) -> str:
        """Wait until the library is open; returns "" or what went wrong."""
        return str(self.receive().get("error", ""))

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send one request and wait for the answer; a process that is gone or stuck answers with an error."""
        if self.process.poll() is not None:
            return {"error": "process ended"}
        assert self.process.stdin
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
        except BrokenPipeError:
            return {"error": "process ended"}
        return self.receive()

    def receive(self) -> dict[str, Any]:
        """Wait for one line."""
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.process.kill()
            return {"error": f"no answer for {PATIENCE:.0f} s"}
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "process ended"}
        return answer

    def stop(self) -> None:
        """End the process."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def measure(
    libraries: list[Library],
    targets: dict[str, Target],
    workloads: list[Workload],
    plan: Plan,
    pythons: dict[str, Path],
    directory: Path,
    tell: Callable[[str], None],
) -> Results:
    """Run all workloads on all libraries of one database; returns the cells by workload and library."""
    processes = [
        Process(
            library, targets[library.name], pythons[library.requirements], directory / f"{library.name}.log"
        )
        for library in libraries
    ]
    results: Results = {workload.key: {} for workload in workloads}
    try:
        open_ones = []
        for process in processes:
            if problem := process.ready():
                tell(f"{process.library.name}: {problem}")
                for workload in workloads:
                    results[workload.key][process.library.name] = Cell(note=f"not available: {problem}")
            else:
                open_ones.append(process)
        for workload in sorted(workloads, key=lambda workload: workload.method != "stream"):
            started = time.perf_counter()
            results[workload.key] |= measure_workload(open_ones, workload, plan)
            tell(f"{workload.key:>2} {workload.title}: {time.perf_counter() - started:.1f} s")
    finally:
        for process in processes:
            process.stop()
    return results


def measure_workload(processes: list[Process], workload: Workload, plan: Plan) -> dict[str, Cell]:
    """Check every library once and find its size, then run the rounds in turn."""
    cells = {process.library.name: Cell() for process in processes}
    sizes = {}
    for process in processes:
        cell = cells[process.library.name]
        answer = process.ask(do="first", workload=workload.key, size=workload.start, seed=0)
        if cell_note(cell, answer):
            if "error" in answer or "wrong" in answer:
                print(f"   {process.library.name} {workload.key}: {cell.note}", file=sys.stderr)
            continue
        cell.memory = answer["memory"] if workload.method == "stream" else None
        sizes[process.library.name] = size_for(workload, answer["seconds"], plan.seconds)
    rounds = plan.rounds if workload.most > 1 else min(plan.rounds, plan.long_rounds)
    for number in range(rounds):
        for process in processes[number % 2 :] + processes[: number % 2]:
            name = process.library.name
            if name in sizes and not cells[name].note:
                answer = process.ask(do="round", workload=workload.key, size=sizes[name], seed=number + 1)
                if not cell_note(cells[name], answer):
                    cells[name].per_unit.append(answer["seconds"] / answer["units"])
                    cells[name].cpu_per_unit.append(answer["cpu"] / answer["units"])
    return cells


def cell_note(cell: Cell, answer: dict[str, Any]) -> str:
    """Note in the cell why there is no figure, if there is none."""
    if answer.get("missing"):
        cell.note = "no such API"
    else:
        cell.note = str(answer.get("wrong") or answer.get("error") or "")
    return cell.note


def size_for(workload: Workload, seconds: float | None, wanted: float) -> int:
    """Return the size whose round takes about as long as wanted, after the size `start` took `seconds`."""
    if seconds is None:
        return workload.start
    size = int(workload.start * wanted / max(seconds, 1e-6))
    size = max(workload.start, min(size, workload.most))
    return size - size % workload.step
