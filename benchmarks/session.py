"""Run the comparison inside the environment that has all libraries, and print the report."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from .catalogue import Library, select
from .environment import HERE, ensure_environment
from .imports import ImportCost, measure_imports
from .postgres import postgres_copies, postgres_server
from .report import database_report, imports_report, targets_report
from .runner import Plan, Results, measure
from .schema import Kind, Target, fill_sqlite
from .workloads import WORKLOADS, Workload, find_workload

IMPORT = "P"


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("--db", choices=["sqlite", "postgres", "both"], default="both")
    arguments.add_argument(
        "--only", metavar="NAMES", help="libraries, e.g. ormolu,django (the floors always run)"
    )
    arguments.add_argument("--workloads", metavar="KEYS", help="e.g. A,F,R; P is the import time")
    arguments.add_argument("--rounds", type=int, help="rounds of each library and workload (4; quick: 2)")
    arguments.add_argument(
        "--quick", action="store_true", help="short rounds: a smoke test, not a measurement"
    )
    arguments.add_argument("--best", action="store_true", help="also print the ratios of the best rounds")
    arguments.add_argument("--pin", action="store_true", help="keep clients and server on one core: steadier")
    arguments.add_argument("--cpu", action="store_true", help="ratios of the client's processor time")
    arguments.add_argument("--json", metavar="FILE", type=Path, help="also write every figure to this file")
    return arguments


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a temporary directory in memory, if this machine has one."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="ormolu-bench-", dir=shared if shared.is_dir() else None) as path:
        Path(path).chmod(0o755)
        yield Path(path)


@contextmanager
def targets(kind: Kind, libraries: list[Library], directory: Path) -> Iterator[dict[str, Target]]:
    """Give each library its own copy of the same data."""
    names = [library.name for library in libraries]
    if kind == "postgres":
        with postgres_server(directory) as admin, postgres_copies(admin, names) as copies:
            yield copies
        return
    seed = directory / "seed.sqlite3"
    fill_sqlite(str(seed))
    paths = {name: directory / f"{name}.sqlite3" for name in names}
    for path in paths.values():
        shutil.copyfile(seed, path)
    yield {name: Target("sqlite", path=str(path)) for name, path in paths.items()}


def tell(text: str) -> None:
    """Say on standard error how far it is."""
    print(f"  {text}", file=sys.stderr, flush=True)


def environments(libraries: list[Library]) -> dict[str, Path]:
    """Return the Python for each file of requirements; what is missing is made."""
    return {library.requirements: ensure_environment(HERE / library.requirements) for library in libraries}


def run_database(kind: Kind, libraries: list[Library], workloads: list[Workload], plan: Plan) -> Results:
    """Measure one database."""
    with scratch() as directory, targets(kind, libraries, directory) as places:
        return measure(libraries, places, workloads, plan, environments(libraries), directory, tell)


def environment_line() -> str:
    """Return what the figures depend on besides the libraries."""
    names = [
        "SQLAlchemy",
        "Django",
        "djanorm",
        "peewee",
        "piccolo",
        "pony",
        "tortoise-orm",
        "psycopg",
        "asyncpg",
        "aiosqlite",
    ]
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}."


def main() -> None:
    """Parse the command line, measure, report."""
    options = parser().parse_args()
    names = options.only.split(",") if options.only else None
    keys = options.workloads.split(",") if options.workloads else [*(w.key for w in WORKLOADS), IMPORT]
    kinds: list[Kind] = ["sqlite", "postgres"] if options.db == "both" else [options.db]
    try:
        workloads = [find_workload(key) for key in keys if key != IMPORT]
        chosen = {kind: select(names, kind) for kind in kinds}
    except LookupError as error:
        sys.exit(str(error))
    if options.pin:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rounds = options.rounds or (2 if options.quick else 4)
    plan = Plan(rounds, *((0.01, 1) if options.quick else (0.04, 2)))
    started = time.perf_counter()
    measured: dict[Kind, Results] = {}
    for kind in kinds if workloads else []:
        tell(kind)
        measured[kind] = run_database(kind, chosen[kind], workloads, plan)
    if options.cpu:
        use_processor_time(measured)
    imports: dict[str, ImportCost] = {}
    if IMPORT in keys:
        every = list(dict.fromkeys(library for libraries in chosen.values() for library in libraries))
        imports = measure_imports(every, environments(every), plan.rounds)
    parts = [
        f"# Time divided by the bare driver's\n\n{environment_line()}",
        *(database_report(k, r, workloads, chosen[k], options.best) for k, r in measured.items()),
        imports_report(imports),
        targets_report(measured, imports),
        f"{time.perf_counter() - started:.0f} s",
    ]
    print("\n\n".join(part for part in parts if part))
    if options.cpu:
        use_processor_time(measured)
    if options.json:
        options.json.write_text(as_json(measured, imports))


def use_processor_time(measured: dict[Kind, Results]) -> None:
    """Have the report speak of the processor's time of the clients, which other programs disturb less."""
    for results in measured.values():
        for cells in results.values():
            for cell in cells.values():
                cell.per_unit, cell.cpu_per_unit = cell.cpu_per_unit, cell.per_unit


def as_json(measured: dict[Kind, Results], imports: dict[str, ImportCost]) -> str:
    """Return every figure: seconds per unit of each round, memory in MB, notes, import times."""
    databases = {
        kind: {key: {name: asdict(cell) for name, cell in cells.items()} for key, cells in results.items()}
        for kind, results in measured.items()
    }
    return json.dumps(
        {"databases": databases, "imports": {n: asdict(c) for n, c in imports.items()}}, indent=1
    )


if __name__ == "__main__":
    main()
