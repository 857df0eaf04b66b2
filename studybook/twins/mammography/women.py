"""Women and their lesions, drawn before any film: what both views of a breast have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studybook.twins.overlap import shift

# Distance of the class means of each trait in units of its standard deviation. Who knew all traits could tell the
# classes apart with an area under the ROC curve of 0.99, who knew one of the four with 0.98; with a distance of 1.4, at
# difficulty 2, the areas are 0.91 and 0.84 (4,000 masses). Half of the variance is common to all traits, so that they
# tell little more than one does.
_CLASS_SHIFT = 2.8  # further apart than in life: few drawn films should be enough to learn from
_COMMON = 0.5
_SECOND_LESION = 0.12  # share of women; 0.06 of the patients in the tables of CBIS-DDSM
_OTHER_KIND = 0.1  # share of second lesions of the other class


@dataclass(frozen=True)
class Lesion:
    """A mass. Traits lie in 0 to 1 and are higher in malignant masses on average, with much overlap.

    Attributes
    ----------
    malignant : bool
    radius : float
        Pixels of 200 micrometers.
    irregularity, blur, spicules, density : float
        Of the outline, of the margin, of the strands around it, of its core.
    depth, offset : float
        Place in the breast: 0 at the chest wall to 1 at the nipple, and -1 to 1 across.
    """

    malignant: bool
    radius: float
    irregularity: float
    blur: float
    spicules: float
    density: float
    depth: float
    offset: float

    def traits(self, image_id: str) -> dict:
        """A row of the table of traits."""
        named = {name: getattr(self, name) for name in ("radius", "irregularity", "blur", "spicules", "density")}
        return {"image_id": image_id, **named}


@dataclass(frozen=True)
class Woman:
    """What the films of one woman have in common.

    Attributes
    ----------
    side : str
        Breast with the lesions, ``left`` or ``right``.
    density : int
        Of the breast, 1 (fatty) to 4 (dense).
    width, height : float
        Of the breast, as shares of the film.
    age : int
        Years.
    lesions : tuple of Lesion
    """

    side: str
    density: int
    width: float
    height: float
    age: int
    lesions: tuple[Lesion, ...]

    @property
    def malignant(self) -> bool:
        """Class of the first lesion."""
        return self.lesions[0].malignant


def draw_woman(seed: int, index: int, source: str, difficulty: float = 1.0) -> tuple[Woman, np.random.Generator]:
    """Draw woman `index` (from 0) of a data set; she depends on nothing else.

    Women alternate between the classes, so that two suffice for both.

    Parameters
    ----------
    seed, index : int
    source : str
        Name of the data set: two sets drawn with one seed show different women.
    difficulty : float
        Of her lesions, see `draw_lesion`.

    Returns
    -------
    woman : Woman
    rng : numpy.random.Generator
        For her films.
    """
    rng = np.random.default_rng([seed, index, *source.encode()])
    first = draw_lesion(rng, bool(index % 2), difficulty)
    lesions = [first]
    if rng.random() < _SECOND_LESION:
        other = first.malignant != (rng.random() < _OTHER_KIND)
        # On the other side of the breast's axis, so that the two do not overlap.
        second = draw_lesion(rng, other, difficulty)
        place = -np.sign(first.offset) * max(abs(second.offset), 0.3)
        lesions.append(Lesion(**{**second.__dict__, "offset": float(place), "radius": min(second.radius, 45.0)}))
    woman = Woman(
        side=("left", "right")[int(rng.integers(2))],
        density=int(rng.choice(4, p=[0.2, 0.4, 0.28, 0.12])) + 1,
        width=float(rng.uniform(0.62, 0.8)),
        height=float(rng.uniform(0.84, 0.96)),
        age=int(rng.integers(35, 80)),
        lesions=tuple(lesions),
    )
    return woman, rng


def check(patients: int, maximum: int) -> None:
    """Raise a ValueError if that many patients can't be drawn."""
    if not 1 <= patients <= maximum:
        raise ValueError(f"patients: {patients} found, 1 to {maximum} is right")


def draw_lesion(rng: np.random.Generator, malignant: bool, difficulty: float = 1.0) -> Lesion:
    """Draw a mass of one class; the classes' means are moved by `difficulty` (:mod:`studybook.twins.overlap`)."""
    noise = np.sqrt(_COMMON) * rng.standard_normal() + np.sqrt(1 - _COMMON) * rng.standard_normal(4)
    mean, size = _CLASS_SHIFT * (malignant - 0.5), 38 + 8 * malignant
    trait = 1 / (1 + np.exp(-1.3 * (noise + (mean + shift(mean, 0, difficulty)))))
    # Radii of mini-MIAS, in pixels: medians 34 (benign) and 49 (malignant).
    radius = float(np.clip(np.exp(rng.normal(np.log(size + shift(size, 42, difficulty)), 0.35)), 17, 95))
    depth, offset = float(rng.uniform(0.36, 0.72)), float(rng.uniform(-0.55, 0.55))
    return Lesion(malignant, radius, *(float(value) for value in trait), depth=depth, offset=offset)
