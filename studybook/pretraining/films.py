"""Gray patches for pre-training, as of mammograms: a mass or none, in fibroglandular tissue or fat."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from studybook.twins.fields import rough_field, smooth_field

FILM = (
    "mass", "mass size", "mass irregularity", "mass margin", "mass spicules", "mass contrast", "calcifications",
    "tissue level", "tissue contrast", "tissue roughness", "film blur", "film noise",
)  # fmt: skip


def draw_film(rng: np.random.Generator, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw one gray patch.

    Returns
    -------
    image : ndarray, uint8, (side, side, 3)
        Three equal channels.
    target : ndarray, float32, (len(FILM),)
        NaN where a quantity cannot be seen (size of a mass where there is none).
    """
    shape = (side, side)
    octaves, level, contrast = int(rng.integers(1, 5)), rng.uniform(0.15, 0.7), rng.uniform(0.02, 0.2)
    image = level + contrast * rough_field(rng, shape, np.exp(rng.uniform(np.log(6), np.log(40))), octaves)
    if rng.random() < 0.6:
        layer, measured = _mass(rng, side)
        image = image + layer
    else:
        measured = [0.0, *[np.nan] * 5]
    count = int(rng.poisson(4)) if rng.random() < 0.3 else 0
    for row, column in (rng.normal(side / 2, side / 6, (count, 2)).clip(1, side - 2)).astype(int):
        image[row : row + 2, column : column + int(rng.integers(1, 3))] += rng.uniform(0.15, 0.5)
    blur, noise = rng.uniform(0.2, 1.8), rng.uniform(0, 0.03)
    image = ndimage.gaussian_filter(image, blur) + noise * rng.standard_normal(shape)
    gray = np.clip(255 * np.clip(image, 0, 1) ** rng.uniform(0.7, 1.4) + 0.5, 0, 255).astype(np.uint8)
    target = [*measured, np.log1p(count), level, np.log(contrast), octaves, np.log(blur), noise * 50]
    return np.repeat(gray[..., None], 3, axis=2), np.array(target, np.float32)


def _mass(rng: np.random.Generator, side: int) -> tuple[np.ndarray, list[float]]:
    """Brightness added by a mass, and its six quantities."""
    radius, irregularity = side * rng.uniform(0.08, 0.36), rng.uniform(0, 0.35)
    margin, contrast = np.exp(rng.uniform(np.log(0.6), np.log(0.5 * radius + 1))), rng.uniform(0.06, 0.4)
    spicules = rng.uniform(0.2, 1) if rng.random() < 0.4 else 0.0
    center = side / 2 + side * rng.uniform(-0.15, 0.15, 2)
    dy, dx = (np.arange(side, dtype=np.float32)[:, None] - center[0], np.arange(side, dtype=np.float32) - center[1])
    distance, angle = np.hypot(dy, dx), np.arctan2(dy, dx)
    # Bulges of the outline fall off with their number around it; spicules are many and narrow.
    waves = np.arange(2, 8)
    size = rng.standard_normal((2, len(waves))) / waves
    bulge = sum(a * np.cos(k * angle) + b * np.sin(k * angle) for k, a, b in zip(waves, *size, strict=True))
    outline = radius * (1 + irregularity * bulge)
    layer = contrast / (1 + np.exp(np.clip((distance - outline) / margin, -30, 30)))
    if spicules:
        rays = np.cos(rng.integers(6, 20) * angle + rng.uniform(0, 6) + 1.5 * smooth_field(rng, (side, side), side / 3))
        reach = np.exp(-np.maximum(distance - outline, 0) / (0.8 * radius)) * (distance > 0.6 * outline)
        layer = layer + spicules * 0.6 * contrast * np.maximum(rays, 0) ** 3 * reach
    return layer, [1.0, np.log(radius), irregularity * np.linalg.norm(size), np.log(margin), spicules, np.log(contrast)]
