"""Weights from files that PyTorch wrote before its version 1.6, read without PyTorch and without running anything.

Such a file is a sequence of five pickles (a magic number, a version, facts about the machine, the dictionary of
tensors, the keys of their storages) and then, storage by storage in the order of the keys, its length as 8 bytes and
its numbers. A pickle may name any function to be called when it is read; here four names are known, and any other is an
error before anything is called.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import numpy as np

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001


class _Storage(NamedTuple):
    """One-dimensional numbers in the file."""

    key: str
    dtype: np.dtype
    size: int


class _Tensor(NamedTuple):
    """A view of a storage; sizes and strides in numbers."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def _tensor(storage, offset, shape, strides, *_) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


_KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    **{("torch", name): dtype for name, dtype in _TYPES.items()},
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no file of weights needs")
        return _KNOWN[module, name]

    def persistent_load(self, saved: tuple) -> _Storage:
        kind, dtype, key, _, size, *_ = saved
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"it refers to {kind!r}; expected a storage of numbers")
        return _Storage(key, dtype, size)


def read(file: Path | str, sha256: str | None = None) -> dict[str, np.ndarray]:
    """The tensors of a file by name, float32 or int64, of the shapes that PyTorch gives them.

    Parameters
    ----------
    file
        Written by ``torch.save(model.state_dict())`` before PyTorch 1.6.
    sha256
        What the file's bytes must add up to, hexadecimal; None takes any file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        Another checksum; not a whole file of this kind; a file that names anything but tensors, of which nothing is
        run.
    """
    content = Path(file).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise ValueError(f"{file}: its SHA-256 is {found}; expected {sha256}. Install the package anew.")
    try:
        return _tensors(memoryview(content))
    except (pickle.UnpicklingError, EOFError, TypeError, ValueError, KeyError, AttributeError, IndexError) as problem:
        raise ValueError(f"{file}: not a whole file of weights in PyTorch's format before 1.6: {problem}") from problem


def _tensors(content: memoryview) -> dict[str, np.ndarray]:
    stream = io.BytesIO(content)
    magic, version, _, named, keys = (_Reader(stream).load() for _ in range(5))
    if (magic, version) != (_MAGIC, _VERSION):
        raise ValueError(f"it begins with {magic!r}, {version!r}; expected {_MAGIC}, {_VERSION}")
    sizes = {tensor.storage.key: tensor.storage for tensor in named.values()}
    at, numbers = stream.tell(), {}
    for key in keys:
        storage = sizes[key]
        size = int.from_bytes(content[at : at + 8], "little")
        end = at + 8 + size * storage.dtype.itemsize
        if size != storage.size or end > len(content):
            raise ValueError(f"storage {key} has {size} numbers up to byte {end} of {len(content)}")
        numbers[key] = np.frombuffer(content[at + 8 : end], storage.dtype)
        at = end
    if at != len(content):
        raise ValueError(f"{len(content) - at} bytes are left over")
    return {name: _view(tensor, numbers[tensor.storage.key]) for name, tensor in named.items()}


def _view(tensor: _Tensor, numbers: np.ndarray) -> np.ndarray:
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.strides, strict=True))
    if min((tensor.offset, *tensor.strides, *tensor.shape), default=0) < 0 or last >= len(numbers):
        raise ValueError(f"a tensor reaches to number {last} of {len(numbers)}")
    steps = tuple(step * numbers.itemsize for step in tensor.strides)
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, steps).copy()
