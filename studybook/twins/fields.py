"""Random fields from which tissue is composed: smooth noise, fiber directions, Voronoi-like cells.

All lengths are in pixels here; :mod:`studybook.twins.tissue` converts from micrometers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

# Standard deviation of white noise after cubic B-spline interpolation along both axes, averaged
# over positions.
_SPLINE_DEVIATION = 151 / 315
_TABLE = 512  # side of the table of noise behind fiber textures, a power of two


def _spline(noise: np.ndarray, size: int, scale: float, start: float) -> np.ndarray:
    """Interpolate `noise` along its first axis, nodes `scale` pixels apart, with cubic B-splines."""
    position = start + np.arange(size) / scale
    index = position.astype(np.intp)
    t = (position - index).astype(np.float32)[:, None]
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    result = weights[0] * noise[index]
    for shift in (1, 2, 3):
        result += weights[shift] * noise[index + shift]
    result /= 6
    return result


def smooth_field(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> np.ndarray:
    """Smooth Gaussian noise of mean 0 and standard deviation about 1.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (int, int)
        Rows and columns.
    scale : float
        Distance of the spline's nodes in pixels, at least 1: bumps are about twice as wide.

    Returns
    -------
    ndarray, float32, `shape`
    """
    if not scale >= 1:
        raise ValueError(f"scale: {scale} found, at least 1 pixel is right")
    nodes = [math.ceil(size / scale) + 4 for size in shape]
    start = rng.random(2)
    noise = rng.standard_normal(nodes, dtype=np.float32)
    rows = _spline(noise, shape[0], scale, start[0])
    # The first axis gathers whole rows, which is several times faster than along the second.
    both = _spline(np.ascontiguousarray(rows.T), shape[1], scale, start[1])
    return np.ascontiguousarray(both.T) / np.float32(_SPLINE_DEVIATION)


def rough_field(rng: np.random.Generator, shape: tuple[int, int], scale: float, octaves: int = 3) -> np.ndarray:
    """Sum of `octaves` smooth fields, each of half the scale and amplitude of the last; deviation about 1."""
    amplitudes = 0.5 ** np.arange(octaves)
    total = np.zeros(shape, np.float32)
    for amplitude in amplitudes:
        total += np.float32(amplitude) * smooth_field(rng, shape, max(1.0, scale * amplitude))
    return total / np.float32(np.linalg.norm(amplitudes))


def above(field: np.ndarray, fraction: float, stride: int = 3) -> np.ndarray:
    """Shift `field` so that `fraction` of it is positive, by the values in every `stride`-th row and column."""
    return field - np.float32(np.quantile(field[::stride, ::stride], np.clip(1 - fraction, 0, 1)))


@dataclass(frozen=True)
class Flow:
    """A bent coordinate system: fibers run along lines of constant `across`.

    Attributes
    ----------
    across, along : ndarray, float32, (H, W)
        Coordinates in pixels.
    table : ndarray, float32, (512, 512)
        Smooth periodic noise from which textures are read.
    """

    across: np.ndarray
    along: np.ndarray
    table: np.ndarray

    def angle(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Direction of the fibers at pixels (integer indices), in radians from the column axis."""
        height, width = self.across.shape
        up, down = np.maximum(rows - 1, 0), np.minimum(rows + 1, height - 1)
        left, right = np.maximum(columns - 1, 0), np.minimum(columns + 1, width - 1)
        slope_row = self.across[down, columns] - self.across[up, columns]
        slope_column = self.across[rows, right] - self.across[rows, left]
        return np.arctan2(-slope_column, slope_row)

    def texture(self, rng: np.random.Generator, thickness: float, length: float) -> np.ndarray:
        """Noise (mean 0, deviation about 1) in streaks of `thickness` x `length` pixels along the fibers."""
        # The nearest entry of a finely sampled periodic table is as good as interpolation, and much faster.
        start = rng.integers(_TABLE, 9 * _TABLE, 2)
        row = (self.across * np.float32(3.2 / thickness) + np.float32(start[0])).astype(np.int32)
        column = (self.along * np.float32(3.2 / length) + np.float32(start[1])).astype(np.int32)
        return self.table.take((row & (_TABLE - 1)) * _TABLE + (column & (_TABLE - 1)))


def draw_flow(
    rng: np.random.Generator,
    shape: tuple[int, int],
    scale: float,
    bend: float = 1.0,
    table: np.ndarray | None = None,
) -> Flow:
    """Draw a flow whose direction wanders over `scale` pixels; `bend` 0 gives straight fibers.

    Most of the time goes into the table of noise; one from `draw_table` may be handed in and shared.
    """
    angle = rng.uniform(0, np.pi)
    row, column = (np.arange(size, dtype=np.float32) for size in shape)
    sine, cosine = np.float32(np.sin(angle)), np.float32(np.cos(angle))
    across = cosine * row[:, None] - sine * column
    along = sine * row[:, None] + cosine * column
    across += np.float32(0.55 * bend * scale) * smooth_field(rng, shape, scale)
    across += np.float32(0.07 * bend * scale) * smooth_field(rng, shape, max(1.0, scale / 5))
    along += np.float32(0.3 * bend * scale) * smooth_field(rng, shape, scale)
    return Flow(across, along, draw_table(rng) if table is None else table)


def draw_table(rng: np.random.Generator) -> np.ndarray:
    """Draw the smooth periodic noise, float32 (512, 512), behind the textures of a flow."""
    table = rng.standard_normal((_TABLE, _TABLE), dtype=np.float32)
    table = ndimage.gaussian_filter(table, 2.0, mode="wrap", truncate=3)
    return table / table.std()


def cells(
    rng: np.random.Generator, mask: np.ndarray, pitch: float, disorder: float = 0.8
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Voronoi-like cells around the points of a disordered grid (cellular noise; Worley, SIGGRAPH 1996).

    Parameters
    ----------
    rng : numpy.random.Generator
    mask : ndarray, bool, (H, W)
        Where distances are wanted; only these pixels cost time.
    pitch : float
        Spacing of the grid in pixels.
    disorder : float
        0 is a square grid; 1 places each point anywhere in its square.

    Returns
    -------
    nearest, second : ndarray, float32, (n,)
        Distance in pixels from each pixel of `mask` to its nearest and second nearest point.
    owner : ndarray, int, (n,)
        Index of the nearest point.
    points : ndarray, float32, (m, 2)
        Row and column of the points; some lie outside of the image.
    """
    grid = [math.ceil(size / pitch) + 2 for size in mask.shape]
    corner = np.stack(np.meshgrid(*(np.arange(n) - 1 for n in grid), indexing="ij"), -1).reshape(-1, 2)
    offset = 0.5 + disorder * (rng.random(corner.shape) - 0.5)
    points = ((corner + offset) * pitch).astype(np.float32)
    row, column = np.nonzero(mask)
    home = (row / pitch).astype(np.intp) * grid[1] + (column / pitch).astype(np.intp) + grid[1] + 1
    row, column = row.astype(np.float32), column.astype(np.float32)
    nearest = np.full(row.shape, np.inf, np.float32)
    second = nearest.copy()
    owner = np.zeros(row.shape, np.intp)
    y, x = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            candidate = home + (down * grid[1] + right)
            distance = (row - y[candidate]) ** 2 + (column - x[candidate]) ** 2
            closer = distance < nearest
            np.minimum(second, np.maximum(nearest, distance), out=second)
            np.minimum(nearest, distance, out=nearest)
            owner[closer] = candidate[closer]
    return np.sqrt(nearest), np.sqrt(second), owner, points


def step(field: np.ndarray, width: float) -> np.ndarray:
    """0 where `field` is below -`width`, 1 above `width`, linear between."""
    return np.clip(field * np.float32(0.5 / width) + np.float32(0.5), 0, 1)
