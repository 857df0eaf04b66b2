"""The twin of mini-MIAS (Suckling et al. 1994): square PGM films of 8 bits in pairs, and ``Info.txt``.

As in the real list, y counts from the bottom, a film with two abnormalities has two lines, and some have no position.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from studybook.twins import mammography, truth
from studybook.twins.mammography.film import SHAPE, Scanner, draw_film
from studybook.twins.mammography.women import Lesion, check, draw_woman

VERSION = mammography.VERSION
FOLDER = "mias"
FIRST_FILM = 401  # real films have numbers up to 322
MAXIMUM_PATIENTS = (1000 - FIRST_FILM) // 2
SCANNER = Scanner(bits=8, low=0.0, high=1.0, gamma=0.8, blur=0.6, noise=0.006, label=False)
_UNPLACED = 10  # every tenth woman has scattered calcifications in the other breast
_HEAD = """Films drawn by program in the layout of the mini-MIAS database.

1st column: film; even numbers are left breasts, odd ones right breasts of one patient.
2nd column: F fatty, G fatty-glandular, D dense-glandular.
3rd column: class of abnormality; NORM if there is none.
4th column: B benign, M malignant.
5th to 7th column: x and y of the center, y from the bottom, and radius in pixels.
"""


def write(
    folder: str | Path, patients: int, seed: int, shape: tuple[int, int] = SHAPE, difficulty: float = 1.0
) -> Path:
    """Write the twin below `folder`, two films of each of at most 299 women, padded to squares; parameters as
    :func:`cbis_ddsm.write`.

    Returns
    -------
    Path
        ``<folder>/mias``
    """
    check(patients, MAXIMUM_PATIENTS)
    root = Path(folder) / FOLDER
    root.mkdir(parents=True, exist_ok=True)
    drawn: list[dict] = []
    lines = [line for index in range(patients) for line in _patient(root, index, seed, shape, difficulty, drawn)]
    truth.save(folder, "mias", drawn)
    (root / "Info.txt").write_text(_HEAD + "\n" + "\n".join(lines) + "\n", newline="\r\n")
    return root


def _patient(
    root: Path, index: int, seed: int, shape: tuple[int, int], difficulty: float, drawn: list[dict]
) -> list[str]:
    """Write both films of a woman; returns lines of the list, and adds to what is drawn."""
    woman, rng = draw_woman(seed, index, "mias", difficulty)
    lines = []
    for number, side in enumerate(("right", "left")):
        name = f"mdb{FIRST_FILM + 2 * index + number:03d} {'FGGD'[woman.density - 1]}"
        lesions = woman.lesions if side == woman.side else ()
        film, outlines = draw_film(rng, woman, "MLO", side, SCANNER, lesions, shape)
        film, moved = _square(film)
        if lesions:
            lines += [f"{name} {_line(*pair, moved, len(film))}" for pair in zip(lesions, outlines, strict=True)]
            drawn += [lesion.traits(f"{name.split()[0]}_{k}") for k, lesion in enumerate(lesions, start=1)]
        elif index % _UNPLACED == _UNPLACED - 1:
            _scatter(rng, film)
            lines.append(f"{name} CALC B *NOTE 3*")
        else:
            lines.append(f"{name} NORM ")
        Image.fromarray(film).save(root / f"{name.split()[0]}.pgm")
    return lines


def _square(film: np.ndarray) -> tuple[np.ndarray, int]:
    """A film in the middle of a black square, and by how many columns it was moved."""
    missing = max(film.shape[0] - film.shape[1], 0)
    return np.pad(film, ((0, 0), (missing // 2, missing - missing // 2))), missing // 2


def _line(lesion: Lesion, outline: np.ndarray, moved: int, height: int) -> str:
    middle = (outline.min(0) + outline.max(0)) / 2
    radius = np.hypot(*(outline - middle).T).max()
    kind = "SPIC" if lesion.spicules > 0.6 else "MISC" if lesion.blur > 0.5 else "CIRC"
    column, row = middle
    values = (round(column) + moved, height - 1 - round(row), round(radius))
    return " ".join([kind, "BM"[lesion.malignant], *map(str, values)])


def _scatter(rng: np.random.Generator, film: np.ndarray) -> None:
    """Calcifications all over the breast."""
    rows, columns = np.nonzero(film > np.percentile(film, 70))
    for k in rng.integers(len(rows), size=40):
        film[rows[k] : rows[k] + 2, columns[k] : columns[k] + 2] = 250
