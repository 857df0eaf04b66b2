"""A field of breast tissue at the magnification at which single cells are seen: stroma, fat, ducts, nuclei.

Built from the coarse to the fine around a lesion (:mod:`studybook.twins.lesions`). All that does not belong to the
lesion - fat, inflammation, cellular or torn stroma, how much stain was taken up - is drawn alike for every lesion, so
that amounts of color tell little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from studybook.twins.fields import Flow, above, draw_flow, rough_field, smooth_field, step
from studybook.twins.glands import Epithelium, spread
from studybook.twins.lesions import Lesion, invade
from studybook.twins.nuclei import Ellipses, Nuclei, describe, draw_nuclei, stamp
from studybook.twins.slide import LYMPHOCYTE, STROMAL, vessels
from studybook.twins.stains import Stain
from studybook.twins.tissue import fat, sensor

_DEBRIS = replace(LYMPHOCYTE, radius=1.7, spacing=9, pleomorphism=0.4, intensity=0.9)
_NO_FAT = 2.0  # taken from a field of deviation about 1, it leaves nothing above 0


@dataclass(frozen=True)
class Drawing:
    """A drawn field, with what is where.

    Attributes
    ----------
    image : ndarray, uint8, (H, W, 3)
    epithelium : Epithelium
        Ducts and acini.
    invasive : ndarray, float32, (H, W)
        Coverage by cells of carcinoma that no outline holds.
    traits : dict
        Shares of the field: epithelial cells of any kind, lumens, walls of a single layer, outlines, dead cells;
        reach of the loose stroma (micrometers); and of epithelial nuclei, see :func:`nuclei.describe`.
    """

    image: np.ndarray
    epithelium: Epithelium
    invasive: np.ndarray
    traits: dict[str, float]


@dataclass(frozen=True)
class _Stroma:
    """Maps, float32 (H, W): distance from ducts, fat cells and their insides, loose stroma, tissue left by clefts."""

    outside: np.ndarray
    adipose: np.ndarray
    hollow: np.ndarray
    bed: np.ndarray
    matrix: np.ndarray


def paint(rng: np.random.Generator, lesion: Lesion, stain: Stain, scale: float) -> Drawing:
    """Draw a field around `lesion`; `scale` is pixels per micrometer."""
    epithelium = lesion.ducts.maps(rng)
    shape = epithelium.depth.shape
    flow = _around(draw_flow(rng, shape, 240 * scale, 0.6), epithelium, scale)
    tumor = tubules = np.zeros(shape, np.float32)
    if lesion.invasion:
        tumor, tubules = (m * (1 - epithelium.inside) for m in invade(rng, shape, flow, scale, lesion.invasion))
    stroma = _stroma(rng, epithelium, tumor, tubules, flow, lesion.reach, scale)
    blood = vessels(rng, shape, (1 - stroma.adipose) * (1 - epithelium.inside) * (1 - tumor), flow, scale)
    eosin = _eosin(rng, epithelium, tumor, stroma, flow, scale)
    hematoxylin, nuclei = _hematoxylin(rng, lesion, epithelium, tumor, stroma, blood, flow, scale)
    thickness = np.exp(np.float32(0.1) * smooth_field(rng, shape, 300 * scale))
    light = stain.render(hematoxylin * thickness, eosin * thickness * (1 - blood), blood * (1 - stroma.hollow))
    image = sensor(rng, light, rng.uniform(0.7, 1.3) * scale, rng.uniform(0.8, 2.5))
    shares = {
        "cells": np.maximum(epithelium.cells, tumor),
        "lumens": np.maximum(epithelium.lumen, tubules),
        "layered": epithelium.layered,
        "outlines": epithelium.depth < 1 / scale,
        "dead": epithelium.necrosis,
    }
    traits = {name: float(share.mean()) for name, share in shares.items()} | {"reach": lesion.reach}
    return Drawing(image, epithelium, tumor, traits | describe(nuclei, (0, 0, *shape), scale))


def _around(flow: Flow, epithelium: Epithelium, scale: float) -> Flow:
    """Fibers that run around ducts."""
    outside = np.where(epithelium.inside > 0, 0, epithelium.depth)
    return Flow(flow.across + np.float32(55 * scale) * np.exp(-outside / np.float32(25)), flow.along, flow.table)


def _stroma(
    rng: np.random.Generator,
    epithelium: Epithelium,
    tumor: np.ndarray,
    tubules: np.ndarray,
    flow: Flow,
    reach: float,
    scale: float,
) -> _Stroma:
    shape, free = tumor.shape, 1 - epithelium.inside
    outside = np.where(epithelium.inside > 0, 0, epithelium.depth)
    fatness = above(rough_field(rng, shape, 260 * scale, 3), 0.6 * rng.beta(0.7, 1.6))
    fatness = fatness - 1.2 * tumor - _NO_FAT * np.exp(-outside / 40)
    hollow, adipose = (m * free for m in fat(rng, fatness, scale, diameter=rng.uniform(55, 85)))
    bed = np.exp(-outside / np.float32(reach)) * free * np.float32(rng.uniform(0.4, 1.0))
    strands = flow.texture(rng, 7 * scale, 80 * scale) + 0.4 * smooth_field(rng, shape, 14 * scale)
    torn = 3.4 - 1.9 * rng.beta(1.2, 2.0) - 0.5 * smooth_field(rng, shape, 120 * scale)
    cleft = 0.85 * step(strands - torn, 0.4) * free * (1 - tumor)
    matrix = (1 - hollow) * (1 - cleft) * (1 - 0.95 * epithelium.lumen) * (1 - 0.9 * tubules)
    return _Stroma(outside, adipose, hollow, bed, matrix)


def _eosin(
    rng: np.random.Generator, epithelium: Epithelium, tumor: np.ndarray, stroma: _Stroma, flow: Flow, scale: float
) -> np.ndarray:
    """Collagen streaked by its fibers, cytoplasm, the membrane below epithelium, secretion and dead cells."""
    shape, cover = tumor.shape, np.maximum(epithelium.cells, tumor)
    fine = flow.texture(rng, 4.5 * scale, 34 * scale) + 0.5 * rng.standard_normal(shape, dtype=np.float32)
    eosin = np.exp(np.float32(0.24) * fine + np.float32(0.16) * smooth_field(rng, shape, 70 * scale))
    eosin *= np.float32(rng.uniform(0.42, 0.62)) * (1 - 0.45 * stroma.bed)
    eosin = eosin * (1 - 0.8 * cover) + np.float32(rng.uniform(0.25, 0.45)) * cover
    eosin += 0.22 * np.exp(-(((stroma.outside - 2) / 3) ** 2)) * (1 - epithelium.inside)
    debris = 0.55 + 0.2 * smooth_field(rng, shape, 5 * scale)
    eosin = eosin * (1 - epithelium.necrosis) + debris * epithelium.necrosis
    return eosin * stroma.matrix + epithelium.secretion * epithelium.lumen


def _hematoxylin(
    rng: np.random.Generator,
    lesion: Lesion,
    epithelium: Epithelium,
    tumor: np.ndarray,
    stroma: _Stroma,
    blood: np.ndarray,
    flow: Flow,
    scale: float,
) -> tuple[np.ndarray, list[Ellipses]]:
    """A wash over cytoplasm and cellular stroma, and the nuclei of all cells; also those of epithelial cells."""
    shape, cover = tumor.shape, np.maximum(epithelium.cells, tumor)
    crowd, cellularity = smooth_field(rng, shape, 110 * scale), float(np.exp(0.5 * rng.standard_normal()))
    wash = 0.05 + 0.1 * np.maximum(crowd, 0) * cellularity + 0.08 * stroma.bed + rng.uniform(0.15, 0.4) * cover
    wash = wash * stroma.matrix * (1 - 0.5 * epithelium.necrosis)

    nuclei = np.zeros(shape, np.float32)
    room = stroma.matrix * (1 - epithelium.inside) * (1 - blood) * (stroma.adipose < 0.5) * (1 - tumor)
    chance = np.clip(0.3 * cellularity * np.exp(0.6 * crowd) + 0.35 * stroma.bed, 0, 0.95)
    draw_nuclei(rng, nuclei, chance * room * (stroma.outside > 4), STROMAL, scale, flow)
    draw_nuclei(rng, nuclei, 0.15 * (stroma.adipose - stroma.hollow), STROMAL, scale)
    immune = step(above(rough_field(rng, shape, 90 * scale, 3), 0.3 * rng.beta(0.6, 2.8)), 0.6)
    draw_nuclei(rng, nuclei, 0.8 * immune * room, LYMPHOCYTE, scale)
    placed = _epithelial_nuclei(rng, nuclei, lesion.nuclei, epithelium, scale)
    placed.append(draw_nuclei(rng, nuclei, tumor * (1 - 0.8 * stroma.adipose), lesion.nuclei, scale))
    grain = np.exp(np.float32(0.12) * rng.standard_normal(shape, dtype=np.float32))
    return wash + nuclei * grain * (1 - 0.9 * epithelium.lumen) * (1 - stroma.hollow), placed


def _epithelial_nuclei(
    rng: np.random.Generator, target: np.ndarray, carcinoma: Nuclei, epithelium: Epithelium, scale: float
) -> list[Ellipses]:
    """Draw single layers, thick walls, carcinoma inside of outlines, what is left of dead cells; return the living."""
    healthy = Nuclei(
        spacing=rng.uniform(6.5, 8),
        radius=rng.uniform(3.4, 4.0),
        pleomorphism=0.12,
        elongation=1.3,
        intensity=rng.uniform(0.8, 1.2),
        unevenness=0.12,
        disorder=0.7,
    )
    rows, columns = spread(rng, epithelium.layer, healthy.spacing * scale)
    placed = [row_of_nuclei(rng, rows, columns, epithelium.depth, healthy, scale)]
    stamp(target, *placed[0])
    deep = (epithelium.cells > 0.5) & (epithelium.depth > 2.5)
    placed.append(draw_nuclei(rng, target, deep * (~epithelium.carcinoma & ~epithelium.layered), healthy, scale))
    placed.append(draw_nuclei(rng, target, deep * epithelium.carcinoma, carcinoma, scale))
    draw_nuclei(rng, target, 0.4 * epithelium.necrosis, _DEBRIS, scale)
    return placed


def row_of_nuclei(
    rng: np.random.Generator, rows: np.ndarray, columns: np.ndarray, depth: np.ndarray, kind: Nuclei, scale: float
) -> Ellipses:
    """Nuclei at given points (pixels), upright on the outline from which `depth`, (H, W), is measured."""
    r, c, (height, width) = rows.astype(np.intp), columns.astype(np.intp), depth.shape
    down = depth[np.minimum(r + 1, height - 1), c] - depth[np.maximum(r - 1, 0), c]
    right = depth[r, np.minimum(c + 1, width - 1)] - depth[r, np.maximum(c - 1, 0)]
    normal = np.clip(rng.standard_normal((5, len(r)), dtype=np.float32), -2, 2)
    radius = np.float32(kind.radius * scale) * np.exp(np.float32(kind.pleomorphism) * normal[0])
    root = np.sqrt(1 + np.float32(kind.elongation - 1) * np.exp(np.float32(0.35) * normal[1]))
    value = np.float32(kind.intensity) * np.exp(np.float32(kind.unevenness) * normal[2])
    rows, columns = rows + np.float32(0.4) * normal[3], columns + np.float32(0.4) * normal[4]
    return Ellipses(rows, columns, radius * root, radius / root, np.arctan2(down, right), value)
