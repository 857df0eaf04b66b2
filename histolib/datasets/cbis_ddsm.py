"""CBIS-DDSM, digitized film mammograms of masses, Lee et al., Scientific Data 4:170177, 2017.

The curated part of the DDSM. Four tables list the lesions; masses are taken. Films, masks and crops are DICOM files in
one folder per film and one per lesion, named by the first part of the tables' paths. What lies below these folders
differs: study and series UID as in the tables, or date and description in newer downloads; and the file that a table
calls the mask may be the crop. So names tell nothing here, content does: a mask has two values and about the film's
size. A copy in common use has the images as JPEG files of 8 bits, in one folder per series.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histolib.datasets import locating, mammograms, masks

CLASSES, SHAPE = mammograms.CLASSES, mammograms.SHAPE
KINDS = ("mass", "calc")
SPLITS = ("train", "test")
TABLE = "{kind}_case_description_{split}_set.csv"
LAYOUT = (
    "mass_case_description_{train,test}_set.csv and "
    "CBIS-DDSM/Mass-{Training,Test}_<patient>_<LEFT or RIGHT>_<CC or MLO>[_<lesion>]/<study>/<series>/*.dcm, "
    "or csv/mass_case_description_{train,test}_set.csv and jpeg/<series>/*.jpg; these folders may lie in several"
)
PATHOLOGIES = {"BENIGN": 0, "BENIGN_WITHOUT_CALLBACK": 0, "MALIGNANT": 1}
OWN = ("split", "abnormality", "abnormality_id", "pathology", "shape", "margins", "birads", "density", "subtlety")
_CASE = re.compile(r"^(Mass|Calc)-.*_P_", re.IGNORECASE)
_UID = re.compile(r"^\d+(\.\d+){3,}$")
_DEPTH = 4  # folders between the set's own and those of films or series
_FOLDERS = ("cbis-ddsm", "cbis_ddsm", "CBIS-DDSM", "cbis-ddsm-jpeg")
# Columns of the tables and ours; the tables of masses and calcifications differ in a few names.
_NAMES = {
    "patient_id": "patient", "breast density": "density", "breast_density": "density",
    "left or right breast": "side", "image view": "view", "abnormality id": "abnormality_id",
    "abnormality type": "abnormality", "mass shape": "shape", "calc type": "shape", "mass margins": "margins",
    "calc distribution": "margins", "assessment": "birads", "pathology": "pathology", "subtlety": "subtlety",
    "image file path": "film", "ROI mask file path": "mask", "cropped image file path": "crop",
}  # fmt: skip


def find(root: Path) -> Path:
    """The folder that holds both the tables and the images, at `root` or below it.

    Raises FileNotFoundError if there is none; tells which of the two is missing.
    """

    def probe(folder: Path) -> bool:
        return _tables(folder, "mass") is not None and bool(_homes(folder))

    try:
        return mammograms.find(root, "CBIS-DDSM", LAYOUT, probe, _FOLDERS)
    except FileNotFoundError as problem:
        tables = next((path.parent for path in sorted(root.rglob(TABLE.format(kind="mass", split="train")))), None)
        if tables is None:
            raise
        raise FileNotFoundError(f"{problem}. The tables are there ({tables}), folders of images are not") from None


def scan(folder: Path, notes: locating.Notes) -> pd.DataFrame:
    """Manifest of the lesions whose film and mask are there; `notes` takes the others.

    Every mask is decoded once for its bounding box, which is kept in the user's cache. A mask of another size than its
    film (the published set has such, by up to a sixth) is taken to show the same part of the breast: its box is
    rescaled.

    Columns: `mammograms.COLUMNS` and ``split`` (train or test, the official one), ``abnormality, abnormality_id,
    pathology, shape, margins, birads`` (0 to 5)``, density`` (1 to 4; 0 not told)``, subtlety`` (1 to 5).

    Raises ValueError: a table without the columns that are needed or with an unknown entry; a lesion's folder without a
    mask.
    """
    there = [lesion for lesion in _lesions(folder) if notes.count(lesion.reason, lesion.case.mask)]
    outlines = masks.locate(folder, [(lesion.films, lesion.masks) for lesion in there], notes.damaged)
    found = [_row(lesion.case, one) for lesion, one in zip(there, outlines, strict=True) if one]
    return mammograms.manifest(found, OWN)


def contour(folder: Path, row: NamedTuple) -> np.ndarray:
    """Outline of the lesion's mask in pixels of the film, float (N, 2): column and row of each point."""
    return masks.contour(folder / row.outline, (row.film_height, row.film_width))


READER = mammograms.reader(contour)


def cases(folder: Path, kinds: tuple[str, ...] = ("mass",)) -> pd.DataFrame:
    """The case description tables as one, with their columns renamed: one row per lesion on a film.

    Columns, all text: ``film, mask, crop`` are the folders that the images lie in, and ``film_series`` and so on the
    series. Line breaks inside of quoted fields, which the real tables have, are stripped.

    Raises ValueError: a table that lacks a column or has an unknown side, view or pathology (with the number of its
    row).
    """
    tables = [_table(folder, kind, split) for kind in kinds for split in SPLITS]
    return pd.concat(tables, ignore_index=True)


def _table(folder: Path, kind: str, split: str) -> pd.DataFrame:
    where = _tables(folder, kind)
    name = TABLE.format(kind=kind, split=split)
    path = (where or folder) / name
    if not path.is_file():
        raise ValueError(f"{path} is missing: CBIS-DDSM has {name} beside the other tables")
    table = pd.read_csv(path, dtype=str, keep_default_na=False).rename(columns=str.strip).rename(columns=_NAMES)
    missing = sorted(set(_NAMES.values()) - set(table.columns))
    if missing:
        raise ValueError(f"{path}: no column for {', '.join(missing)}; found {', '.join(table.columns)}")
    table = table[sorted(set(_NAMES.values()))].apply(lambda column: column.str.strip())
    allowed = {"pathology": tuple(PATHOLOGIES), "side": ("LEFT", "RIGHT"), "view": mammograms.VIEWS}
    for column, values in allowed.items():
        wrong = table.index[~table[column].isin(values)]
        if len(wrong):
            found = table.loc[wrong[0], column]
            raise ValueError(f"{path}, row {wrong[0] + 1}: {column} {found!r}; expected {' or '.join(values)}")
    for column in ("film", "mask", "crop"):
        parts = table[column].str.split("/")
        table[column], table[f"{column}_series"] = parts.str[0], parts.str[-2]
    return table.assign(split=split, kind=kind)


def _tables(folder: Path, kind: str) -> Path | None:
    """The folder, at `folder` or one level below, that holds the tables."""
    name = TABLE.format(kind=kind, split="train")
    return next((path.parent for path in [folder / name, *sorted(folder.glob(f"*/{name}"))] if path.is_file()), None)


def _homes(folder: Path) -> dict[str, list[Path]]:
    """All folders of a film, a lesion or a series below `folder`, wherever they lie, by their name in small letters.

    Folders inside of a film's or lesion's are not looked for: what is there belongs to it.
    """
    found: dict[str, list[Path]] = {}
    for place, folders, _ in os.walk(folder, followlinks=True):
        folders[:] = sorted(filter(locating.counts, folders))
        for name in filter(lambda name: _CASE.match(name) or _UID.match(name), folders):
            found.setdefault(name.lower(), []).append(Path(place, name))
        deeper = len(Path(place).parts) - len(folder.parts) + 1 < _DEPTH
        folders[:] = [name for name in folders if deeper and not _CASE.match(name)]
    return found


class _Lesion(NamedTuple):
    case: NamedTuple
    films: tuple[Path, ...]
    masks: tuple[Path, ...]
    reason: str


def _lesions(folder: Path) -> list[_Lesion]:
    """Every entry of the tables with its folders, and why it is no row (empty if it is one)."""
    homes = _homes(folder)

    def places(*names: str) -> tuple[Path, ...]:
        return tuple(path for name in dict.fromkeys(names) for path in homes.get(name.lower(), ()))

    found = []
    for case in cases(folder).itertuples(index=False):
        films = places(case.film) or places(case.film_series)
        # The tables may have mistaken the series of the mask for that of the crop.
        there = places(case.mask) or places(case.mask_series, case.crop_series)
        reason = "film not there" if not films else "mask not there" if not there else ""
        found.append(_Lesion(case, films, there, reason))
    return found


def _row(case: NamedTuple, found: masks.Outline) -> dict:
    top, left, bottom, right = found.box
    label = PATHOLOGIES[case.pathology]
    own = {name: getattr(case, name) for name in OWN}
    numbers = {name: int(own[name]) for name in ("abnormality_id", "birads", "density", "subtlety")}
    return {
        "image_id": case.mask, "path": found.film, "label": label, "patient": case.patient, "view": case.view,
        "side": case.side.lower(), "top": top, "left": left, "bottom": bottom, "right": right,
        "film_height": found.size[0], "film_width": found.size[1], "outline": found.mask, "part": 0, **own, **numbers,
    }  # fmt: skip
