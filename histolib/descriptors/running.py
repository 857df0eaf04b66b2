"""Any descriptor of any number of images, over several processes."""

import time
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from histolib import parallel
from histolib.descriptors import registry
from histolib.descriptors.common import Function, checked

_ALONE = 256 * 50 * 50  # pixels that are described sooner than processes have started
_TASK = 512 * 50 * 50  # pixels of a task: about a second of the slowest descriptor's work


def compute(
    images: np.ndarray, name: str, workers: int | None = None, progress: bool = False, rows: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """One descriptor of images, and the time that it takes.

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
    values : ndarray of float32, (N, columns)
        For ``"orb"``, keypoints, of which its `transformer`, fitted on training images, makes the descriptor.
    seconds : float
        Of one core that the work took, other programs' work and starting left out.

    Raises
    ------
    ValueError
        Unknown `name`; images of another type or shape; rows that are no positions; workers below 1.
    """
    descriptor = registry.find(name)
    plain = checked(images)
    images = images if isinstance(images, np.memmap) else plain
    chosen = np.arange(len(images)) if rows is None else positions("rows", rows, len(images))
    if workers is None and len(chosen) * images.shape[1] * images.shape[2] < _ALONE:
        workers = 1
    workers = parallel.cores(workers)
    found, total = np.empty((len(chosen), descriptor.columns), np.float32), 0.0
    # Tasks of a size that a progress bar can follow; a few for each process, so that all end together.
    step = max(1, min(_TASK // (images.shape[1] * images.shape[2]), -(-len(chosen) // (4 * workers))))
    starts = range(0, len(chosen), step)
    with tqdm(total=len(chosen), desc=descriptor.title, unit="image", disable=not progress) as bar:
        results = _spread(descriptor.function, images, [chosen[k : k + step] for k in starts], workers)
        for start, (values, seconds) in zip(starts, results, strict=True):
            found[start : start + len(values)] = values
            total += seconds
            bar.update(len(values))
    return found, total


def positions(name: str, rows, count: int) -> np.ndarray:
    """Rows of `count` as an array.

    Raises ValueError if they are no integers (n,) from 0 to `count` - 1; begins with `name`.
    """
    rows = np.asarray(rows)
    if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(f"{name}: {rows.dtype} of shape {rows.shape}; expected positions, integers (n,)")
    if len(rows) and not 0 <= rows.min() <= rows.max() < count:
        raise ValueError(f"{name}: positions {rows.min()} to {rows.max()}; expected 0 to {count - 1}")
    return rows


def _spread(function: Function, images: np.ndarray, rows: list[np.ndarray], workers: int):
    """What a function gives for each of the lists of rows and its seconds, in order."""
    if workers == 1 or isinstance(images, np.memmap):
        tasks = ((images, chosen) for chosen in rows)
    else:  # only its own part is sent to a process
        tasks = ((_taken(images, chosen), np.arange(len(chosen))) for chosen in rows)
    return parallel.processes(partial(_run, function), tasks, workers)


def _taken(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rows of the images; neighboring ones without a copy."""
    if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return np.asarray(images[rows[0] : rows[0] + len(rows)])
    return np.asarray(images[rows])


def _run(function: Function, task: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, float]:
    with threadpool_limits(1):  # processes share the work already
        start = time.process_time()
        return function(_taken(*task)), time.process_time() - start
