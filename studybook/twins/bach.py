"""The twin of the BACH photographs: fields in which the architecture tells the class, and color tells little.

The real set (Aresta et al., Medical Image Analysis 56, 2019) has 400 labeled photographs and a test set without labels,
2048 x 1536 pixels of 0.42 micrometers. The twin shows fields of the same size, 860 x 645 micrometers, at a quarter of
that resolution: nuclei are 2 to 4 pixels in radius, acini 8 to 14, ducts up to 90.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from histolib import cache, parallel
from studybook.twins import overlap, truth
from studybook.twins.lesions import NAMES, draw_lesion
from studybook.twins.nuclei import Nuclei
from studybook.twins.section import Drawing, paint
from studybook.twins.stains import draw_stain

VERSION = 2  # 2: the table of traits; images as of version 1

SHAPE = (384, 512)  # pixels
SCALE = 1 / (4 * 0.42)  # pixels per micrometer
FOLDER = "ICIAR2018_BACH_Challenge"
TEST_FOLDER = "ICIAR2018_BACH_Challenge_TestDataset"
FOLDERS = (("Normal", "n"), ("Benign", "b"), ("InSitu", "is"), ("Invasive", "iv"))  # of the classes 0-3, with prefix
MAXIMUM_PATIENTS = 4 * 999  # names have three digits

# Closer to one another than slides of an archive: all were taken under the same conditions.
_STAIN_VARIATION = 0.75
_LABELED, _UNLABELED, _ORDER, _BORROWED = 1, 2, 3, 4  # streams of random numbers of one seed
_HEALTHY = Nuclei(spacing=7.2, radius=3.7, pleomorphism=0.12)  # about as in sections
_ALONE = 64  # images that are drawn sooner than processes have started


def draw_labeled(index: int, seed: int, difficulty: float = 1.0) -> tuple[Drawing, int]:
    """Labeled image `index` (from 0), and its class: 0 normal, 1 benign, 2 in situ, 3 invasive, in turn.

    It depends on `seed` and `index`, not on how many are drawn; with `difficulty` (:mod:`.overlap`) it may show the
    architecture of another class.
    """
    label = index % len(NAMES)
    return _draw([seed, index, _LABELED], label, difficulty), label


def draw_unlabeled(index: int, seed: int, difficulty: float = 1.0) -> tuple[Drawing, int]:
    """Test image `index` (from 0), and its class, which `write` writes nowhere: of each four one, in random order."""
    order = np.random.default_rng([seed, index // len(NAMES), _ORDER]).permutation(len(NAMES))
    label = int(order[index % len(NAMES)])
    return _draw([seed, index, _UNLABELED], label, difficulty), label


def unlabeled_count(patients: int) -> int:
    """Number of test images that go with `patients` labeled ones."""
    return max(len(NAMES), patients // 10)


def write(folder: str | Path, patients: int, seed: int, workers: int | None = None, difficulty: float = 1.0) -> Path:
    """Write the twin below `folder`, in the layout and with the names of the real set.

    Parameters
    ----------
    folder : str or Path
        Made if absent.
    patients : int
        Number of labeled images, 4 to 3996, as even over the classes as can be (the real files name no patient). Test
        images come on top, see `unlabeled_count`.
    seed : int
    workers : int, optional
        Processes; None takes one per core for many images. The files do not depend on it.
    difficulty : float
        See :mod:`studybook.twins.overlap`.

    Returns
    -------
    Path
        ``<folder>/ICIAR2018_BACH_Challenge``

    Raises
    ------
    ValueError
        If `patients` is out of range.
    OSError
        If the disk is too full.
    """
    if not len(NAMES) <= patients <= MAXIMUM_PATIENTS:
        raise ValueError(f"patients: {patients} found, {len(NAMES)} (one of each class) to {MAXIMUM_PATIENTS} is right")
    photos, test = Path(folder) / FOLDER / "Photos", Path(folder) / TEST_FOLDER / "Photos"
    tasks = [(draw_labeled, index, seed, difficulty, photos / _name(index)) for index in range(patients)]
    tasks += [(draw_unlabeled, index, seed, difficulty, test / f"test{index}.tif")
              for index in range(unlabeled_count(patients))]  # fmt: skip
    cache.require_space(Path(folder), len(tasks) * SHAPE[0] * SHAPE[1] * 3)
    for place in {path.parent for *_, path in tasks}:
        place.mkdir(parents=True, exist_ok=True)
    if workers is None:
        workers = min(os.cpu_count() or 1, len(tasks) // 16) if len(tasks) >= _ALONE else 1
    truth.save(folder, "bach", parallel.processes(_save, tasks, workers, batch=4))
    return photos.parent


def _draw(stream: list[int], label: int, difficulty: float) -> Drawing:
    rng = np.random.default_rng(stream)
    stain = draw_stain(rng, _STAIN_VARIATION)
    lesion = draw_lesion(rng, overlap.shown(NAMES[label], NAMES, difficulty, [*stream, _BORROWED]), SHAPE, SCALE)
    lesion = replace(lesion, nuclei=overlap.apart(lesion.nuclei, _HEALTHY, difficulty))
    return paint(rng, lesion, stain, SCALE)


def _name(index: int) -> str:
    """Path of labeled image `index` below the photos: Normal/n001.tif, Benign/b001.tif, ..., Normal/n002.tif."""
    folder, prefix = FOLDERS[index % len(FOLDERS)]
    return f"{folder}/{prefix}{index // len(FOLDERS) + 1:03d}.tif"


def _save(task: tuple) -> dict:
    draw, index, seed, difficulty, path = task
    drawing, _ = draw(index, seed, difficulty)
    Image.fromarray(drawing.image).save(path)
    return {"image_id": path.stem, **drawing.traits}
