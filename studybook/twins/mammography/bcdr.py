"""The twin of BCDR-F03: TIFF films of 8 bits and one table of outlines, whose values carry blanks around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from histolib.datasets.bcdr import HEADER
from studybook.twins import mammography, truth
from studybook.twins.mammography.film import SHAPE, Scanner, draw_film
from studybook.twins.mammography.women import check, draw_woman

VERSION = mammography.VERSION
FOLDER = "BCDR-F03"
FIRST_PATIENT = 9001
MAXIMUM_PATIENTS = 90999
SCANNER = Scanner(bits=8, low=0.03, high=0.9, gamma=0.85, blur=0.9, noise=0.01, label=True)
_VIEWS = {
    ("right", "CC"): (1, "RCC"),
    ("left", "CC"): (2, "LCC"),
    ("right", "MLO"): (3, "RO"),
    ("left", "MLO"): (4, "LO"),
}


def write(
    folder: str | Path, patients: int, seed: int, shape: tuple[int, int] = SHAPE, difficulty: float = 1.0
) -> Path:
    """Write the twin below `folder`; parameters as :func:`cbis_ddsm.write`.

    Returns
    -------
    Path
        ``<folder>/BCDR-F03``
    """
    check(patients, MAXIMUM_PATIENTS)
    root = Path(folder) / FOLDER
    root.mkdir(parents=True, exist_ok=True)
    lines, drawn = [",".join(HEADER)], []
    for index in range(patients):
        lines += _patient(root, index, seed, shape, difficulty, drawn)
    truth.save(folder, "bcdr", drawn)
    (root / "bcdr_f03_outlines.csv").write_text("\n".join(lines) + "\n")
    return root


def _patient(
    root: Path, index: int, seed: int, shape: tuple[int, int], difficulty: float, drawn: list[dict]
) -> list[str]:
    """Write both films of a woman; returns lines of the table, and adds to what is drawn."""
    woman, rng = draw_woman(seed, index, "bcdr", difficulty)
    patient, study = FIRST_PATIENT + index, FIRST_PATIENT + 2 * index
    lines = []
    for view in ("CC", "MLO"):
        film, outlines = draw_film(rng, woman, view, woman.side, SCANNER, shape=shape)
        code, short = _VIEWS[woman.side, view]
        name = f"patient_{patient}/study_{study}/img_{patient}_{study}_1_{short}.tif"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(film).save(root / name)
        for number, (lesion, outline) in enumerate(zip(woman.lesions, outlines, strict=True), start=1):
            limits = shape[1] - 1, shape[0] - 1
            columns, rows = np.clip(np.rint(outline), 0, limits).astype(int).T
            known, segmentation = 10 * index + number, 10 * index + number + (5 if view == "MLO" else 0)
            drawn.append(lesion.traits(f"{Path(name).stem}_lesion{known}_{segmentation}"))
            values = [
                patient, study, 1, known, segmentation, code, name,
                " ".join(map(str, columns)), " ".join(map(str, rows)), 1, 1, 0, 0, 0, 0, 0, woman.age,
                "NaN" if index % 6 == 5 else woman.density, "Malign" if lesion.malignant else "Benign",
            ]  # fmt: skip
            lines.append(",".join(f" {value}" if k else str(value) for k, value in enumerate(values)))
    return lines
