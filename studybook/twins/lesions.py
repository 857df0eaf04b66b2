"""The four kinds of breast tissue that differ in architecture: normal, benign, in situ and invasive.

What tells them apart is not how much of a stain there is but how epithelium is arranged: one layer around an open
lumen; crowded or widened glands that keep their lumens; ducts filled up behind a sharp outline; nests, sheets and
strands that no outline holds. Sizes are in micrometers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from studybook.twins.fields import Flow, smooth_field, step
from studybook.twins.glands import Ducts, Filling
from studybook.twins.nuclei import Nuclei

NAMES = ("normal", "benign", "in situ", "invasive")


@dataclass(frozen=True)
class Lesion:
    """What is drawn into a field of stroma.

    Attributes
    ----------
    ducts : Ducts
        Everything that has an outline.
    reach : float
        How far the loose stroma around ducts reaches, micrometers.
    invasion : float
        Fraction of the field (0-1) through which carcinoma grows without an outline.
    nuclei : Nuclei
        Of the carcinoma's cells.
    """

    ducts: Ducts
    reach: float
    invasion: float
    nuclei: Nuclei


def draw_lesion(rng: np.random.Generator, name: str, shape: tuple[int, int], scale: float) -> Lesion:
    """Draw the architecture of one field.

    Parameters
    ----------
    rng : numpy.random.Generator
    name : str
        One of `NAMES`.
    shape : (int, int)
        Rows and columns in pixels.
    scale : float
        Pixels per micrometer.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if name not in NAMES:
        raise ValueError(f"name: {name!r} found, one of {', '.join(NAMES)} is right")
    ducts, reach, invasion = Ducts(shape, scale), rng.uniform(8, 25), 0.0
    if name == "normal":
        _normal(rng, ducts)
    elif name == "benign":
        reach = _benign(rng, ducts)
    elif name == "in situ":
        _in_situ(rng, ducts)
    else:
        invasion = rng.uniform(0.6, 1.0)
        _remains(rng, ducts)
    return Lesion(ducts, reach, invasion, _carcinoma_nuclei(rng, invasive=name == "invasive"))


def invade(
    rng: np.random.Generator, shape: tuple[int, int], flow: Flow, scale: float, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coverage, float32 (H, W), by cells of invasive carcinoma and by the lumens of its crooked tubules.

    Parameters
    ----------
    flow : Flow
        Fibers, between which strands of cells grow.
    share : float
        Fraction of the field (0-1) that the carcinoma grows through.
    """
    broad = smooth_field(rng, shape, 190 * scale) + 0.4 * smooth_field(rng, shape, 70 * scale)
    broad = broad - np.quantile(broad[::4, ::4], 1 - share) + 0.1 * smooth_field(rng, shape, 20 * scale)
    region = step(broad, 0.25)
    bumps = smooth_field(rng, shape, rng.uniform(11, 24) * scale)
    streaks = flow.texture(rng, rng.uniform(13, 22) * scale, rng.uniform(60, 150) * scale)
    streaks = streaks + 0.35 * smooth_field(rng, shape, 12 * scale)
    lumen = np.zeros(shape, np.float32)
    kind = rng.random()
    if kind < 0.25:  # sheets
        cover = step(bumps + rng.uniform(0.7, 1.6), 0.3)
    elif kind < 0.5:  # nests
        cover = step(bumps - rng.uniform(-0.2, 0.5), 0.2)
    elif kind < 0.8:  # strands, down to single files
        cover = step(streaks - rng.uniform(0.1, 0.9), 0.25)
    else:  # crooked tubules
        cover = step(bumps - rng.uniform(-0.3, 0.2), 0.2)
        lumen = step(bumps - rng.uniform(1.3, 1.7), 0.15)
    mixed = step(smooth_field(rng, shape, 120 * scale) - rng.uniform(0, 1.5), 0.4)
    cover = cover * (1 - mixed) + step(streaks - 0.7, 0.3) * mixed
    return cover * (1 - lumen) * region, lumen * region


def _normal(rng: np.random.Generator, ducts: Ducts) -> None:
    """Lobules and ducts apart from each other, one layer of cells around a lumen."""
    for _ in range(rng.integers(1, 5)):
        lobule(rng, ducts, rng.uniform(60, 160), rng.uniform(13, 20), gap=rng.uniform(2, 9))
    for _ in range(rng.integers(1, 6)):
        duct(rng, ducts, rng.uniform(22, 75))


def _benign(rng: np.random.Generator, ducts: Ducts) -> float:
    """Crowded glands (adenosis), slits in loose stroma (fibroadenoma), or wide glands (cysts, hyperplasia).

    Returns how far the loose stroma around the glands reaches.
    """
    kind = rng.random()
    if kind < 0.45:
        for _ in range(rng.integers(1, 4)):
            lobule(rng, ducts, rng.uniform(150, 340), rng.uniform(14, 23), gap=rng.uniform(-4, 1), tries=700)
        for _ in range(rng.integers(0, 4)):
            duct(rng, ducts, rng.uniform(30, 90))
        return rng.uniform(10, 25)
    if kind < 0.75:
        for _ in range(rng.integers(24, 50)):
            duct(rng, ducts, rng.uniform(17, 40), stretch=rng.uniform(2, 9))
        return rng.uniform(60, 200)
    for _ in range(rng.integers(9, 18)):
        duct(rng, ducts, rng.uniform(30, 130), thick=rng.random() < 0.4)
    lobule(rng, ducts, rng.uniform(90, 190), rng.uniform(14, 22), gap=rng.uniform(-3, 3))
    return rng.uniform(10, 25)


def _in_situ(rng: np.random.Generator, ducts: Ducts) -> None:
    """Ducts, or acini of lobules, filled by carcinoma up to a sharp outline."""
    field = np.array(ducts.owner.shape) / ducts.scale
    solid = Filling(np.inf, carcinoma=True)
    kind = rng.random()
    if kind < 0.2:
        for _ in range(rng.integers(1, 4)):
            lobule(rng, ducts, rng.uniform(110, 240), rng.uniform(20, 36), rng.uniform(0, 6), filling=solid)
    else:
        size, wanted = rng.uniform(55, 125), rng.integers(4, 12)
        for _ in range(40):
            radius, center = size * rng.uniform(0.6, 1.3), rng.uniform(0.05, 0.95, 2) * field
            if ducts.taken(center, radius):
                continue
            filling = solid
            if kind < 0.45:  # cribriform
                filling = replace(solid, holes=rng.uniform(0.2, 1.0))
            elif kind < 0.75 and radius > 55:  # comedo
                filling = replace(solid, necrosis=rng.uniform(0.4, 0.75) * radius)
            ducts.add(rng, center, radius, filling, rng.uniform(0.02, 0.12), rng.uniform(1, 2.2), rng.uniform(0, 0.3))
            wanted -= 1
            if not wanted:
                break
    _remains(rng, ducts)


def _remains(rng: np.random.Generator, ducts: Ducts) -> None:
    """Now and then a normal lobule or duct beside the lesion."""
    if rng.random() < 0.5:
        lobule(rng, ducts, rng.uniform(50, 110), rng.uniform(12, 18), gap=rng.uniform(2, 8))
    for _ in range(rng.integers(0, 3)):
        duct(rng, ducts, rng.uniform(22, 60))


def lobule(
    rng: np.random.Generator,
    ducts: Ducts,
    extent: float,
    size: float,
    gap: float,
    tries: int = 250,
    filling: Filling | None = None,
) -> None:
    """A group of acini of radius `size` within `extent`, at least `gap` apart (below 0: pressed into each other)."""
    field = np.array(ducts.owner.shape) / ducts.scale
    center, squeeze = rng.uniform(0.05, 0.95, 2) * field, np.exp(rng.uniform(-0.25, 0.25))
    filling = filling or Filling(rng.uniform(8, 10.5), secretion=_secretion(rng))
    for _ in range(tries):
        angle, reach = rng.uniform(0, 2 * np.pi), extent * np.sqrt(rng.random())
        where = center + reach * np.array([np.sin(angle) * squeeze, np.cos(angle) / squeeze])
        radius = size * rng.uniform(0.75, 1.25)
        if np.all((where > -radius) & (where < field + radius)) and not ducts.taken(where, radius + gap):
            ducts.add(rng, where, radius, filling, 0.07, rng.uniform(1, 1.5))


def duct(
    rng: np.random.Generator, ducts: Ducts, radius: float, stretch: float | None = None, thick: bool = False
) -> None:
    """A duct with an open lumen; its wall is one layer of cells, or several in usual hyperplasia (`thick`)."""
    for _ in range(5):
        center = rng.random(2) * np.array(ducts.owner.shape) / ducts.scale
        if not ducts.taken(center, radius):
            break
    else:
        return
    filling = Filling(rng.uniform(18, 32) if thick else rng.uniform(9, 12), secretion=_secretion(rng))
    stretch = rng.uniform(1, 3) if stretch is None else stretch
    ducts.add(rng, center, radius, filling, rng.uniform(0.03, 0.16), stretch, rng.uniform(0, 0.45))


def _secretion(rng: np.random.Generator) -> float:
    return rng.uniform(0.1, 0.5) if rng.random() < 0.25 else 0.0


def _carcinoma_nuclei(rng: np.random.Generator, invasive: bool) -> Nuclei:
    """Larger and more uneven where the carcinoma invades, with an overlap."""
    radius = rng.uniform(4.0, 5.6) if invasive else rng.uniform(3.7, 5.2)
    return Nuclei(
        spacing=radius * rng.uniform(2.1, 2.9),
        radius=radius,
        pleomorphism=rng.uniform(0.17, 0.34) if invasive else rng.uniform(0.08, 0.26),
        elongation=rng.uniform(1.15, 1.6) if invasive else rng.uniform(1.1, 1.3),
        intensity=rng.uniform(0.6, 1.2),
        unevenness=rng.uniform(0.12, 0.32),
        disorder=rng.uniform(0.6, 0.9),
    )
