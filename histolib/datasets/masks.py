"""Lesions outlined by masks: images of two values beside the film."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from skimage import measure
from tqdm import tqdm

from histolib import cache
from histolib.datasets import films, locating

# Of a mask's to its film's height and width: how far they may be from 1, and from each other.
_LARGEST_RATIO = 1.5
_LARGEST_DISTORTION = 1.1
# How many gray levels a mask's values may be from its two, and the share of its pixels that may be further: in files
# that keep every value, and in JPEG files, which blur an edge and let it ring.
_EXACT, _JPEG = (0, 0.001), (16, 0.01)
_ENDINGS = (".dcm", ".jpg", ".jpeg", ".png")


class Outline(NamedTuple):
    """Film and mask of a lesion.

    Attributes
    ----------
    film, mask
        Paths below the data set's folder.
    size
        Height and width of the film in pixels.
    box
        The lesion's bounding box in pixels of the film, as in `histolib.datasets.regions`.
    """

    film: str
    mask: str
    size: tuple[int, int]
    box: tuple[int, int, int, int]


def locate(
    root: Path, folders: Sequence[tuple[Sequence[Path], Sequence[Path]]], skipped: list[str] | None = None
) -> list[Outline | None]:
    """Find film, mask and box of many lesions, as `outline`; what was found is kept in the user's cache.

    `folders` are, of each lesion, those of its film and those of its mask, with DICOM or JPEG files at any depth. A
    lesion of which `outline` raises an error raises it here, or gives None where `skipped` takes its mask's folder.
    """
    listed = [(_images(film), _images(mask)) for film, mask in folders]
    file = cache.folder("masks", f"{_key(root, listed)}.json")
    if file.exists():
        found = json.loads(file.read_text())
    else:
        with ThreadPoolExecutor() as pool:
            named = [(film[0], mask[0]) for film, mask in folders]
            work = pool.map(lambda pair: _tried(root, *pair), zip(named, listed, strict=True))
            found = list(tqdm(work, "outlines", len(listed), unit="mask", disable=None))
        if not any(isinstance(one, str) for one in found):  # what could not be read now may be later
            with cache.atomic_file(file) as part:
                part.write_text(json.dumps(found))
    for (_, mask), one in zip(folders, found, strict=True):
        if isinstance(one, str):
            if skipped is None:
                raise ValueError(one)
            skipped.append(mask[0].relative_to(root).as_posix())
    return [None if isinstance(one, str) else Outline(*one[:2], *map(tuple, one[2:])) for one in found]


def _tried(*arguments) -> Outline | str:
    """`outline`, or what its error says."""
    try:
        return outline(*arguments)
    except ValueError as problem:
        return str(problem)


def outline(root: Path, folders: tuple[Path, Path], listed: tuple[list[Path], list[Path]]) -> Outline:
    """Film, mask and box of one lesion, told apart by the files' content.

    The film is the only file of its folder, or the largest that has many values. The mask is the largest file of its
    own folder that has two. The box encloses the largest connected part of the mask, rescaled if the mask's size
    differs from the film's.

    Raises ValueError: a folder without film or mask; a mask whose size does not belong to the film's; a file that can't
    be read.
    """
    if len(listed[0]) == 1:
        film = listed[0][0]  # nothing to be told apart, and films are large
    else:
        film, _ = _first(folders[0], listed[0], lambda *image: not _is_binary(*image), "film (many values)")
    mask, pixels = _first(folders[1], listed[1], _is_binary, "mask (two values)")
    size, mask_size = films.size(film), pixels.shape
    ratio = [a / b for a, b in zip(size, mask_size, strict=True)]
    if max(*ratio, 1 / min(ratio)) > _LARGEST_RATIO or max(ratio) / min(ratio) > _LARGEST_DISTORTION:
        raise ValueError(
            f"{mask}: a mask of {mask_size[0]}x{mask_size[1]} pixels does not belong to the film {film} of "
            f"{size[0]}x{size[1]}; expected about the same size and shape"
        )
    top, left, bottom, right = _box(pixels)
    box = (
        int(top * ratio[0]), int(left * ratio[1]),
        min(int(np.ceil(bottom * ratio[0])), size[0]), min(int(np.ceil(right * ratio[1])), size[1]),
    )  # fmt: skip
    return Outline(film.relative_to(root).as_posix(), mask.relative_to(root).as_posix(), size, box)


def contour(mask: Path, size: tuple[int, int]) -> np.ndarray:
    """Outline of a mask's largest connected part in pixels of the film, float (N, 2): column and row of each point.

    `size` is height and width of the film.
    """
    pixels = films.read(mask)
    top, left, bottom, right = _box(pixels)
    part = _largest(_inside(pixels)[top:bottom, left:right])
    lines = measure.find_contours(np.pad(part, 1).astype(np.float32), 0.5)
    points = max(lines, key=len)[:, ::-1] - 1 + (left, top)
    scale = size[1] / pixels.shape[1], size[0] / pixels.shape[0]
    return (points + 0.5) * scale - 0.5


def _first(folder: Path, files: list[Path], wanted, what: str) -> tuple[Path, np.ndarray]:
    """The largest of `files` whose pixels are `wanted`, and these."""
    sizes = {path: films.size(path) for path in files}
    seen = []
    for path in sorted(files, key=lambda path: (-np.prod(sizes[path]), path)):
        pixels = films.read(path)
        if wanted(pixels, path):
            return path, pixels
        seen.append(f"{path.name} {sizes[path][0]}x{sizes[path][1]}")
    raise ValueError(f"{folder}: no {what} among its images; found {', '.join(seen) or 'none'}")


def _images(folders: Sequence[Path]) -> list[Path]:
    return sorted({path for folder in folders for path in locating.files(folder, _ENDINGS)})


def _is_binary(pixels: np.ndarray, path: Path) -> bool:
    """Whether an image has two values, but for a few of its pixels."""
    near, few = _JPEG if path.suffix.lower() in (".jpg", ".jpeg") else _EXACT
    low, high = int(pixels.min()), int(pixels.max())
    between = (pixels > low + near) & (pixels < high - near)
    return low + 2 * near < high and bool(between.mean() <= few)


def _inside(pixels: np.ndarray) -> np.ndarray:
    return pixels > (float(pixels.min()) + float(pixels.max())) / 2


def _box(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Bounding box of the largest connected part of a mask."""
    inside = _inside(pixels)
    top, left, bottom, right = _extent(inside)
    # Specks far from the lesion would move the box, and looking for parts in the whole mask is slow.
    up, over, down, across = _extent(_largest(inside[top:bottom, left:right]))
    return top + up, left + over, top + down, left + across


def _largest(inside: np.ndarray) -> np.ndarray:
    parts, count = measure.label(inside, return_num=True)
    return inside if count == 1 else parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])


def _extent(inside: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _key(root: Path, listed: list[tuple[list[Path], list[Path]]]) -> str:
    """Name of the cache file: changes with every file's path, size or time."""
    digest = hashlib.sha256(str(root.resolve()).encode())
    for pair in listed:
        for path in (*pair[0], None, *pair[1], None):
            status = path and path.stat()
            digest.update(repr(status and (str(path), status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()[:32]
