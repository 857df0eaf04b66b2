"""What was drawn: a table beside a twin's mark that tells the traits of every image, never its class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from histolib import cache, datasets
from histolib.datasets import merged


def place(folder: str | Path, name: str) -> Path:
    """The table of the twin `name` in the folder that it was written to, where other sets may lie too."""
    return Path(folder) / f"traits_{name}.csv"


def save(folder: str | Path, name: str, rows: Iterable[Mapping]) -> None:
    """Write the traits of all images of the twin `name`: ``image_id`` as its loader has it, and numbers."""
    with cache.atomic_file(place(folder, name)) as part:
        pd.DataFrame(rows).to_csv(part, index=False, float_format="%.6g", lineterminator="\n")


def traits(dataset: datasets.Dataset) -> pd.DataFrame | None:
    """What was drawn into each image, in the rows and the order of ``dataset.table``.

    Returns
    -------
    DataFrame or None
        Numbers, a column per trait, described where each twin draws them; None of a real data set.

    Raises
    ------
    ValueError
        If a drawn data set has no such table, as those of earlier versions, or an image is not in it.
    """
    if not dataset.twin:
        return None
    above = (dataset.root, *dataset.root.parents)
    folder = next((path for path in above if (path / datasets.MARK).is_file()), dataset.root)
    parts = {f"{name}_": name for name in merged.SOURCES} if dataset.name == "merged" else {"": dataset.name}
    known = []
    for prefix, name in parts.items():
        path = place(folder, name)
        if path.is_file():
            table = pd.read_csv(path, dtype={"image_id": str})
            known.append(table.assign(image_id=prefix + table["image_id"]))
    if not known:
        raise ValueError(f"{place(folder, dataset.name)} is not there, so no trait is known; draw the twin anew")
    found = pd.concat(known).set_index("image_id").reindex(dataset.table["image_id"])
    if found.isna().any(axis=None):
        missing = found.index[found.isna().any(axis=1)].tolist()
        raise ValueError(f"{folder}: no traits of {len(missing)} images, as of {missing[0]}; expected all to be drawn")
    return found.reset_index(drop=True)
