"""Ask many random questions: `python -m tests.differential --queries 20000`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from .comparing import PER_SCHEMA, Comparison
from .libraries import Both


def main() -> int:
    """Ask, and print the differences; return 1 if there are any."""
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        both = Both(options.database or f"sqlite:///{folder}/rows.sqlite3", options.time_zone)
        try:
            return ask(Comparison(both), options)
        finally:
            both.close()


def ask(comparison: Comparison, options: argparse.Namespace) -> int:
    """Ask all questions, and print what differs."""
    started = time.monotonic()
    first = options.first * PER_SCHEMA if options.question is None else options.question
    count = options.queries if options.question is None else 1
    for number in range(first, first + count):
        if number % PER_SCHEMA == 0 and time.monotonic() - started > options.seconds:
            break
        known = len(comparison.differences)
        comparison.compare(number)
        for difference in comparison.differences[known:]:
            print(difference, flush=True)
            if options.scripts:
                options.scripts.mkdir(parents=True, exist_ok=True)
                path = options.scripts / f"case_{difference.number}.py"
                path.write_text(difference.script, encoding="utf-8")
        if len(comparison.differences) >= options.stop:
            break
    print(report(comparison, time.monotonic() - started))
    return 1 if comparison.differences else 0


def report(comparison: Comparison, seconds: float) -> str:
    """Return the counts."""
    counts = comparison.counts
    asked = sum(counts.values())
    lines = [f"{asked} questions over {len(comparison.both.declared)} schemas in {seconds:.0f} s"]
    lines += [f"  {count:7} {name} ({count / max(asked, 1):.1%})" for name, count in counts.most_common()]
    lines.append(f"  of the same answers {comparison.full} have rows or counts in them")
    lines += [f"  raised by both: {dict(Counter(comparison.errors).most_common(8))}"]
    lines += [f"  raised by Django alone: {dict(comparison.broken.most_common(8))}"]
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--queries", type=int, default=20_000, help="how many questions")
    parser.add_argument(
        "--first", type=int, default=0, help=f"the first schema; each is asked {PER_SCHEMA} questions"
    )
    parser.add_argument("--question", type=int, help="ask this one alone")
    parser.add_argument("--database", help="a SQLAlchemy URL of an empty database; by default a SQLite file")
    parser.add_argument("--time-zone", default="", help="ask with USE_TZ and this TIME_ZONE")
    parser.add_argument("--seconds", type=float, default=1e9, help="how long to ask at most")
    parser.add_argument("--stop", type=int, default=10, help="after how many differences to stop")
    parser.add_argument("--scripts", type=Path, help="a folder for a program for each difference")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
