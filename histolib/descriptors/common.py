"""What every descriptor needs: a check of its input, blocks that stay small, gray levels, and histograms."""

import functools
from collections.abc import Callable, Iterator

import numpy as np

_PIXELS = 30_000  # of a block: its intermediate arrays stay in the processor's cache
Function = Callable[[np.ndarray], np.ndarray]


def checked(images) -> np.ndarray:
    """The images as an array.

    Raises ValueError if they are not uint8, (N, H, W, 3), with at least one pixel each.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or 0 in images.shape[1:]:
        hint = "; one image is images[None]" if images.ndim == 3 else ""
        raise ValueError(
            f"images: an array of {images.dtype}, shape {images.shape}; expected uint8 (0-255), (N, H, W, 3), red, "
            f"green, blue, at least one pixel{hint}"
        )
    return images


def blockwise(dimension: int) -> Callable[[Function], Function]:
    """Make a descriptor of a few images one of any number: input checked, worked through in blocks.

    Parameters
    ----------
    dimension
        Number of values per image; the function returns (N, dimension), stored as float32.
    """

    def wrap(function: Function) -> Function:
        @functools.wraps(function)
        def described(images: np.ndarray) -> np.ndarray:
            images = checked(images)
            found = np.empty((len(images), dimension), np.float32)
            for rows in blocks(images.shape):
                found[rows] = function(images[rows])
            return found

        return described

    return wrap


def blocks(shape: tuple[int, ...], pixels: int = _PIXELS) -> Iterator[slice]:
    """Rows in blocks of about so many pixels, at least one image each."""
    step = max(1, pixels // (shape[1] * shape[2]))
    return (slice(start, start + step) for start in range(0, shape[0], step))


def image_by_image(function: Function, images: np.ndarray) -> np.ndarray:
    """Apply a function of one image to each image, and stack what it gives."""
    return np.stack([function(image) for image in images])


def gray(images: np.ndarray) -> np.ndarray:
    """Luma of ITU-R BT.601 (0.299 red + 0.587 green + 0.114 blue), rounded, uint8 (..., H, W).

    An image whose three channels are equal keeps its levels.
    """
    weighted = images[..., 0] * np.uint32(299) + images[..., 1] * np.uint32(587) + images[..., 2] * np.uint32(114)
    return ((weighted + 500) // 1000).astype(np.uint8)


def at_least(pixels: np.ndarray, side: int, axes: tuple[int, int] = (-2, -1)) -> np.ndarray:
    """Complete height and width to `side` pixels by repeating the right and the lower edge."""
    missing = [max(0, side - pixels.shape[axis]) for axis in axes]
    if not any(missing):
        return pixels
    widths = [(0, 0)] * pixels.ndim
    for axis, count in zip(axes, missing, strict=True):
        widths[axis] = (0, count)
    return np.pad(pixels, widths, mode="edge")


def shares(codes: np.ndarray, bins: int) -> np.ndarray:
    """Share of an image's codes in each bin, float64 (N, bins); rows sum to 1.

    Parameters
    ----------
    codes
        Integers in [0, bins), (N, ...), at least one per image.
    """
    codes = codes.reshape(len(codes), -1)
    places = codes + (np.arange(len(codes)) * bins)[:, None]
    counts = np.bincount(places.ravel(), minlength=len(codes) * bins).reshape(len(codes), bins)
    return counts / codes.shape[1]
