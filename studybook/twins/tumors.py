"""Eight tumors of the breast, told as a pathologist tells them: by glands, stroma, the way cells grow, and nuclei.

Benign: adenosis (crowded small acini, dilated ones), fibroadenoma (slits and tubules in abundant loose stroma),
phyllodes tumor (leaves of cellular stroma between clefts), tubular adenoma (uniform small tubules back to back).
Malignant: ductal (nests, sheets, tubules of uneven cells), lobular (single files of small even cells in fibrous
stroma), mucinous (nests in pools of mucin), papillary carcinoma (cells on branching cores within a cyst).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studybook.twins.fields import Flow, smooth_field, step
from studybook.twins.glands import Ducts, Epithelium, Filling
from studybook.twins.lesions import duct, invade, lobule
from studybook.twins.nuclei import Nuclei

TYPES = ("A", "F", "PT", "TA", "DC", "LC", "MC", "PC")
CARCINOMAS = TYPES[4:]


@dataclass(frozen=True)
class Tumor:
    """What of a field belongs to the tumor; maps are float32 (H, W), coverage 0-1.

    Attributes
    ----------
    epithelium : Epithelium
        Glands with an outline.
    cells, spaces, mucin, core : ndarray
        Cells that no outline holds; spaces between them; pools of mucin; stroma within outlines.
    reach : float
        How far the loose stroma around glands reaches, micrometers.
    """

    epithelium: Epithelium
    cells: np.ndarray
    spaces: np.ndarray
    mucin: np.ndarray
    core: np.ndarray
    reach: float


def draw_ducts(
    rng: np.random.Generator, kind: str, shape: tuple[int, int], scale: float, share: float = 0.7
) -> tuple[Ducts, float]:
    """Draw the glands of a field, and how far the loose stroma around them reaches (micrometers).

    Parameters
    ----------
    rng : numpy.random.Generator
    kind : str
        One of `TYPES`.
    shape : (int, int)
        Rows and columns in pixels.
    scale : float
        Pixels per micrometer.
    share : float
        How much of the field the tumor takes, about; 0-1.

    Raises
    ------
    ValueError
        For an unknown kind.
    """
    if kind not in TYPES:
        raise ValueError(f"kind: {kind!r} found, one of {', '.join(TYPES)} is right")
    ducts, reach = Ducts(shape, scale), rng.uniform(8, 25)
    if kind == "A":
        _adenosis(rng, ducts, share)
    elif kind == "F":
        reach = _fibroadenoma(rng, ducts, share)
    elif kind == "TA":
        for _ in range(1 + round(3 * share)):
            lobule(rng, ducts, rng.uniform(220, 380), rng.uniform(11, 16), gap=rng.uniform(0, 3), tries=600)
    elif kind == "PC":
        _cysts(rng, ducts, share)
    else:
        _beside(rng, ducts, filled=kind == "DC")
    return ducts, reach


def draw_tumor(
    rng: np.random.Generator, kind: str, epithelium: Epithelium, flow: Flow, scale: float, reach: float, share: float
) -> Tumor:
    """Grow what has no outline around the glands of `draw_ducts`; the parameters are the same."""
    shape, free = epithelium.depth.shape, 1 - epithelium.inside
    cells = spaces = mucin = core = np.zeros(shape, np.float32)
    if kind == "DC":
        cells, spaces = (m * free for m in invade(rng, shape, flow, scale, share))
    elif kind == "LC":
        cells = _files(rng, shape, flow, scale, share) * free
    elif kind == "MC":
        cells, mucin = (m * free for m in _pools(rng, shape, scale, share))
    elif kind == "PC":
        cells, spaces, core = _papillae(rng, epithelium, scale)
    elif kind == "PT":
        cells, spaces = (m * free for m in _leaves(rng, shape, scale, share))
    return Tumor(epithelium, cells, spaces, mucin, core, reach)


def draw_nuclei_of(rng: np.random.Generator, kind: str) -> Nuclei:
    """Nuclei of one patient's tumor: small and even in benign and lobular, large and uneven in ductal ones."""
    low, high, uneven = {
        "DC": (3.9, 5.5, (0.16, 0.34)),
        "LC": (3.5, 4.4, (0.08, 0.18)),
        "MC": (3.6, 4.6, (0.1, 0.22)),
        "PC": (3.6, 4.8, (0.1, 0.24)),
    }.get(kind, (3.3, 4.1, (0.08, 0.16)))
    radius = rng.uniform(low, high)
    return Nuclei(
        spacing=radius * rng.uniform(2.2, 2.9),
        radius=radius,
        pleomorphism=rng.uniform(*uneven),
        elongation=rng.uniform(1.4, 1.8) if kind == "PC" else rng.uniform(1.15, 1.5),
        intensity=rng.uniform(0.65, 1.15),
        unevenness=rng.uniform(0.1, 0.3),
        disorder=rng.uniform(0.6, 0.9),
    )


def _adenosis(rng: np.random.Generator, ducts: Ducts, share: float) -> None:
    for _ in range(1 + round(3 * share)):
        lobule(rng, ducts, rng.uniform(110, 260), rng.uniform(14, 22), gap=rng.uniform(-3, 2), tries=350)
    for _ in range(rng.integers(0, 7)):
        duct(rng, ducts, rng.uniform(28, 85))


def _fibroadenoma(rng: np.random.Generator, ducts: Ducts, share: float) -> float:
    slits = rng.random() < 0.6
    for _ in range(round(rng.uniform(20, 50) * (0.3 + share))):
        duct(rng, ducts, rng.uniform(16, 38), stretch=rng.uniform(3, 10) if slits else rng.uniform(1, 2.5))
    return rng.uniform(60, 200)


def _cysts(rng: np.random.Generator, ducts: Ducts, share: float) -> None:
    field = np.array(ducts.owner.shape) / ducts.scale
    for _ in range(1 + round(2 * share)):
        size, center = rng.uniform(120, 300), rng.uniform(0.15, 0.85, 2) * field
        ducts.add(rng, center, size, Filling(0.0, carcinoma=True), rng.uniform(0.05, 0.15), rng.uniform(1, 1.8))
    _beside(rng, ducts, filled=False)


def _beside(rng: np.random.Generator, ducts: Ducts, filled: bool) -> None:
    """Now and then what is left of healthy glands, or ducts filled by carcinoma, beside the tumor."""
    if rng.random() < 0.5:
        lobule(rng, ducts, rng.uniform(50, 120), rng.uniform(12, 18), gap=rng.uniform(1, 8))
    for _ in range(rng.integers(0, 3)):
        duct(rng, ducts, rng.uniform(20, 60))
    if filled and rng.random() < 0.4:
        field = np.array(ducts.owner.shape) / ducts.scale
        for _ in range(rng.integers(1, 5)):
            radius, center = rng.uniform(35, 100), rng.uniform(0.05, 0.95, 2) * field
            dead = rng.uniform(0.45, 0.75) * radius if radius > 60 and rng.random() < 0.5 else np.inf
            holes = rng.uniform(0.2, 1) if dead == np.inf and rng.random() < 0.5 else 0.0
            filling = Filling(np.inf, holes=holes, necrosis=dead, carcinoma=True)
            ducts.add(rng, center, radius, filling, rng.uniform(0.02, 0.1), rng.uniform(1, 2))


def _region(rng: np.random.Generator, shape: tuple[int, int], scale: float, share: float) -> np.ndarray:
    """A coherent `share` of the field with soft borders."""
    broad = smooth_field(rng, shape, 190 * scale) + 0.4 * smooth_field(rng, shape, 70 * scale)
    return step(broad - np.quantile(broad[::4, ::4], 1 - share), 0.25)


def _files(rng: np.random.Generator, shape: tuple[int, int], flow: Flow, scale: float, share: float) -> np.ndarray:
    """Cells one behind the other between fibers, now and then a looser crowd."""
    files = flow.texture(rng, rng.uniform(10, 13) * scale, rng.uniform(120, 220) * scale)
    files = files + 0.3 * smooth_field(rng, shape, 14 * scale)
    crowd = smooth_field(rng, shape, 60 * scale) - rng.uniform(1.6, 3.0)
    cells = np.maximum(step(files - rng.uniform(0.7, 1.1), 0.2), 0.7 * step(crowd, 0.3))
    return cells * _region(rng, shape, scale, share)


def _pools(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Nests of cells that swim in mucin, and the mucin, between thin septa."""
    septa = 1 - step(_from_line(rng, shape, rng.uniform(70, 130), scale) - rng.uniform(2, 7), 2)
    pool = _region(rng, shape, scale, 0.25 + 0.7 * share) * (1 - septa)
    nests = smooth_field(rng, shape, rng.uniform(14, 26) * scale) + 0.5 * smooth_field(rng, shape, 80 * scale)
    cells = step(nests - rng.uniform(0.9, 1.5), 0.15) * pool
    return cells, pool * (1 - cells)


def _papillae(
    rng: np.random.Generator, epithelium: Epithelium, scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells on branching cores within the outlines of cysts, the space that is left, and the cores."""
    cyst = epithelium.inside * epithelium.carcinoma
    distance = np.minimum(_from_line(rng, cyst.shape, rng.uniform(28, 45), scale), epithelium.depth)
    core_width, layer = rng.uniform(1.5, 5), rng.uniform(9, 17)
    core = step(core_width - distance, 1.2) * cyst
    cells = step(core_width + layer - distance, 1.2) * cyst * (1 - core)
    return cells, (cyst - cells - core).clip(0), core


def _leaves(
    rng: np.random.Generator, shape: tuple[int, int], scale: float, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """The epithelium that lines clefts between leaves of stroma, and the clefts."""
    distance = _from_line(rng, shape, rng.uniform(80, 140), scale)
    width = rng.uniform(4, 22) * np.exp(0.5 * smooth_field(rng, shape, 90 * scale))
    width = width + 2.5 * smooth_field(rng, shape, max(1.0, 9 * scale))
    closed = 60 * (1 - _region(rng, shape, scale, 0.35 + 0.6 * share))
    clefts = step(width - closed - distance, 1.2)
    return step(width + rng.uniform(9, 15) - closed - distance, 1.2) * (1 - clefts), clefts


def _from_line(rng: np.random.Generator, shape: tuple[int, int], spacing: float, scale: float) -> np.ndarray:
    """Distance in micrometers, to first order, from branching lines about `spacing` micrometers apart."""
    field = smooth_field(rng, shape, spacing * scale) + 0.25 * smooth_field(rng, shape, 0.4 * spacing * scale)
    slope = np.hypot(*np.gradient(field)) * scale + 0.25 / spacing
    return np.abs(field) / slope
