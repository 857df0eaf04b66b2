"""Any descriptor of any number of images, over several processes."""

import os
import time

import numpy as np
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from histolib.descriptors import registry
from histolib.descriptors.common import Function, checked

_ALONE = 256 * 50 * 50  # pixels that are described sooner than processes have started
_TASK = 512 * 50 * 50  # pixels of a task: about a second of the slowest descriptor's work


def describe(
    images: np.ndarray, name: str, workers: int | None = None, progress: bool = False, rows: np.ndarray | None = None
) -> np.ndarray:
    """Describe images.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3). Of a memory-mapped array (`Dataset.images`) each process reads its own part from the
        file; of another one it is sent a copy of its part.
    name
        Name in `REGISTRY`.
    workers
        Processes; None takes one per core for many images. The result does not depend on it.
    progress
        Whether a progress bar is shown on standard error.
    rows
        Positions of the images to describe; None means all.

    Returns
    -------
    ndarray of float32, (N, columns)
        For ``"orb"``, keypoints, of which its `transformer`, fitted on training images, makes the descriptor.

    Raises
    ------
    ValueError
        Unknown `name`; images of another type or shape; rows that are no positions; workers below 1.
    """
    return timed(images, name, workers, progress, rows)[0]


def timed(
    images: np.ndarray, name: str, workers: int | None = None, progress: bool = False, rows: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """`describe`, and the seconds of one core that the work took, other programs' work and starting left out."""
    descriptor = registry.find(name)
    images = _kept(images)
    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers}: expected at least 1, or None for one per core")
    chosen = _positions(rows, len(images))
    pixels = len(chosen) * images.shape[1] * images.shape[2]
    if workers is None:
        workers = (os.cpu_count() or 1) if pixels >= _ALONE else 1
    found = np.empty((len(chosen), descriptor.columns), np.float32)
    parts, total = _parts(len(chosen), images.shape, workers), 0.0
    with tqdm(total=len(chosen), desc=descriptor.title, unit="image", disable=not progress) as bar:
        results = _spread(descriptor.function, images, [chosen[part] for part in parts], workers)
        for part, (values, seconds) in zip(parts, results, strict=True):
            found[part] = values
            total += seconds
            bar.update(len(values))
    return found, total


def _kept(images) -> np.ndarray:
    """The images, checked, still memory-mapped if they were."""
    plain = checked(images)
    return images if isinstance(images, np.memmap) else plain


def _positions(rows, count: int) -> np.ndarray:
    if rows is None:
        return np.arange(count)
    rows = np.asarray(rows)
    if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(f"rows: {rows.dtype} of shape {rows.shape}; expected positions, integers (n,)")
    if len(rows) and not 0 <= rows.min() <= rows.max() < count:
        raise ValueError(f"rows: {rows.min()} to {rows.max()} found; expected 0 to {count - 1}")
    return rows


def _parts(count: int, shape: tuple[int, ...], workers: int) -> list[slice]:
    """Tasks of a size that a progress bar can follow; a few for each process, so that all end together."""
    step = max(1, min(_TASK // (shape[1] * shape[2]), -(-count // (4 * workers))))
    return [slice(start, start + step) for start in range(0, count, step)]


def _spread(function: Function, images: np.ndarray, rows: list[np.ndarray], workers: int):
    """What a function gives for each of the lists of rows and its seconds, in order, as soon as they are there."""
    if workers == 1:
        return (_run(function, images, chosen) for chosen in rows)
    if isinstance(images, np.memmap):
        tasks = (delayed(_run)(function, images, chosen) for chosen in rows)
    else:
        tasks = (delayed(_run)(function, _taken(images, chosen), np.arange(len(chosen))) for chosen in rows)
    # As in `phantoms`: processes that are neither forked nor run the reader's script again. A memory-mapped array is
    # sent as the name of its file; others are few and small, and go through the pipe.
    return Parallel(workers, backend="loky", return_as="generator", max_nbytes=None)(tasks)


def _taken(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rows of the images; neighboring ones without a copy."""
    if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return np.asarray(images[rows[0] : rows[0] + len(rows)])
    return np.asarray(images[rows])


def _run(function: Function, images: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, float]:
    with threadpool_limits(1):  # processes share the work already
        start = time.process_time()
        return function(_taken(images, rows)), time.process_time() - start
