"""The twin of INbreast (Moreira et al. 2012), with the traits of the real release that a loader must know.

The table hides the patient, which is a code in the films' names; names say ML where the table says MLO; findings are
property lists with points as text; a spiculated mass is outlined twice, as mass and as spiculated region;
calcifications are single points; some films are normal and have no list.
"""

from __future__ import annotations

import csv
import hashlib
import plistlib
from pathlib import Path

import numpy as np

from histolib.datasets.inbreast import HEADER
from studybook.twins import mammography, truth
from studybook.twins.mammography import dicom
from studybook.twins.mammography.film import SHAPE, Scanner, draw_film
from studybook.twins.mammography.women import Lesion, check, draw_woman

VERSION = mammography.VERSION
FOLDER = "INbreast Release 1.0"
FIRST_FILM = 90000001  # real films have numbers from 20 to 53 million
MAXIMUM_PATIENTS = 2_000_000
SCANNER = Scanner(bits=12, low=0.0, high=0.9, gamma=1.1, blur=0.4, noise=0.006, label=False)
_NORMAL = 4  # every fourth woman has a normal film of the other breast


def write(
    folder: str | Path, patients: int, seed: int, shape: tuple[int, int] = SHAPE, difficulty: float = 1.0
) -> Path:
    """Write the twin below `folder`; parameters as :func:`cbis_ddsm.write`.

    Returns
    -------
    Path
        ``<folder>/INbreast Release 1.0``
    """
    check(patients, MAXIMUM_PATIENTS)
    root = Path(folder) / FOLDER
    for name in ("AllDICOMs", "AllXML"):
        (root / name).mkdir(parents=True, exist_ok=True)
    drawn: list[dict] = []
    lines = [line for index in range(patients) for line in _patient(root, index, seed, shape, difficulty, drawn)]
    truth.save(folder, "inbreast", drawn)
    with (root / "INbreast.csv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows(lines)
        writer.writerow([""] * len(HEADER))
    return root


def _patient(
    root: Path, index: int, seed: int, shape: tuple[int, int], difficulty: float, drawn: list[dict]
) -> list[list]:
    """Write the films of a woman; returns lines of the table, and adds to what is drawn."""
    woman, rng = draw_woman(seed, index, "inbreast", difficulty)
    patient = hashlib.sha256(f"woman {index} of {seed}".encode()).hexdigest()[:16]
    other = "left" if woman.side == "right" else "right"
    birads = str(rng.choice(["4a", "4b", "4c", "5", "6"] if woman.malignant else ["2", "3"]))
    # The film's BI-RADS is the class of all its lesions.
    lesions = tuple(lesion for lesion in woman.lesions if lesion.malignant == woman.malignant)
    views = [("CC", woman.side, birads, lesions), ("MLO", woman.side, birads, lesions)]
    if index % _NORMAL == _NORMAL - 1:
        views.append(("CC", other, "1", ()))
    lines = []
    for number, (view, side, score, shown) in enumerate(views):
        name = str(FIRST_FILM + 4 * index + number)
        film, outlines = draw_film(rng, woman, view, side, SCANNER, shown, shape)
        letter, short = side[0].upper(), "CC" if view == "CC" else "ML"
        path = root / "AllDICOMs" / f"{name}_{patient}_MG_{letter}_{short}_ANON.dcm"
        dicom.save(path, film, "removed", side, view, 12)
        if shown:
            plist = _property_list(rng, shown, outlines)
            names = [region["Name"] for region in plist["Images"][0]["ROIs"]]
            masses = [k for k, kind in enumerate(names, start=1) if kind == "Mass"]
            drawn += [lesion.traits(f"{name}_{k}") for lesion, k in zip(shown, masses, strict=True)]
            (root / "AllXML" / f"{name}.xml").write_bytes(plistlib.dumps(plist, sort_keys=True))
        lines.append(["removed", "removed", letter, view, "201001", name, woman.density, score])
    return lines


def _property_list(rng: np.random.Generator, lesions: tuple[Lesion, ...], outlines: list[np.ndarray]) -> dict:
    regions = []
    for lesion, outline in zip(lesions, outlines, strict=True):
        regions.append(("Mass", outline))
        if lesion.spicules > 0.75:
            middle = outline.mean(0)
            regions.append(("Spiculated Region", middle + 1.4 * (outline - middle)))
    for _ in range(int(rng.poisson(0.7))):
        regions.append(("Calcification", outlines[0][:1] + rng.normal(0, 40, (1, 2))))
    rois = [_region(k, name, np.maximum(points, 0)) for k, (name, points) in enumerate(regions)]
    return {"Images": [{"ImageIndex": 0, "NumberOfROIs": len(rois), "ROIs": rois}]}


def _region(k: int, name: str, points: np.ndarray) -> dict:
    column, row = points.mean(0)
    return {
        "Area": 0.0, "Center": f"({column:f}, {row:f}, 0.000000)", "Dev": 0.0, "IndexInImage": k, "Max": 0.0,
        "Mean": 0.0, "Min": 0.0, "Name": name, "NumberOfPoints": len(points),
        "Point_mm": [f"({0.2 * x:f}, {0.2 * y:f}, 0.000000)" for x, y in points],
        "Point_px": [f"({x:f}, {y:f})" for x, y in points], "Total": 0.0, "Type": 15 if len(points) > 1 else 19,
    }  # fmt: skip
