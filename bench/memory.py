"""Peak memory of this process."""

import contextlib
import ctypes
import gc
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak() -> int:
    """Largest resident set so far, in bytes. Pages of memory-mapped files count while they are resident.

    Linux's ``VmHWM`` is preferred: ``ru_maxrss`` of a fresh process also remembers the process that started it.
    """
    return _field("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def reset() -> int:
    """Forget the largest resident set so far, where the system can (Linux); the resident set now, in bytes.

    What was freed is given back to the system first, which would count against the next step otherwise.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return resident()


def resident() -> int:
    """Resident set now, in bytes; the largest so far where the system does not say."""
    return _field("VmRSS") or peak()


def _field(name: str) -> int | None:
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(found[0]) * 1024 if found else None
