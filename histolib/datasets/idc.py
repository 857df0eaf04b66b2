"""Patches of invasive ductal carcinoma (IDC), Cruz-Roa et al. 2014, Janowczyk and Madabhushi 2016."""

import re
from pathlib import Path

import pandas as pd

from histolib.datasets import locating, packing

CLASSES = ("IDC negative", "IDC positive")
READER = packing.FILES
SHAPE = (50, 50)
PLACES = ("<patient>/0", "<patient>/1")
FOLDER = "IDC_regular_ps50_idx5"
LAYOUT = f"{FOLDER}/<patient>/<0 or 1>/<patient>_idx5_x<X>_y<Y>_class<0 or 1>.png"
_NAME = re.compile(r"^(?P<patient>\d+)_idx\d+_x(?P<x>\d+)_y(?P<y>\d+)_class(?P<label>[01])$")
_PLACE = re.compile(r"^\d[^/]*/[01]/[^/]+\.png$", re.IGNORECASE)


def find(root: Path) -> Path:
    """The folder that holds the patients' folders, at `root` or one or two levels below it.

    The copy that is spread most widely holds every patient twice, once at its top and once below
    ``IDC_regular_ps50_idx5``: the named folder is preferred, so that nothing is counted twice.
    """
    candidates = (root / "idc" / FOLDER, root / FOLDER, root / "idc", root)
    return locating.first(root, candidates, lambda folder: any(folder.glob("[0-9]*/[01]")), "IDC patches", LAYOUT)


def scan(folder: Path, notes: locating.Notes) -> pd.DataFrame:
    """Manifest of the patches below `folder`, sorted by path; `notes` takes what is none.

    Columns: ``image_id, path`` (relative to `folder`)``, label`` (0 or 1)``, label_name, patient, x, y`` (pixels of the
    down-sampled slide: the patch's left and upper edge).

    Raises ValueError: if a PNG's name does not follow the layout, or contradicts the folder that it lies in.
    """
    there = locating.files(folder)
    found = [path for path in there if _PLACE.match("/".join(path.parts[-3:])) and path.parents[2] == folder]
    notes.others(there, found, (".png",))
    rows = [_row(path, folder) for path in found]
    columns = ["image_id", "path", "label", "label_name", "patient", "x", "y"]
    return pd.DataFrame(rows, columns=columns)


def _row(path: Path, folder: Path) -> tuple:
    match = _NAME.match(path.stem)
    relative = path.relative_to(folder).as_posix()
    if not match:
        raise ValueError(f"{folder}: {relative} is not named as expected, {LAYOUT}")
    label = int(match["label"])
    if relative.split("/")[:2] != [match["patient"], match["label"]]:
        raise ValueError(f"{folder}: {relative} lies in the folder of another patient or class; expected {LAYOUT}")
    return path.stem, relative, label, CLASSES[label], match["patient"], int(match["x"]), int(match["y"])
