"""Descriptors of the neighbors of a pixel: edges, and local binary patterns."""

from collections.abc import Callable

import numpy as np
from skimage.feature import local_binary_pattern

from histolib.descriptors.common import at_least, blockwise, gray, image_by_image, shares

EDGE_THRESHOLD = 11  # levels, below which a block has no edge
_IMAGE_BLOCKS = 1100  # about so many blocks an image is divided into
_ROUNDING = 1e-6
_R = np.sqrt(2)
# Won et al. 2002: what the means of the upper left, upper right, lower left and lower right quarter weigh.
EDGES = {
    "vertical": (1, -1, 1, -1),
    "horizontal": (1, 1, -1, -1),
    "45 degrees": (_R, 0, 0, -_R),
    "135 degrees": (0, _R, -_R, 0),
    "no direction": (2, -2, -2, 2),
}
# Neighbors of a pixel, row and column, counterclockwise from the right, as `local_binary_pattern` has them.
_CIRCLE = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]


def _uniform_codes() -> np.ndarray:
    """Of each code of 8 bits: its number of ones if at most two bits differ from the next one, else 9."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, axis=1)).sum(1)
    return np.where(changes <= 2, bits.sum(1), 9)


UNIFORM = _uniform_codes()


@blockwise(80)
def edge_histogram(images: np.ndarray) -> np.ndarray:
    """Edge histogram of MPEG-7 (Won, Park and Park 2002, ETRI J 24:23; Manjunath et al. 2001, IEEE TCSVT 11:703).

    In each of 4 x 4 parts of the gray image, the share of its blocks with a vertical, horizontal, 45 degree, 135 degree
    or undirected edge: the filter (`EDGES`) with the largest response to the means of the block's quarters, if that is
    at least 11 levels. Blocks have the even side that divides the image into about 1,100, at least 2 pixels; what is
    left at the right and lower edge is not used; below 8 pixels of height or width the edge is repeated. The shares are
    not quantized to three bits as in the standard. 80 columns, part by row and column, then kind of edge; the five of a
    part sum to at most 1. Adding a constant changes nothing.
    """
    pixels = at_least(gray(images), 8)
    half = max(1, int(np.sqrt(pixels.shape[1] * pixels.shape[2] / _IMAGE_BLOCKS) / 2))
    rows, columns = (side // (2 * half) for side in pixels.shape[1:])
    cut = pixels[:, : rows * 2 * half, : columns * 2 * half].astype(np.float32)
    quarters = cut.reshape(len(images), rows, 2, half, columns, 2, half).mean((3, 6)).transpose(0, 1, 3, 2, 4)
    responses = np.abs(quarters.reshape(len(images), rows, columns, 4) @ np.array(list(EDGES.values()), np.float32).T)
    kind = np.where(responses.max(-1) >= EDGE_THRESHOLD, responses.argmax(-1), len(EDGES))
    part = (np.arange(rows) * 4 // rows)[:, None] * 4 + np.arange(columns) * 4 // columns
    counts = shares(part * 6 + kind, 16 * 6).reshape(len(images), 16, 6)
    return (counts / counts.sum(2, keepdims=True))[..., :5].reshape(len(images), 80)


@blockwise(256)
def binary_partition(images: np.ndarray) -> np.ndarray:
    """Histogram of the basic local binary pattern (Ojala, Pietikäinen and Harwood 1996, Pattern Recogn 29:51).

    256 bins, a bit of a code for each of the eight neighbors in the gray image: set where it is at least as bright as
    the pixel. Bit 0 is the neighbor to the right, and so on counterclockwise; beyond the edge the edge is repeated.
    "Local binary partition histogram" (Abdolahi et al. 2020, quoted from Cruz-Roa et al. 2014) is defined by neither,
    and is taken as this one, whose 256 codes partition the neighborhoods; `binary_pattern` is its rotation-invariant
    form. Values sum to 1; any strictly increasing change of the gray levels keeps them.
    """
    pixels = gray(images)
    shifted, codes = _shifts(pixels), np.zeros(pixels.shape, np.int64)
    for bit, place in enumerate(_CIRCLE):
        codes |= (shifted(*place) >= pixels).astype(np.int64) << bit
    return shares(codes, 256)


@blockwise(10)
def binary_pattern(images: np.ndarray) -> np.ndarray:
    """Rotation-invariant uniform local binary patterns (Ojala, Pietikäinen and Mäenpää 2002, IEEE TPAMI 24:971, riu2).

    Eight neighbors on a circle of radius 1 in the gray image, interpolated; scikit-image's `local_binary_pattern` with
    the edge repeated. 10 bins that sum to 1: codes 0 to 8 count the neighbors that are at least as bright, where they
    are in one piece; code 9 is the rest. Unchanged by rotation by 90 degrees, nearly by others; unchanged by affine
    increasing changes of the gray levels, nearly by any increasing one (interpolation is not exactly preserved).
    """
    wide = np.pad(gray(images), ((0, 0), (1, 1), (1, 1)), mode="edge")
    codes = image_by_image(lambda image: local_binary_pattern(image, 8, 1, method="uniform")[1:-1, 1:-1], wide)
    return shares(codes.astype(np.int64), 10)


@blockwise(200)
def completed_pattern(images: np.ndarray) -> np.ndarray:
    """Completed local binary patterns (Guo, Zhang and Zhang 2010, IEEE TIP 19:1657, CLBP_S/M/C).

    Joint histogram of three codes of a pixel of the gray image: of the signs of the differences to its eight
    interpolated neighbors at radius 1 (as `binary_pattern`), of the differences' sizes against their mean over the
    image, both rotation-invariant and uniform (10 codes each), and of its own level against the image's mean. The edge
    is repeated. 200 bins that sum to 1: sign code, size code, brightness, the last counting fastest. Unchanged by
    rotation by 90 degrees and, up to rounding, by affine increasing changes of the levels.
    """
    pixels = gray(images)
    differences = _differences(pixels)
    sizes = np.abs(differences)
    mean = sizes.mean((1, 2, 3), keepdims=True)
    weights = (1 << np.arange(8)).reshape(1, 8, 1, 1)
    sign = UNIFORM[((differences >= -_ROUNDING) * weights).sum(1)]
    size = UNIFORM[((sizes >= mean - _ROUNDING) * weights).sum(1)]
    bright = pixels >= pixels.mean((1, 2), keepdims=True)
    return shares(sign * 20 + size * 2 + bright, 200)


def _differences(pixels: np.ndarray) -> np.ndarray:
    """What the eight neighbors at radius 1 are brighter than their pixel, float64 (N, 8, H, W)."""
    shifted = _shifts(pixels.astype(np.float64))
    middle, near = shifted(0, 0), np.sqrt(0.5)  # a diagonal neighbor lies between four pixels

    def neighbor(row: int, column: int) -> np.ndarray:
        if not row or not column:
            return shifted(row, column)
        sides = shifted(row, 0) + shifted(0, column)
        return near**2 * shifted(row, column) + near * (1 - near) * sides + (1 - near) ** 2 * middle

    return np.stack([neighbor(row, column) - middle for row, column in _CIRCLE], axis=1)


def _shifts(pixels: np.ndarray) -> Callable[[int, int], np.ndarray]:
    """The neighbors (N, H, W) at a row and column from -1 to 1; beyond the edge the edge is repeated."""
    wide, (height, width) = np.pad(pixels, ((0, 0), (1, 1), (1, 1)), mode="edge"), pixels.shape[1:]
    return lambda row, column: wide[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width]
