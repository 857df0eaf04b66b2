"""From a field of tissue to patches: each has its own stain and optics, and the quantities that lie in it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from studybook.pretraining.tissue import MAPS, Tissue
from studybook.twins.stains import Stain, draw_stain

# Quantities of a patch of tissue. Areas are square roots of shares of the patch; optical densities are those of the
# stained patch, so that they can be seen in it.
TISSUE = (
    "nuclear area", "nuclear count", "nuclear size", "pleomorphism", "elongation", "chromatin", "chromatin spread",
    "clustering", "cohesive cells", "fat", "glass", "lumen", "gland wall", "clefts", "blood", "ink", "fold", "stroma",
    "hematoxylin", "hematoxylin spread", "eosin", "eosin spread",
    *(f"{stain} over {level}" for stain in ("hematoxylin", "eosin") for level in (0.1, 0.25, 0.5, 1.0)),
    "fiber order", "magnification", "blur", "noise",
    "hematoxylin hue", "hematoxylin tint", "eosin hue", "eosin tint", "white level",
)  # fmt: skip
_LEVELS = np.array([0.1, 0.25, 0.5, 1.0], np.float32)[:, None, None]  # optical densities whose shares are asked for
_FEW = 5  # nuclei below which their mean size and the like are not asked for
_AREAS = ("cohesive", "fat", "glass", "lumen", "wall", "cleft", "blood", "ink", "fold", "stroma")


def cut(rng: np.random.Generator, tissue: Tissue, side: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a field into overlapping patches, each stained and photographed on its own.

    Parameters
    ----------
    tissue
        The field.
    side, stride
        Size of a patch and distance between two, pixels.

    Returns
    -------
    images : ndarray, uint8, (n, side, side, 3)
    targets : ndarray, float32, (n, len(TISSUE))
        NaN where a quantity cannot be seen in the patch.
    """
    height, width = tissue.amounts.shape[1:]
    corners = [(r, c) for r in range(0, height - side + 1, stride) for c in range(0, width - side + 1, stride)]
    images, targets = (
        np.empty((len(corners), side, side, 3), np.uint8),
        np.empty((len(corners), len(TISSUE)), np.float32),
    )
    for k, (row, column) in enumerate(corners):
        window = np.s_[:, row : row + side, column : column + side]
        amounts, maps = tissue.amounts[window], tissue.maps[window]
        stain, blur, noise = _conditions(rng)
        images[k] = _photograph(rng, stain.render(*amounts), blur, noise)
        inside = (np.abs(tissue.nuclei[:, :2] - (row + side / 2, column + side / 2)) < side / 2).all(1)
        targets[k] = [
            *_cells(tissue.nuclei[inside], maps, stain),
            *(np.sqrt(maps[MAPS.index(name)].mean()) for name in _AREAS),
            *_colors(amounts, stain),
            _order(tissue, row, column, side, maps),
            np.log(tissue.scale), np.log(blur + 0.2), np.log(noise + 0.5),
            *_hues(amounts, stain),
        ]  # fmt: skip
    return images, targets


def _conditions(rng: np.random.Generator) -> tuple[Stain, float, float]:
    """Stain, blur (pixels) and noise (gray levels)."""
    stain = draw_stain(rng, rng.uniform(0.3, 2.5))
    blur = rng.uniform(0.0, 0.8) if rng.random() < 0.85 else rng.uniform(0.8, 2.5)
    return stain, blur, rng.uniform(0, 2) if rng.random() < 0.7 else rng.uniform(2, 9)


def _photograph(rng: np.random.Generator, image: np.ndarray, blur: float, noise: float) -> np.ndarray:
    """Optics, sensor and, for every third patch, JPEG compression."""
    if blur > 0.25:
        image = ndimage.gaussian_filter(image, (blur, blur, 0), truncate=3)
    image = image + np.float32(noise) * rng.standard_normal(image.shape, dtype=np.float32)
    result = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.33:
        buffer = io.BytesIO()
        Image.fromarray(result).save(buffer, "JPEG", quality=int(rng.integers(30, 95)))
        result = np.asarray(Image.open(buffer))
    return result


def _cells(nuclei: np.ndarray, maps: np.ndarray, stain: Stain) -> list[float]:
    cover = maps[0]
    area = float(cover.mean())
    blocks = cover.reshape(8, cover.shape[0] // 8, 8, -1).mean((1, 3))
    clustering = float(blocks.std() / np.sqrt(area * (1 - area))) if 0.01 < area < 0.99 else np.nan
    if len(nuclei) < _FEW or area < 0.01:
        return [np.sqrt(area), np.log1p(len(nuclei)), *[np.nan] * 5, clustering]
    _, _, size, ratio, value = nuclei.T
    return [
        np.sqrt(area), np.log1p(len(nuclei)), size.mean(), size.std(), ratio.mean(),
        value.mean() + np.log(stain.strength[0]), value.std(), clustering,
    ]  # fmt: skip


def _colors(amounts: np.ndarray, stain: Stain) -> list[float]:
    density = amounts[:2] * stain.strength[:2, None, None]
    means, spreads = density.mean((1, 2)), density.std((1, 2))
    shares = [np.mean(one > _LEVELS, axis=(1, 2)) for one in density]
    return [means[0], spreads[0], means[1], spreads[1], *shares[0], *shares[1]]


def _hues(amounts: np.ndarray, stain: Stain) -> list[float]:
    """Direction of each stain (red against green, blue against green) where it is there, and the light's intensity."""
    there = amounts[:2].mean((1, 2)) > 0.05
    hues = [
        v
        for k in (0, 1)
        for v in (np.log(stain.vectors[k, [0, 2]] / stain.vectors[k, 1]) if there[k] else (np.nan, np.nan))
    ]
    return [*hues, stain.white.mean() / 10]


def _order(tissue: Tissue, row: int, column: int, side: int, maps: np.ndarray) -> float:
    """How parallel the fibers are: length of the mean of exp(2 i angle), 0 to 1."""
    if maps[MAPS.index("stroma")].mean() < 0.25:
        return np.nan
    grid = np.arange(4, side, 8)
    rows, columns = (part.ravel() for part in np.meshgrid(row + grid, column + grid, indexing="ij"))
    return float(np.abs(np.exp(2j * tissue.flow.angle(rows, columns)).mean()))
