"""Which processes of this folder's runs are alive: each holds a lock that ends with it, however it ends.

``python -m studybook.engine.running MODULE ARGUMENTS`` runs a module as ``python -m MODULE ARGUMENTS`` does, and holds
the lock meanwhile. So a job that outlives a killed `make` is known, and what a killed run has left behind is known too.
"""

from __future__ import annotations

import fcntl
import os
import runpy
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from histolib import cache

LOCK = Path(".snakemake", "running")
_held: list[int] = []  # open files: a lock ends when its file is closed


def hold() -> bool:
    """Note that this process works on the current folder's runs, until it ends; whether no other does.

    A file system without locks counts as one on which others may be at work.
    """
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    _held.append(file)
    alone = False
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = True
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return alone


def tidy() -> list[Path]:
    """Remove drawings of twins that were begun and not finished, and that no process is at; returns their folders."""
    removed = []
    for part in sorted(cache.folder("twins").glob(".*-*")):
        whole = part.with_name(part.name[1:].rpartition("-")[0])
        with cache.alone(whole, wait=False) as held:
            if held:
                shutil.rmtree(part, ignore_errors=True)
                removed.append(part)
    return removed


if __name__ == "__main__":
    hold()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
