"""Images decoded once into one memory-mapped array, so that a second run starts at once."""

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from histolib import cache
from histolib.images import squares

_BLOCK = 2048  # images decoded between two writes: bounds the memory, keeps the threads busy
_BLOCK_BYTES = 2**28


@dataclass(frozen=True)
class Reader:
    """How a row of a manifest becomes pixels.

    Attributes
    ----------
    read
        ``read(root, row, shape)``: uint8 (H, W, 3) of `shape`. `row` is a named tuple of `columns`; an error is a
        ValueError that names the file.
    columns
        Those columns of the manifest that decide the pixels, ``path`` (relative to `root`) first.
    size
        ``size(path)``: height and width in pixels of a file, from its header; None where images of a data set have
        no common size.
    """

    read: Callable[[Path, NamedTuple, tuple[int, int]], np.ndarray]
    columns: tuple[str, ...] = ("path",)
    size: Callable[[Path], tuple[int, int]] | None = None

    def rows(self, table: pd.DataFrame) -> list[NamedTuple]:
        """The named tuples of a manifest."""
        return list(table[list(self.columns)].itertuples(index=False, name="Row"))


def packed(
    root: Path, table: pd.DataFrame, native: tuple[int, int], shape: tuple[int, int], reader: Reader
) -> np.ndarray:
    """All images as one read-only memory-mapped array, uint8 (N, H, W, 3), made on the first call.

    Parameters
    ----------
    root, table, reader
        Folder, manifest and reader of the data set.
    native
        Height and width in pixels that an undisturbed image has; smaller ones are completed to it.
    shape
        Height and width in pixels of the result.
    """
    rows = reader.rows(table)
    file = cache.folder("packed", f"{_key(root, rows, native, shape)}.npy")
    cache.once(file, lambda: _pack(root, rows, native, shape, reader, file))
    return np.load(file, mmap_mode="r")


def read(path: Path) -> np.ndarray:
    """Pixels of one image file, uint8 (H, W, 3).

    Raises ValueError if the file is no image, is cut short, or holds more than 8 bits per channel.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ("RGB", "L", "P", "RGBA", "1"):
                raise ValueError(f"{path}: pixels of mode {image.mode}; expected 8-bit RGB or gray")
            if ";16" in str(image.tile):  # Pillow would cut three channels of 16 bits to 8 in silence
                raise ValueError(f"{path}: 16 bits per channel; expected 8-bit RGB or gray")
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as problem:
        size = path.stat().st_size if path.exists() else 0
        raise ValueError(
            f"{path}: not a whole image file ({size} bytes; {problem}). "
            "Fetch it again, or leave such files out with damaged='skip'."
        ) from problem


def read_complete(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """`read` one file and `complete` it to `shape`; an error of either names the file."""
    try:
        return complete(read(path), shape)
    except ValueError as problem:
        raise ValueError(str(problem) if str(path) in str(problem) else f"{path}: {problem}") from problem


def complete(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Complete an image to `shape` on its right and lower side by reflecting it (its edge pixels included).

    A slide's last column and row of patches are cut off by its edge. White padding would draw a straight border that no
    tissue has, and stretching would change the size of nuclei; a reflection does neither. A ValueError if the image,
    uint8 (h, w, 3), is larger.
    """
    height, width = pixels.shape[:2]
    missing = shape[0] - height, shape[1] - width
    if min(missing) < 0:
        raise ValueError(f"an image of {height}x{width} pixels is larger than the expected {shape[0]}x{shape[1]}")
    if not any(missing):
        return pixels
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size[::-1]


FILES = Reader(lambda root, row, shape: read_complete(root / row.path, shape), size=_size)
"""One file, one image."""


def centered(reader: Reader, shape: tuple[int, int]) -> tuple[Reader, tuple[int, int]]:
    """A reader that keeps the largest square in the middle of each image of `shape`, and the shape of what it gives.

    Cut while reading, so that no data set is ever held or packed whole before it is cropped.
    """
    side = min(shape)
    return Reader(lambda root, row, _: squares.center(reader.read(root, row, shape)), reader.columns), (side, side)


def damaged_files(root: Path, table: pd.DataFrame, shape: tuple[int, int], reader: Reader) -> list[str]:
    """Paths of the rows that can't be decoded or are larger than `shape`."""

    def is_damaged(row: NamedTuple) -> bool:
        try:
            reader.read(root, row, shape)
        except ValueError:
            return True
        return False

    rows = reader.rows(table)
    with ThreadPoolExecutor() as pool:
        bad = [row.path for row, is_bad in zip(rows, pool.map(is_damaged, rows), strict=True) if is_bad]
    return list(dict.fromkeys(bad))


def facts(root: Path, table: pd.DataFrame, shape: tuple[int, int], reader: Reader) -> dict:
    """`fingerprint` and `odd_sized`, read once and kept beside the packed images."""
    rows = reader.rows(table)
    labels = hashlib.sha256(json.dumps(table["label"].tolist()).encode()).hexdigest()[:8]
    file = cache.folder("packed", f"{_key(root, rows, shape, shape)}-{labels}.json")
    if not file.exists():
        found = {"fingerprint": fingerprint(root, table, reader), "odd_sized": odd_sized(root, rows, shape, reader)}
        with cache.atomic_file(file) as part:
            part.write_text(json.dumps(found))
    return json.loads(file.read_text())


def odd_sized(root: Path, rows: Iterable[NamedTuple], shape: tuple[int, int], reader: Reader) -> int:
    """Number of images whose height and width are not `shape`; reads the headers only."""
    if reader.size is None:
        return 0
    with ThreadPoolExecutor() as pool:
        return sum(found != shape for found in pool.map(reader.size, (root / row.path for row in rows)))


def fingerprint(root: Path, table: pd.DataFrame, reader: Reader) -> str:
    """SHA-256 in hexadecimal over labels and pixel-deciding columns of every row and each file's contents, in order."""
    digest = hashlib.sha256()
    seen = set()
    for row, label in zip(reader.rows(table), table["label"].tolist(), strict=True):
        digest.update(json.dumps([*row, label], default=str).encode())
        if row.path not in seen:
            seen.add(row.path)
            digest.update(hashlib.sha256((root / row.path).read_bytes()).digest())
    return digest.hexdigest()


def _key(root: Path, rows: Iterable[NamedTuple], native: tuple[int, int], shape: tuple[int, int]) -> str:
    """Name of the packed file: changes with any row, any file's size or time, and with the shapes."""
    digest = hashlib.sha256(json.dumps([str(root.resolve()), native, shape]).encode())
    for row in rows:
        status = (root / row.path).stat()
        digest.update(json.dumps([*row, status.st_size, status.st_mtime_ns], default=str).encode())
    return digest.hexdigest()[:32]


def _pack(root: Path, rows: list[NamedTuple], native, shape, reader: Reader, file: Path) -> None:
    """Decode `rows` with threads into `file`, whole or not at all."""
    total = (len(rows), *shape, 3)
    cache.require_space(file, int(np.prod(total)))

    def pixels(row: NamedTuple) -> np.ndarray:
        image = reader.read(root, row, native)
        return image if native == shape else _rescale(image, shape)

    with cache.atomic_file(file) as part, ThreadPoolExecutor() as pool:
        array = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=total)
        # Few large images or many small ones at a time.
        step = max(1, min(_BLOCK, _BLOCK_BYTES // int(np.prod(native) * 3)))
        starts = range(0, len(rows), step)
        for start in tqdm(starts, desc="decoding", unit="block", disable=None):
            for k, image in enumerate(pool.map(pixels, rows[start : start + step])):
                array[start + k] = image
        array.flush()
        del array


def _rescale(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize(shape[::-1], Image.Resampling.BILINEAR))
