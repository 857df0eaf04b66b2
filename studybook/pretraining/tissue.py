"""Fields of stained tissue for pre-training: every quantity drawn from a range far wider than a twin's.

Maps are amounts of stain or coverage (0 to 1), float32. Nothing here knows of tumor or of a class: a field is a
mixture of populations of nuclei in arrangements, on fibers, with fat, glands, glass, blood, ink and folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from studybook.twins.fields import Flow, above, draw_flow, draw_table, rough_field, smooth_field, step
from studybook.twins.nuclei import Nuclei, scatter, stamp
from studybook.twins.tissue import Glands, draw_gland, fat

SCALES = (0.15, 1.0)  # pixels per micrometer, smallest and largest
ARRANGEMENTS = ("scattered", "clusters", "nests", "cords", "sheets")
COHESIVE = ("nests", "cords", "sheets")
MAPS = ("nuclei", "cohesive", "fat", "glass", "lumen", "wall", "cleft", "blood", "ink", "fold", "stroma")
_CLOSEST = 1.7  # pixels between neighboring nuclei where they are densest: closer ones can't be told apart
_above = partial(above, stride=4)


@dataclass(frozen=True)
class Tissue:
    """One field.

    Attributes
    ----------
    scale : float
        Pixels per micrometer.
    amounts : ndarray, float32, (4, H, W)
        Hematoxylin, eosin, blood, ink.
    maps : ndarray, float32, (len(MAPS), H, W)
        Coverage by what `MAPS` names.
    nuclei : ndarray, float32, (n, 5)
        Row and column in pixels; logarithms of the radius in pixels, of the ratio of the axes, and of the hematoxylin
        inside.
    flow : Flow
        Fiber directions.
    """

    scale: float
    amounts: np.ndarray
    maps: np.ndarray
    nuclei: np.ndarray
    flow: Flow


def draw_tissue(rng: np.random.Generator, side: int) -> Tissue:
    """Draw a field of `side` x `side` pixels at a magnification of its own."""
    shape = (side, side)
    # Low magnifications twice as often as high ones: there nuclei are few pixels wide, and harder to tell apart.
    scale = SCALES[0] * (SCALES[1] / SCALES[0]) ** (rng.random() ** 1.5)
    reach = _log_uniform(rng, 0.25, 1.2) * side  # pixels over which regions change: several or one in a field
    flow = draw_flow(rng, shape, _log_uniform(rng, 0.2, 1.2) * side, rng.uniform(0.1, 1.2), _tables()[rng.integers(4)])

    glass = np.zeros(shape, np.float32)
    if rng.random() < 0.4:
        outline = _above(rough_field(rng, shape, reach, 3), 0.7 * rng.beta(0.9, 2.0))
        glass = step(outline + 0.02 * smooth_field(rng, shape, max(1.0, 10 * scale)), 0.03)
    hollow, adipose = _fat(rng, shape, reach, scale)
    glands = _glands(rng, shape, scale)
    free = 1 - np.maximum(glands.wall, glands.lumen)
    hollow, adipose, solid = hollow * free, adipose * free, 1 - glass

    cleft = np.zeros(shape, np.float32)
    if rng.random() < 0.6:
        strands = flow.texture(rng, max(1.5, rng.uniform(3, 10) * scale), rng.uniform(30, 120) * scale)
        cleft = 0.9 * step(strands + 0.6 * smooth_field(rng, shape, reach) - rng.uniform(0.3, 2.6), 0.35)

    room = solid * free * (1 - adipose)
    populations = [_population(rng, shape, scale, reach, flow, room) for _ in range(rng.integers(1, 5))]
    cohesive = np.max([p.cover for p in populations if p.cohesive] + [np.zeros(shape, np.float32)], axis=0) * room
    matrix = solid * (1 - hollow) * (1 - cleft * (1 - cohesive)) * (1 - rng.uniform(0.7, 1.0) * glands.lumen)

    fine = flow.texture(rng, max(1.2, rng.uniform(2, 8) * scale), rng.uniform(15, 90) * scale)
    eosin = np.exp(
        np.float32(rng.uniform(0.03, 0.45)) * fine + np.float32(rng.uniform(0, 0.3)) * smooth_field(rng, shape, reach)
    )
    eosin *= np.float32(_log_uniform(rng, 0.15, 0.9)) * (1 - np.float32(rng.uniform(0, 0.6)) * cohesive)
    eosin += np.float32(rng.uniform(0, 0.3)) * (cohesive + glands.wall)
    wash = (
        np.float32(rng.uniform(0, 0.25))
        + np.float32(rng.uniform(0, 0.35)) * cohesive
        + np.float32(rng.uniform(0, 0.5)) * glands.wall
    )

    chromatin, cells = np.zeros(shape, np.float32), []
    if glands.wall.any():
        populations.append(_Population(_kind(rng, scale, 1.6, 2.6), glands.wall * solid, True))
    for one in populations:
        cells.append(_draw_nuclei(rng, chromatin, one, scale, flow))
    grain = np.float32(rng.uniform(0, 0.4)) * smooth_field(rng, shape, max(1.0, rng.uniform(1, 3) * scale))
    nuclei = (chromatin > 0.1) * solid

    blood = np.zeros(shape, np.float32)
    if rng.random() < 0.25:
        amount = flow.texture(rng, rng.uniform(10, 20) * scale + 1, rng.uniform(40, 90) * scale) + smooth_field(
            rng, shape, reach
        )
        blood = step(amount - rng.uniform(1.5, 3.5), 0.3) * solid * free * (1 - hollow)
    ink = np.zeros(shape, np.float32)
    if rng.random() < 0.06:
        ink = 2.0 * step(_above(rough_field(rng, shape, reach, 3), 0.5 * rng.beta(1, 2)), 0.05)
    fold = np.zeros(shape, np.float32)
    if rng.random() < 0.1:
        fold = step(0.06 * rng.uniform(0.5, 2) - np.abs(rough_field(rng, shape, reach, 2)), 0.02) * solid
    thick = (1 + rng.uniform(0.4, 1.2) * fold) * np.exp(np.float32(0.1) * smooth_field(rng, shape, reach))
    hematoxylin = (wash * matrix + chromatin * np.exp(grain) * solid * (1 - blood)) * thick
    amounts = np.stack([hematoxylin, eosin * matrix * (1 - blood) * thick, blood * thick, ink])
    stroma = room * (1 - cohesive) * (1 - cleft) * (1 - blood)
    maps = (
        nuclei,
        cohesive,
        hollow * solid,
        glass,
        glands.lumen * solid,
        glands.wall * solid,
        cleft * room,
        blood,
        ink / 2,
        fold,
        stroma,
    )
    return Tissue(scale, amounts.astype(np.float32), np.stack(maps).astype(np.float32), np.concatenate(cells), flow)


@dataclass(frozen=True)
class _Population:
    kind: Nuclei
    cover: np.ndarray
    cohesive: bool


@lru_cache(maxsize=1)
def _tables() -> list[np.ndarray]:
    """Four tables of noise shared by all fields; drawing one takes longer than the rest of a flow."""
    return [draw_table(np.random.default_rng([0x7AB1E, k])) for k in range(4)]


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _kind(rng: np.random.Generator, scale: float, closest: float, widest: float) -> Nuclei:
    """A kind of nucleus; its spacing is between `closest` and `widest` times its radius."""
    radius = _log_uniform(rng, 2.3, 8.0)
    return Nuclei(
        spacing=max(radius * _log_uniform(rng, closest, widest), _CLOSEST / scale),
        radius=radius,
        pleomorphism=rng.uniform(0.03, 0.45),
        elongation=1 + 2.2 * rng.beta(1, 2.5),
        intensity=_log_uniform(rng, 0.3, 1.9),
        unevenness=rng.uniform(0.03, 0.45),
        disorder=rng.uniform(0.4, 1.0),
    )


def _population(rng, shape, scale, reach, flow: Flow, room: np.ndarray) -> _Population:
    """Nuclei of one kind, and where they lie."""
    arrangement = ARRANGEMENTS[rng.integers(len(ARRANGEMENTS))]
    if arrangement == "scattered":
        cover = _log_uniform(rng, 0.15, 1.0) * np.exp(np.float32(0.8) * smooth_field(rng, shape, reach / 2))
        return _Population(_kind(rng, scale, 3.0, 6.0), np.clip(cover, 0, 1) * room, False)
    region = step(_above(rough_field(rng, shape, reach, 3), rng.beta(1.2, 1.2)), 0.2)
    if arrangement == "clusters":
        cover = step(
            _above(rough_field(rng, shape, max(2.0, _log_uniform(rng, 30, 150) * scale), 3), rng.uniform(0.05, 0.6)),
            0.4,
        )
    elif arrangement == "nests":
        cover = step(
            _above(smooth_field(rng, shape, max(2.0, _log_uniform(rng, 10, 60) * scale)), rng.uniform(0.2, 0.8)), 0.25
        )
    elif arrangement == "cords":
        streaks = flow.texture(rng, max(2.0, rng.uniform(10, 25) * scale), rng.uniform(60, 200) * scale)
        cover = step(_above(streaks, rng.uniform(0.15, 0.6)), 0.25)
    else:
        cover = np.ones(shape, np.float32)
    return _Population(_kind(rng, scale, 1.7, 3.2), cover * region * room, arrangement in COHESIVE)


def _fat(rng, shape, reach, scale) -> tuple[np.ndarray, np.ndarray]:
    """Coverage by the inside of fat cells, and by fat cells with their walls."""
    if rng.random() < 0.5:
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    amount = _above(rough_field(rng, shape, reach, 2), rng.beta(0.9, 1.3))
    return fat(rng, amount, scale, max(_log_uniform(rng, 28, 110), 5 / scale), rng.uniform(1.0, 3.5))


def _glands(rng, shape, scale) -> Glands:
    """Ducts, acini and crooked glands."""
    glands = Glands(np.zeros(shape, np.float32), np.zeros(shape, np.float32))
    if rng.random() < 0.5:
        return glands
    typical, irregularity, stretch = _log_uniform(rng, 10, 90), rng.uniform(0.02, 0.25), rng.uniform(1, 2.5)
    room = np.prod(shape) / (np.pi * (typical * scale) ** 2 + 4)
    for _ in range(min(60, 1 + rng.poisson(room * _log_uniform(rng, 0.05, 0.6)))):
        radius = max(typical * np.exp(0.3 * rng.standard_normal()), 2 / scale)
        wall = radius * rng.uniform(0.15, 1.1)
        draw_gland(
            rng, glands, tuple(rng.random(2) * shape), radius, wall, scale, irregularity, rng.uniform(1, stretch)
        )
    return glands


def _draw_nuclei(rng, chromatin: np.ndarray, population: _Population, scale: float, flow: Flow) -> np.ndarray:
    """Stamp the nuclei of a population; return them as `Tissue.nuclei` lists them."""
    kind = population.kind
    rows, columns = scatter(rng, population.cover, kind.spacing * scale, kind.disorder)
    normal = np.clip(rng.standard_normal((4, len(rows)), dtype=np.float32), -2, 2)
    radius = np.float32(kind.radius * scale) * np.exp(np.float32(kind.pleomorphism) * normal[0])
    ratio = (1 + np.float32(kind.elongation - 1) * np.exp(np.float32(0.35) * normal[1])).astype(np.float32)
    angle = flow.angle(rows.astype(np.intp), columns.astype(np.intp)) + np.float32(0.4) * normal[3]
    value = np.float32(kind.intensity) * np.exp(np.float32(kind.unevenness) * normal[2])
    short = radius / np.sqrt(ratio)
    thin = np.minimum(short / 0.5, 1)  # a nucleus thinner than a pixel keeps its visible width but pales
    stamp(chromatin, rows, columns, radius * np.sqrt(ratio), np.maximum(short, 0.5), angle, value * thin)
    return np.stack([rows, columns, np.log(radius), np.log(ratio), np.log(value)], axis=1).astype(np.float32)
