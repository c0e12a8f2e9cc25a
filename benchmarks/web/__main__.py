"""Make the environment, if need be, and run the comparison in it."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.environment import HERE, ensure_environment, process_environment

if __name__ == "__main__":
    try:
        python = ensure_environment(HERE / "web" / "requirements.txt", "web")
    except subprocess.CalledProcessError as error:
        sys.exit(f"could not make the environment: {error}")
    command = [str(python), "-m", f"{__package__}.session", *sys.argv[1:]]
    try:
        sys.exit(subprocess.run(command, env=process_environment(), check=False).returncode)
    except KeyboardInterrupt:
        sys.exit(130)
