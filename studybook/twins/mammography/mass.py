"""A mass as an X-ray shows it: the shadow of a body with lobes, strands that leave it, and what a reader outlines."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from studybook.twins.mammography.women import Lesion

_REACH = 2.6  # half side of the drawing in radii: strands end inside
_ANGLES = 72  # points of an outline


def draw_mass(rng: np.random.Generator, lesion: Lesion) -> tuple[np.ndarray, np.ndarray]:
    """Draw one view of a mass.

    Returns
    -------
    shadow : ndarray, float32, (side, side)
        Density that the mass adds to the film, in the breast's units; its center is the middle pixel.
    outline : ndarray, float, (72, 2)
        What a reader marks, relative to the center: column and row of each point in pixels.
    """
    half = int(_REACH * lesion.radius) + 12
    axis = np.arange(-half, half + 1, dtype=np.float32) / np.float32(lesion.radius)
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(1.0, 1.25)
    cosine, sine = np.cos(turn), np.sin(turn)
    across = (cosine * axis - sine * axis[:, None]) * np.float32(stretch)
    along = (sine * axis + cosine * axis[:, None]) / np.float32(stretch)
    lobes = _lobes(rng, lesion.irregularity)
    reach = np.hypot(across, along) / _radius(np.arctan2(along, across), lobes)
    # A body's shadow is as dark as the body is thick along the ray.
    body = np.sqrt(np.maximum(1 - reach**2, 0)) * (0.75 + 0.25 * np.exp(-2 * reach**2) * (0.5 + lesion.density))
    body = ndimage.gaussian_filter(body, 0.7 + 0.2 * lesion.blur**1.5 * lesion.radius)
    shadow = body + _strands(rng, lesion, half)
    contrast = (0.19 + 0.08 * lesion.density) * rng.uniform(0.85, 1.2)
    return (contrast * shadow).astype(np.float32), _outline(rng, lesion, lobes, turn, stretch)


def _lobes(rng: np.random.Generator, irregularity: float) -> np.ndarray:
    """Position, height and sharpness of the outline's bulges and dents, (3, n)."""
    count = int(3 + rng.poisson(1 + 6 * irregularity))
    height = rng.normal(0.0, 0.05 + 0.17 * irregularity, count)
    return np.stack([rng.uniform(0, 2 * np.pi, count), height, 3 + 25 * irregularity * rng.random(count)])


def _radius(angle: np.ndarray, lobes: np.ndarray) -> np.ndarray:
    """Outline's distance from the center in mean radii."""
    total = np.ones_like(angle)
    for position, height, sharpness in lobes.T:
        total += height * np.exp(sharpness * (np.cos(angle - position) - 1))
    return np.clip(total, 0.5, 1.6)


def _strands(rng: np.random.Generator, lesion: Lesion, half: int) -> np.ndarray:
    """Spicules: single strands that leave the body, bend a little and fade."""
    side = 2 * half + 1
    canvas = Image.new("F", (side, side))
    brush = ImageDraw.Draw(canvas)
    for _ in range(int(rng.poisson(38 * lesion.spicules**2))):
        angle, end = rng.uniform(0, 2 * np.pi), rng.uniform(1.25, 1.4 + 0.9 * lesion.spicules)
        steps = np.linspace(0.75, end, 7)
        bend = angle + np.cumsum(rng.normal(0, 0.035, len(steps)))
        points = half + lesion.radius * np.stack([steps * np.cos(bend), steps * np.sin(bend)], axis=1)
        width = int(rng.integers(1, 3))
        for k in range(len(points) - 1):
            brush.line([tuple(points[k]), tuple(points[k + 1])], fill=1 - k / 6.5, width=width if k < 3 else 1)
    return 0.75 * ndimage.gaussian_filter(np.asarray(canvas, np.float32), 1.2)


def _outline(rng: np.random.Generator, lesion: Lesion, lobes: np.ndarray, turn: float, stretch: float) -> np.ndarray:
    """The body's outline as a reader draws it: a little outside, smoothed, without the strands."""
    angle = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    distance = ndimage.gaussian_filter1d(_radius(angle, lobes), 1.5, mode="wrap")
    hand = ndimage.gaussian_filter1d(rng.standard_normal(_ANGLES), 4, mode="wrap")
    distance = lesion.radius * (1.05 + 0.06 * hand) * distance
    across, along = distance * np.cos(angle) / stretch, distance * np.sin(angle) * stretch
    return np.stack(
        [np.cos(turn) * across + np.sin(turn) * along, np.cos(turn) * along - np.sin(turn) * across], axis=1
    )
