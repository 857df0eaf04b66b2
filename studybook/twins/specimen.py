"""A patient's tumor as a specimen: a field of it is drawn once, for :mod:`studybook.twins.microscope` to look at.

As in :mod:`studybook.twins.section`, all that does not belong to the tumor - fat, inflammation, torn or cellular
stroma, how much stain was taken up - is drawn alike for every tumor, so that amounts of color tell little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from studybook.twins import overlap
from studybook.twins.fields import Flow, above, draw_flow, rough_field, smooth_field, step
from studybook.twins.glands import spread
from studybook.twins.nuclei import Ellipses, Nuclei, describe, place_nuclei
from studybook.twins.section import row_of_nuclei
from studybook.twins.slide import LYMPHOCYTE, STROMAL, vessels
from studybook.twins.stains import Stain, draw_stain
from studybook.twins.tissue import fat
from studybook.twins.tumors import CARCINOMAS, Tumor, draw_ducts, draw_nuclei_of, draw_tumor
from studybook.twins.zoom import Window

_DEBRIS = replace(LYMPHOCYTE, radius=1.7, spacing=9, pleomorphism=0.4, intensity=0.9)
_HEALTHY = Nuclei(spacing=7.2, radius=3.7, pleomorphism=0.12)  # on average
_STROMAL = 4  # kinds of nuclei that are placed before those of epithelium


@dataclass(frozen=True)
class Traits:
    """What the fields of one patient have in common.

    Attributes
    ----------
    kind : str
        One of :data:`studybook.twins.tumors.TYPES`.
    nuclei, healthy, stromal : Nuclei
        Of the tumor's cells, of healthy glands, of the stroma.
    stain : Stain
    paleness : tuple of float
        How pale the inside of nuclei is, 0-1: tumor cells, all others.
    cellularity, collagen, cytoplasm, inflammation, torn : float
        Of stroma: nuclei, about 1; eosin; eosin of cells; share of lymphocytes; how much it is torn, 0-1.
    """

    kind: str
    nuclei: Nuclei
    healthy: Nuclei
    stromal: Nuclei
    stain: Stain
    paleness: tuple[float, float]
    cellularity: float
    collagen: float
    cytoplasm: float
    inflammation: float
    torn: float


@dataclass(frozen=True)
class Field:
    """A drawn field; maps are float32 (H, W) at the lowest magnification, `scale` in pixels per micrometer.

    Attributes
    ----------
    traits : Traits
    tumor : Tumor
    cells, spaces, hollow, adipose, blood : ndarray
        Coverage by epithelial cells, by open spaces, by the inside of fat cells, by fat, by blood.
    bed, edge, thickness, torn : ndarray
        Loose stroma; the membrane below epithelium; thickness of the section; where fibers are torn apart.
    placed : tuple of (Ellipses, float)
        Nuclei by kind, in pixels of the field, each with its paleness.
    window : Window
        The whole field.
    scale : float
    """

    traits: Traits
    tumor: Tumor
    cells: np.ndarray
    spaces: np.ndarray
    hollow: np.ndarray
    adipose: np.ndarray
    blood: np.ndarray
    bed: np.ndarray
    edge: np.ndarray
    thickness: np.ndarray
    torn: np.ndarray
    placed: tuple[tuple[Ellipses, float], ...]
    window: Window
    scale: float


def draw_traits(rng: np.random.Generator, kind: str, difficulty: float = 1.0) -> Traits:
    """Draw what one patient with a tumor of `kind` has; below a `difficulty` of 1, nuclei of carcinomas differ more."""
    stain = _video_stain(rng)
    spindle, nuclei = kind == "PT", draw_nuclei_of(rng, kind)
    return Traits(
        kind=kind,
        nuclei=overlap.apart(nuclei, _HEALTHY, difficulty) if kind in CARCINOMAS else nuclei,
        healthy=replace(draw_nuclei_of(rng, "A"), spacing=rng.uniform(6.5, 8), intensity=rng.uniform(0.75, 1.15)),
        stromal=replace(STROMAL, radius=rng.uniform(2.9, 3.5), spacing=12 if spindle else 17, elongation=2.6),
        stain=stain,
        paleness=(rng.uniform(0.15, 0.6) if kind in CARCINOMAS else rng.uniform(0.15, 0.45), rng.uniform(0.1, 0.4)),
        cellularity=float(np.exp(0.4 * rng.standard_normal())) * (1.5 if spindle else 1.0),
        collagen=rng.uniform(0.18, 0.48),
        cytoplasm=rng.uniform(0.16, 0.36),
        inflammation=0.35 * rng.beta(0.6, 2.4),
        torn=rng.beta(1.2, 2.0),
    )


def _video_stain(rng: np.random.Generator) -> Stain:
    """The stain of one patient as a video camera sees it."""
    stain = draw_stain(rng, 1.2)
    # In the real set red and blue are about equal, on scanned slides blue is weaker.
    vectors = stain.vectors - np.outer([0.4, 1, 0, 0], [0, 0, rng.uniform(0.08, 0.32)]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # Lamps and white balance differ from slide to slide: most backgrounds are greenish or gray, not white.
    white = rng.uniform(215, 250) + np.array([-6, 6, 0]) * rng.uniform(-0.2, 2.0) + 4 * rng.standard_normal(3)
    return replace(stain, vectors=vectors, white=np.clip(white, 185, 253).astype(np.float32))


def draw_field(rng: np.random.Generator, traits: Traits, shape: tuple[int, int], scale: float) -> Field:
    """Draw one field of `shape` pixels, `scale` pixels per micrometer, at the lowest magnification."""
    share = rng.uniform(0.35, 0.95)
    ducts, reach = draw_ducts(rng, traits.kind, shape, scale, share)
    glands = ducts.maps(rng)
    window = Window(draw_flow(rng, shape, 240 * scale, 0.6), 0.0, 0.0, 1.0, int(rng.integers(2**31)))
    outside = np.where(glands.inside > 0, 0, glands.depth)
    bent = window.flow.across + np.float32(55 * scale) * np.exp(-outside / np.float32(25))
    window = replace(window, flow=Flow(bent, window.flow.along, window.flow.table))
    tumor = draw_tumor(rng, traits.kind, glands, window.flow, scale, reach, share)
    stroma = (1 - glands.inside + tumor.core) * (1 - tumor.cells) * (1 - tumor.spaces) * (1 - tumor.mucin)
    spared = (np.exp(-outside / 40) + 1 - stroma) * np.float32(2)
    fatness = above(rough_field(rng, shape, 260 * scale, 3), 0.5 * rng.beta(0.6, 1.8)) - spared
    hollow, adipose = (m * stroma for m in fat(rng, fatness, scale, diameter=rng.uniform(55, 85)))
    blood = vessels(rng, shape, stroma * (1 - adipose), window.flow, scale)
    maps = {
        "cells": np.maximum(glands.cells * (1 - tumor.core) * (1 - tumor.spaces), tumor.cells),
        "spaces": np.maximum(glands.lumen * (1 - tumor.cells) * (1 - tumor.core), tumor.spaces),
        "hollow": hollow,
        "adipose": adipose,
        "blood": blood,
        "bed": np.exp(-outside / np.float32(reach)) * stroma * np.float32(rng.uniform(0.4, 1.0)),
        "edge": np.exp(-((glands.depth / np.float32(2.2)) ** 2)),
        "thickness": np.exp(np.float32(0.1) * smooth_field(rng, shape, 300 * scale)),
        "torn": 3.4 - 1.9 * traits.torn - 0.5 * smooth_field(rng, shape, 120 * scale) + 6 * (1 - stroma),
    }
    glass = np.zeros(shape, np.float32)
    if rng.random() < 0.2:  # the edge of the tissue, and the glass beyond
        glass = step(above(rough_field(rng, shape, 500 * scale, 4), rng.uniform(0.05, 0.25)), 0.04)
        maps["spaces"] = np.maximum(maps["spaces"], glass)
        maps["cells"] = maps["cells"] * (1 - glass)
    # Drawn on a grid: without its steps an outline stays smooth when it is enlarged.
    for name in ("cells", "spaces", "hollow", "adipose"):
        maps[name] = ndimage.gaussian_filter(maps[name], 0.8)
    field = Field(traits, tumor, **maps, placed=(), window=window, scale=scale)
    placed = [(_on(nuclei, glass < 0.5), pale) for nuclei, pale in _place(rng, field, stroma)]
    return replace(field, placed=tuple(placed))


def describe_part(field: Field, window: Window) -> dict[str, float]:
    """Traits of what is seen in a window.

    Shares of epithelial cells, of those that no outline holds, of open spaces, of mucin, of stromal cores; reach of the
    loose stroma (micrometers); and of epithelial nuclei, see :func:`nuclei.describe`.
    """
    height, width = (size / window.zoom for size in window.shape)
    box = window.top, window.left, window.top + height, window.left + width
    part = np.s_[int(box[0]) : int(np.ceil(box[2])), int(box[1]) : int(np.ceil(box[3]))]
    tumor = field.tumor
    shares = {
        "cells": field.cells, "loose_cells": tumor.cells, "spaces": field.spaces, "mucin": tumor.mucin,
        "cores": tumor.core,
    }  # fmt: skip
    traits = {name: float(share[part].mean()) for name, share in shares.items()} | {"reach": tumor.reach}
    return traits | describe([nuclei for nuclei, _ in field.placed[_STROMAL:]], box, field.scale)


def clefts(field: Field, window: Window) -> np.ndarray:
    """Coverage by gaps between torn fibers."""
    px = field.scale
    strands = window.fibers(3, 7 * px, 80 * px) + 0.4 * window.noise(4, 14 * px)
    return 0.85 * step(strands - window.soft(field.torn), 0.4 / window.zoom)


def _on(placed: Ellipses, where: np.ndarray) -> Ellipses:
    """Those nuclei whose center lies in the mask `where`."""
    rows = np.clip(placed.rows.astype(np.intp), 0, where.shape[0] - 1)
    columns = np.clip(placed.columns.astype(np.intp), 0, where.shape[1] - 1)
    return Ellipses(*(values[where[rows, columns]] for values in placed))


def _place(rng: np.random.Generator, field: Field, stroma: np.ndarray) -> list[tuple[Ellipses, float]]:
    """Nuclei of the whole field by kind, with their paleness."""
    traits, tumor, scale, flow = field.traits, field.tumor, field.scale, field.window.flow
    glands, shape = tumor.epithelium, stroma.shape
    ill, well = traits.paleness
    room = stroma * (1 - clefts(field, field.window)) * (1 - field.blood) * (field.adipose < 0.5)
    room = room * (1 - field.spaces)
    crowd = smooth_field(rng, shape, 110 * scale)
    chance = np.clip(0.28 * traits.cellularity * np.exp(0.5 * crowd) + 0.3 * field.bed, 0, 0.95)
    immune = step(above(rough_field(rng, shape, 90 * scale, 3), traits.inflammation), 0.6)
    placed = [
        (place_nuclei(rng, chance * room * (glands.depth > 4), traits.stromal, scale, flow), well),
        (place_nuclei(rng, 0.15 * (field.adipose - field.hollow), traits.stromal, scale), well),
        (place_nuclei(rng, 0.8 * immune * room, LYMPHOCYTE, scale), 0.0),
        (place_nuclei(rng, 0.4 * glands.necrosis, _DEBRIS, scale), 0.0),
    ]
    rows, columns = spread(rng, glands.layer & (tumor.cells < 0.5), traits.healthy.spacing * scale)
    placed.append((row_of_nuclei(rng, rows, columns, glands.depth, traits.healthy, scale), well))
    deep = (glands.cells > 0.5) & (glands.depth > 2.5) & (tumor.core < 0.5) & (tumor.cells < 0.5)
    filled = (deep & glands.carcinoma) | (tumor.cells > 0.5)
    own = traits.nuclei if traits.kind in CARCINOMAS else traits.healthy
    placed.append((place_nuclei(rng, deep & ~glands.carcinoma & ~glands.layered, traits.healthy, scale), well))
    placed.append((place_nuclei(rng, filled * (1 - field.spaces), own, scale), ill))
    return placed
