"""Run every contest for a thousand rounds: `python -m tests.races --database URL`. Fails where one has a fault."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import ormolu
from races.contenders import KINDS
from races.contests import CONTESTS, Tally, faults


def main() -> int:
    """Run the contests that were asked for; return how many had faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:///races.sqlite3")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--contenders", type=int, default=4)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--contests", nargs="+", choices=list(CONTESTS), default=list(CONTESTS))
    given = parser.parse_args()
    ormolu.configure(given.database)
    failed = 0
    for kind in given.kinds:
        for name in given.contests:
            ormolu.drop_tables(Tally)
            ormolu.create_tables(Tally)
            start = time.perf_counter()
            found = faults(
                name, given.rounds, given.contenders, KINDS[kind](name, given.rounds, given.contenders)
            )
            took = time.perf_counter() - start
            print(
                f"{kind:10} {name:24} {given.rounds} rounds {took:7.1f} s  {len(found)} faults",
                *found[:3],
                flush=True,
            )
            failed += bool(found)
    return failed


if __name__ == "__main__":
    sys.exit(main())
