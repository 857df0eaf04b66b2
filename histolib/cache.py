"""Where the library keeps what it can make again, and how it writes so that nothing half-written counts."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs


def folder(*parts: str) -> Path:
    """Path below the user's cache folder; its parent folders are not created.

    ``$HISTOLIB_CACHE`` if set, otherwise the operating system's cache folder for ``histolib``, and `parts` below.
    """
    return Path(os.environ.get("HISTOLIB_CACHE") or platformdirs.user_cache_path("histolib"), *parts)


def require_space(path: Path, needed: int) -> None:
    """Stop before long work if the disk that holds `path` lacks room for `needed` bytes; `path` need not exist yet.

    Raises OSError if less is free; names the folder, the need and what is free.
    """
    existing = next(p for p in [path, *path.absolute().parents] if p.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise OSError(
            f"{path}: {needed / 2**20:,.0f} MiB are needed and {free / 2**20:,.0f} MiB are free. "
            "Make room, or set HISTOLIB_CACHE to a folder on a larger disk."
        )


@contextmanager
def atomic_file(path: Path | str) -> Iterator[Path]:
    """Write a file whole or not at all.

    Yields a temporary path beside `path` with the same suffix. On success it replaces `path`; on any exception,
    a keyboard interrupt or a full disk included, it is removed and `path` stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{''.join(path.suffixes)}")
    part.touch(exist_ok=False)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path | str, replace: bool = True) -> Iterator[Path]:
    """Fill a folder whole or not at all; see `atomic_file`.

    A folder that is at `path` in the end is replaced, or kept if not `replace`: of two processes that make the same
    thing, the second must not take away what the first already reads.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    part.mkdir(parents=True)
    try:
        yield part
        if replace and path.exists():
            shutil.rmtree(path)
        if not path.exists():
            os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def alone(path: Path | str, wait: bool = True) -> Iterator[bool]:
    """Wait until no other process is in an ``alone`` of the same `path`, so that one makes it and the others find it.

    Yields whether it is alone: if not `wait`, another may be there. The lock is the operating system's and ends with
    the process. Where there is none (Windows, some network disks), work may be done twice, as `atomic_folder` allows.
    """
    lock = folder("locks", hashlib.sha256(str(Path(path).absolute()).encode()).hexdigest()[:16])
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w") as file:
        held = wait
        with suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            held = True
        yield held


def once(path: Path, make: Callable[[], None]) -> None:
    """Call `make`, which is to leave something at `path`, unless it is there; of several processes one makes it."""
    if not path.exists():
        with alone(path):
            if not path.exists():
                make()
