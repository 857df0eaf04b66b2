"""The twin of the IDC patches: slides drawn at 2.5x, cut into patches of 50 x 50 pixels.

The real set (Cruz-Roa et al., SPIE Medical Imaging 2014; Janowczyk and Madabhushi, Journal of Pathology
Informatics 7, 2016) cuts slides of invasive ductal carcinoma, reduced from 40x to 2.5x, into patches named
``<patient>_idx5_x<X>_y<Y>_class<0|1>.png``. A slide is drawn here as one picture, so that neighboring patches
fit together, and its tumor mask decides the labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.special import betaincinv

from studybook.twins import overlap, truth
from studybook.twins.habit import draw_habit
from studybook.twins.nuclei import describe
from studybook.twins.slide import EPITHELIAL, Slide, outlined_elsewhere, paint
from studybook.twins.stains import Stain, draw_stain

VERSION = 2  # 2: the table of traits; images as of version 1

SIDE = 50  # pixels
SCALE = 0.25  # pixels per micrometer: 40x is about 0.25 micrometers per pixel, reduced 16 times
POSITIVE_FRACTION = 0.5  # of a patch's pixels in tumor, from which its label is 1
MINIMUM_TISSUE = 0.04  # fraction of pixels; patches with less are left out, as in the real set
FIRST_PATIENT = 90001  # real patients have numbers below 20000
MAXIMUM_PATIENTS = 100000 - FIRST_PATIENT
FOLDER = "IDC_regular_ps50_idx5"

# Tumor fractions of patients follow a beta distribution with the mean and spread of the real patients, except
# for one in twenty, who has none.
_TUMOR_FREE = 0.05
_TUMOR_BETA = (1.5, 3.4)
# One slide in eight is no multiple of the patch side, which gives about 1 % of narrower or shorter patches.
_ODD_SLIDE = 8
_BORROWED = 1  # stream of random numbers of a patient


def draw_slide(
    rng: np.random.Generator,
    rows: int,
    columns: int,
    stain: Stain,
    tumor: float | None = None,
    trim: tuple[int, int] = (0, 0),
    difficulty: float = 1.0,
) -> Slide:
    """Draw one slide of `rows` x `columns` patches.

    Parameters
    ----------
    rng : numpy.random.Generator
    rows, columns : int
        Size in patches, at least 1 each.
    stain : Stain
        The patient's stain, see :func:`studybook.twins.stains.draw_stain`.
    tumor : float, optional
        Fraction of the tissue that is tumor (0-1); drawn when None.
    trim : (int, int)
        Pixels by which the last row and the last column of patches fall short.
    difficulty : float
        Below 1, the tumor's nuclei differ more from those of normal glands.

    Raises
    ------
    ValueError
        If `rows` or `columns` is below 1, `trim` is not in 0-49, or `tumor` is no fraction.
    """
    _check_size(rows, columns)
    if not all(0 <= pixels < SIDE for pixels in trim):
        raise ValueError(f"trim: {tuple(trim)} found, 0 to {SIDE - 1} pixels each is right")
    if tumor is None:
        tumor = tumor_fraction(rng.random())
    shape = (rows * SIDE - trim[0], columns * SIDE - trim[1])
    habit = draw_habit(rng, tumor)
    habit = replace(habit, nuclei=overlap.apart(habit.nuclei, EPITHELIAL, difficulty))
    return paint(rng, shape, stain, habit, SCALE)


def patches(image: np.ndarray, tumor: np.ndarray) -> Iterator[tuple[int, int, int, np.ndarray]]:
    """Cut a slide into patches, leaving out those that are nearly all background.

    Parameters
    ----------
    image : ndarray, uint8, (H, W, 3)
    tumor : ndarray, bool, (H, W)

    Yields
    ------
    x, y : int
        Column and row of the first pixel, counted from 1.
    label : int
        1 if at least `POSITIVE_FRACTION` of the patch lies in tumor, else 0.
    patch : ndarray, uint8, (h, w, 3)
        50 x 50 pixels, less at the lower and right edge of a slide that is no multiple of 50.
    """
    stained = image[..., 1] < 215
    for top in range(0, image.shape[0], SIDE):
        for left in range(0, image.shape[1], SIDE):
            window = (slice(top, top + SIDE), slice(left, left + SIDE))
            if stained[window].mean() >= MINIMUM_TISSUE:
                yield left + 1, top + 1, int(tumor[window].mean() >= POSITIVE_FRACTION), image[window]


def draw_patient(index: int, seed: int, rows: int = 10, columns: int = 10, difficulty: float = 1.0) -> Slide:
    """Draw the slide of patient `index` (from 0); it depends on `seed` and `index`, not on other patients.

    Above a difficulty of 1 the outlines do not follow the tumor in a share of the slide (:mod:`.overlap`): patches
    there borrow the tissue of either class, and still fit to their neighbors.
    """
    rng = np.random.default_rng([seed, index])
    stain = draw_stain(rng)
    # Multiples of the golden ratio fill 0-1 evenly: a few patients have about the same prevalence as many.
    start = np.random.default_rng(seed).random()
    fraction = tumor_fraction((start + index * 0.6180339887498949) % 1)
    trim = (0, 0)
    if index % _ODD_SLIDE == _ODD_SLIDE // 2:
        short = int(rng.integers(2, SIDE - 1))
        # In the real set nearly all of these patches are shorter, hardly any is narrower.
        trim = (0, short) if rng.random() < 0.15 else (short, 0)
    slide = draw_slide(rng, rows, columns, stain, fraction, trim, difficulty)
    other, share = np.random.default_rng([seed, index, _BORROWED]), max(0.0, 1 - overlap.closeness(difficulty))
    return slide._replace(tumor=outlined_elsewhere(other, slide.tumor, SCALE, share))


def write(
    folder: str | Path, patients: int, seed: int, rows: int = 10, columns: int = 10, difficulty: float = 1.0
) -> Path:
    """Write the twin below `folder`, in the layout and with the names of the real set.

    Parameters
    ----------
    folder : str or Path
        Made if absent.
    patients : int
        One slide each, 1 to 9999; their numbers start at 90001.
    seed : int
    rows, columns : int
        Size of a slide in patches.
    difficulty : float
        See :mod:`studybook.twins.overlap`.

    Returns
    -------
    Path
        ``<folder>/IDC_regular_ps50_idx5``

    Raises
    ------
    ValueError
        If `patients`, `rows` or `columns` is out of range.
    """
    if not 1 <= patients <= MAXIMUM_PATIENTS:
        raise ValueError(f"patients: {patients} found, 1 to {MAXIMUM_PATIENTS} is right")
    _check_size(rows, columns)
    root, drawn = Path(folder) / FOLDER, []
    for index in range(patients):
        patient = str(FIRST_PATIENT + index)
        for label in "01":
            (root / patient / label).mkdir(parents=True, exist_ok=True)
        slide = draw_patient(index, seed, rows, columns, difficulty)
        for x, y, label, patch in patches(slide.image, slide.tumor):
            name = f"{patient}_idx5_x{x}_y{y}_class{label}"
            Image.fromarray(patch).save(root / patient / str(label) / f"{name}.png", compress_level=1)
            drawn.append({"image_id": name, **_traits(slide, x - 1, y - 1, patch.shape)})
    truth.save(folder, "idc", drawn)
    return root


def _traits(slide: Slide, left: int, top: int, shape: tuple[int, ...]) -> dict[str, float]:
    """Shares of a patch that cells of carcinoma, walls of normal glands and fat cover; its nuclei of any kind."""
    box = top, left, top + shape[0], left + shape[1]
    window = np.s_[box[0] : box[2], box[1] : box[3]]
    shares = {name: float(getattr(slide, name)[window].mean()) for name in ("carcinoma", "glands", "fat")}
    return shares | describe(slide.nuclei, box, SCALE)


def tumor_fraction(quantile: float) -> float:
    """The tumor fraction (0-1) below which `quantile` (0-1) of the patients lie."""
    if quantile < _TUMOR_FREE:
        return 0.0
    return float(betaincinv(*_TUMOR_BETA, (quantile - _TUMOR_FREE) / (1 - _TUMOR_FREE)))


def _check_size(rows: int, columns: int) -> None:
    if rows < 1 or columns < 1:
        raise ValueError(f"rows and columns: {rows} and {columns} found, at least 1 patch each is right")
