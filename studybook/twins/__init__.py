"""Twins: images drawn by program in the layout of a real data set.

A twin lets everything run without a download, and lets a reader see a method work on images whose truth is
known. It is written to disk with the real set's folders, file names and formats, so that one loader reads both; a
mark in its folder says that it is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from histolib import cache, datasets
from studybook.twins import bach, breakhis, idc
from studybook.twins.mammography import bcdr, cbis_ddsm, inbreast, merged, mias

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


def folder(name: str, patients: int | None = None, seed: int = datasets.SEED) -> Path:
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

    Raises
    ------
    ValueError
        For an unknown name, or a number of patients that cannot be drawn.
    """
    count = patients if patients is not None else _FEWER.get(name, PATIENTS)
    place = cache.folder("twins", f"{name}-v{_twin(name).VERSION}-{count}-{seed}")

    def draw() -> None:
        with cache.atomic_folder(place, replace=False) as part:
            write(name, part, patients=count, seed=seed)

    cache.once(place, draw)
    return place


def write(name: str, folder: str | Path, patients: int, seed: int = 0, **options: int) -> Path:
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
    **options
        Passed on to the data set's own writer, for example ``rows`` and ``columns`` of :func:`idc.write`.

    Returns
    -------
    Path
        The data set's top folder.

    Raises
    ------
    ValueError
        For an unknown name, or a number of patients that cannot be drawn.
    """
    writer: Callable[..., Path] = _twin(name).write
    top = writer(folder, patients, seed, **options)
    told = {"drawn": "by program; no photograph, no patient", "name": name, "version": VERSION[name]}
    (Path(folder) / datasets.MARK).write_text(json.dumps(told | {"patients": patients, "seed": seed}) + "\n")
    return top


def _twin(name: str) -> ModuleType:
    if name not in _TWINS:
        raise ValueError(f"name: no twin of {name!r}, one of {', '.join(NAMES)} is right")
    return _TWINS[name]
