"""Measure how far a process's resident memory rises during a block."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path
from types import TracebackType

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """Reset the kernel's high-water mark on entry, read it on exit. On Linux; elsewhere `growth` is None."""

    growth: float | None = None

    def __enter__(self) -> PeakMemory:
        """Give back what is free, and begin."""
        self.before: float | None = None
        if STATUS.exists():
            gc.collect()
            try:
                ctypes.CDLL("libc.so.6").malloc_trim(0)
                CLEAR.write_text("5")
            except (OSError, AttributeError):
                return self
            self.before = megabytes("VmRSS")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Set `growth` to the megabytes between the start and the peak."""
        if self.before is not None:
            self.growth = megabytes("VmHWM") - self.before


def megabytes(name: str) -> float:
    """Return one of the sizes in the process's status."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0
