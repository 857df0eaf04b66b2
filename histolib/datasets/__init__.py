"""Data sets of breast images: one call, one manifest, in the layouts in which people have them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from histolib.datasets import bach, bcdr, breakhis, cbis_ddsm, idc, inbreast, merged, mias
from histolib.datasets.dataset import Dataset
from histolib.datasets.locating import Notes
from histolib.datasets.packing import damaged_files

__all__ = ["MARK", "NAMES", "SEED", "SOURCES", "Dataset", "available", "load"]

# A source is a module with CLASSES, READER (a packing.Reader), find(root), whose FileNotFoundError shows the layout,
# scan(folder, notes), and SHAPE or else shape(folder, table). One whose folders are its classes has PLACES; one with
# images that have no published class has unlabeled(folder).
SOURCES = {
    "idc": idc,
    "bach": bach,
    "breakhis": breakhis,
    "cbis_ddsm": cbis_ddsm,
    "inbreast": inbreast,
    "bcdr": bcdr,
    "merged": merged,
    "mias": mias,
}
NAMES = tuple(SOURCES)
SEED = 2020
MARK = "drawn.json"
"""A file of this name above images says that a program drew them."""


def load(name: str, root: str | Path, patients: int | None = None, seed: int = SEED, damaged: str = "error") -> Dataset:
    """Open a data set as a manifest with images behind it.

    Parameters
    ----------
    name
        One of `NAMES`.
    root
        The data set's own folder or one that holds it.
    patients
        Number of patients, chosen at random by `seed`; all if ``None``. Where every patient has images of one class
        only, the choice keeps the classes' shares. `Dataset.unlabeled` stays whole.
    seed
        Seed of the choice of patients.
    damaged
        ``"error"``: a file that can't be decoded raises when images are read, and an outline that can't be read or lies
        beside its film raises now. ``"skip"``: every file is decoded once now, and what can't be read is left out and
        listed in `Dataset.skipped`.

    Raises ValueError: unknown `name`, `damaged` or number of patients; a class without images (tells what was left
    out); fewer patients than asked for. FileNotFoundError: `root` does not hold the data set (shows the layout).
    """
    if name not in SOURCES:
        raise ValueError(f"name={name!r} is no data set of this library; there is: {', '.join(NAMES)}")
    if damaged not in ("error", "skip"):
        raise ValueError(f"damaged={damaged!r}: expected 'error' or 'skip'")
    if patients is not None and patients < 1:
        raise ValueError(f"patients={patients}: expected at least 1, or None for all")
    source = SOURCES[name]
    folder = source.find(Path(root))
    notes = Notes(skip=damaged == "skip")
    table = source.scan(folder, notes)
    found, left_out = notes.damaged or [], dict(sorted(notes.left_out.items()))
    _require_classes(table, source, folder, left_out | {"damaged": len(found)})
    twin = _drawn(folder, table)
    if patients is not None:
        table = _choose_patients(table, patients, seed, folder)
    shape = source.SHAPE if hasattr(source, "SHAPE") else source.shape(folder, table)

    def opened(folder: Path, table: pd.DataFrame, unlabeled: Dataset | None = None) -> Dataset:
        skipped: list[str] = []
        if damaged == "skip":
            skipped = damaged_files(folder, table, shape, source.READER)
            table = table[~table["path"].isin(skipped)].reset_index(drop=True)
        return Dataset(name, folder, table, source.CLASSES, shape, twin, tuple(skipped), source.READER, unlabeled)

    extra = source.unlabeled(folder) if hasattr(source, "unlabeled") else None
    dataset = opened(folder, table, opened(*extra) if extra else None)
    dataset = replace(dataset, skipped=(*found, *dataset.skipped), left_out=left_out)
    _require_classes(dataset.table, source, folder, dataset.all_left_out)
    return dataset


def available(root: str | Path) -> tuple[str, ...]:
    """Names of the data sets that `root` holds, in the order of `NAMES`."""
    return tuple(name for name, source in SOURCES.items() if _holds(Path(root), source))


def _holds(root: Path, source) -> bool:
    try:
        source.find(root)
    except FileNotFoundError:
        return False
    return True


def _drawn(folder: Path, table: pd.DataFrame) -> bool:
    """Whether a `MARK` lies in any folder above any of the images."""
    folders = {(folder / path).parent for path in table["path"].unique()}
    return any((above / MARK).is_file() for above in {a for place in folders for a in (place, *place.parents)})


def _choose_patients(table: pd.DataFrame, patients: int, seed: int, folder: Path) -> pd.DataFrame:
    """The rows of `patients` patients, drawn without replacement, by class if each patient has one class only."""
    known = np.unique(table["patient"])
    if patients > len(known):
        raise ValueError(f"patients={patients}, but {folder} holds {len(known)}")
    rng = np.random.default_rng(seed)
    labels = table.groupby("patient")["label"].agg(["first", "nunique"])
    if (labels["nunique"] == 1).all():
        groups = [group.index.to_numpy() for _, group in labels.groupby("first")]
        shares = _shares([len(group) for group in groups], patients)
        chosen = np.concatenate([rng.choice(g, n, replace=False) for g, n in zip(groups, shares, strict=True)])
    else:
        chosen = rng.choice(known, patients, replace=False)
    return table[table["patient"].isin(chosen)].reset_index(drop=True)


def _shares(sizes: list[int], total: int) -> list[int]:
    """`total` divided as `sizes` are to each other (largest remainder), with at least 1 each if it can be."""
    exact = np.array(sizes) * total / sum(sizes)
    shares = np.floor(exact).astype(int)
    shares[np.argsort(shares - exact, kind="stable")[: total - shares.sum()]] += 1
    if total >= len(sizes):
        for empty in np.flatnonzero(shares == 0):
            shares[shares.argmax()] -= 1
            shares[empty] = 1
    return shares.tolist()


def _require_classes(table: pd.DataFrame, source, folder: Path, left_out: dict[str, int]) -> None:
    counts = table["label"].value_counts()
    missing = [k for k in range(len(source.CLASSES)) if k not in counts.index]
    if not missing:
        return
    names = ", ".join(f"{k} ({source.CLASSES[k]})" for k in missing)
    found = f"found {len(table)} images in all"
    if hasattr(source, "PLACES"):
        there = ", ".join(sorted(path.name for path in folder.iterdir() if path.is_dir())[:8]) or "none"
        found += f"; expected in {', '.join(source.PLACES[k] for k in missing)}, folders here: {there}"
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
    raise ValueError(f"{folder}: no image of class {names}; {found}" + (f". Left out: {reasons}" if reasons else ""))
