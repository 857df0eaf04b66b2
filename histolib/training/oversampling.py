"""Synthetic minority oversampling (SMOTE) for images, in bounded memory.

The result is that of imbalanced-learn's `SMOTE`, whose copies and float results of pixels take about 12 GB at 277,524
patches of 50x50; here pixels are uint8 except in tiles.
"""

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from tqdm import tqdm

_TILE = 2048  # images whose distances are computed at a time
_SPARE = 8  # candidates beyond k that are ranked again with exact integers


def smote(images: np.ndarray, labels, seed: int, neighbors: int = 5, return_parents: bool = False):
    """Oversample every smaller class to the size of the largest (Chawla et al. 2002).

    A synthetic image is ``a + u (b - a)`` pixel by pixel, with `a` drawn from the class, `b` from the nearest
    neighbors of `a` in that class (Euclidean distance of pixels) and `u` uniform in [0, 1).

    Parameters
    ----------
    images
        uint8, (N, ...).
    labels
        Classes, (N,).
    seed
        Seed of all draws.
    neighbors
        Number of nearest neighbors that `b` is drawn from.
    return_parents
        Whether to return `parents` too.

    Returns
    -------
    images : ndarray of uint8, (M, ...)
        The given images, then the synthetic ones. Equal to rounding imbalanced-learn's result on float64 pixels.
    labels : ndarray, (M,)
    parents : ndarray of int64, (M - N, 2)
        Positions of `a` and `b` of each synthetic image; only with `return_parents`.

    Raises
    ------
    TypeError
        If `images` is not uint8.
    ValueError
        If a class that must grow has too few images for `neighbors`, or there is only one class.
    """
    labels = np.asarray(labels)
    _check(images, labels, neighbors)
    parents, steps = _plan(images, labels, seed, neighbors)
    grown = np.empty((len(images) + len(parents), *images.shape[1:]), np.uint8)
    grown[: len(images)] = images
    for start in range(0, len(parents), _TILE):
        block = slice(start, start + _TILE)
        first, second = (images[column].astype(np.float64) for column in parents[block].T)
        step = steps[block].reshape(-1, *[1] * (images.ndim - 1))
        new = np.rint(first + step * (second - first))
        grown[len(images) + start : len(images) + start + len(new)] = new
    all_labels = np.concatenate([labels, labels[parents[:, 0]]])
    return (grown, all_labels, parents) if return_parents else (grown, all_labels)


def extend(images: np.ndarray, manifest: pd.DataFrame, seed: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Oversample images, uint8 (N, ...), together with their manifest, rows of `Dataset.table`.

    A synthetic image gets the patient of its first parent. Its second parent may be another patient's: oversampling
    before a split carries tissue across it.

    Returns
    -------
    images : ndarray of uint8, (M, ...)
    manifest : DataFrame
        With the columns ``synthetic`` (bool), ``second_patient`` (patient of the second parent) and ``parents`` (names
        of both parents' images, separated by a space), the last two empty for a real image.
    """
    grown, _, parents = smote(images, manifest["label"], seed, return_parents=True)
    real = unblended(manifest)
    names = manifest["image_id"].to_numpy(str)
    new = manifest.iloc[parents[:, 0]].assign(
        image_id=[f"synthetic_{k}" for k in range(len(parents))],
        path="",
        synthetic=True,
        second_patient=manifest["patient"].to_numpy()[parents[:, 1]],
        parents=[" ".join(pair) for pair in names[parents]],
    )
    return grown, pd.concat([real, new], ignore_index=True)


def unblended(manifest: pd.DataFrame) -> pd.DataFrame:
    """The manifest of real images with the columns that `extend` adds."""
    return manifest.assign(synthetic=False, second_patient="", parents="")


def _plan(images: np.ndarray, labels: np.ndarray, seed: int, neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of `a` and `b` of each synthetic image, int64 (M - N, 2), and its step `u`, (M - N,)."""
    classes, sizes = np.unique(labels, return_counts=True)
    parents, steps = [np.empty((0, 2), np.int64)], [np.empty(0)]
    for label, missing in zip(classes, sizes.max() - sizes, strict=True):
        if not missing:
            continue
        members = np.flatnonzero(labels == label)
        near = _nearest(images[members], neighbors)
        # The generator, its seed anew for each class, and the order of the draws are imbalanced-learn's.
        rng = check_random_state(seed)
        rows, columns = np.divmod(rng.randint(0, near.size, missing), neighbors)
        steps.append(rng.uniform(size=missing))
        parents.append(np.stack([members[rows], members[near[rows, columns]]], axis=1))
    return np.concatenate(parents), np.concatenate(steps)


def _nearest(images: np.ndarray, neighbors: int) -> np.ndarray:
    """Positions of each image's exact nearest neighbors, itself left out, int64 (N, neighbors); in tiles."""
    pixels = images.reshape(len(images), -1)
    keep = min(neighbors + 1 + _SPARE, len(pixels))
    best = np.full((len(pixels), keep), np.inf, np.float32)
    found = np.zeros((len(pixels), keep), np.int64)
    starts = range(0, len(pixels), _TILE)
    for first in tqdm(starts, desc="neighbors", unit="tile", disable=None):
        rows = _tile(pixels, first)
        # Each pair of tiles is multiplied once and serves the images of both.
        for second in starts[first // _TILE :]:
            columns = rows if second == first else _tile(pixels, second)
            squared = np.square(rows).sum(1)[:, None] + np.square(columns).sum(1) - 2 * (rows @ columns.T)
            _keep_best(best, found, first, second, squared)
            if second != first:
                _keep_best(best, found, second, first, squared.T)
    return np.array([_ranked(pixels, one, np.sort(near))[1 : 1 + neighbors] for one, near in enumerate(found)])


def _tile(pixels: np.ndarray, start: int) -> np.ndarray:
    """Pixels as float32 around zero, which keeps the products small and exact enough for a ranking."""
    return pixels[start : start + _TILE].astype(np.float32) - 128


def _ranked(pixels: np.ndarray, one: int, near: np.ndarray) -> np.ndarray:
    """Candidates by exact distance from an image, itself first, before an identical copy."""
    squared = np.square(pixels[near].astype(np.int64) - pixels[one]).sum(1)
    squared[near == one] = -1
    return near[np.argsort(squared, kind="stable")]


def _keep_best(best: np.ndarray, found: np.ndarray, start: int, other: int, squared: np.ndarray) -> None:
    """Bring the nearest candidates of the images from `start` on up to date with those from `other` on."""
    rows, keep = slice(start, start + len(squared)), best.shape[1]
    columns = min(keep, squared.shape[1])
    near = np.argpartition(squared, columns - 1, axis=1)[:, :columns]
    distances = np.hstack([best[rows], np.take_along_axis(squared, near, axis=1)])
    numbers = np.hstack([found[rows], other + near])
    order = np.argpartition(distances, keep - 1, axis=1)[:, :keep]
    best[rows], found[rows] = (np.take_along_axis(a, order, axis=1) for a in (distances, numbers))


def _check(images: np.ndarray, labels: np.ndarray, neighbors: int) -> None:
    if images.dtype != np.uint8:
        raise TypeError(f"images of dtype {images.dtype}; expected uint8")
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images but {len(labels)} labels")
    classes, sizes = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"labels hold {len(classes)} class; oversampling needs at least two")
    if sizes.min() < sizes.max() and sizes.min() <= neighbors:
        few = classes[sizes.argmin()]
        raise ValueError(
            f"class {few} has {sizes.min()} images; with neighbors={neighbors} at least {neighbors + 1} are needed"
        )
