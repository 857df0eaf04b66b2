"""Upright square patches of images with their places, so that what is said of them can be put back."""

import numpy as np
import pandas as pd


def random_positions(shape: tuple[int, int], size: int, count: int, rng: np.random.Generator | int) -> np.ndarray:
    """Places drawn evenly; patches may overlap and repeat.

    Parameters
    ----------
    shape
        Height and width of the image in pixels.
    size, count
        Side of a patch in pixels; number of patches, at least 1.
    rng
        Generator, or a seed.

    Returns
    -------
    ndarray of int64, (count, 2)
        Upper row and left column.

    Raises
    ------
    ValueError
        If the image is smaller than a patch, or a number is below 1.
    """
    _check(shape, size)
    if count < 1:
        raise ValueError(f"count={count}: expected at least 1 patch")
    highest = (shape[0] - size, shape[1] - size)
    return np.random.default_rng(rng).integers(0, highest, (count, 2), endpoint=True)


def sliding_positions(shape: tuple[int, int], size: int, overlap: float = 0.5) -> np.ndarray:
    """Places of a window that slides over the whole image, row by row: as `random_positions`, sorted, none twice.

    The window moves by ``size * (1 - overlap)`` pixels, rounded, at least 1. Where the last one would stick out it is
    moved inwards, so that every pixel lies in a window; the last two then overlap more than the others. `overlap` is
    the share of its side that a window has in common with the next, from 0 to below 1, else a ValueError.
    """
    _check(shape, size)
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap={overlap}: expected a share from 0 to below 1")
    step = max(1, round(size * (1 - overlap)))
    rows, columns = (np.unique([*range(0, side - size, step), side - size]) for side in shape)
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.int64)


def table(
    manifest: pd.DataFrame,
    shape: tuple[int, int],
    size: int,
    how: str = "sliding",
    overlap: float = 0.5,
    count: int = 16,
    rng: np.random.Generator | int = 0,
) -> pd.DataFrame:
    """Patches of several images of one shape, one row each.

    Parameters
    ----------
    manifest
        One row per image, with at least ``image_id``; such as rows of `Dataset.table`.
    shape, size
        As in `random_positions`.
    how
        ``"sliding"`` (with `overlap`) or ``"random"`` (`count` from each image, other places in each).
    overlap, count, rng
        As in `sliding_positions` and `random_positions`.

    Returns
    -------
    DataFrame
        The columns of `manifest`, repeated for each patch, and ``patch_id`` (``image_id/number``), ``image`` (the
        image's position in `manifest`), ``row, column, size`` in pixels. Fit for `predictions.table`.

    Raises
    ------
    ValueError
        As the two functions; unknown `how`; an image that is listed twice.
    """
    if how not in ("sliding", "random"):
        raise ValueError(f"how={how!r}: expected 'sliding' or 'random'")
    if manifest["image_id"].duplicated().any():
        raise ValueError(f"image {manifest['image_id'][manifest['image_id'].duplicated()].iloc[0]} is listed twice")
    if how == "sliding":
        each = sliding_positions(shape, size, overlap)
        places = np.tile(each, (len(manifest), 1))
        count = len(each)
    else:
        rng = np.random.default_rng(rng)
        drawn = [random_positions(shape, size, count, rng) for _ in range(len(manifest))]
        places = np.concatenate([np.empty((0, 2), np.int64), *drawn])
    image = np.repeat(np.arange(len(manifest)), count)
    number = pd.Series(np.tile(np.arange(count), len(manifest)), dtype=str)
    rows = manifest.iloc[image].reset_index(drop=True)
    return rows.assign(
        patch_id=rows["image_id"].astype(str) + "/" + number,
        image=image,
        row=places[:, 0],
        column=places[:, 1],
        size=size,
    )


def cut(image: np.ndarray, positions: np.ndarray, size: int) -> np.ndarray:
    """Patches of one image (H, W, C) of any dtype, copied: (N, size, size, C).

    `positions` are upper row and left column in pixels, (N, 2). Raises ValueError if a patch is not inside the image.
    """
    places = _inside(positions, image.shape[:2], size)
    found = np.empty((len(places), size, size, *image.shape[2:]), image.dtype)
    for patch, (row, column) in zip(found, places, strict=True):
        patch[:] = image[row : row + size, column : column + size]
    return found


class Cut:
    """The patches that a table lists, cut out when they are asked for: an array that is never whole in memory.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3), in the order of the manifest that `table` was given; may be memory-mapped. Not copied.
    patches
        Rows of `table`, in any order.

    Attributes
    ----------
    shape
        ``(patches, size, size, 3)``.
    dtype
        Of `images`.

    Raises
    ------
    ValueError
        If the patches have several sizes, or one is not inside its image.
    """

    def __init__(self, images: np.ndarray, patches: pd.DataFrame):
        size = _one_size(patches)
        self._images, self._image = images, patches["image"].to_numpy(np.int64)
        self._places = _inside(patches[["row", "column"]].to_numpy(), images.shape[1:3], size)
        outside = (self._image < 0) | (self._image >= len(images))
        if outside.any():
            raise ValueError(f"a patch of image {self._image[outside][0]}: expected one of {len(images)} images")
        self.shape, self.dtype = (len(patches), size, size, *images.shape[3:]), images.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows) -> np.ndarray:
        """Patches, copied: of a slice, an array of positions, or a boolean mask; of one position, one patch."""
        image, places, size = self._image[rows], self._places[rows], self.shape[1]
        if image.ndim == 0:
            return cut(self._images[image], places, size)[0]
        found = np.empty((len(image), *self.shape[1:]), self.dtype)
        for patch, k, (row, column) in zip(found, image, places, strict=True):
            patch[:] = self._images[k, row : row + size, column : column + size]
        return found


def assemble(values: np.ndarray, positions: np.ndarray, shape: tuple[int, int], size: int) -> np.ndarray:
    """Values of patches put back in their places: each pixel gets the mean over the patches that cover it.

    Parameters
    ----------
    values
        One number per patch, (N,).
    positions
        Upper row and left column of each, (N, 2).
    shape, size
        Height and width of the image, and side of a patch, in pixels.

    Returns
    -------
    ndarray of float64, (H, W)
        NaN where no patch lies.

    Raises
    ------
    ValueError
        If there are not as many values as places, or a patch is not inside the image.
    """
    values, places = np.asarray(values, np.float64), _inside(positions, shape, size)
    if values.shape != (len(places),):
        raise ValueError(f"values of shape {values.shape} for {len(places)} places; expected one number each")
    total, covering = np.zeros(shape), np.zeros(shape, np.int64)
    for value, (row, column) in zip(values, places, strict=True):
        part = slice(row, row + size), slice(column, column + size)
        total[part] += value
        covering[part] += 1
    return np.divide(total, covering, out=np.full(shape, np.nan), where=covering > 0)


def _check(shape: tuple[int, int], size: int) -> None:
    if size < 1:
        raise ValueError(f"size={size}: expected at least 1 pixel")
    if len(shape) != 2 or size > min(shape):
        raise ValueError(f"size={size}: larger than the image, {' x '.join(map(str, shape))} pixels (height x width)")


def _one_size(patches: pd.DataFrame) -> int:
    sizes = patches["size"].unique().tolist()
    if len(sizes) != 1:
        raise ValueError(f"patches of the sizes {sizes}: expected one size")
    return sizes[0]


def _inside(positions: np.ndarray, shape: tuple[int, int], size: int) -> np.ndarray:
    """The places, if all of their patches lie inside."""
    _check(shape, size)
    places = np.asarray(positions, np.int64).reshape(-1, 2)
    outside = (places < 0) | (places > np.array(shape) - size)
    if outside.any():
        row, column = places[outside.any(axis=1)][0]
        raise ValueError(
            f"patch of {size} pixels at row {row}, column {column}: not inside the image of {shape[0]} x {shape[1]}"
        )
    return places
