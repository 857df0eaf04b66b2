"""Where a model looks: how much its answer weakens when a part of the image is covered.

Occlusion sensitivity (Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2)
needs nothing but answers. Maps made from gradients need a backend's own calls, which this library does not use, and
maps made from activations need a network with a last convolution; covering works with every model and says something
that can be said in a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import keras

GRID = 12  # squares along each side
SHARE = 0.2  # side of a square as a share of the image's
BATCH = 29  # images at a time: five times that is GRID**2 + 1


def heat_map(model: keras.Model, pixels: np.ndarray, target: int, grid: int = GRID) -> np.ndarray:
    """How much of the answer rests on each place of an image.

    A square in the image's mean color covers one place after the other, on a grid. A place's value is how far the
    log-odds of class `target` fall (they keep falling where a probability near 1 hardly moves); a place whose covering
    raises them gets 0. The highest value becomes 1.

    Parameters
    ----------
    model
        Images (N, S, S, 3) to probabilities (N, classes).
    pixels
        One image, uint8 (S, S, 3).
    target
        Class that is asked about.
    grid
        Squares along each side, at least 2; the model is asked for ``grid**2 + 1`` images.

    Returns
    -------
    ndarray of float32, (S, S)
        In [0, 1]; all 0 if no square weakens the answer.

    Raises
    ------
    ValueError
        If `grid` is below 2.
    """
    if grid < 2:
        raise ValueError(f"grid={grid}: expected at least 2")
    side = len(pixels)
    grid = min(grid, side)
    covered = _covered(pixels, grid)
    images = np.concatenate([pixels[None], covered])
    odds = np.concatenate(
        [_log_odds(model.predict_on_batch(images[k : k + BATCH]), target) for k in range(0, len(images), BATCH)]
    )
    falls = np.maximum(odds[0] - odds[1:], 0).reshape(grid, grid).astype(np.float32)
    smooth = np.asarray(Image.fromarray(falls).resize((side, side), Image.Resampling.BILINEAR))
    top = smooth.max()
    return np.clip(smooth / top, 0, 1) if top > 1e-4 else np.zeros_like(smooth)


def _covered(pixels: np.ndarray, grid: int) -> np.ndarray:
    """The image once per place with a square around it covered, row by row, uint8 (grid * grid, S, S, 3)."""
    side = len(pixels)
    half = max(1, round(side * SHARE / 2))
    centers = np.round((np.arange(grid) + 0.5) * side / grid).astype(int)
    color = np.round(pixels.reshape(-1, 3).mean(0)).astype(np.uint8)
    images = np.repeat(pixels[None], grid * grid, axis=0)
    for k, (y, x) in enumerate((y, x) for y in centers for x in centers):
        images[k, max(0, y - half) : y + half, max(0, x - half) : x + half] = color
    return images


def _log_odds(probabilities: np.ndarray, target: int) -> np.ndarray:
    """log(p / (1 - p)) of one class; 1 - p is summed from the others, so that it does not vanish in rounding."""
    p = np.asarray(probabilities, np.float64)
    tiny = np.finfo(np.float32).tiny
    return np.log(np.maximum(p[:, target], tiny)) - np.log(np.maximum(np.delete(p, target, 1).sum(1), tiny))
