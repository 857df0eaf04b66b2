"""Building blocks of drawn tissue: fat, glands, and what the microscope adds.

Sizes are in micrometers; `scale` is pixels per micrometer, so that the same tissue can be drawn at any
magnification. Maps are float32 amounts of stain, or coverage between 0 (absent) and 1 (present).
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from studybook.twins.fields import cells, smooth_field


def fat(
    rng: np.random.Generator, amount: np.ndarray, scale: float, diameter: float = 50.0, membrane: float = 1.6
) -> tuple[np.ndarray, np.ndarray]:
    """Fat cells: packed polygons where `amount` is well above 0, single round ones where it is near 0.

    Parameters
    ----------
    amount : ndarray, float, (H, W)
        Cells are drawn whole around the points at which this is positive.
    scale : float
        Pixels per micrometer.
    diameter, membrane : float
        Spacing of cells and thickness of the wall between two, micrometers.

    Returns
    -------
    hollow, region : ndarray, float32, (H, W)
        Coverage by the (white) inside of cells, and by cells with their membranes.
    """
    pitch = diameter * scale
    candidates = ndimage.maximum_filter(amount[::4, ::4] > 0, size=1 + 2 * int(np.ceil(pitch / 4)))
    mask = candidates.repeat(4, 0).repeat(4, 1)[: amount.shape[0], : amount.shape[1]]
    nearest, second, owner, points = cells(rng, mask, pitch)
    place = np.clip(points.astype(np.intp), 0, np.array(amount.shape) - 1)
    local = amount[place[:, 0], place[:, 1]]
    size = np.clip(0.38 + 0.5 * local, 0.0, 0.62) * np.exp(0.12 * rng.standard_normal(len(local)))
    radius = (pitch * np.where(local > 0, size, -1)).astype(np.float32)[owner]
    uneven = np.exp(np.float32(0.8) * smooth_field(rng, amount.shape, max(1.0, 0.25 * pitch))[mask])
    wall = (second - nearest) * np.float32(0.5) - np.float32(0.5 * membrane * scale) * uneven
    inside = np.minimum(wall, radius - nearest)
    hollow, region = np.zeros(amount.shape, np.float32), np.zeros(amount.shape, np.float32)
    hollow[mask] = np.clip(inside * 1.2 + 0.5, 0, 1)
    region[mask] = np.clip(radius - nearest + np.float32(membrane * scale + 0.5), 0, 1)
    return hollow, region


@dataclass
class Glands:
    """Coverage maps, float32 (H, W), of gland walls and lumens, filled by :func:`draw_gland`."""

    wall: np.ndarray
    lumen: np.ndarray


def draw_gland(
    rng: np.random.Generator,
    glands: Glands,
    center: tuple[float, float],
    radius: float,
    wall: float,
    scale: float,
    irregularity: float = 0.1,
    elongation: float = 1.2,
) -> None:
    """Draw one duct or acinus: a wall of epithelium around a lumen.

    Parameters
    ----------
    center : (float, float)
        Row and column in pixels.
    radius, wall : float
        Outer radius and thickness of the wall, micrometers; a wall of at least the radius leaves no lumen.
    irregularity : float
        Relative amplitude of bulges of the outline.
    """
    reach = int(np.ceil(radius * scale * max(1.0, elongation) * (1 + 2 * irregularity))) + 2
    top, left = int(center[0]) - reach, int(center[1]) - reach
    window = (slice(max(top, 0), top + 2 * reach + 1), slice(max(left, 0), left + 2 * reach + 1))
    height, width = glands.wall[window].shape
    if not height or not width:
        return
    dy = np.arange(window[0].start, window[0].start + height, dtype=np.float32)[:, None] - center[0]
    dx = np.arange(window[1].start, window[1].start + width, dtype=np.float32) - center[1]
    turn, (phase2, phase3, phase5) = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi, 3)
    u = (np.cos(turn) * dx + np.sin(turn) * dy) / np.sqrt(elongation)
    v = (np.cos(turn) * dy - np.sin(turn) * dx) * np.sqrt(elongation)
    theta = np.arctan2(v, u)
    bulge = np.cos(2 * theta + phase2) + 0.8 * np.cos(3 * theta + phase3) + 0.5 * np.cos(5 * theta + phase5)
    depth = radius * scale * (1 + irregularity * bulge) - np.hypot(u, v)
    inside = np.clip(depth + 0.5, 0, 1).astype(np.float32)
    lumen = np.clip(depth - wall * scale + 0.5, 0, 1).astype(np.float32)
    # A later gland pushes an earlier one aside, so that walls stay closed where two touch.
    glands.wall[window] = np.where(inside > 0, inside - lumen, glands.wall[window])
    glands.lumen[window] = np.where(inside > 0, lumen, glands.lumen[window])


def sensor(
    rng: np.random.Generator,
    image: np.ndarray,
    blur: float = 0.4,
    noise: float = 1.5,
    quality: int | None = None,
) -> np.ndarray:
    """What optics and camera add to intensities (float, (H, W, 3)); returns uint8.

    Parameters
    ----------
    blur : float
        Standard deviation of the point spread in pixels.
    noise : float
        Standard deviation of Gaussian noise, in gray levels.
    quality : int, optional
        JPEG quality (1-95); None leaves compression out.
    """
    image = np.asarray(image, np.float32)
    if blur > 0:
        image = ndimage.gaussian_filter(image, (blur, blur, 0), truncate=3)
    if noise > 0:
        image = image + np.float32(noise) * rng.standard_normal(image.shape, dtype=np.float32)
    result = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    if quality is not None:
        buffer = io.BytesIO()
        Image.fromarray(result).save(buffer, "JPEG", quality=quality)
        result = np.asarray(Image.open(buffer))
    return result
