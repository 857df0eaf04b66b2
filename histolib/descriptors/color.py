"""Histograms of color, which know nothing of where a color is; the values of an image sum to 1."""

import functools

import numpy as np
from skimage.color import rgb2hsv, rgb2lab

from histolib.descriptors.common import blockwise, gray, image_by_image, shares

FUZZY_BINS = 64  # coarse colors
FUZZINESS = 1.9  # the exponent m of fuzzy c-means
_FINE = 16  # fine levels per channel
_ROUNDS = 30  # of fuzzy c-means


@blockwise(512)
def rgb_histogram(images: np.ndarray) -> np.ndarray:
    """Joint histogram of red, green and blue, 8 levels each (Swain and Ballard 1991, IJCV 7:11, "Color indexing").

    Share of the pixels in each of 512 cubes; red counts slowest. The authors name no number of bins. Unchanged by any
    rearrangement of the pixels, thus by rotation and reflection.
    """
    level = (images >> 5).astype(np.int64)
    return shares(level[..., 0] * 64 + level[..., 1] * 8 + level[..., 2], 512)


@blockwise(64)
def gray_histogram(images: np.ndarray) -> np.ndarray:
    """Histogram of gray levels (`common.gray`), 64 bins of 4 levels (Swain and Ballard 1991, with one axis).

    Unchanged by any rearrangement of the pixels.
    """
    return shares((gray(images) >> 2).astype(np.int64), 64)


@blockwise(256)
def hsv_histogram(images: np.ndarray) -> np.ndarray:
    """Joint histogram of hue, saturation and value: 16, 4 and 4 levels (Manjunath et al. 2001, IEEE TCSVT 11:703).

    The uniform quantization that MPEG-7 gives its scalable color descriptor; 256 bins, hue counts slowest. A gray pixel
    has hue 0. Unchanged by any rearrangement of the pixels.
    """
    levels = (16, 4, 4)
    # A value of 1 belongs to the last bin; a hue of 1 is one of 0, but `rgb2hsv` gives none.
    hsv = np.minimum((rgb2hsv(images) * levels).astype(np.int64), np.array(levels) - 1)
    return shares(hsv[..., 0] * 16 + hsv[..., 1] * 4 + hsv[..., 2], 256)


@blockwise(FUZZY_BINS)
def fuzzy_color_histogram(images: np.ndarray) -> np.ndarray:
    """Histogram in which a pixel belongs to several colors, to nearer ones more (Han and Ma 2002, IEEE TIP 11:944).

    A fine histogram (16 levels of red, green and blue) times the matrix of the fine colors' memberships in 64 coarse
    ones, which is the same for all images (see `memberships`). Unchanged by any rearrangement of the pixels; a small
    shift of all colors changes it little.
    """
    level = (images >> 4).astype(np.int64)
    fine = shares(level[..., 0] * 256 + level[..., 1] * 16 + level[..., 2], _FINE**3)
    # Image by image: the product of many rows at once would round otherwise than that of one.
    return image_by_image(lambda row: row @ memberships(), fine.astype(np.float32))


@functools.cache
def memberships() -> np.ndarray:
    """How much each fine color belongs to each coarse one, float32 (4096, 64); rows sum to 1.

    Fuzzy c-means (Bezdek 1981) over the fine colors in CIELAB, begun at a grid of 4 x 4 x 4 colors, so that no random
    number decides, and stopped after a fixed number of rounds. The coarse colors depend on no image.
    """
    fine = _lab_grid(_FINE)
    centers = _lab_grid(round(FUZZY_BINS ** (1 / 3)))
    for _ in range(_ROUNDS):
        weight = _belonging(fine, centers) ** FUZZINESS
        centers = weight.T @ fine / weight.sum(0)[:, None]
    return _belonging(fine, centers).astype(np.float32)


def _lab_grid(levels: int) -> np.ndarray:
    """CIELAB of the middles of a grid of `levels` steps of red, green and blue, (levels ** 3, 3)."""
    middle = (np.arange(levels) + 0.5) / levels
    return rgb2lab(np.stack(np.meshgrid(middle, middle, middle, indexing="ij"), axis=-1)).reshape(-1, 3)


def _belonging(colors: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Memberships of fuzzy c-means: proportional to distance to the power of -2 / (m - 1)."""
    square = ((colors[:, None] - centers) ** 2).sum(2)
    closeness = np.maximum(square, 1e-9) ** (-1 / (FUZZINESS - 1))
    return closeness / closeness.sum(1, keepdims=True)
