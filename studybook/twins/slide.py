"""A slide of breast tissue, composed from nuclei, fat, glands and fibers.

The picture is built from the coarse to the fine: where there is tissue at all, where fat, where tumor; then
collagen, glands, nests of tumor cells, vessels; nuclei last. What makes the classes differ is what a
pathologist looks for: in tumor, nests, cords, sheets or crooked glands of larger, uneven, disordered nuclei
in reactive stroma. What makes them hard to tell by color alone also comes from practice: lymphocytes and
normal lobules are as dark as tumor, cellular stroma as purple, and some tumors are pale, sparse, or grow
through fat.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studybook.twins.fields import Flow, above, draw_flow, rough_field, smooth_field, step
from studybook.twins.habit import Habit
from studybook.twins.nuclei import Ellipses, Nuclei, draw_nuclei
from studybook.twins.stains import Stain
from studybook.twins.tissue import Glands, draw_gland, fat, sensor

STROMAL = Nuclei(spacing=19, radius=3.1, pleomorphism=0.2, elongation=2.3, intensity=1.2, unevenness=0.3)
EPITHELIAL = Nuclei(spacing=8, radius=3.3, pleomorphism=0.1, intensity=1.15, unevenness=0.1, disorder=0.75)
LYMPHOCYTE = Nuclei(spacing=8, radius=3.0, pleomorphism=0.06, elongation=1.0, intensity=1.4, unevenness=0.1)


def _glands(rng: np.random.Generator, allowed: np.ndarray, density: float, scale: float) -> tuple[Glands, np.ndarray]:
    """Normal ducts and lobules in `allowed`; also the loose stroma around acini, (H, W) coverage."""
    glands = Glands(np.zeros(allowed.shape, np.float32), np.zeros(allowed.shape, np.float32))
    bed = Glands(np.zeros(allowed.shape, np.float32), np.zeros(allowed.shape, np.float32))
    area = allowed.size / scale**2 / 1e6
    for _ in range(rng.poisson(density * area)):
        center = rng.random(2) * allowed.shape
        if not allowed[int(center[0]), int(center[1])]:
            continue
        kind = rng.random()
        if kind < 0.6:  # a lobule: a heap of acini in its own pale stroma
            extent = rng.uniform(45, 130)
            draw_gland(rng, bed, center, extent * 1.15, extent * 2, scale, 0.08, rng.uniform(1, 1.5))
            size = rng.uniform(9, 16)
            for _ in range(int(0.32 * (extent / size) ** 2)):
                where = center + extent * scale * np.sqrt(rng.random()) * _direction(rng)
                draw_gland(rng, glands, where, size * rng.uniform(0.8, 1.2), rng.uniform(8, 12), scale, 0.06)
        elif kind < 0.8:  # a duct with an open lumen
            extent = rng.uniform(28, 80)
            wall = rng.uniform(12, 18)
            draw_gland(rng, glands, center, extent, wall, scale, rng.uniform(0.03, 0.15), rng.uniform(1, 3))
        else:  # a duct filled by a proliferation that has not broken through its wall
            extent = rng.uniform(45, 140)
            draw_gland(rng, bed, center, extent + 12, extent * 2, scale, 0.04)
            draw_gland(rng, glands, center, extent, rng.uniform(0.6, 1.2) * extent, scale, 0.06, rng.uniform(1, 1.4))
    return glands, bed.wall


def _direction(rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.sin(angle), np.cos(angle)])


def _tumor_cells(
    rng: np.random.Generator, habit: Habit, tumor: np.ndarray, flow: Flow, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coverage by tumor cells and by the lumens of tumor glands, inside of the soft region `tumor`."""
    shape = tumor.shape
    # The field whose ridges become nests: round bumps, drawn out along the fibers where cords grow.
    round_bumps = smooth_field(rng, shape, rng.uniform(12, 24) * scale)
    streaks = flow.texture(rng, rng.uniform(13, 20) * scale, rng.uniform(60, 130) * scale)
    weights = np.cumsum(habit.patterns)
    where = _rank(smooth_field(rng, shape, 250 * scale))
    pick = np.searchsorted(weights[:-1].astype(np.float32), where)
    density = 0.5 * smooth_field(rng, shape, 130 * scale)
    field = np.where(pick == 2, streaks, round_bumps) + density
    threshold = np.array([-0.9, 0.1, 0.4, 0.1], np.float32)[pick]
    cover = step(field - threshold, 0.25)
    lumen = step(round_bumps - 1.2, 0.2) * (pick == 3)
    cover = cover * (1 - lumen) * tumor
    return cover, lumen * (tumor > 0.5)


def _rank(field: np.ndarray) -> np.ndarray:
    """Gaussian noise to values spread evenly over 0-1 (logistic approximation of the normal distribution)."""
    return 1 / (1 + np.exp(np.float32(-1.702) * field))


class Slide(NamedTuple):
    """A drawn slide.

    Attributes
    ----------
    image : ndarray, uint8, (H, W, 3)
    tumor : ndarray, bool, (H, W)
        The region that an annotator would outline.
    carcinoma, glands, fat : ndarray, float32, (H, W)
        Coverage by the tumor's cells, by the walls of normal glands, by fat.
    nuclei : tuple of Ellipses
        All of them, by kind.
    """

    image: np.ndarray
    tumor: np.ndarray
    carcinoma: np.ndarray
    glands: np.ndarray
    fat: np.ndarray
    nuclei: tuple[Ellipses, ...]


def paint(rng: np.random.Generator, shape: tuple[int, int], stain: Stain, habit: Habit, scale: float) -> Slide:
    """Draw one slide.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (int, int)
        Rows and columns in pixels.
    stain : Stain
    habit : Habit
    scale : float
        Pixels per micrometer (2.5x: 0.25).
    """
    flow = draw_flow(rng, shape, 300 * scale, 0.7)

    # Regions.
    outline = above(rough_field(rng, shape, 600 * scale, 5), 1 - habit.background)
    outline += 0.02 * smooth_field(rng, shape, max(1.0, 14 * scale))
    tissue = step(outline, 0.025) if habit.background > 0.004 else np.ones(shape, np.float32)
    fatness = above(rough_field(rng, shape, 340 * scale, 3), habit.fat)
    # Tumor keeps away from fat and from the edge of the tissue, without being kept out.
    ground = rough_field(rng, shape, 330 * scale, 2) - 1.0 * np.maximum(fatness, -0.3)
    ground -= 1.5 * np.maximum(0.4 - outline, 0)
    spread = above(ground, min(1.0, habit.tumor * float(tissue.mean()))) if habit.tumor > 0 else ground - 99
    tumor = spread > 0
    soft = step(spread + 0.12 * smooth_field(rng, shape, 25 * scale), 0.15)

    # Hollows: fat cells, clefts between fibers, lumens, and the glass around.
    hollow, adipose = fat(rng, fatness + 0.15 * smooth_field(rng, shape, 45 * scale), scale)
    loose = smooth_field(rng, shape, 120 * scale)
    strands = flow.texture(rng, 6 * scale, 70 * scale)
    strands += 0.4 * smooth_field(rng, shape, max(1.0, 12 * scale))
    cleft = step(strands - (3.5 - 1.9 * habit.looseness - 0.6 * loose), 0.35) * 0.9
    stroma = tissue * (1 - adipose)
    glands, bed = _glands(rng, (~tumor) & (stroma > 0.5), habit.lobules, scale)
    cover, tubules = _tumor_cells(rng, habit, soft, flow, scale)
    free = 1 - np.maximum(glands.wall, glands.lumen)
    hollow, adipose = hollow * free, adipose * free  # glands displace fat
    solid = tissue * (1 - hollow)
    matrix = solid * (1 - cleft * (1 - cover)) * (1 - 0.85 * glands.lumen) * (1 - 0.85 * tubules)

    # Eosin: collagen streaked by its fibers, paler around acini, paler in the tumor's reactive stroma.
    fine = flow.texture(rng, 4.5 * scale, 32 * scale) + 0.5 * rng.standard_normal(shape, dtype=np.float32)
    broad = smooth_field(rng, shape, 70 * scale)
    eosin = np.float32(0.51) * np.exp(np.float32(0.26) * fine + np.float32(0.16) * broad)
    eosin *= 1 - 0.22 * np.maximum(bed, 0.7 * soft) * (1 - cover)
    eosin += 0.1 * cover + 0.06 * glands.wall
    eosin *= matrix

    # Hematoxylin: a wash over cytoplasm and cellular stroma, then the nuclei.
    cells = smooth_field(rng, shape, 110 * scale)
    wash = 0.08 + 0.12 * np.maximum(cells, 0) * habit.cellularity + 0.06 * np.maximum(bed, soft)
    wash = wash + 0.16 * cover + 0.45 * glands.wall
    hematoxylin = wash * matrix

    blood = vessels(rng, shape, stroma * free, flow, scale)
    immune = step(above(rough_field(rng, shape, 90 * scale, 3), habit.inflammation), 0.5)
    nuclei = np.zeros(shape, np.float32)
    chance = np.clip(0.28 * habit.cellularity * np.exp(0.8 * cells) + 0.3 * bed + 0.25 * soft, 0, 0.95)
    placed = (
        draw_nuclei(rng, nuclei, chance * matrix * free * (1 - blood) * (adipose < 0.5), STROMAL, scale, flow),
        draw_nuclei(rng, nuclei, 0.12 * (adipose - hollow) * tissue, STROMAL, scale),
        draw_nuclei(rng, nuclei, 1.2 * glands.wall * tissue, EPITHELIAL, scale),
        draw_nuclei(rng, nuclei, cover * matrix * (1 - 0.8 * adipose), habit.nuclei, scale),
        draw_nuclei(rng, nuclei, immune * matrix * free * (adipose < 0.5), LYMPHOCYTE, scale),
    )
    hematoxylin = hematoxylin + nuclei * matrix

    # Section thickness and uptake wander slowly over the slide.
    thick = np.exp(np.float32(0.1) * smooth_field(rng, shape, 300 * scale))
    if habit.fold:
        crest = np.abs(rough_field(rng, shape, 350 * scale, 2)) - 0.03
        thick *= 1 + 0.8 * step(-crest, 0.02) * step(smooth_field(rng, shape, 200 * scale) - 0.7, 0.2)
    ink = _ink(rng, habit, outline, shape)
    image = stain.render(hematoxylin * thick, eosin * thick * (1 - blood), blood * solid, ink)
    image = sensor(rng, image, habit.blur * scale, rng.uniform(0.8, 2.5))
    return Slide(image, tumor, cover * matrix, glands.wall * tissue, adipose * tissue, placed)


def outlined_elsewhere(rng: np.random.Generator, tumor: np.ndarray, scale: float, share: float) -> np.ndarray:
    """The outlines of `tumor`, bool (H, W), but in a `share` of the slide those of another tumor of the same extent."""
    if share == 0 or not tumor.any():
        return tumor
    other = above(rough_field(rng, tumor.shape, 330 * scale, 2), float(tumor.mean())) > 0
    return np.where(_rank(smooth_field(rng, tumor.shape, 200 * scale)) < share, other, tumor)


def vessels(
    rng: np.random.Generator, shape: tuple[int, int], where: np.ndarray, flow: Flow, scale: float
) -> np.ndarray:
    """Coverage by pools and strands of red blood cells."""
    amount = flow.texture(rng, 14 * scale, 60 * scale) + 0.8 * smooth_field(rng, shape, 90 * scale)
    grain = 0.75 + 0.25 * rng.random(shape, dtype=np.float32)
    return step(amount - np.float32(rng.uniform(2.9, 4.2)), 0.2) * where * grain


def _ink(rng: np.random.Generator, habit: Habit, outline: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Amount of ink along the edge of the tissue."""
    if not habit.ink:
        return np.zeros(shape, np.float32)
    depth = outline + 0.03 * smooth_field(rng, shape, 2.0)
    return 1.8 * step(depth + 0.04, 0.03) * (1 - step(depth - 0.05, 0.04))
