"""The twin of BreaKHis: eight tumors, each field of tissue photographed at four magnifications.

The real set (Spanhol et al., IEEE TBME 63, 2016) has 7,909 photographs of 700 x 460 pixels, taken of 82 patients: a
region is chosen at 40x, and what is looked at closer lies within it. The twin does the same: photograph `k` of a
patient shows one field at 40x, a part of it at 100x, a part of that at 200x and 400x.

The pixels that the publication gives (0.49, 0.20, 0.10 and 0.05 micrometers) would make the nuclei in its images about
2 micrometers wide and fat cells 30. Both come out as they should with pixels 3.3 times as large, as the twin has:
1.6, 0.65, 0.33 and 0.16 micrometers.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image

from histolib import cache, parallel
from studybook.twins import overlap, truth
from studybook.twins.microscope import photograph
from studybook.twins.specimen import Field, describe_part, draw_field, draw_traits
from studybook.twins.zoom import Window

VERSION = 2  # 2: the table of traits; images as of version 1

SHAPE = (460, 700)  # pixels
MAGNIFICATIONS = (40, 100, 200, 400)
SCALE = 1 / (3.3 * 0.49)  # pixels per micrometer at 40x
FOLDER = "BreaKHis_v1"
# Patients of the real set by tumor type, with the folder of each type.
BENIGN = {"A": (4, "adenosis"), "F": (10, "fibroadenoma"), "PT": (3, "phyllodes_tumor"), "TA": (7, "tubular_adenoma")}
MALIGNANT = {
    "DC": (38, "ductal_carcinoma"),
    "LC": (5, "lobular_carcinoma"),
    "MC": (9, "mucinous_carcinoma"),
    "PC": (6, "papillary_carcinoma"),
}
MAXIMUM_PATIENTS, MAXIMUM_IMAGES = 9999, 999
_FIRST = 10001  # slides are numbered from here, in the year 90, which no real slide has
_LOOKS = 6  # places that are looked at before the next higher magnification is chosen
_TRAITS, _FIELD, _BORROWED = 1, 2, 3  # streams of random numbers of one seed
_ALONE = 16  # fields that are drawn sooner than processes have started


def tumor_types(patients: int) -> list[str]:
    """Tumor types of the first `patients` patients.

    Classes, and types within a class, take turns so that at any number each is as near to its share of the real 82
    patients as can be (divisors 1, 3, 5 ... after Sainte-Laguë): 24 patients are 7 benign and 17 malignant, and
    82 are as the real ones.
    """
    sides = {"B": {k: n for k, (n, _) in BENIGN.items()}, "M": {k: n for k, (n, _) in MALIGNANT.items()}}
    turns = {side: _turns(sizes, patients) for side, sizes in sides.items()}
    return [next(turns[side]) for side in _turns({side: sum(n.values()) for side, n in sides.items()}, patients)]


def draw(index: int, image: int, seed: int, difficulty: float = 1.0) -> Iterator[tuple[int, np.ndarray, Window, Field]]:
    """Draw one field of patient `index` (from 0) at each magnification; `image` counts the patient's fields from 0.

    A patient depends on `seed` and `index`, not on how many patients or images are drawn. With `difficulty`
    (:mod:`studybook.twins.overlap`) a field may show another tumor, in the patient's own stain.

    Yields
    ------
    magnification : int
    photograph : ndarray, uint8, (460, 700, 3)
    window : Window
        Where in the field it was taken.
    field : Field
    """
    real = tumor_types(sum(count for count, _ in (BENIGN | MALIGNANT).values()))
    kind = overlap.shown(tumor_types(index + 1)[-1], real, difficulty, [seed, index, _BORROWED, image])
    traits = draw_traits(np.random.default_rng([seed, index, _TRAITS]), kind, difficulty)
    rng = np.random.default_rng([seed, index, _FIELD, image])
    field = draw_field(rng, traits, SHAPE, SCALE)
    window = field.window
    for k, magnification in enumerate(MAGNIFICATIONS):
        if k:
            window = _closer(rng, field, window, magnification / MAGNIFICATIONS[k - 1])
        yield magnification, photograph(rng, field, window), window, field


def write(
    folder: str | Path,
    patients: int,
    seed: int,
    images: int = 3,
    workers: int | None = None,
    difficulty: float = 1.0,
) -> Path:
    """Write the twin below `folder`, in the layout and with the names of the real set.

    Parameters
    ----------
    folder : str or Path
        Made if absent.
    patients : int
        2 (one benign, one malignant) to 9999; see `tumor_types`.
    seed : int
    images : int
        Images of each patient at each magnification, 1 to 999. The real set has 24 on average.
    workers : int, optional
        Processes; None takes one per core for many images. The files do not depend on it.
    difficulty : float
        See :mod:`studybook.twins.overlap`.

    Returns
    -------
    Path
        ``<folder>/BreaKHis_v1``

    Raises
    ------
    ValueError
        If `patients` or `images` is out of range.
    OSError
        If the disk is too full.
    """
    if not 2 <= patients <= MAXIMUM_PATIENTS:
        raise ValueError(f"patients: {patients} found, 2 (one of each class) to {MAXIMUM_PATIENTS} is right")
    if not 1 <= images <= MAXIMUM_IMAGES:
        raise ValueError(f"images: {images} found, 1 to {MAXIMUM_IMAGES} at each magnification is right")
    root = Path(folder) / FOLDER
    tasks = [
        (index, image, seed, difficulty, root / "histology_slides/breast" / _slide(kind, index))
        for index, kind in enumerate(tumor_types(patients))
        for image in range(images)
    ]
    cache.require_space(Path(folder), len(tasks) * len(MAGNIFICATIONS) * SHAPE[0] * SHAPE[1] * 3)
    for place in {path for *_, path in tasks}:
        for magnification in MAGNIFICATIONS:
            (place / f"{magnification}X").mkdir(parents=True, exist_ok=True)
    if workers is None:
        workers = os.cpu_count() or 1 if len(tasks) >= _ALONE else 1
    truth.save(folder, "breakhis", chain.from_iterable(parallel.processes(_save, tasks, workers, batch=2)))
    return root


def _turns(sizes: dict[str, int], count: int) -> Iterator[str]:
    drawn = dict.fromkeys(sizes, 0)
    for _ in range(count):
        key = max(sizes, key=lambda k: sizes[k] / (2 * drawn[k] + 1))
        drawn[key] += 1
        yield key


def _closer(rng: np.random.Generator, field: Field, window: Window, zoom: float) -> Window:
    """A smaller window where, of a few places, most cells of glands or tumor are seen and little glass."""

    def worth(part: Window) -> float:
        return float(part.cut(field.cells).mean() - 0.7 * part.cut(field.spaces).mean())

    return max((window.inside(zoom, rng.random(2)) for _ in range(_LOOKS)), key=worth)


def _slide(kind: str, index: int) -> str:
    """Folder of a patient's slide below ``breast``."""
    letter, name = ("B", "benign") if kind in BENIGN else ("M", "malignant")
    return f"{name}/SOB/{(BENIGN | MALIGNANT)[kind][1]}/SOB_{letter}_{kind}_90-{_FIRST + index}"


def _save(task: tuple) -> list[dict]:
    index, image, seed, difficulty, place = task
    prefix, slide = place.name.rsplit("_", 1)
    drawn = []
    for magnification, pixels, window, field in draw(index, image, seed, difficulty):
        name = f"{prefix}-{slide}-{magnification}-{image + 1:03d}"
        # Noise does not repeat: without a search for repeats the file is no larger, and written sooner.
        path = place / f"{magnification}X" / f"{name}.png"
        Image.fromarray(pixels).save(path, compress_level=1, compress_type=zlib.Z_HUFFMAN_ONLY)
        drawn.append({"image_id": name, **describe_part(field, window)})
    return drawn
