"""The twin of CBIS-DDSM (Lee et al. 2017), with the traits of the real release that a loader must know.

Quoted fields end in a line break; the density's column has two names; half of the cases lie in folders by UID, half in
folders by date and description; mask and crop lie in one folder or in two, in either order, whatever the tables say;
one mask in eight has another size than its film. The tables of calcifications have no rows.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image, ImageDraw

from histolib import cache
from studybook.twins import mammography, truth
from studybook.twins.mammography import dicom
from studybook.twins.mammography.film import SHAPE, Scanner, draw_film
from studybook.twins.mammography.women import Lesion, Woman, check, draw_woman

VERSION = mammography.VERSION
FOLDER = "cbis-ddsm"
FIRST_PATIENT = 90001  # real patients have numbers up to 2584
MAXIMUM_PATIENTS = 9999
SCANNER = Scanner(bits=16, low=0.01, high=0.97, gamma=0.95, blur=0.7, noise=0.008, label=True)
_TEST = 5  # every fifth patient is in the official test part
_OTHER_SIZE = 8
_FIELDS = (
    "patient_id", "{density}", "left or right breast", "image view", "abnormality id", "abnormality type",
    "{kind} {shape}", "{kind} {margins}", "assessment", "pathology", "subtlety", "image file path",
    "cropped image file path", "ROI mask file path",
)  # fmt: skip
_WORDS = {
    "mass": {"kind": "mass", "density": "breast_density", "shape": "shape", "margins": "margins"},
    "calc": {"kind": "calc", "density": "breast density", "shape": "type", "margins": "distribution"},
}


def write(
    folder: str | Path,
    patients: int,
    seed: int,
    shape: tuple[int, int] = SHAPE,
    layout: str = "dicom",
    difficulty: float = 1.0,
) -> Path:
    """Write the twin below `folder`.

    Parameters
    ----------
    folder : str or Path
        Made if absent.
    patients : int
    seed : int
    shape : (int, int)
        Rows and columns of a film.
    layout : str
        ``dicom``, as the archive hands it out, or ``jpeg``, as the copy in common use: 8 bits, a folder per series.
    difficulty : float
        See :mod:`studybook.twins.overlap`.

    Returns
    -------
    Path
        ``<folder>/cbis-ddsm``

    Raises
    ------
    ValueError
        Less than one patient, or more than 9999; an unknown layout.
    """
    check(patients, MAXIMUM_PATIENTS)
    if layout not in ("dicom", "jpeg"):
        raise ValueError(f"layout: {layout!r} found, dicom or jpeg is right")
    if layout == "jpeg":
        with tempfile.TemporaryDirectory() as elsewhere:
            release = write(elsewhere, patients, seed, shape, difficulty=difficulty)
            root = _as_jpeg(release, Path(folder) / FOLDER)
            shutil.copy(truth.place(elsewhere, "cbis_ddsm"), truth.place(folder, "cbis_ddsm"))
            return root
    root = Path(folder) / FOLDER
    root.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[list]] = {"train": [], "test": []}
    drawn: list[dict] = []
    for index in range(patients):
        part = "test" if index % _TEST == _TEST - 1 else "train"
        rows[part] += _patient(root / "CBIS-DDSM", index, seed, part, shape, difficulty, drawn)
    truth.save(folder, "cbis_ddsm", drawn)
    for kind, words in _WORDS.items():
        for part in rows:
            path = root / f"{kind}_case_description_{part}_set.csv"
            with cache.atomic_file(path) as temporary, temporary.open("w", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow([field.format(**words) for field in _FIELDS])
                writer.writerows(rows[part] if kind == "mass" else [])
    return root


def _as_jpeg(release: Path, root: Path) -> Path:
    """Write a release once more: ``csv/`` with the tables and ``dicom_info.csv``, ``jpeg/<series>/1-<number>.jpg``."""
    (root / "csv").mkdir(parents=True, exist_ok=True)
    for table in release.glob("*.csv"):
        shutil.copy(table, root / "csv")
    rows = []
    for number, file in enumerate(sorted(release.rglob("*.dcm"))):
        data = pydicom.dcmread(file)
        pixels = data.pixel_array
        gray = (pixels >> (data.BitsStored - 8)).astype(np.uint8)
        inside = f"{data.SeriesInstanceUID}/{file.stem}"
        place = root / "jpeg" / f"{inside}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(gray).save(place, quality=90)
        # As in the copy, some series are not described.
        described = "" if number % 5 == 4 else data.SeriesDescription
        rows.append([f"CBIS-DDSM/dicom/{inside}.dcm", f"CBIS-DDSM/jpeg/{inside}.jpg", 8, "MG",
                     file.relative_to(release / "CBIS-DDSM").parts[0], *pixels.shape, described,
                     data.SeriesInstanceUID])  # fmt: skip
    with (root / "csv/dicom_info.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file_path", "image_path", "BitsAllocated", "Modality", "PatientID", "Rows", "Columns",
                         "SeriesDescription", "SeriesInstanceUID"])  # fmt: skip
        writer.writerows(rows)
    return root


def _patient(
    root: Path, index: int, seed: int, part: str, shape: tuple[int, int], difficulty: float, drawn: list[dict]
) -> Iterator[list]:
    """Write both films of a patient; yields rows of the table, and adds to what is drawn."""
    woman, rng = draw_woman(seed, index, "cbis_ddsm", difficulty)
    name = f"P_{FIRST_PATIENT + index:05d}"
    for view in ("CC", "MLO"):
        film, outlines = draw_film(rng, woman, view, woman.side, SCANNER, shape=shape)
        case = f"Mass-{'Training' if part == 'train' else 'Test'}_{name}_{woman.side.upper()}_{view}"
        place = _Place(root / case, index, "full mammogram images")
        dicom.save(place.file(1), film, name, woman.side, view, 16, "full mammogram images", **place.uids)
        for number, (lesion, outline) in enumerate(zip(woman.lesions, outlines, strict=True), start=1):
            drawn.append(lesion.traits(f"{case}_{number}"))
            paths = _lesion(root / f"{case}_{number}", index, rng, film, outline, (name, woman.side, view))
            yield _table_row(rng, name, woman, view, number, lesion, (place.listed(0), *paths))


class _Place:
    """Folder of one series, as older and newer downloads name it, and as the tables name it."""

    def __init__(self, case: Path, index: int, series: str):
        self.case, self.series = case, series
        self.uids = {
            "StudyInstanceUID": dicom.uid(case.name, "study"),
            "SeriesInstanceUID": dicom.uid(case.name, series),
        }
        study, last = self.uids["StudyInstanceUID"], self.uids["SeriesInstanceUID"][-5:]
        if index % 2:
            self.folder = case / f"07-20-2016-DDSM-NA-{study[-5:]}" / f"1.000000-{series}-{last}"
        else:
            self.folder = case / study / self.uids["SeriesInstanceUID"]

    def file(self, number: int) -> Path:
        return self.folder / f"1-{number}.dcm"

    def listed(self, number: int) -> str:
        """What the table says."""
        return "/".join([self.case.name, *self.uids.values(), f"{number:06d}.dcm"])


def _lesion(case: Path, index: int, rng, film: np.ndarray, outline: np.ndarray, names: tuple) -> tuple[str, str]:
    """Write mask and crop of a lesion; returns their paths as the table lists them."""
    mask, crop = _mask(film.shape, outline, rng), _crop(film, outline)
    both = (mask, 8, "ROI mask images"), (crop, 16, "cropped images")
    if index % 7 == 3:  # a series each
        for pixels, bits, series in both:
            place = _Place(case, index, series)
            dicom.save(place.file(1), pixels, *names, bits, series, **place.uids)
        return _Place(case, index, "cropped images").listed(0), _Place(case, index, "ROI mask images").listed(0)
    place = _Place(case, index, "ROI mask images")
    first = int(rng.integers(2))
    for number, (pixels, bits, series) in enumerate((both[first], both[1 - first]), start=1):
        dicom.save(place.file(number), pixels, *names, bits, series, **place.uids)
    return place.listed(0), place.listed(1)


def _mask(shape: tuple[int, int], outline: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The outline filled with 255; one in eight at another size."""
    scale = np.array([1.0, 1.0])
    if rng.integers(_OTHER_SIZE) == 0:
        scale = np.full(2, 0.87) if rng.random() < 0.5 else np.array([1.008, 0.993])
    size = tuple(int(round(length * factor)) for length, factor in zip(shape[::-1], scale, strict=True))
    image = Image.new("L", size)
    ImageDraw.Draw(image).polygon([tuple(point) for point in (outline + 0.5) * scale - 0.5], fill=255)
    return np.asarray(image)


def _crop(film: np.ndarray, outline: np.ndarray) -> np.ndarray:
    low, high = np.maximum(outline.min(0).astype(int) - 20, 0), outline.max(0).astype(int) + 20
    return np.ascontiguousarray(film[low[1] : high[1], low[0] : high[0]])


def _table_row(rng, name: str, woman: Woman, view: str, number: int, lesion: Lesion, paths: tuple) -> list:
    if lesion.malignant:
        pathology, assessment = "MALIGNANT", int(rng.choice([4, 5]))
    else:
        pathology = "BENIGN_WITHOUT_CALLBACK" if rng.random() < 0.15 else "BENIGN"
        assessment = 2 if pathology != "BENIGN" else int(rng.choice([3, 4]))
    outline = "IRREGULAR" if lesion.irregularity > 0.6 else "OVAL"
    margins = "SPICULATED" if lesion.spicules > 0.6 else "ILL_DEFINED" if lesion.blur > 0.5 else "CIRCUMSCRIBED"
    film, crop, mask = paths
    return [
        name, woman.density, woman.side.upper(), view, number, "mass", outline, margins, assessment, pathology,
        int(rng.integers(2, 6)), film, crop, f"{mask}\n",
    ]  # fmt: skip
