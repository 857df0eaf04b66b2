"""What is asked of a comparison before any work."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histolib import descriptors
from histolib.descriptors import classifiers
from histolib.descriptors.comparison.describing import Described


def titles(names: Sequence[str], using: Sequence[str], method: str) -> dict[tuple[str, str], str]:
    """Name of the method for each descriptor and classifier.

    Raises
    ------
    ValueError
        None or an unknown one; two methods of one name.
    """
    if not names or not using:
        raise ValueError(f"names={list(names)}, classifiers={list(using)}: expected at least one of each")
    found = {
        (name, classifier): method.format(
            name=descriptors.find(name).title, classifier=classifiers.title(classifier), descriptor=name
        )
        for name in names
        for classifier in using
    }
    if len(set(found.values())) < len(names) * len(using):
        raise ValueError(f"method={method!r} gives two methods one name; it needs {{name}} and {{classifier}}")
    return found


def parts(images, table: pd.DataFrame, train, test, names: Sequence[str], shared: bool):
    """Positions of training and test images as arrays.

    Raises
    ------
    ValueError
        Lengths that differ, a descriptor that was not described; no positions; images or (unless `shared`) patients in
        both parts; classes of the training images that do not count from 0, or of test images that they lack.
    """
    _check_images(images, len(table), names)
    train, test = (_positions(rows, part, len(table)) for rows, part in ((train, "train"), (test, "test")))
    both = np.intersect1d(train, test)
    if len(both):
        raise ValueError(f"{len(both)} images are in the training and the test part, the first at position {both[0]}")
    patients, labels = table["patient"].to_numpy(), table["label"].to_numpy()
    common = sorted(set(patients[train]) & set(patients[test]))
    if common and not shared:
        raise ValueError(
            f"{len(common)} patients are in the training and the test part, such as {common[0]}; divide by patient, or "
            "allow it with shared=True"
        )
    learned = np.unique(labels[train])
    if learned.tolist() != list(range(len(learned))) or labels[test].max() >= len(learned):
        raise ValueError(
            f"training images of class {learned.tolist()}, test images of {np.unique(labels[test]).tolist()}; expected "
            "every class, counted from 0, among the training images"
        )
    return train, test


def limited(train: np.ndarray, labels: np.ndarray, limit: int | None, seed: int) -> np.ndarray:
    """At most `limit` of the training positions, sorted, with the classes' shares.

    Raises
    ------
    ValueError
        A limit below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit}: expected at least 1, or None for all")
    if limit is None or len(train) <= limit:
        return train
    order, own = np.random.default_rng(seed).permutation(len(train)), labels[train]
    rank = np.empty(len(train))  # within its class, in a random order, divided by the class's size
    for label in np.unique(own):
        members = order[own[order] == label]
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.sort(train[np.argsort(rank, kind="stable")[:limit]])


def _check_images(images, rows: int, names: Sequence[str]) -> None:
    sizes = {"": len(images)}
    if isinstance(images, Described):
        missing = [name for name in names if name not in images.features]
        if missing:
            raise ValueError(f"not described: {', '.join(missing)}; described: {', '.join(images.features)}")
        sizes = {name: len(images.features[name]) for name in names}
    for name, count in sizes.items():
        if count != rows:
            raise ValueError(f"{count} images{name and f' described by {name}'} for {rows} rows of the table")


def _positions(rows, part: str, count: int) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.ndim != 1 or not len(rows) or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(f"{part}: {rows.dtype} of shape {rows.shape}; expected positions, at least one integer")
    if not 0 <= rows.min() <= rows.max() < count:
        raise ValueError(f"{part}: positions {rows.min()} to {rows.max()}; expected 0 to {count - 1}")
    return rows
