"""Glands: outlines of ducts and acini, and what fills them.

Outlines are drawn one by one into a map of owners; one distance transform then gives the depth below the outline
everywhere, and with it walls, lumens, the line on which a single layer's nuclei sit, and dead centers. Sizes are in
micrometers; `scale` is pixels per micrometer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from studybook.twins.fields import smooth_field
from studybook.twins.nuclei import stamp

_LAYER = 15.0  # micrometers: thinner walls hold one layer of cells


@dataclass(frozen=True)
class Filling:
    """What lies inside of an outline.

    Attributes
    ----------
    wall : float
        Thickness of the epithelium, from the outline inwards; the rest is lumen. ``inf``: cells throughout.
    holes : float
        Chance (0-1) that a place in a cribriform pattern is punched out.
    necrosis : float
        Depth below the outline from which cells are dead.
    secretion : float
        Amount of eosin in the lumen.
    carcinoma : bool
        Whether the cells are those of a carcinoma.
    """

    wall: float
    holes: float = 0.0
    necrosis: float = np.inf
    secretion: float = 0.0
    carcinoma: bool = False


@dataclass(frozen=True)
class Epithelium:
    """Maps of the epithelium inside of outlines; (H, W), coverage 0-1 as float32 unless said otherwise.

    Attributes
    ----------
    depth : ndarray, float32
        Distance to the nearest outline in micrometers, inside and outside of it.
    inside, cells, lumen, necrosis : ndarray, float32
        Everything within outlines; its living cells; open spaces; dead cells.
    secretion : ndarray, float32
        Amount of eosin in lumens.
    layered, layer : ndarray, bool
        Inside of walls that are one layer thick; the line on which that layer's nuclei sit.
    carcinoma : ndarray, bool
        Where the cells are those of a carcinoma.
    """

    depth: np.ndarray
    inside: np.ndarray
    cells: np.ndarray
    lumen: np.ndarray
    necrosis: np.ndarray
    secretion: np.ndarray
    layered: np.ndarray
    layer: np.ndarray
    carcinoma: np.ndarray


class Ducts:
    """Outlines of ducts and acini in a field; a later one takes its place from earlier ones."""

    def __init__(self, shape: tuple[int, int], scale: float):
        self.owner = np.zeros(shape, np.int32)  # 0 is stroma, k the k-th outline
        self.scale = scale
        self.fillings = [Filling(np.inf)]

    def taken(self, center: np.ndarray, radius: float) -> bool:
        """Whether an outline lies within `radius` micrometers of `center` (micrometers)."""
        window = self._window(center, radius)
        row, column = self._grid(window, center)
        return bool((self.owner[window] > 0)[np.hypot(row, column) < radius].any())

    def add(
        self,
        rng: np.random.Generator,
        center: np.ndarray,
        radius: float,
        filling: Filling,
        bulge: float = 0.1,
        stretch: float = 1.2,
        bend: float = 0.0,
    ) -> None:
        """Draw one outline.

        Parameters
        ----------
        center : ndarray, (2,)
            Row and column in micrometers; may lie outside of the field.
        radius : float
            Of the circle with the same area.
        bulge : float
            Relative amplitude of bulges.
        stretch : float
            Ratio of length to width.
        bend : float
            0 is straight, 1 bent to about a half-circle.
        """
        window = self._window(center, radius * np.sqrt(stretch) * (1 + 2.5 * bulge) * (1 + bend))
        dy, dx = self._grid(window, center)
        turn, phase = rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi, 4)
        u = (np.cos(turn) * dx + np.sin(turn) * dy) / np.sqrt(stretch)
        v = (np.cos(turn) * dy - np.sin(turn) * dx) * np.sqrt(stretch)
        v = v + bend * stretch * (u * u / radius - radius / 3)
        theta = np.arctan2(v, u)
        wave = sum(a * np.cos(k * theta + p) for k, a, p in zip((2, 3, 5, 7), (1, 0.8, 0.5, 0.3), phase, strict=True))
        self.owner[window][np.hypot(u, v) < radius * (1 + bulge * wave)] = len(self.fillings)
        self.fillings.append(filling)

    def maps(self, rng: np.random.Generator) -> Epithelium:
        """Turn outlines and fillings into maps."""
        edge = np.zeros(self.owner.shape, bool)
        for a, b in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
            differs = self.owner[a] != self.owner[b]
            edge[a] |= differs
            edge[b] |= differs
        depth = np.full(edge.shape, 1e3, np.float32)
        if edge.any():
            depth = ((ndimage.distance_transform_edt(~edge) + 0.5) / self.scale).astype(np.float32)
        of = {name: np.array([getattr(f, name) for f in self.fillings])[self.owner]
              for name in ("wall", "holes", "necrosis", "secretion", "carcinoma")}  # fmt: skip
        inside = (self.owner > 0).astype(np.float32)
        uneven = depth + np.float32(1.2) * smooth_field(rng, edge.shape, max(1.0, 6 * self.scale))
        lumen = inside * self._soft(uneven - of["wall"])
        holes = self._holes(rng, of["holes"] * (uneven > 12) * (depth < of["necrosis"] - 5))
        ragged = depth + np.float32(7) * smooth_field(rng, edge.shape, max(1.0, 14 * self.scale))
        necrosis = inside * self._soft(ragged - of["necrosis"])
        lumen = np.maximum(lumen, holes)
        cells = inside * (1 - lumen) * (1 - necrosis)
        layered = (inside > 0) & (of["wall"] < _LAYER)
        layer = layered & (np.abs(depth - 0.5 * of["wall"]) < 0.8 / self.scale)
        secretion = of["secretion"].astype(np.float32)
        carcinoma = of["carcinoma"] & (inside > 0)
        return Epithelium(depth, inside, cells, lumen, necrosis, secretion, layered, layer, carcinoma)

    def _window(self, center: np.ndarray, radius: float) -> tuple[slice, slice]:
        low = [max(0, int((c - radius) * self.scale) - 1) for c in center]
        high = [int((c + radius) * self.scale) + 2 for c in center]
        return tuple(slice(a, max(a, min(b, n))) for a, b, n in zip(low, high, self.owner.shape, strict=True))

    def _grid(self, window: tuple[slice, slice], center: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Micrometers from `center` down (a column) and to the right (a row)."""
        row, column = (np.arange(s.start, s.stop, dtype=np.float32) / np.float32(self.scale) for s in window)
        return row[:, None] - np.float32(center[0]), column - np.float32(center[1])

    def _soft(self, micrometers: np.ndarray) -> np.ndarray:
        """Coverage of the side where a distance is positive, with an edge one pixel wide."""
        return np.clip(micrometers * self.scale + 0.5, 0, 1).astype(np.float32)

    def _holes(self, rng: np.random.Generator, chance: np.ndarray) -> np.ndarray:
        """Round spaces of a cribriform pattern."""
        holes = np.zeros(chance.shape, np.float32)
        if not chance.any():
            return holes
        rows, columns = spread(rng, rng.random(chance.shape) < chance, 26 * self.scale)
        normal = np.clip(rng.standard_normal((2, len(rows))), -2, 2)
        radius = (9 * np.exp(0.3 * normal[0]) * self.scale).astype(np.float32)
        angle = rng.uniform(0, np.pi, len(rows)).astype(np.float32)
        stamp(holes, rows, columns, radius * 1.15, radius / 1.15, angle, np.ones(len(rows), np.float32))
        return holes


def spread(
    rng: np.random.Generator, where: np.ndarray, spacing: float, passes: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points in the mask `where`, none nearer to another than about `spacing` pixels.

    Of random numbers in all pixels the largest in each neighborhood win; what lies near to a winner is out, and the
    rest plays again. Follows thin lines, where a grid of points would leave gaps.

    Returns
    -------
    rows, columns : ndarray, float32, (n,)
    """
    size = 2 * max(1, round(spacing)) - 1
    number = np.where(where, rng.random(where.shape, dtype=np.float32) + np.float32(1e-3), np.float32(0))
    won = np.zeros(where.shape, bool)
    for _ in range(passes):
        new = (number > 0) & (number == ndimage.maximum_filter(number, size=size))
        won |= new
        number[ndimage.maximum_filter(new, size=size)] = 0
    rows, columns = np.nonzero(won)
    return rows.astype(np.float32), columns.astype(np.float32)
