"""Masses of CBIS-DDSM, BCDR-F03 and INbreast as one data set (Chougrad et al. 2018, section 2.1).

There the full DDSM is merged, of which CBIS-DDSM is the curated part, and the classes are balanced in a way that is not
told; nothing is balanced here.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from histolib.datasets import bcdr, cbis_ddsm, inbreast, locating, mammograms

CLASSES, SHAPE = mammograms.CLASSES, mammograms.SHAPE
SOURCES = {"cbis_ddsm": cbis_ddsm, "bcdr": bcdr, "inbreast": inbreast}
OWN = ("density", "source")


def find(root: Path) -> Path:
    """`root` itself, if at least two of the three data sets lie below it.

    Two are enough because BCDR can't be had by everyone; the column ``source`` shows what was merged.

    Raises FileNotFoundError if fewer are there; tells which.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not a folder. Expected one that holds {' and '.join(SOURCES)}")
    there = _folders(root)
    if len(there) < 2:
        layouts = "; ".join(f"{name}: {SOURCES[name].LAYOUT}" for name in SOURCES if name not in there)
        raise FileNotFoundError(
            f"{root} holds {', '.join(there) or 'none'} of {', '.join(SOURCES)}; merging needs at least two. "
            f"Missing {layouts}"
        )
    return root


def scan(folder: Path, notes: locating.Notes) -> pd.DataFrame:
    """Manifest of all masses; ``image_id`` and ``patient`` start with the name of their data set.

    `notes` takes what is no row, by data set; one that is not there counts 1.

    Columns: `mammograms.COLUMNS`, ``density`` (1 to 4; 0 not told) and ``source``.

    Raises ValueError: as `scan` of the data sets.
    """
    tables, there = [], _folders(folder)
    for name, source in SOURCES.items():
        own = locating.Notes(skip=notes.damaged is not None)
        if name in there:
            tables.append(_named(source.scan(there[name], own), name, there[name].relative_to(folder).as_posix()))
        else:
            own.count("not there")
        notes.left_out.update({f"{name}: {reason}": count for reason, count in own.left_out.items()})
        if own.damaged:
            notes.damaged += [f"{name}: {one}" for one in own.damaged]
    return pd.concat(tables, ignore_index=True)


def contour(folder: Path, row: NamedTuple) -> np.ndarray:
    """The lesion's outline as its data set gives it: float (N, 2), column and row of each point."""
    return SOURCES[row.source].contour(folder, row)


READER = mammograms.reader(contour)


def _folders(root: Path) -> dict[str, Path]:
    """Folder of each data set that is there."""
    found = {}
    for name, source in SOURCES.items():
        try:
            found[name] = source.find(root)
        except FileNotFoundError:
            continue
    return found


def _named(table: pd.DataFrame, name: str, below: str) -> pd.DataFrame:
    prefix = "" if below == "." else f"{below}/"
    named = {column: f"{name}_" + table[column] for column in ("image_id", "patient")}
    moved = {column: prefix + table[column] for column in ("path", "outline")}
    return table.assign(source=name, **named, **moved)[[*mammograms.COLUMNS, *OWN]]
