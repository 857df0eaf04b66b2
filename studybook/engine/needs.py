"""What a run needs of a machine, by its scale, and whether this machine has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from functools import cache as remember
from pathlib import Path

import yaml

from histolib import cache

FILE = Path(__file__).with_name("needs.yaml")
LARGEST = "paper"


def of(profile: str) -> dict:
    """The needs of a profile, or of a sweep's points, whose names begin with that of their profile; see `FILE`."""
    known = _read()
    return known.get(profile) or known.get(profile.partition("-")[0]) or known[LARGEST]


def memory() -> int:
    """Memory of this machine in MB, or what its control group leaves of it."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if Path(file).is_file() and (text := Path(file).read_text().strip()).isdigit():
            found.append(int(text))
    return min(found) // 10**6


def shortages(profile: str, here: bool = True) -> list[str]:
    """What is too small for a profile, one line each; empty if nothing is.

    Parameters
    ----------
    profile
        A folder below ``profiles/``.
    here
        Whether the jobs run on this machine; if not, its memory does not matter.
    """
    wanted, told = of(profile), []
    there, most = memory(), max(wanted[rule]["mem_mb"] for rule in ("units", "chapter"))
    if here and there < most:
        told.append(
            f"memory: a chapter at the scale {profile!r} may take {most / 1000:g} GB and this machine has "
            f"{there / 1000:.1f} GB; a run that takes more is killed. {_smaller(there)}"
        )
    # One disk counts once, whichever of the two folders names it.
    disks = {}
    for name, place in {"runs/": Path("runs"), "the cache (HISTOLIB_CACHE moves it)": cache.folder()}.items():
        existing = next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())
        disks.setdefault(existing.stat().st_dev, (name, existing))
    for name, place in disks.values():
        free = shutil.disk_usage(place).free // 10**6
        if free < wanted["disk_mb"]:
            told.append(
                f"disk: {name} may grow to {wanted['disk_mb'] / 1000:g} GB at the scale {profile!r}, "
                f"and {free / 1000:.1f} GB are free at {place}"
            )
    return told


def _smaller(there: int) -> str:
    """Which of the known scales fit into so much memory (MB)."""
    fit = [name for name, one in _read().items() if max(one[rule]["mem_mb"] for rule in ("units", "chapter")) <= there]
    return f"What fits: PROFILE={' or '.join(fit)}." if fit else "No scale fits."


@remember
def _read() -> Mapping[str, dict]:
    return yaml.safe_load(FILE.read_text("utf8"))
