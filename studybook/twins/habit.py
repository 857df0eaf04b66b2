"""What differs between the tissues of two patients, apart from the stain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studybook.twins.nuclei import Nuclei


@dataclass(frozen=True)
class Habit:
    """How one patient's tissue is made; all that differs between slides beside the stain.

    Attributes
    ----------
    tumor : float
        Fraction of the tissue that is tumor, 0-1.
    fat : float
        Fraction of the tissue that is fat, 0-1.
    background : float
        Fraction of the slide without tissue, 0-1.
    patterns : tuple of float
        Shares of sheets, nests, cords and glands in the tumor, sum 1.
    nuclei : Nuclei
        The tumor's nuclei.
    cellularity : float
        How densely stroma is set with nuclei, about 1.
    inflammation : float
        Fraction of stroma taken by clusters of lymphocytes.
    lobules : float
        Normal glands, groups of them per square millimeter.
    looseness : float
        How much collagen is torn into strands by the cut, 0-1.
    ink : bool
        Whether the cut surface was inked.
    blur : float
        Standard deviation of the point spread, micrometers; few slides are out of focus.
    fold : bool
        Whether the section lies in folds, which look twice as thick.
    """

    tumor: float
    fat: float
    background: float
    patterns: tuple[float, ...]
    nuclei: Nuclei
    cellularity: float
    inflammation: float
    lobules: float
    looseness: float
    ink: bool
    blur: float
    fold: bool


def draw_habit(rng: np.random.Generator, tumor: float) -> Habit:
    """Draw the habit of one patient with a given `tumor` fraction (0-1).

    Raises
    ------
    ValueError
        If `tumor` is not a fraction.
    """
    if not 0 <= tumor <= 1:
        raise ValueError(f"tumor: {tumor} found, a fraction from 0 to 1 is right")
    radius = rng.uniform(4.1, 5.7)
    nuclei = Nuclei(
        spacing=radius * rng.uniform(2.1, 2.7),
        radius=radius,
        pleomorphism=rng.uniform(0.15, 0.35),
        elongation=rng.uniform(1.2, 1.6),
        intensity=rng.uniform(0.55, 1.15),
        unevenness=rng.uniform(0.15, 0.35),
        disorder=1.0,
    )
    background = 0.15 * rng.beta(0.7, 2.0)
    return Habit(
        tumor=tumor,
        fat=0.6 * rng.beta(0.9, 1.6),
        background=background,
        patterns=tuple(rng.dirichlet([0.8, 1.0, 1.0, 0.5])),
        nuclei=nuclei,
        cellularity=float(np.exp(0.5 * rng.standard_normal())),
        inflammation=0.3 * rng.beta(0.7, 2.0),
        lobules=rng.gamma(2.0, 2.0),
        looseness=rng.beta(1.2, 2.0),
        ink=background > 0.02 and rng.random() < 0.1,
        blur=rng.uniform(0.8, 1.8) * (2.0 if rng.random() < 0.06 else 1.0),
        fold=rng.random() < 0.1,
    )
