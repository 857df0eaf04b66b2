"""Breast histology photographs of the BACH challenge (ICIAR 2018), Aresta et al., Medical Image Analysis 56, 2019.

The files that hold the images name no patient, so `patient` repeats `image_id` here: **a split by image can hide a
leak**, because many of these images come from one and the same patient. For a part of the labeled images the
organizers list the patients in a separate table on the challenge's page: saved as ``patients.csv`` with the columns
``image`` and ``patient``, in the folder of the classes or beside the archive's folder, it is read.
"""

import re
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from histolib.datasets import locating, packing

CLASSES = ("normal", "benign", "in situ", "invasive")
FOLDER = "ICIAR2018_BACH_Challenge"
TEST_FOLDER = "ICIAR2018_BACH_Challenge_TestDataset"
LAYOUT = f"{FOLDER}/Photos/{{Normal,Benign,InSitu,Invasive}}/{{n,b,is,iv}}<number>.tif"
PATIENTS = "patients.csv"
SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
_FOLDERS = {"Normal": "n", "Benign": "b", "InSitu": "is", "Invasive": "iv"}  # in the order of CLASSES
PLACES = tuple(_FOLDERS)
_NAME = re.compile(r"^(?P<prefix>n|b|is|iv|test)(?P<number>\d+)$")
_COLUMNS = ["image_id", "path", "label", "label_name", "patient"]


def find(root: Path) -> Path:
    """The folder that holds ``Normal``, ``Benign``, ``InSitu`` and ``Invasive``.

    It is `root`, or lies below it where the archive puts it (``ICIAR2018_BACH_Challenge/Photos``, also twice nested, as
    some programs unpack it), or all of this is in a folder ``bach`` at `root`.
    """
    inside = (f"{FOLDER}/Photos", f"{FOLDER}/{FOLDER}/Photos", FOLDER, "Photos", "")
    candidates = (base / part for base in (root / "bach", root) for part in inside)

    def holds(folder: Path) -> bool:
        return any(_images(folder / name) for name in _FOLDERS)

    return locating.first(root, candidates, holds, "BACH images", LAYOUT)


def scan(folder: Path, notes: locating.Notes) -> pd.DataFrame:
    """Manifest of the labeled images below `folder`, by class and then by number; `notes` takes what is none.

    TIFF, PNG and JPEG are read.

    Columns: ``image_id`` (n001)``, path`` (relative to `folder`)``, label`` (place in `CLASSES`)``, label_name,
    patient`` (as `PATIENTS` has it; of an image that is not listed there, its own name).

    Raises ValueError: if an image's name does not follow the layout, contradicts its folder, or is there twice; if
    `PATIENTS` lacks a column, or lists an image twice or one that is not there.
    """
    rows, (test, tests) = [], unlabeled(folder) or (folder, None)
    taken = [] if tests is None else [test / path for path in tests["path"]]
    for label, (name, prefix) in enumerate(_FOLDERS.items()):
        files = _numbered(folder, folder / name, prefix)
        taken += files
        rows += [(p.stem, p.relative_to(folder).as_posix(), label, CLASSES[label], p.stem) for p in files]
    notes.others(locating.files(folder), [*taken, folder / PATIENTS], SUFFIXES)
    table = pd.DataFrame(rows, columns=_COLUMNS)
    known = _patients(folder, table["image_id"])
    return table.assign(patient=[known.get(name, name) for name in table["image_id"]])


def unlabeled(folder: Path) -> tuple[Path, pd.DataFrame] | None:
    """The test images of the challenge, whose classes were not published: folder and manifest, or None.

    Looked for at ``ICIAR2018_BACH_Challenge_TestDataset/Photos`` beside ``ICIAR2018_BACH_Challenge``, then in a folder
    ``test`` inside of `folder` (as `find` returns it) or beside it; only the first that holds an image ``test<number>``
    counts. The manifest is as of `scan`, with label -1 and an empty name, by number (test2 before test10).
    """
    for place in _test_places(folder):
        if any(path.stem.startswith("test") for path in _images(place)):
            files = _numbered(place, place, "test")
            rows = [(path.stem, path.name, -1, "", path.stem) for path in files]
            return place, pd.DataFrame(rows, columns=_COLUMNS)
    return None


def shape(folder: Path, table: pd.DataFrame) -> tuple[int, int]:
    """Height and width in pixels that most images have, from their headers: 1536 and 2048 in the published set.

    Raises ValueError if no file is an image.
    """
    sizes = Counter()
    for path in table["path"]:
        # A file that is no image is named when it is read, or left out on request.
        with suppress(OSError):
            sizes[packing.FILES.size(folder / path)] += 1
    if not sizes:
        raise ValueError(f"{folder}: none of the {len(table)} files can be opened as an image")
    return sizes.most_common(1)[0][0]


def _read(root: Path, row, shape: tuple[int, int]) -> np.ndarray:
    """Pixels of one photograph: whole, 8 bits per channel, of `shape`; nothing is completed as at a slide's edge."""
    path = root / row.path
    pixels = packing.read(path)
    if pixels.shape[:2] != shape:
        found, expected = ("x".join(map(str, size)) for size in (pixels.shape[:2], shape))
        raise ValueError(f"{path}: {found} pixels (height x width), where the other images have {expected}")
    return pixels


READER = packing.Reader(_read, size=packing.FILES.size)


def _images(folder: Path) -> list[Path]:
    return locating.files(folder, SUFFIXES, deep=False)


def _numbered(root: Path, folder: Path, prefix: str) -> list[Path]:
    """Images of `folder`, all named `prefix` and a number, by number."""
    files = {}
    for path in _images(folder):
        relative = path.relative_to(root).as_posix()
        match = _NAME.match(path.stem)
        if not match:
            raise ValueError(f"{root}: {relative} is not named as expected, {prefix}<number>.tif")
        if match["prefix"] != prefix:
            raise ValueError(f"{root}: {relative} lies in the folder of another class; here are {prefix}<number>.tif")
        files[path] = int(match["number"])
    twice = [number for number, count in Counter(files.values()).items() if count > 1]
    if twice:
        names = ", ".join(path.name for path, number in files.items() if number == twice[0])
        raise ValueError(f"{folder}: {names} are one image in several files; keep one of them")
    return sorted(files, key=files.get)


def _around(folder: Path) -> list[Path]:
    """`folder` and those above it, up to the one that holds both archives."""
    around = [folder]
    while around[-1].name in ("Photos", FOLDER) or len(around) == 1:
        around.append(around[-1].parent)
    return around


def _patients(folder: Path, images: pd.Series) -> dict[str, str]:
    """Patient of each image that the file `PATIENTS` lists; empty if there is no such file."""
    file = next((place / PATIENTS for place in _around(folder) if (place / PATIENTS).is_file()), None)
    if file is None:
        return {}
    listed = pd.read_csv(file, dtype=str)
    if not {"image", "patient"} <= {*listed}:
        raise ValueError(f"{file}: columns {', '.join(listed)}; expected image and patient")
    names = listed["image"].map(lambda name: Path(name).stem)
    wrong = names[names.duplicated() | ~names.isin(images)]
    if len(wrong):
        raise ValueError(f"{file}: image {wrong.iloc[0]} comes twice, or is not among the {len(images)} images")
    # Told apart from the images that stand for a patient of their own.
    return dict(zip(names, "patient " + listed["patient"], strict=True))


def _test_places(folder: Path) -> list[Path]:
    """Where the test images may lie, the published place first."""
    around = _around(folder)
    archives = [base / TEST_FOLDER for base in reversed(around)]
    inside = [archive / part for archive in archives for part in ("Photos", f"{TEST_FOLDER}/Photos", "")]
    return inside + [base / "test" for base in around]
