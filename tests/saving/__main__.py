"""Compare histories of saving with Django's: `python -m tests.saving --examples 1500`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from saving.histories import search

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--examples", type=int, default=1500)
search(parser.parse_args().examples)
