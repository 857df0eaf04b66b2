"""BCDR-F03, digitized film mammograms of biopsied masses, Breast Cancer Digital Repository; Arevalo et al. 2016.

One table lists the outlines, a row per lesion and film, its points as numbers separated by blanks; its values carry
blanks around them. The set's 736 films show 406 lesions of 344 patients. Rows that are not marked as nodule (mass) are
left out.
"""

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histolib.datasets import films, mammograms

CLASSES = mammograms.CLASSES
OUTLINES = "bcdr_f03_outlines.csv"
LAYOUT = f"BCDR-F03/{OUTLINES} and BCDR-F03/patient_<n>/study_<n>/img_<...>.tif, as the table names them"
HEADER = (
    "patient_id", "study_id", "series", "lesion_id", "segmentation_id", "image_view", "image_filename", "lw_x_points",
    "lw_y_points", "mammography_type", "mammography_nodule", "mammography_calcification",
    "mammography_microcalcification", "mammography_axillary_adenopathy", "mammography_architectural_distortion",
    "mammography_stroma_distortion", "age", "density", "classification",
)  # fmt: skip
VIEWS = {"1": ("right", "CC"), "2": ("left", "CC"), "3": ("right", "MLO"), "4": ("left", "MLO")}
LABELS = {"benign": 0, "malign": 1, "malignant": 1}
OWN = ("study", "lesion", "segmentation", "age", "density")
_NEEDED = (
    "patient_id", "study_id", "lesion_id", "segmentation_id", "image_view", "image_filename", "lw_x_points",
    "lw_y_points", "mammography_nodule", "age", "density", "classification",
)  # fmt: skip


def find(root: Path) -> Path:
    """The folder that holds the outlines' table, at `root` or below it.

    Raises FileNotFoundError if there is none; shows the layout.
    """
    probe = lambda folder: (folder / OUTLINES).is_file()  # noqa: E731
    names = ("bcdr", "BCDR-F03", "BCDR-F03_dataset", "BCDR-F03_dataset/BCDR-F03")
    return mammograms.find(root, "BCDR-F03", LAYOUT, probe, names)


def scan(folder: Path) -> pd.DataFrame:
    """Manifest of the masses whose film is there; `left_out` counts the others.

    Returns
    -------
    DataFrame
        `mammograms.COLUMNS` and ``study, lesion, segmentation`` (the table's numbers, text)``, age`` (years; 0 not
        told)``, density`` (1 to 4; 0 not told).

    Raises
    ------
    ValueError
        A table without the columns that are needed; a row with an unknown view or class, or with points that can't be
        read, differ in number or lie beside the film (with its number).
    """
    rows = [
        _row(folder, part, row, f"{folder / OUTLINES}, row {part + 1}")
        for part, row in enumerate(outlines(folder))
        if not _reason(folder, row)
    ]
    return mammograms.manifest(rows, OWN)


def left_out(folder: Path) -> dict[str, int]:
    """Rows of the table that are no row of the manifest: reason and number."""
    reasons = Counter(_reason(folder, row) for row in outlines(folder))
    return {reason: count for reason, count in sorted(reasons.items()) if reason}


def shape(folder: Path, table: pd.DataFrame) -> tuple[int, int]:
    """Height and width of a region in pixels."""
    return mammograms.SHAPE


def contour(folder: Path, row: NamedTuple) -> np.ndarray:
    """The outline that the table gives: float (N, 2), column and row of each point."""
    path = folder / row.outline
    return _points(outlines(path.parent)[row.part], f"{path}, row {row.part + 1}")


READER = mammograms.reader(contour)
film = mammograms.film


def outlines(folder: Path) -> list[dict[str, str]]:
    """Rows of the outlines' table, without the blanks around names and values.

    Raises ValueError if a column that is needed is missing, or a row has too few values.
    """
    path = folder / OUTLINES
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *lines = [[value.strip() for value in line] for line in csv.reader(file) if line] or [[]]
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)}; expected {', '.join(HEADER)}")
    for number, line in enumerate(lines, start=1):
        if len(line) != len(header):
            raise ValueError(f"{path}, row {number}: {len(line)} values; expected {len(header)}")
    return [dict(zip(header, line, strict=True)) for line in lines]


def _reason(folder: Path, row: dict[str, str]) -> str:
    """Why a row of the table is none of the manifest; empty if it is one."""
    if row["mammography_nodule"] != "1":
        return "no mass"
    return "" if (folder / row["image_filename"]).is_file() else "film not there"


def _row(folder: Path, part: int, row: dict[str, str], where: str) -> dict:
    if row["image_view"] not in VIEWS:
        raise ValueError(f"{where}: image_view {row['image_view']!r}; expected one of {', '.join(VIEWS)}")
    if row["classification"].lower() not in LABELS:
        raise ValueError(f"{where}: classification {row['classification']!r}; expected Benign or Malign")
    side, view = VIEWS[row["image_view"]]
    path = Path(row["image_filename"])
    return {
        "image_id": f"{path.stem}_lesion{row['lesion_id']}_{row['segmentation_id']}",
        "path": path.as_posix(),
        "label": LABELS[row["classification"].lower()],
        "patient": row["patient_id"],
        "view": view,
        "side": side,
        **mammograms.placed(_points(row, where), films.size(folder / path), where),
        "outline": OUTLINES,
        "part": part,
        "study": row["study_id"],
        "lesion": row["lesion_id"],
        "segmentation": row["segmentation_id"],
        "age": _number(row["age"]),
        "density": _number(row["density"]),
    }


def _points(row: dict[str, str], where: str) -> np.ndarray:
    try:
        columns, rows = ([float(value) for value in row[name].split()] for name in ("lw_x_points", "lw_y_points"))
    except ValueError as problem:
        raise ValueError(f"{where}: points are not numbers separated by blanks ({problem})") from problem
    if len(columns) != len(rows) or not columns:
        raise ValueError(f"{where}: {len(columns)} points in lw_x_points, {len(rows)} in lw_y_points; expected as many")
    return np.stack([columns, rows], axis=1)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
