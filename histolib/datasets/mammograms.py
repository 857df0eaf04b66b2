"""What the mammography data sets share: a row is one lesion on one film, and its image a region around it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histolib.datasets import films, locating, packing, regions
from histolib.datasets.dataset import Dataset

CLASSES = ("benign", "malignant")
SHAPE = (regions.OUT, regions.OUT)
VIEWS = ("CC", "MLO")
COLUMNS = (
    "image_id", "path", "label", "label_name", "patient", "view", "side", "top", "left", "bottom", "right",
    "film_height", "film_width", "window", "edge", "outline", "part",
)  # fmt: skip
"""Columns of every mammography manifest.

``path``: the film. ``view``: CC or MLO. ``side``: left or right. ``top, left, bottom, right``: the lesion's bounding
box in pixels of the film, as in `regions`. ``window, edge``: how the region is cut (`regions.crop`). ``outline,
part``: the file that holds the lesion's outline, and its place in that file.
"""


@dataclass(frozen=True)
class Regions(packing.Reader):
    """A reader that cuts regions, and gives the films and outlines behind them.

    Attributes
    ----------
    film
        ``film(folder, row)``: gray values (H, W) of the film of a manifest's row.
    contour
        ``contour(folder, row)``: the lesion's outline in pixels of the film, float (N, 2), column and row of a point.
    """

    film: Callable[[Path, NamedTuple], np.ndarray] | None = None
    contour: Callable[[Path, NamedTuple], np.ndarray] | None = None


def film(folder: Path, row: NamedTuple) -> np.ndarray:
    """Gray values (H, W) of the film of a manifest's row, in their full depth."""
    return films.read(folder / row.path)


def reader(contour: Callable[[Path, NamedTuple], np.ndarray]) -> Regions:
    """The reader of a mammography data set."""
    return Regions(_read, ("path", "top", "left", "bottom", "right", "window", "edge"), film=film, contour=contour)


def _read(folder: Path, row: NamedTuple, shape: tuple[int, int]) -> np.ndarray:
    """The region of a row, uint8 (H, W, 3)."""
    path = folder / row.path
    pixels = films.read(path)
    try:
        box = row.top, row.left, row.bottom, row.right
        return regions.as_image(regions.crop(pixels, box, row.window, shape[0], row.edge))
    except ValueError as problem:
        raise ValueError(f"{path}: {problem}") from problem


def windowed(dataset: Dataset, size: int | float) -> Dataset:
    """The same lesions in other windows.

    `size` is the side of the window: a whole number of pixels of the film for all, or a fraction such as 1.5, as often
    as the longer side of each lesion's box.

    Raises ValueError if `size` is not above 0.
    """
    if not size > 0:
        raise ValueError(
            f"size={size}: expected pixels of the film (an int), or a factor on the lesion's box (a float)"
        )
    table = dataset.table
    longer = np.maximum(table["bottom"] - table["top"], table["right"] - table["left"])
    window = np.full(len(table), size) if isinstance(size, int) else np.ceil(size * longer).astype(int)
    return replace(dataset, table=table.assign(window=window))


def show(dataset: Dataset, k: int) -> tuple[np.ndarray, np.ndarray, regions.Box]:
    """A lesion of a mammography data set, besides its region (``dataset.images(rows=[k])``), at position `k`.

    Returns
    -------
    film : ndarray, (H, W)
    contour : ndarray, float, (N, 2)
        Column and row of each point.
    window : (top, left, bottom, right)
        The part of the film that the region shows, in pixels.
    """
    row = next(dataset.table.iloc[[k]].itertuples(index=False))
    pixels = dataset.reader.film(dataset.root, row)
    window = regions.window(pixels.shape, (row.top, row.left, row.bottom, row.right), row.window, row.edge)
    return pixels, dataset.reader.contour(dataset.root, row), window


def manifest(rows: Iterable[Mapping], own: tuple[str, ...] = ()) -> pd.DataFrame:
    """Rows of a data set as its manifest, sorted by ``image_id``; a ValueError if two have the same.

    Rows have `COLUMNS` except ``label_name, window, edge``, and `own`, the data set's own columns.
    """
    fixed = {"window": regions.SIZE, "edge": "rescale"}
    table = pd.DataFrame(
        [{**row, "label_name": CLASSES[row["label"]], **fixed} for row in rows], columns=[*COLUMNS, *own]
    )
    table = table.sort_values("image_id", kind="stable", ignore_index=True)
    twice = table["image_id"][table["image_id"].duplicated()].tolist()
    if twice:
        raise ValueError(f"{len(twice)} lesions are listed more than once, the first is {twice[0]}")
    return table


def placed(points: np.ndarray, shape: tuple[int, int], source: str) -> dict[str, int]:
    """The bounding box of an outline, clipped to the film, and the film's size.

    `points`: column and row of each in pixels, (N, 2). `shape`: height and width of the film. `source`: what the
    ValueError calls the outline, if no part of its box lies on the film.
    """
    left, top = np.floor(np.min(points, axis=0)).astype(int).tolist()
    right, bottom = (np.floor(np.max(points, axis=0)).astype(int) + 1).tolist()
    if bottom <= 0 or right <= 0 or top >= shape[0] or left >= shape[1]:
        found = f"rows {top} to {bottom - 1}, columns {left} to {right - 1}"
        raise ValueError(f"{source}: the outline ({found}) lies outside of the film of {shape[0]}x{shape[1]} pixels")
    return {
        "top": max(top, 0), "left": max(left, 0), "bottom": min(bottom, shape[0]), "right": min(right, shape[1]),
        "film_height": shape[0], "film_width": shape[1],
    }  # fmt: skip


def find(root: Path, name: str, layout: str, probe: Callable[[Path], bool], folders: tuple[str, ...] = ()) -> Path:
    """The folder that `probe` accepts: one of `folders` in `root`, `root` itself, or one up to three levels below.

    A FileNotFoundError tells what is there instead, with `name` and `layout`.
    """

    def candidates() -> Iterator[Path]:
        yield from (root / inside for inside in folders)
        yield root
        for pattern in ("*", "*/*", "*/*/*"):
            yield from sorted(root.glob(pattern))

    return locating.first(root, candidates(), lambda folder: folder.is_dir() and probe(folder), f"{name} films", layout)


def log_sides(table: pd.DataFrame) -> np.ndarray:
    """Logarithms of height and width of the lesions' boxes in pixels of the film, (N, 2)."""
    return np.log(np.stack([table["bottom"] - table["top"], table["right"] - table["left"]], axis=1))
