"""BreaKHis: photographs of breast tumors at four magnifications, Spanhol et al., IEEE TBME 63:1455, 2016.

**Who is a patient.** The publication counts 82 and names none. The files name 81 slides; one of them, 14-13412, lies in
the folders of two tumor types (ductal and lobular), and the official folds treat the two as different patients (it is
tested as ductal in folds 3 and 5, as lobular in fold 1). Tumor type and slide together are the only reading of the
names that gives 82 and keeps every patient on one side of every fold, so `patient` is ``<type>-<year>-<slide>`` here.
It may well count one woman several times: without the letters at their ends, the slides have 70 numbers (`case`), and
of the ten numbers that several patients share none is on one side in all folds. What the letters mean is not
published; whoever wants to be sure splits by `case`.

**Sizes.** Images have 700 x 460 pixels. A smaller one (a few are reported to be 456 high) is completed by reflecting
its own pixels, as `histolib.datasets.packing.complete` does; a larger one is an error.
"""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from histolib.datasets import locating, packing
from histolib.metrics import splits

CLASSES = ("benign", "malignant")
READER = packing.FILES
SHAPE = (460, 700)
MAGNIFICATIONS = (40, 100, 200, 400)
FOLDS = 5
TYPES = {
    "A": "adenosis",
    "F": "fibroadenoma",
    "PT": "phyllodes_tumor",
    "TA": "tubular_adenoma",
    "DC": "ductal_carcinoma",
    "LC": "lobular_carcinoma",
    "MC": "mucinous_carcinoma",
    "PC": "papillary_carcinoma",
}
BENIGN = ("A", "F", "PT", "TA")
FOLDER = "BreaKHis_v1"
PLACES = ("benign/SOB", "malignant/SOB")
INSIDE = "histology_slides/breast"
LAYOUT = (
    f"{FOLDER}/{INSIDE}/{{benign,malignant}}/SOB/<type>/SOB_<B|M>_<T>_<year>-<slide>/<40|100|200|400>X/"
    "SOB_<B|M>_<T>-<year>-<slide>-<magnification>-<number>.png"
)
_NAME = re.compile(
    r"^SOB_(?P<letter>[BM])_(?P<type>[A-Z]+)-(?P<slide>\d\d-(?P<number>\d+)[A-Z]*)-(?P<mag>\d+)-(?P<seq>\d+)$"
)
FOLD_COLUMNS = [f"fold_{k}" for k in range(1, FOLDS + 1)]
_COLUMNS = ["image_id", "path", "label", "label_name", "patient", "case", "tumor_type", "slide", "magnification", "seq"]


def find(root: Path) -> Path:
    """The folder ``breast`` that holds ``benign`` and ``malignant``.

    It is `root`, or lies below it where the archive puts it (``BreaKHis_v1/histology_slides/breast``, also with
    ``BreaKHis_v1`` twice nested), or all of this is in a folder ``breakhis`` at `root`.
    """
    inside = (f"{FOLDER}/{INSIDE}", f"{FOLDER}/{FOLDER}/{INSIDE}", INSIDE, "breast", "")
    candidates = (base / part for base in (root / "breakhis", root) for part in inside)

    def holds(folder: Path) -> bool:
        return any((folder / name / "SOB").is_dir() for name in CLASSES)

    return locating.first(root, candidates, holds, "BreaKHis images", LAYOUT)


def scan(folder: Path, notes: locating.Notes) -> pd.DataFrame:
    """Manifest of the images below `folder`, sorted by tumor type, slide, magnification and number.

    `notes` takes what is no row.

    Columns: ``image_id, path`` (relative to `folder`)``, label`` (0 or 1)``, label_name, patient, case`` (see the
    module's description)``, tumor_type`` (a key of `TYPES`)``, slide`` (14-22549AB)``, magnification`` (40, 100, 200 or
    400)``, seq`` (number in the file's name)``, fold_1 .. fold_5`` ("train" or "test")``, official`` (bool: whether the
    patient's folds are those of the publication, otherwise of `splits.drawn_folds`, drawn among all patients of the
    folder that are not in the publication).

    Raises ValueError: if a PNG's name does not follow the layout or contradicts its folders.
    """
    found = [path for name in CLASSES for path in locating.files(folder / name / "SOB", (".png",))]
    notes.others(locating.files(folder), found, (".png",))
    table = pd.DataFrame([_row(path, folder) for path in found], columns=_COLUMNS)
    notes.missing += _missing(table)
    order = ["label", "tumor_type", "slide", "magnification", "seq"]
    return _with_folds(table.sort_values(order, ignore_index=True))


def official_folds() -> pd.DataFrame:
    """The five folds that the authors publish with the data set, a row for each of the 7,909 images.

    ``image_id, patient, magnification, fold_1 .. fold_5`` ("train" or "test"), sorted as by `scan`.
    """
    rows = []
    for known in _official().itertuples():
        sides = _sides(known.test_folds)
        for magnification in MAGNIFICATIONS:
            for seq in _numbers(getattr(known, f"images_{magnification}")):
                name = f"SOB_{known.letter}_{known.Index}-{magnification}-{seq:03d}"
                rows.append((name, known.Index, magnification, *sides))
    return pd.DataFrame(rows, columns=["image_id", "patient", "magnification", *FOLD_COLUMNS])


def slide_numbers(patients: pd.Series) -> pd.Series:
    """Slide numbers of patients such as ``DC-14-1234AB``, without the kind of tumor and the letters at the end."""
    return patients.str.replace(r"^[A-Z]+-|[A-Z]+$", "", regex=True)


@cache
def _official() -> pd.DataFrame:
    """By patient: class letter, the folds in which the patient is tested ("45"), the images' numbers ("1-9 11")."""
    return pd.read_csv(Path(__file__).with_name("breakhis_folds.csv"), dtype=str, keep_default_na=False, index_col=0)


def _missing(table: pd.DataFrame) -> list[str]:
    """What of the publication is not in a manifest: patients of whom there is nothing, then images of the others."""
    official = official_folds()
    gone = official[~official["image_id"].isin(table["image_id"])]
    absent = gone[~gone["patient"].isin(table["patient"])]["patient"].value_counts(sort=False)
    patients = [f"patient {patient}, all {count} images" for patient, count in absent.items()]
    return patients + gone["image_id"][~gone["patient"].isin(absent.index)].tolist()


def _sides(tested: str) -> list[str]:
    return ["test" if str(fold) in tested else "train" for fold in range(1, FOLDS + 1)]


def _numbers(runs: str) -> list[int]:
    """Numbers that "1-3 5" stands for."""
    ends = [[int(end) for end in run.split("-")] for run in runs.split()]
    return [number for end in ends for number in range(end[0], end[-1] + 1)]


def _row(path: Path, folder: Path) -> tuple:
    relative = path.relative_to(folder).as_posix()
    match = _NAME.match(path.stem)
    if not match or match["type"] not in TYPES or int(match["mag"]) not in MAGNIFICATIONS:
        raise ValueError(f"{folder}: {relative} is not named as expected, {LAYOUT}")
    letter, kind, slide = match["letter"], match["type"], match["slide"]
    if letter != ("B" if kind in BENIGN else "M"):
        raise ValueError(f"{folder}: {relative} names class {letter}, but tumor type {kind} ({TYPES[kind]}) is not")
    label = "BM".index(letter)
    expected = f"{CLASSES[label]}/SOB/{TYPES[kind]}/SOB_{letter}_{kind}_{slide}/{match['mag']}X"
    if relative != f"{expected}/{path.name}":
        raise ValueError(f"{folder}: {relative} lies in another folder than its name tells; expected {expected}")
    case = f"{slide[:2]}-{match['number']}"
    ids = (path.stem, relative, label, CLASSES[label], f"{kind}-{slide}", case, kind, slide)
    return *ids, int(match["mag"]), int(match["seq"])


def _with_folds(table: pd.DataFrame) -> pd.DataFrame:
    """The manifest with the folds, official where the patient is in the publication."""
    tested = _official()["test_folds"]
    known = table["patient"].isin(tested.index).to_numpy()
    sides = np.empty((len(table), FOLDS), object)
    sides[known] = np.reshape([_sides(tested[patient]) for patient in table["patient"][known]], (-1, FOLDS))
    sides[~known] = splits.drawn_folds(table["label"][~known], table["patient"][~known], FOLDS)
    folds = pd.DataFrame(sides.astype(str), columns=FOLD_COLUMNS, index=table.index)
    return pd.concat([table, folds], axis=1).assign(official=known)
