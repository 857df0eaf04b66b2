"""Regions of interest: a square window of fixed size around a lesion, and its global contrast normalization.

Chougrad, Zouaki and Alheyane, Computer Methods and Programs in Biomedicine, 2018, section 2.2.1. One window, r = 300
pixels of the film as it is stored, for data sets of different resolution: 60 mm on mini-MIAS (200 µm per pixel), 21 mm
on INbreast (70 µm), 13 to 15 mm on CBIS-DDSM (42 to 50 µm, by scanner). A lesion that fills a third of the window in
one set is cut by it in another.
"""

import numpy as np
from PIL import Image

SIZE = 300  # pixels of the film: r of section 3
OUT = 224  # pixels: side of the region given to a network, section 3
EDGES = ("rescale", "shift", "reflect")

Box = tuple[int, int, int, int]
"""top, left, bottom, right in pixels; bottom and right are the first row and column that no longer belong to it."""


def window(shape: tuple[int, int], box: Box, size: int = SIZE, edge: str = "rescale") -> Box:
    """The part of the film that `crop` reads: (top, left, bottom, right) in pixels; parameters and errors as there.

    `shape` is the film's height and width. The window lies inside the film, except with ``edge="reflect"``, where it
    may reach beyond. One whose center falls between two pixels lies half a pixel towards the upper left.
    """
    _check(shape, box, size, edge)
    spans = [_span(box[axis], box[axis + 2], shape[axis], size, edge) for axis in (0, 1)]
    return spans[0][0], spans[1][0], spans[0][1], spans[1][1]


def crop(film: np.ndarray, box: Box, size: int = SIZE, out: int = OUT, edge: str = "rescale") -> np.ndarray:
    """Cut the square window around the center of a lesion's bounding box, and rescale it.

    A lesion larger than the window is cut by it: a window that grew with the lesion would hide its size.

    Parameters
    ----------
    film
        Gray values, (H, W), any real dtype.
    box
        The lesion's bounding box, inside the film.
    size, out
        Sides in pixels: of the window, of the film; and of the result.
    edge
        What happens where the window sticks out of the film. ``"rescale"`` (section 2.2.1): the part inside the film is
        rescaled to the square; 300 x 200 pixels are stretched by 1.5 along the shorter side, so that the lesion's shape
        changes and its center moves. ``"shift"``: the window is moved into the film; the lesion keeps its shape, off
        center; only a film smaller than the window is stretched. ``"reflect"``: the film is continued by its mirror
        image, its edge pixels included; center and shape stay.

    Returns
    -------
    ndarray, float32, (out, out)
        In the film's units: 12 or 16 bits are not squeezed. Bilinear, averaging where it reduces.

    Raises ValueError: a film that is not two-dimensional; a box that is empty or not inside the film; unknown `edge`; a
    size below 1.
    """
    film = np.asarray(film)
    if film.ndim != 2:
        raise ValueError(f"film of shape {film.shape}: expected one gray value per pixel, (H, W)")
    if out < 1:
        raise ValueError(f"out={out}: expected at least 1 pixel")
    top, left, bottom, right = window(film.shape, box, size, edge)
    rows, columns = _mirrored(top, bottom, film.shape[0]), _mirrored(left, right, film.shape[1])
    part = np.ascontiguousarray(film[np.ix_(rows, columns)], np.float32)
    return np.asarray(Image.fromarray(part).resize((out, out), Image.Resampling.BILINEAR))


def as_image(region: np.ndarray) -> np.ndarray:
    """A region (H, W) as 8-bit gray, uint8 (H, W, 3): its darkest pixel becomes 0, its brightest 255.

    How films of 8 to 16 bits were brought together is not published. Each region's own range uses all 256 steps, and
    makes the result independent of the scanner's offset and gain. A region of one value becomes 0.
    """
    low, high = float(region.min()), float(region.max())
    unit = (region.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.repeat(np.rint(unit * 255).astype(np.uint8)[..., None], 3, axis=2)


def _span(low: int, high: int, length: int, size: int, edge: str) -> tuple[int, int]:
    """First and end position of the window along one axis."""
    start = (low + high - size) // 2
    if edge == "rescale":
        return max(start, 0), min(start + size, length)
    if edge == "shift":
        start = min(max(start, 0), max(length - size, 0))
        return start, min(start + size, length)
    return start, start + size


def _mirrored(start: int, stop: int, length: int) -> np.ndarray:
    """Indices start ... stop - 1, those outside 0 ... length - 1 reflected as often as it takes."""
    k = np.arange(start, stop) % (2 * length)
    return np.minimum(k, 2 * length - 1 - k)


def _check(shape: tuple[int, int], box: Box, size: int, edge: str) -> None:
    if edge not in EDGES:
        raise ValueError(f"edge={edge!r}: expected one of {', '.join(map(repr, EDGES))}")
    if size < 1:
        raise ValueError(f"size={size}: expected at least 1 pixel")
    top, left, bottom, right = box
    if not (0 <= top < bottom <= shape[0] and 0 <= left < right <= shape[1]):
        named = f"top={top}, left={left}, bottom={bottom}, right={right}"
        raise ValueError(f"box {named}: expected at least one pixel, inside the film of {shape[0]}x{shape[1]}")
