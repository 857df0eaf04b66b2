"""Several models at a time, each in one thread.

That is faster than one model in several threads where descriptors are few, the trees can't depend on the number of
threads, and it does not come to a standstill on a busy machine, where LightGBM's own threads wait for one another.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor


def each(function: Callable, jobs: Iterable, workers: int | None = None) -> Iterator:
    """Results of `function` for each job, in order; `workers` at a time, all cores if None.

    After an exception no further job is begun.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers}: expected at least 1, or None for all cores")
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        yield from pool.map(function, jobs)
    finally:
        pool.shutdown(cancel_futures=True)
