"""BCDR-F03, digitized film mammograms of biopsied masses, Breast Cancer Digital Repository; Arevalo et al. 2016.

One table lists the outlines, a row per lesion and film, its points as numbers separated by blanks; its values carry
blanks around them. The set's 736 films show 406 lesions of 344 patients. Rows that are not marked as nodule (mass) are
left out.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histolib.datasets import films, locating, mammograms

CLASSES, SHAPE = mammograms.CLASSES, mammograms.SHAPE
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
    """The folder that holds the outlines' table, at `root` or below it."""
    probe = lambda folder: (folder / OUTLINES).is_file()  # noqa: E731
    names = ("bcdr", "BCDR-F03", "BCDR-F03_dataset", "BCDR-F03_dataset/BCDR-F03")
    try:
        return mammograms.find(root, "BCDR-F03", LAYOUT, probe, names)
    except FileNotFoundError as problem:
        raise FileNotFoundError(". There is: ".join([str(problem), *_other_parts(root)])) from None


def scan(folder: Path, notes: locating.Notes) -> pd.DataFrame:
    """Manifest of the masses whose film is there; `notes` takes the others.

    Columns: `mammograms.COLUMNS` and ``study, lesion, segmentation`` (the table's numbers, text)``, age`` (years; 0 not
    told)``, density`` (1 to 4; 0 not told).

    Raises ValueError: a table without the columns that are needed; a row with an unknown view or class, or with points
    that can't be read, differ in number or lie beside the film (with its number).
    """
    there, rows = _films(folder), []
    for part, row in enumerate(outlines(folder)):
        if notes.count(_reason(there, row), row["image_filename"]):
            _check(row, f"{folder / OUTLINES}, row {part + 1}")
            name = f"{row['image_filename']} ({OUTLINES}, row {part + 1})"
            rows += notes.tried(name, _row, folder, there[_key(row)], part, row)
    notes.left_out.update(_other_parts(folder.parent))
    return mammograms.manifest(rows, OWN)


def contour(folder: Path, row: NamedTuple) -> np.ndarray:
    """The outline that the table gives: float (N, 2), column and row of each point."""
    path = folder / row.outline
    return _points(outlines(path.parent)[row.part], f"{path}, row {row.part + 1}")


READER = mammograms.reader(contour)


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


def _films(folder: Path) -> dict[str, str]:
    """Path of each film below `folder`, by that path in small letters."""
    paths = [path.relative_to(folder).as_posix() for path in locating.files(folder, (".tif", ".tiff", ".png"))]
    return {path.lower(): path for path in paths}


def _other_parts(root: Path) -> dict[str, int]:
    """Lines in the outlines' tables of the repository's other parts, at `root` or up to two folders below."""
    tables = {path for top in ("", "*/", "*/*/") for path in root.glob(f"{top}bcdr_*_outlines.csv")}
    return {
        f"part {path.name.split('_')[1].upper()}, which is not read": len(path.read_text("latin-1").split("\n")) - 2
        for path in sorted(tables)
        if path.name != OUTLINES
    }


def _reason(there: dict[str, str], row: dict[str, str]) -> str:
    """Why a row of the table is none of the manifest; empty if it is one."""
    if row["mammography_nodule"] != "1":
        return "no mass"
    return "" if _key(row) in there else "film not there"


def _key(row: dict[str, str]) -> str:
    return Path(row["image_filename"]).as_posix().lower()


def _check(row: dict[str, str], where: str) -> None:
    if row["image_view"] not in VIEWS:
        raise ValueError(f"{where}: image_view {row['image_view']!r}; expected one of {', '.join(VIEWS)}")
    if row["classification"].lower() not in LABELS:
        raise ValueError(f"{where}: classification {row['classification']!r}; expected Benign or Malign")


def _row(folder: Path, path: str, part: int, row: dict[str, str]) -> dict:
    side, view = VIEWS[row["image_view"]]
    where = f"{folder / OUTLINES}, row {part + 1}"
    return {
        "image_id": f"{Path(path).stem}_lesion{row['lesion_id']}_{row['segmentation_id']}",
        "path": path,
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
