"""Print what was measured, as tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from .catalogue import SYNC_FLOOR, Library
from .imports import ImportCost
from .runner import Cell, Results
from .schema import Kind
from .targets import GOALS, IMPORT_MILLISECONDS, STREAM_MEGABYTES, Goal
from .workloads import Workload

TITLES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
Estimate = Callable[[Sequence[float]], float]


def ratio(results: Results, workload: str, library: str, over: str, estimate: Estimate) -> float | None:
    """Return one library's time divided by another's, or None if either has none."""
    cells = results.get(workload, {})
    above, below = cells.get(library, Cell()), cells.get(over, Cell())
    if above.note or below.note or not above.per_unit or not below.per_unit:
        return None
    return estimate(above.per_unit) / estimate(below.per_unit)


def figure(value: float) -> str:
    """Return a ratio with about two digits."""
    return f"{value:.1f}" if value < 20 else f"{value:.0f}"


def shown(results: Results, workload: str, library: str, over: str, estimate: Estimate) -> str:
    """Return a cell's text: a ratio, ``-`` for no such API, ``x`` for a wrong result or an error."""
    cell = results.get(workload, {}).get(library)
    if cell is None or cell.note == "no such API" or cell.note.startswith("not available"):
        return "-"
    if cell.note:
        return "x"
    value = ratio(results, workload, library, over, estimate)
    return "?" if value is None else figure(value)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table whose columns line up; the first is flush left."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(cells: list[str]) -> str:
        padded = [
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = "|" + "|".join("-" * (w + 2) if not c else "-" * (w + 1) + ":" for c, w in enumerate(widths)) + "|"
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


def ratio_table(
    results: Results,
    workloads: list[Workload],
    libraries: list[Library],
    over: Callable[[Library], str],
    estimate: Estimate,
) -> str:
    """Return the ratios of these libraries to a bare driver each, with the sync floor's time per unit."""
    rows = []
    for workload in workloads:
        floor = results.get(workload.key, {}).get(SYNC_FLOOR)
        times = floor.per_unit if floor else []
        micro = f"{estimate(times) * 1e6:.2f}" if times else "?"
        cells = [shown(results, workload.key, lib.name, over(lib), estimate) for lib in libraries]
        rows.append([f"**{workload.key}** {workload.title}", micro, *cells])
    return table(["", "floor µs", *(library.name for library in libraries)], rows)


def database_report(
    kind: Kind, results: Results, workloads: list[Workload], libraries: list[Library], best: bool
) -> str:
    """Return the tables of one database."""
    sync = [library for library in libraries if not library.asynchronous and library.name != SYNC_FLOOR]
    others = [library for library in libraries if library.asynchronous]
    parts = [f"## {TITLES[kind]}"]
    estimates: list[tuple[str, Estimate]] = [("medians", statistics.median)]
    if best:
        estimates.append(("best rounds", min))

    def to_floor(library: Library) -> str:
        return SYNC_FLOOR

    def to_driver(library: Library) -> str:
        return library.driver(kind)

    for name, estimate in estimates:
        if sync:
            parts.append(f"**Sync libraries: time / bare sync driver ({name})**")
            parts.append(ratio_table(results, workloads, sync, to_floor, estimate))
        if others:
            parts.append(f"**Async libraries: time / bare sync driver ({name})**")
            parts.append(ratio_table(results, workloads, others, to_floor, estimate))
            parts.append(f"**Async libraries: time / their own bare driver ({name})**")
            parts.append(ratio_table(results, workloads, others, to_driver, estimate))
    memory = results.get("O", {})
    measured = [
        (lib.name, cell.memory) for lib in libraries if (cell := memory.get(lib.name)) and cell.memory
    ]
    if measured:
        parts.append("**Stream of 100,000 rows: peak memory above start, MB**")
        parts.append(table([name for name, _ in measured], [[f"{value:.0f}" for _, value in measured]]))
    if notes := failures(results, workloads, libraries):
        parts.append("\n".join(["**Not measured**", "", *notes]))
    return "\n\n".join(parts)


def failures(results: Results, workloads: list[Workload], libraries: list[Library]) -> list[str]:
    """Return a line for each library and reason why it has no figure, with the workloads."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for library in libraries:
        for workload in workloads:
            cell = results.get(workload.key, {}).get(library.name)
            if cell and cell.note and cell.note != "no such API":
                reasons.setdefault((library.name, cell.note[:160]), []).append(workload.key)
    return [f"- {name} {' '.join(keys)}: {note}" for (name, note), keys in reasons.items()]


def verdict(value: float, limit: float) -> str:
    """Return ``met`` or ``MISSED``; a value is taken as it is printed."""
    return "met" if round(value, 2) <= limit else "MISSED"


def goal_rows(goal: Goal, results: Results) -> list[str] | None:
    """Return one line of the table of targets, or None if the workload was not run."""
    median = ratio(results, goal.workload, goal.library, goal.over, statistics.median)
    if goal.workload not in results or goal.library not in results[goal.workload]:
        return None
    head = [f"{goal.library} {goal.workload} {TITLES[goal.kind]}", goal.over, figure(goal.ratio)]
    if median is None:
        return [*head, "x", "x", "MISSED"]
    best = ratio(results, goal.workload, goal.library, goal.over, min) or 0.0
    return [*head, f"{median:.2f}", f"{best:.2f}", verdict(median, goal.ratio)]


def targets_report(measured: dict[Kind, Results], imports: dict[str, ImportCost]) -> str:
    """Return the table of Ormolu's targets and what was reached."""
    rows = [row for goal in GOALS if goal.kind in measured and (row := goal_rows(goal, measured[goal.kind]))]
    for kind, results in measured.items():
        for name, cell in results.get("O", {}).items():
            if name.startswith("ormolu") and cell.memory is not None:
                value = f"{cell.memory:.1f} MB"
                limit = f"{STREAM_MEGABYTES:.0f} MB"
                met = verdict(cell.memory, STREAM_MEGABYTES)
                rows.append([f"{name} O memory {TITLES[kind]}", "", limit, value, value, met])
    if cost := imports.get("ormolu"):
        for title, added in (("import ormolu", cost.bare), ("from ormolu import Model, ...", cost.names)):
            if added is not None:
                value, limit = f"{added:.0f} ms", f"{IMPORT_MILLISECONDS:.0f} ms"
                rows.append(
                    [title, "sqlalchemy.orm", limit, value, value, verdict(added, IMPORT_MILLISECONDS)]
                )
    if not rows:
        return ""
    missed = sum(row[-1] == "MISSED" for row in rows)
    header = ["", "over", "target", "median", "best", ""]
    return "\n\n".join([f"## Targets: {len(rows) - missed} met, {missed} missed", table(header, rows)])


def imports_report(imports: dict[str, ImportCost]) -> str:
    """Return the table of import times."""
    if not imports:
        return ""
    header = ["", *imports]
    rows = [
        ["import ms", *(f"{cost.milliseconds:.0f}" for cost in imports.values())],
        ["modules", *(str(cost.modules) for cost in imports.values())],
    ]
    return "\n\n".join(["## Import (fresh process, bytecode cached)", table(header, rows)])
