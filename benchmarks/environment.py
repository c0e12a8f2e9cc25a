"""Make the virtual environment that the compared libraries live in."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
READY = ".ready"


def cache_home() -> Path:
    """Return where environments and bytecode are kept; ``ORMOLU_BENCH_HOME`` moves it from the user's cache."""
    cache = os.environ.get("ORMOLU_BENCH_HOME") or os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "ormolu"


def environment_path(requirements: Path, name: str = "") -> Path:
    """Return the directory for this interpreter and these requirements, whether or not it exists."""
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    return cache_home() / f"{name or requirements.stem}-{mark}"


def ensure_environment(requirements: Path = HERE / "requirements.txt", name: str = "") -> Path:
    """Return the Python of the environment for these requirements, made on first use.

    Raises `subprocess.CalledProcessError` when pip fails; what was begun is begun anew the next time.
    """
    path = environment_path(requirements, name)
    python = path / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (path / READY).exists():
        print(f"making {path} from {requirements.name} (once)", file=sys.stderr)
        venv.create(path, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(requirements)], check=True, stdout=sys.stderr)
        (path / READY).touch()
    return python


def process_environment() -> dict[str, str]:
    """Return the environment variables of a process.

    The checkout is importable, hashes are stable, and bytecode is kept, outside of the checkout: a program's
    second start is what the import time is about.
    """
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return variables | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "PYTHONPYCACHEPREFIX": str(cache_home() / "bytecode"),
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "ignore",
    }
