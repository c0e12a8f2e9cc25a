"""Measure what importing each library costs in fresh processes, in the processor's time: the disk is not meant."""

from __future__ import annotations

import json
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .catalogue import Library
from .environment import process_environment

# What was imported before is collected before: else its 48,000 objects are walked through in the next import's time,
# or are not, as the collector's counters happen to stand.
BASE = "import sqlalchemy.orm"
SCRIPT = """
import gc, json, sys, time
started = time.process_time()
{before}
gc.collect()
between = time.process_time()
{statement}
ended = time.process_time()
print(json.dumps([(ended - started) * 1000, (ended - between) * 1000, len(sys.modules)]))
"""


@dataclass
class ImportCost:
    """Milliseconds and modules of one import.

    For Ormolu also what comes on top of ``sqlalchemy.orm``: for the bare import, and for the names in use.
    """

    milliseconds: float
    modules: int
    bare: float | None = None
    names: float | None = None


def measure_imports(libraries: list[Library], pythons: dict[str, Path], rounds: int) -> dict[str, ImportCost]:
    """Import every library in fresh processes, in turn; returns the medians of those that can be imported."""
    wanted = [(lib.name, lib.imports, pythons[lib.requirements]) for lib in libraries if lib.imports]
    found: dict[str, list[tuple[float, int]]] = {}
    bare: list[float] = []
    names: list[float] = []
    for number in range(rounds + 1):  # the first writes the bytecode
        for name, statement, python in wanted:
            if (whole := _run(python, statement, "")) and number:
                found.setdefault(name, []).append((whole[0], whole[2]))
            if name == "ormolu" and whole and number:
                for added, text in ((bare, "import ormolu"), (names, statement)):
                    if after := _run(python, text, BASE):
                        added.append(after[1])
    costs = {
        name: ImportCost(statistics.median(ms for ms, _ in values), values[0][1])
        for name, values in found.items()
    }
    if bare and names:
        costs["ormolu"].bare = statistics.median(bare)
        costs["ormolu"].names = statistics.median(names)
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
