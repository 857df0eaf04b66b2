"""What an image shows of how it was taken and stored, and nothing of what lies on it on purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from histolib.datasets import Dataset
from histolib.images import stain

GLASS = 220  # level that a pixel of glass exceeds in all channels
EMPTY = 8  # level that film without breast stays below
# Columns of `measured` by what they tell of; the first words of a column.
KINDS = ("color", "glass", "stain", "file")


def measured(dataset: Dataset, rows: np.ndarray, images: np.ndarray, tissue: bool) -> pd.DataFrame:
    """Acquisition traits of some images of a set.

    Parameters
    ----------
    dataset
        The set.
    rows
        Positions in ``dataset.table``, (N,).
    images
        These images, uint8 (N, H, W, 3), of any common size.
    tissue
        Whether they are stained sections; of films there are no stains and no glass, but film without breast.

    Returns
    -------
    DataFrame of float, N rows
        ``color ...``: mean and spread of each channel (levels); ``glass share`` or, of films, ``glass (empty film)``;
        ``stain ...``: optical densities of the two stain vectors, 0 where they can't be told apart; ``file ...``:
        bytes of the file, height and width in pixels, images of the same patient in the set.
    """
    found = {}
    for name, values in (("mean", images.mean((1, 2))), ("spread", images.std((1, 2)))):
        channels = ("red", "green", "blue") if tissue else ("gray",)
        found |= {f"color, {name} of {channel}": values[:, k] for k, channel in enumerate(channels)}
    if tissue:
        found["glass share"] = (images.min(3) > GLASS).mean((1, 2))
        vectors = np.array([_vectors(image) for image in images])
        found |= {f"stain {k // 3 + 1}, {'RGB'[k % 3]}": vectors[:, k] for k in range(6)}
    else:
        found["glass (empty film)"] = (images.max(3) < EMPTY).mean((1, 2))
    table = dataset.table.iloc[rows]
    paths = [dataset.root / path for path in table["path"]]
    found["file, bytes"] = [path.stat().st_size for path in paths]
    height, width = _sizes(table, paths)
    found |= {"file, height": height, "file, width": width}
    found["file, images of the patient"] = table["patient"].map(dataset.table["patient"].value_counts()).to_numpy()
    return pd.DataFrame(found, dtype=float)


def _vectors(image: np.ndarray) -> np.ndarray:
    try:
        return stain.vectors(image).ravel()
    except stain.TooLittleTissue:
        return np.zeros(6)


def _sizes(table: pd.DataFrame, paths: list[Path]) -> tuple[list, list]:
    """Height and width of each file's picture, pixels; of films as the set's table has them."""
    if "film_height" in table:
        return table["film_height"].tolist(), table["film_width"].tolist()
    sizes = []
    for path in paths:
        with Image.open(path) as opened:
            sizes.append(opened.size)
    return [size[1] for size in sizes], [size[0] for size in sizes]
