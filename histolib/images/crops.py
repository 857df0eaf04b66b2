"""Square crops at random places, turned and mirrored at random, and images at another scale."""

import numpy as np
from PIL import Image

PUBLISHED_WIDTH = 2048  # pixels, of the images that published crop sizes belong to (Rakhlin et al. 2018, section 2.3)


def random_crops(image: np.ndarray, size: int, count: int, rng: np.random.Generator | int) -> np.ndarray:
    """Crops at random places, each turned by 0 to 3 quarter turns and mirrored up-down and left-right by chance.

    Parameters
    ----------
    image
        uint8, (H, W, 3).
    size, count
        Side in pixels; number of crops, at least 1, which may overlap.
    rng
        Generator, or a seed.

    Returns
    -------
    ndarray of uint8, (count, size, size, 3)

    Raises
    ------
    ValueError
        If `image` is not uint8 (H, W, 3), `size` is larger than its height or width, or one of the numbers is below 1.
    """
    return cut(image, draw(np.shape(image)[:2], size, count, np.random.default_rng(rng)), size)


def draw(shape: tuple[int, int], size: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Where crops of an image of `shape` (height and width in pixels) lie and how they are turned; see `random_crops`.

    Returns
    -------
    ndarray of int64, (count, 5)
        Upper row, left column, quarter turns against the clock (0-3), then whether mirrored up-down and left-right.
    """
    if count < 1 or size < 1:
        raise ValueError(f"size={size}, count={count}: expected at least 1 of each")
    if len(shape) != 2 or size > min(shape):
        raise ValueError(f"size={size}: larger than the image, {' x '.join(map(str, shape))} pixels (height x width)")
    highest = (shape[0] - size, shape[1] - size, 3, 1, 1)
    return rng.integers(0, highest, (count, 5), endpoint=True)


def cut(image: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """Crops of an image, uint8 (H, W, 3), at `places` as `draw` gives them: uint8 (count, size, size, 3).

    Raises ValueError if `image` is another array.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image: an array of {image.dtype}, shape {image.shape}; expected uint8, (H, W, 3)")
    found = np.empty((len(places), size, size, 3), np.uint8)
    for crop, (row, column, turns, upside, mirrored) in zip(found, places, strict=True):
        part = np.rot90(image[row : row + size, column : column + size], turns)
        crop[:] = part[:: -1 if upside else 1, :: -1 if mirrored else 1]
    return found


def strides(places: np.ndarray, size: int, width: int) -> np.ndarray:
    """The same crops as arithmetic: pixel (i, j) of a crop is pixel ``first + i * down + j * right`` of the image.

    Pixels of the image, which is `width` pixels wide, are counted row by row, so that one gather on any device cuts all
    crops. Returns ``first, down, right`` of each crop, int64 (count, 3).
    """
    row, column, turns, upside, mirrored = np.asarray(places).T
    # Steps of i and j along rows and columns of the image after 0 to 3 turns; a mirrored side runs the other way.
    down = np.array([[1, 0], [0, -1], [-1, 0], [0, 1]])[turns] * (1 - 2 * upside[:, None])
    right = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]])[turns] * (1 - 2 * mirrored[:, None])
    start = np.stack([row, column], axis=1) + (size - 1) * ((down + right) < 0)
    steps = np.array([width, 1])
    return np.stack([start @ steps, down @ steps, right @ steps], axis=1)


def scaled(size: int, width: int, published: int = PUBLISHED_WIDTH) -> int:
    """A published crop size for images of another width: the same part of the image.

    Parameters
    ----------
    size
        Published side in pixels, at the published scale (800 and 1300 at scale 1, 400 and 650 at scale 0.5).
    width, published
        Width in pixels of the images at hand, before they are brought to that scale, and of the published ones.

    Returns
    -------
    int
        Side in pixels at the same scale, at least 1; a ValueError if one of the numbers is below 1.
    """
    if min(size, width, published) < 1:
        raise ValueError(f"size={size}, width={width}, published={published}: expected at least 1 pixel each")
    return max(1, round(size * width / published))


def rescaled(image: np.ndarray, scale: float) -> np.ndarray:
    """An image, uint8 (H, W, 3), made smaller by averaging over areas (Pillow's box filter).

    uint8 (round(scale * H), round(scale * W), 3), the image itself if `scale` is 1; 0.5 averages two by two pixels.
    Raises ValueError if `scale` is not above 0 and at most 1, or so small that nothing is left.
    """
    height, width = rescaled_shape(image.shape[:2], scale)
    if (height, width) == image.shape[:2]:
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def rescaled_shape(shape: tuple[int, int], scale: float) -> tuple[int, int]:
    """Height and width that `rescaled` gives an image of `shape`.

    Raises ValueError as `rescaled`.
    """
    if not 0 < scale <= 1:
        raise ValueError(f"scale={scale}: expected a number above 0 and at most 1")
    height, width = (round(side * scale) for side in shape)
    if min(height, width) < 1:
        raise ValueError(f"scale={scale}: leaves nothing of {shape[0]} x {shape[1]} pixels")
    return height, width
