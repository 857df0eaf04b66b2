"""How a region is cut from its film: window, gray levels, and places that do not show the lesion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from histolib.datasets import Dataset, mammograms, regions

# Millimeters per pixel: mini-MIAS as published; INbreast by its detector; BCDR and CBIS-DDSM by their scanners, of the
# latter the middle of 42 to 50 micrometers.
PIXEL = {"mias": 0.2, "inbreast": 0.07, "bcdr": 0.07, "cbis_ddsm": 0.046}
KNOWN = ("mias", "inbreast", "bcdr")  # sets whose real films all have that pixel
DRAWN_PIXEL = 0.2  # of every twin's films
AS_ARCHIVED = -1.0  # millimeters that 300 pixels of the real archive's films are, another length in each archive
STRETCHES = ("region", "film")
STEPS = 8  # of places tried along a side of the film


def cut(found: Dataset, window: float, millimeters: float, stretch: str) -> Dataset:
    """The same lesions, their regions cut in another way.

    Parameters
    ----------
    found
        A mammography data set; its windows have 300 pixels.
    window
        Side of the window by the longer side of the lesion's box; 0: 300 pixels.
    millimeters
        Side of the window in the breast; 0: as `window` says. `AS_ARCHIVED`: what 300 pixels are in the real archive.
    stretch
        Whose darkest and brightest pixel become 0 and 255: ``region`` or ``film``.

    Raises
    ------
    ValueError
        Millimeters on films whose pixel is not known, or together with `window`; an unknown `stretch`.
    """
    if stretch not in STRETCHES:
        raise ValueError(f"stretch={stretch!r}: expected one of {', '.join(STRETCHES)}")
    if millimeters and window and millimeters != AS_ARCHIVED:
        raise ValueError(f"millimeters={millimeters} and window={window}: expected one of them to be 0")
    if millimeters:
        found = mammograms.windowed(found, _pixels(found, millimeters))
    elif window:
        found = mammograms.windowed(found, float(window))
    if stretch == "region":
        return found
    # The new column is among those that decide the pixels, so that packed images of both kinds are told apart.
    reader = replace(found.reader, read=_by_film, columns=(*found.reader.columns, "stretch"))
    return replace(found, table=found.table.assign(stretch=stretch), reader=reader)


def _pixels(found: Dataset, millimeters: float) -> int:
    """So many pixels of the set's films, at least one."""
    if not found.twin and found.name not in KNOWN:
        raise ValueError(
            f"millimeters={millimeters}: the size of a pixel of real {found.name} films is not known; expected 0"
        )
    length = regions.SIZE * PIXEL[found.name] if millimeters == AS_ARCHIVED else millimeters
    return max(1, round(length / (DRAWN_PIXEL if found.twin else PIXEL[found.name])))


def _by_film(folder: Path, row: NamedTuple, shape: tuple[int, int]) -> np.ndarray:
    """As the reader of the sets, the film's darkest pixel 0 and its brightest 255."""
    film = mammograms.film(folder, row)
    box = row.top, row.left, row.bottom, row.right
    region = regions.crop(film, box, row.window, shape[0], row.edge)
    low, high = float(film.min()), float(film.max())
    gray = np.rint((region - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def away(found: Dataset, seed: int) -> tuple[Dataset, np.ndarray]:
    """For each lesion a region of the same film that shows no marked lesion, as a set of the same rows.

    All windows have one side, the set's median: one that followed the lesion's box would tell its size. Of the places
    that touch no box and are not darker than the film's mean, which leaves the background out, chance chooses.

    Returns
    -------
    Dataset
        Boxes lie in the middle of the new windows; rows without such a place keep theirs.
    ndarray of bool, (N,)
        Which rows have such a place.
    """
    table = found.table.reset_index(drop=True)
    side, there = int(table["window"].median()), np.zeros(len(table), bool)
    moved = table[["top", "left", "bottom", "right"]].to_numpy().copy()
    generator = np.random.default_rng(seed)
    for _, rows in table.groupby("path", sort=True):
        film = found.reader.film(found.root, next(rows.head(1).itertuples(index=False))).astype(np.float64)
        corners = _free(film, side, rows[["top", "left", "bottom", "right"]].to_numpy())
        if len(corners):
            at = corners[generator.integers(len(corners), size=len(rows))]
            moved[rows.index], there[rows.index] = np.hstack([at, at + side]), True
    boxes = dict(zip(("top", "left", "bottom", "right"), moved.T))
    return replace(found, table=table.assign(window=side, **boxes)), there


def _free(film: np.ndarray, side: int, boxes: np.ndarray) -> np.ndarray:
    """Upper left corners (M, 2) of windows inside the film that touch no box and are not darker than its mean."""
    room = np.array(film.shape) - side
    if room.min() < 0:
        return np.zeros((0, 2), int)
    steps = [np.unique(np.linspace(0, length, STEPS + 1).astype(int)) for length in room]
    corners = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 2)
    top, left, bottom, right = (column[None] for column in boxes.T)
    apart = (corners[:, :1] >= bottom) | (corners[:, :1] + side <= top)
    apart |= (corners[:, 1:] >= right) | (corners[:, 1:] + side <= left)
    bright = [film[row : row + side, column : column + side].mean() >= film.mean() for row, column in corners]
    return corners[apart.all(axis=1) & np.array(bright)]
