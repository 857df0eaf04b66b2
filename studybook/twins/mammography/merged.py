"""The twins of CBIS-DDSM, BCDR-F03 and INbreast in one folder, for the paper's merged set."""

from __future__ import annotations

from pathlib import Path

from studybook.twins import mammography
from studybook.twins.mammography import bcdr, cbis_ddsm, inbreast
from studybook.twins.mammography.film import SHAPE

VERSION = mammography.VERSION
_SETS = (cbis_ddsm, bcdr, inbreast)


def write(
    folder: str | Path, patients: int, seed: int, shape: tuple[int, int] = SHAPE, difficulty: float = 1.0
) -> Path:
    """Write the three twins below `folder`, with the same women as each twin alone.

    Parameters
    ----------
    folder : str or Path
    patients : int
        Of all three together, at least 3: a third each, the first sets one more where it does not divide.
    seed, shape, difficulty
        As :func:`cbis_ddsm.write`.

    Returns
    -------
    Path
        `folder`

    Raises
    ------
    ValueError
        Fewer than 3 patients.
    """
    if patients < len(_SETS):
        raise ValueError(f"patients: {patients} found, at least {len(_SETS)} is right: one per data set")
    for k, source in enumerate(_SETS):
        source.write(folder, (patients + len(_SETS) - 1 - k) // len(_SETS), seed, shape, difficulty=difficulty)
    return Path(folder)
