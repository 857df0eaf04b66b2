"""Nuclei: where they lie, how large, long, dark and uneven they are.

Sizes are in micrometers; `scale` is pixels per micrometer, so that the same tissue can be drawn at any
magnification.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from studybook.twins.fields import Flow

_CHUNK = 1 << 20  # pixels stamped at once, to bound memory


@dataclass(frozen=True)
class Nuclei:
    """What distinguishes one kind of nucleus.

    Attributes
    ----------
    spacing : float
        Distance between neighbors where they are densest, micrometers.
    radius : float
        Geometric mean of the two half axes, micrometers.
    pleomorphism : float
        Standard deviation of the logarithm of the radius.
    elongation : float
        Mean ratio of the long to the short axis, at least 1.
    intensity : float
        Mean amount of hematoxylin inside.
    unevenness : float
        Standard deviation of the logarithm of the intensity.
    disorder : float
        0 places nuclei on a regular grid, 1 at random.
    """

    spacing: float
    radius: float
    pleomorphism: float = 0.1
    elongation: float = 1.1
    intensity: float = 1.5
    unevenness: float = 0.1
    disorder: float = 0.8


class Ellipses(NamedTuple):
    """Nuclei by themselves: centers and half axes in pixels, direction in radians from the column axis, hematoxylin.

    Each is a float array (n,).
    """

    rows: np.ndarray
    columns: np.ndarray
    long: np.ndarray
    short: np.ndarray
    angle: np.ndarray
    value: np.ndarray


def scatter(
    rng: np.random.Generator, coverage: np.ndarray, spacing: float, disorder: float = 0.8
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points of a disordered hexagonal grid, each kept with the probability that `coverage` has there.

    Parameters
    ----------
    rng : numpy.random.Generator
    coverage : ndarray, float, (H, W)
        Probabilities; values outside 0-1 count as the nearer of these.
    spacing, disorder : float
        Distance of grid points in pixels; 0 is regular, 1 is random.

    Returns
    -------
    rows, columns : ndarray, float32, (n,)
    """
    height, width = coverage.shape
    line = np.arange(0, height + spacing, spacing * 0.866)
    column = np.arange(0, width + spacing, spacing)
    shape = (len(line), len(column))
    jitter = (disorder * spacing * (rng.random((2, *shape), dtype=np.float32) - 0.5)).astype(np.float32)
    rows = (line[:, None] + jitter[0]).ravel()
    columns = (column + spacing / 2 * (np.arange(len(line)) % 2)[:, None] + jitter[1]).ravel()
    chance = rng.random(rows.size, dtype=np.float32)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    rows, columns, chance = rows[inside], columns[inside], chance[inside]
    kept = chance < coverage[rows.astype(np.intp), columns.astype(np.intp)]
    return _within(rows[kept], height), _within(columns[kept], width)


def _within(positions: np.ndarray, size: int) -> np.ndarray:
    """Positions below `size` as float32 below `size`: rounding must not lift the last ones onto it."""
    return np.minimum(positions.astype(np.float32), np.nextafter(np.float32(size), np.float32(0)))


def stamp(
    target: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    long: np.ndarray,
    short: np.ndarray,
    angle: np.ndarray,
    value: np.ndarray,
) -> None:
    """Draw filled ellipses with smooth edges into `target` (float32, (H, W)), keeping the larger value.

    Parameters
    ----------
    rows, columns, long, short, angle, value : ndarray, (n,)
        Centers and half axes in pixels, direction of the long axis in radians from the column axis, and
        the value inside.
    """
    if not len(rows):
        return
    height, width = target.shape
    reach = int(np.ceil(long.max() + 0.5))
    offset = np.arange(-reach, reach + 1)
    down, right = (part.ravel() for part in np.meshgrid(offset, offset, indexing="ij"))
    flat = target.reshape(-1)
    step = max(1, _CHUNK // len(down))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        row = rows[part].astype(np.intp)[:, None] + down
        column = columns[part].astype(np.intp)[:, None] + right
        dy = (row - rows[part][:, None]).astype(np.float32)
        dx = (column - columns[part][:, None]).astype(np.float32)
        sine, cosine = np.sin(angle[part])[:, None], np.cos(angle[part])[:, None]
        u = (cosine * dx + sine * dy) / long[part][:, None]
        v = (cosine * dy - sine * dx) / short[part][:, None]
        # Distance to the edge in pixels, approximately; half a pixel to either side is the smooth edge.
        edge = (1 - np.sqrt(u * u + v * v)) * short[part][:, None] + 0.5
        seen = (edge > 0) & (row >= 0) & (row < height) & (column >= 0) & (column < width)
        index = (row * width + column)[seen]
        np.maximum.at(flat, index, (np.minimum(edge, 1) * value[part][:, None])[seen])


def place_nuclei(
    rng: np.random.Generator, coverage: np.ndarray, kind: Nuclei, scale: float, flow: Flow | None = None
) -> Ellipses:
    """Scatter nuclei where `coverage` says; with `flow` the long axes follow its fibers, else they point anywhere."""
    rows, columns = scatter(rng, coverage, kind.spacing * scale, kind.disorder)
    normal = np.clip(rng.standard_normal((4, len(rows)), dtype=np.float32), -2, 2)
    radius = np.float32(kind.radius * scale) * np.exp(np.float32(kind.pleomorphism) * normal[0])
    ratio = 1 + (kind.elongation - 1) * np.exp(0.35 * normal[1])
    if flow is None:
        angle = rng.random(len(rows), dtype=np.float32) * np.float32(np.pi)
    else:
        angle = flow.angle(rows.astype(np.intp), columns.astype(np.intp)) + np.float32(0.25) * normal[3]
    value = kind.intensity * np.exp(kind.unevenness * normal[2])
    root = np.sqrt(ratio)
    return Ellipses(rows, columns, radius * root, radius / root, angle, value)


def draw_nuclei(
    rng: np.random.Generator,
    target: np.ndarray,
    coverage: np.ndarray,
    kind: Nuclei,
    scale: float,
    flow: Flow | None = None,
) -> Ellipses:
    """Draw nuclei as of `place_nuclei` into `target`, the map of hematoxylin, and return them."""
    placed = place_nuclei(rng, coverage, kind, scale, flow)
    stamp_nuclei(target, placed)
    return placed


def describe(placed: Sequence[Ellipses], box: tuple[float, float, float, float], scale: float) -> dict[str, float]:
    """Traits of the nuclei whose centers lie in a box: top, left, bottom, right in pixels.

    Returns
    -------
    dict
        ``crowding``: nuclei per 1000 square micrometers; ``radius``: mean, micrometers; ``pleomorphism``: standard
        deviation of the logarithm of the radius. The last two are 0 if there is no nucleus.
    """
    rows, columns, long, short = (np.concatenate([nuclei[k] for nuclei in placed]) for k in range(4))
    top, left, bottom, right = box
    there = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    radius = np.sqrt(long * short)[there] / scale
    area = (bottom - top) * (right - left) / scale**2
    return {
        "crowding": 1000 * len(radius) / area,
        "radius": float(radius.mean()) if len(radius) else 0.0,
        "pleomorphism": float(np.log(radius).std()) if len(radius) else 0.0,
    }


def stamp_nuclei(target: np.ndarray, placed: Ellipses) -> None:
    """Draw placed nuclei into `target`, float32 (H, W), keeping the larger value."""
    # Nuclei thinner than a pixel keep their visible width but pale, as they do on a sensor.
    thin = np.minimum(placed.short / 0.5, 1)
    short = np.maximum(placed.short, 0.5)
    stamp(target, placed.rows, placed.columns, placed.long, short, placed.angle, placed.value * thin)
