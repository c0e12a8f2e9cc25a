"""Measure what importing each library costs, in fresh processes."""

from __future__ import annotations

import json
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .catalogue import Library
from .environment import process_environment

BASE = "import sqlalchemy.orm"
SCRIPT = """
import json, sys, time
started = time.perf_counter()
{before}
between = time.perf_counter()
{statement}
ended = time.perf_counter()
print(json.dumps([(ended - started) * 1000, (ended - between) * 1000, len(sys.modules)]))
"""


@dataclass
class ImportCost:
    """Milliseconds and modules of one import; `added` is what it costs after ``sqlalchemy.orm``."""

    milliseconds: float
    modules: int
    added: float | None = None


def measure_imports(libraries: list[Library], pythons: dict[str, Path], rounds: int) -> dict[str, ImportCost]:
    """Import every library in fresh processes, in turn; returns the medians of those that can be imported."""
    wanted = [(lib.name, lib.imports, pythons[lib.requirements]) for lib in libraries if lib.imports]
    found: dict[str, list[tuple[float, int]]] = {}
    added: list[float] = []
    for number in range(rounds + 1):
        for name, statement, python in wanted:
            whole = _run(python, statement, "")
            if number and whole:
                found.setdefault(name, []).append((whole[0], whole[2]))
            if name == "ormolu" and number and (after := _run(python, statement, BASE)):
                added.append(after[1])
    costs = {
        name: ImportCost(statistics.median(ms for ms, _ in values), values[0][1])
        for name, values in found.items()
    }
    if "ormolu" in costs and added:
        costs["ormolu"].added = statistics.median(added)
    return costs


def _run(python: Path, statement: str, before: str) -> tuple[float, float, int] | None:
    script = SCRIPT.format(statement=statement, before=before)
    done = subprocess.run(
        [str(python), "-c", script], env=process_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None
    whole, last, modules = json.loads(done.stdout.splitlines()[-1])
    return float(whole), float(last), int(modules)
