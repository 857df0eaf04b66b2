"""Phantoms: images drawn by program in the layout of a real data set, its *twin*.

A twin lets everything run without a download, and lets a reader see a method work on images whose truth is
known. It is written to disk with the real set's folders, file names and formats: one loader reads both.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from histolib.phantoms import bach, breakhis, idc
from histolib.phantoms.mammography import bcdr, cbis_ddsm, inbreast, merged, mias

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
# Raised whenever a twin is drawn differently; part of cache names.
VERSION = {name: module.VERSION for name, module in _TWINS.items()}


def write(name: str, folder: str | Path, patients: int, seed: int = 0, **options: int) -> Path:
    """Draw the twin of a data set and write it below `folder`.

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
    return writer(folder, patients, seed, **options)


def _twin(name: str) -> ModuleType:
    if name not in _TWINS:
        raise ValueError(f"name: no twin of {name!r}, one of {', '.join(NAMES)} is right")
    return _TWINS[name]
