"""Drawings made by several processes at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def each(work: Callable[[tuple], None], tasks: Sequence[tuple], workers: int, batch: int) -> None:
    """Call `work`, a function of a module, with each task.

    Parameters
    ----------
    work, tasks
        Function and its arguments.
    workers
        Processes; 1 works in this one.
    batch
        Tasks that a process is handed at a time.
    """
    if workers > 1:
        # Neither forked (a fork of a process that runs TensorFlow may hang) nor spawned (which would run a reader's
        # script once more in each process): joblib starts processes that import the function's module only.
        from sklearn.utils.parallel import Parallel, delayed

        Parallel(workers, backend="loky", batch_size=batch)(delayed(work)(task) for task in tasks)
        return
    for task in tasks:
        work(task)
