import os
import time

import numpy as np
import pytest

from histolib import parallel


def where(path) -> tuple[int, bool]:
    return os.getpid(), isinstance(path, np.memmap)


def test_processes_keep_the_order_and_one_worker_is_this_process(tmp_path):
    assert list(parallel.processes(abs, range(-9, 0), 2, batch=2)) == list(range(9, 0, -1))
    np.save(tmp_path / "x.npy", np.zeros(9))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert list(parallel.processes(where, [mapped], 1)) == [(os.getpid(), True)]
    (other, still_mapped), *_ = parallel.processes(where, [mapped] * 4, 2)
    assert other != os.getpid() and still_mapped


def test_threads_keep_the_order_and_end_at_the_first_failure():
    begun = []

    def work(k: int) -> int:
        begun.append(k)
        if k == 1:
            raise KeyError(k)
        time.sleep(0.001)
        return k

    assert list(parallel.threads(lambda k: k * k, range(5), 3)) == [0, 1, 4, 9, 16]
    with pytest.raises(KeyError):
        list(parallel.threads(work, range(1000), 1))
    assert len(begun) < 1000


def test_workers_are_counted():
    assert parallel.cores(3) == 3 and parallel.cores(None) == (os.cpu_count() or 1)
    with pytest.raises(ValueError, match="workers=0: expected at least 1"):
        parallel.cores(0)
