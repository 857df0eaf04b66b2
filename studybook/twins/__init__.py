"""Twins: images drawn by program in the layout of a real data set.

A twin lets everything run without a download, and lets a reader see a method work on images whose truth is
known. It is written to disk with the real set's folders, file names and formats, so that one loader reads both; a
mark in its folder says that it is drawn.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from histolib import cache, datasets
from studybook.twins import bach, breakhis, idc, overlap
from studybook.twins.mammography import bcdr, cbis_ddsm, inbreast, merged, mias
from studybook.twins.truth import traits

__all__ = ["NAMES", "PATIENTS", "VERSION", "folder", "traits", "write"]

# Name of a data set -> the module that draws it: `write(folder, patients, seed, **options)` and `VERSION`.
_TWINS = {
    "bach": bach,
    "bcdr": bcdr,
    "breakhis": breakhis,
    "cbis_ddsm": cbis_ddsm,
    "idc": idc,
    "inbreast": inbreast,
    "merged": merged,
    "mias": mias,
}

NAMES = tuple(sorted(_TWINS))
PATIENTS = 40
_FEWER = {"breakhis": 32}  # photographs take long to draw
# Raised whenever a twin is drawn differently; part of cache names.
VERSION = {name: module.VERSION for name, module in _TWINS.items()}


def folder(name: str, patients: int | None = None, seed: int = datasets.SEED, difficulty: float = 1.0) -> Path:
    """Folder of a twin in the user's cache, drawn if it is not there yet.

    A drawing that was interrupted leaves nothing behind that could be taken for whole.

    Parameters
    ----------
    name
        One of `NAMES`.
    patients
        How many patients to draw; 40 if ``None``, 32 of BreaKHis.
    seed
        Seed of the drawing.
    difficulty
        How much the classes overlap, above 0, see :mod:`studybook.twins.overlap`: more above 1, less below.

    Raises
    ------
    ValueError
        For an unknown name, a number of patients that cannot be drawn, or a difficulty that is not above 0.
    OSError
        If the disk is full; names the folder.
    """
    count = patients if patients is not None else _FEWER.get(name, PATIENTS)
    suffix = "" if difficulty == 1 else f"-difficulty{float(difficulty)}"
    place = cache.folder("twins", f"{name}-v{_twin(name).VERSION}-{count}-{seed}{suffix}")

    def draw() -> None:
        try:
            with cache.atomic_folder(place, replace=False) as part:
                write(name, part, patients=count, seed=seed, difficulty=difficulty)
        except OSError as problem:
            if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            message = (
                f"no space left while the twin of {name} was drawn. Make room, or set HISTOLIB_CACHE to another folder"
            )
            raise OSError(problem.errno, message, str(place)) from problem

    cache.once(place, draw)
    return place


def write(name: str, folder: str | Path, patients: int, seed: int = 0, difficulty: float = 1.0, **options: int) -> Path:
    """Draw the twin of a data set and write it, with its mark, below `folder`.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    folder : str or Path
        Made if absent. The data set's own top folder is made inside.
    patients : int
        How many patients to draw, at least 1.
    seed : int
        The same seed gives the same bytes; a patient does not depend on how many are drawn.
    difficulty : float
        How much the classes overlap, above 0, see :mod:`studybook.twins.overlap`: more above 1, less below.
    **options
        Passed on to the data set's own writer, for example ``rows`` and ``columns`` of :func:`idc.write`.

    Returns
    -------
    Path
        The data set's top folder.

    Raises
    ------
    ValueError
        For an unknown name, a number of patients that cannot be drawn, or a difficulty that is not above 0.
    """
    writer: Callable[..., Path] = _twin(name).write
    overlap.closeness(difficulty)
    top = writer(folder, patients, seed, difficulty=difficulty, **options)
    told = {"drawn": "by program; no photograph, no patient", "name": name, "version": VERSION[name]}
    told |= {"patients": patients, "seed": seed, "difficulty": difficulty}
    (Path(folder) / datasets.MARK).write_text(json.dumps(told) + "\n")
    return top


def _twin(name: str) -> ModuleType:
    if name not in _TWINS:
        raise ValueError(f"name: no twin of {name!r}, one of {', '.join(NAMES)} is right")
    return _TWINS[name]
