"""Work spread over processes or threads; results come in order and do not depend on their number."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor


def cores(workers: int | None) -> int:
    """Number of workers; None: one per core.

    Raises ValueError if it is below 1.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers}: expected at least 1, or None for one per core")
    return workers or os.cpu_count() or 1


def processes(function: Callable, tasks: Iterable, workers: int | None = None, batch: int | str = "auto") -> Iterator:
    """Results of `function` for each task, as soon as they are there, by processes; one worker is this process.

    Parameters
    ----------
    function
        Of one argument, defined in a module.
    tasks
        Its arguments. A memory-mapped array in them is sent as the name of its file.
    workers
        As for `cores`.
    batch
        Tasks that a process is handed at a time; joblib decides if ``"auto"``.
    """
    workers = cores(workers)
    if workers == 1:
        yield from map(function, tasks)
        return
    # Neither forked (a fork of a process that runs TensorFlow may hang) nor spawned (which would run a reader's
    # script once more in each process): joblib starts processes that import the function's module only.
    from sklearn.utils.parallel import Parallel, delayed

    pool = Parallel(workers, backend="loky", batch_size=batch, return_as="generator", max_nbytes=None)
    yield from pool(delayed(function)(task) for task in tasks)


def threads(function: Callable, tasks: Iterable, workers: int | None = None) -> Iterator:
    """Results of `function` for each task by threads; after an exception no further task is begun."""
    pool = ThreadPoolExecutor(cores(workers))
    try:
        yield from pool.map(function, tasks)
    finally:
        pool.shutdown(cancel_futures=True)
