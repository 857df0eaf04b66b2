"""Images decoded once into one memory-mapped array, so that a second run starts at once."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from histolib import cache

_BLOCK = 2048  # images decoded between two writes: bounds the memory, keeps the threads busy


def packed(root: Path, paths: Iterable[str], native: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """All images as one read-only memory-mapped array, made on the first call.

    Parameters
    ----------
    root, paths
        Files, relative to `root`.
    native
        Height and width in pixels that an undisturbed image has; smaller ones are completed to it.
    shape
        Height and width in pixels of the result.

    Returns
    -------
    ndarray of uint8, (N, H, W, 3)
    """
    paths = list(paths)
    file = cache.folder("packed", f"{_key(root, paths, native, shape)}.npy")
    if not file.exists():
        _pack(root, paths, native, shape, file)
    return np.load(file, mmap_mode="r")


def read(path: Path) -> np.ndarray:
    """Pixels of one image file, uint8 (H, W, 3).

    Raises
    ------
    ValueError
        If the file is no image, is cut short, or holds more than 8 bits per channel.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ("RGB", "L", "P", "RGBA", "1"):
                raise ValueError(f"{path}: pixels of mode {image.mode}; expected 8-bit RGB or grey")
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
    tissue has, and stretching would change the size of nuclei; a reflection does neither.

    Parameters
    ----------
    pixels
        uint8, (h, w, 3) with 1 <= h <= H and 1 <= w <= W.
    shape
        (H, W) in pixels.

    Raises
    ------
    ValueError
        If the image is larger than `shape`.
    """
    height, width = pixels.shape[:2]
    missing = shape[0] - height, shape[1] - width
    if min(missing) < 0:
        raise ValueError(f"an image of {height}x{width} pixels is larger than the expected {shape[0]}x{shape[1]}")
    if not any(missing):
        return pixels
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")


def damaged_files(root: Path, paths: Iterable[str], shape: tuple[int, int]) -> list[str]:
    """Those of `paths` that can't be decoded or are larger than `shape`."""

    def is_damaged(path: str) -> bool:
        try:
            read_complete(root / path, shape)
        except ValueError:
            return True
        return False

    paths = list(paths)
    with ThreadPoolExecutor() as pool:
        return [path for path, bad in zip(paths, pool.map(is_damaged, paths), strict=True) if bad]


def facts(root: Path, paths: Iterable[str], shape: tuple[int, int]) -> dict:
    """`fingerprint` and `odd_sized`, read once and kept beside the packed images."""
    paths = list(paths)
    file = cache.folder("packed", f"{_key(root, paths, shape, shape)}.json")
    if not file.exists():
        found = {"fingerprint": fingerprint(root, paths), "odd_sized": odd_sized(root, paths, shape)}
        with cache.atomic_file(file) as part:
            part.write_text(json.dumps(found))
    return json.loads(file.read_text())


def odd_sized(root: Path, paths: Iterable[str], shape: tuple[int, int]) -> int:
    """Number of images whose height and width are not `shape`; reads the headers only."""

    def differs(path: str) -> bool:
        with Image.open(root / path) as image:
            return image.size != shape[::-1]

    with ThreadPoolExecutor() as pool:
        return sum(pool.map(differs, paths))


def fingerprint(root: Path, paths: Iterable[str]) -> str:
    """SHA-256 in hexadecimal over relative paths and contents, in the given order."""
    digest = hashlib.sha256()
    for path in paths:
        content = (root / path).read_bytes()
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _key(root: Path, paths: Sequence[str], native: tuple[int, int], shape: tuple[int, int]) -> str:
    """Name of the packed file: changes with any file's name, size or time, and with the shapes."""
    digest = hashlib.sha256(json.dumps([str(root.resolve()), native, shape]).encode())
    for path in paths:
        status = (root / path).stat()
        digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:32]


def _pack(root: Path, paths: Sequence[str], native, shape, file: Path) -> None:
    """Decode `paths` with threads into `file`, whole or not at all."""
    total = (len(paths), *shape, 3)
    cache.require_space(file, int(np.prod(total)))

    def pixels(path: str) -> np.ndarray:
        image = read_complete(root / path, native)
        return image if native == shape else _rescale(image, shape)

    with cache.atomic_file(file) as part, ThreadPoolExecutor() as pool:
        array = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=total)
        starts = range(0, len(paths), _BLOCK)
        for start in tqdm(starts, desc="decoding", unit="block", disable=None):
            for k, image in enumerate(pool.map(pixels, paths[start : start + _BLOCK])):
                array[start + k] = image
        array.flush()
        del array


def _rescale(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize(shape[::-1], Image.Resampling.BILINEAR))
