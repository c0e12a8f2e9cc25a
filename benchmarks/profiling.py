"""Say where one library spends its time: ``python -m benchmarks.profiling ormolu F R --db sqlite``."""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import random
import subprocess
import sys
from typing import Any

from .environment import ensure_environment, process_environment

INSIDE = "ORMOLU_BENCH_INSIDE"


def profile(library: str, keys: list[str], kind: Any, lines: int, order: str) -> None:
    """Run each workload under cProfile on data of its own, and print the costliest functions."""
    from .catalogue import find
    from .session import scratch, targets
    from .worker import Worker
    from .workloads import Load, find_workload

    chosen = find(library)
    with scratch() as directory, targets(kind, [chosen], directory) as places:
        worker = Worker(chosen.module, places[library])
        for key in keys:
            workload = find_workload(key)
            size = max(workload.start, min(workload.most, workload.start * 20))
            size -= size % workload.step
            worker.run(workload, workload.start, random.Random(0))
            function = getattr(worker.adapter, workload.method)
            args = tuple(
                worker.call(worker.adapter.load, arg.keys) if isinstance(arg, Load) else arg
                for arg in workload.prepare(worker.adapter, worker.probe, size, random.Random(1))
            )
            profiler = cProfile.Profile()
            profiler.enable()
            (seconds, _), _ = worker.timed(function, args)
            profiler.disable()
            if workload.writes:
                worker.probe.clean()
            micro = seconds / (size * workload.units) * 1e6
            print(f"\n=== {library} {key} {workload.title}: {micro:.1f} µs a unit under the profiler")
            pstats.Stats(profiler).strip_dirs().sort_stats(order).print_stats(lines)
        worker.close()


def main() -> None:
    """Parse the command line; run again inside the environment, if not there yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiling", description=__doc__)
    parser.add_argument("library")
    parser.add_argument("workloads", nargs="+")
    parser.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--sort", choices=["tottime", "cumulative"], default="tottime")
    options = parser.parse_args()
    if not os.environ.get(INSIDE):
        command = [str(ensure_environment()), "-m", f"{__package__}.profiling", *sys.argv[1:]]
        sys.exit(subprocess.run(command, env=process_environment() | {INSIDE: "1"}, check=False).returncode)
    profile(options.library, options.workloads, options.db, options.lines, options.sort)


if __name__ == "__main__":
    main()
