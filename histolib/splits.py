"""Training, validation and test parts. A patient is on one side only, unless the patch split is asked for by name."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, StratifiedKFold, train_test_split

BY = ("patient", "patch")
_TRIES = 200  # random divisions of the patients, of which the best balanced is taken


class Parts(NamedTuple):
    """Sorted positions, int64, of the three parts of a data set; no position is in two of them."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def three_parts(labels, patients, test: float, validation: float, by: str = "patient", seed: int = 0) -> Parts:
    """Hold out a test part, then a validation part of the rest; the parameters are those of `two_parts`.

    Parameters
    ----------
    test
        Share of all images.
    validation
        Share of the images that are not in the test part.

    Raises
    ------
    ValueError
        Fewer than three patients, or a part without a class; and as `two_parts`.
    """
    labels, patients = np.asarray(labels), np.asarray(patients)
    known = len(np.unique(patients))
    if by == "patient" and known < 3:
        raise ValueError(f"{known} patients can't be on three sides (training, validation, test); expected at least 3")
    rest, held_out = two_parts(labels, patients, test, by, seed)
    train, check = two_parts(labels[rest], patients[rest], validation, by, seed)
    parts = Parts(rest[train], rest[check], held_out)
    for name, rows in parts._asdict().items():
        missing = np.setdiff1d(labels, labels[rows])
        if len(missing):
            raise ValueError(
                f"the {name} part has {len(rows)} images of {len(np.unique(patients[rows]))} patients and none of "
                f"class {missing.tolist()}; {known} patients are too few for test={test}, validation={validation}"
            )
    return parts


def two_parts(labels, patients, share: float, by: str = "patient", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Split images into a rest and a part held out, classes in about the same proportion in both.

    Parameters
    ----------
    labels
        Classes, (N,).
    patients
        Patient of each image, (N,).
    share
        Share of the images to hold out, above 0 and at most 0.5. By patient it is met approximately, since patients
        differ in their number of images.
    by
        ``"patient"``: every patient is wholly on one side. ``"patch"``: images are drawn regardless of patients, so
        that most patients are on both sides; for studying that leak only.
    seed
        Seed of the shuffling.

    Returns
    -------
    (rest, held_out)
        Sorted positions, int64.

    Raises
    ------
    ValueError
        Unknown `by`; a share out of range; fewer patients (or images of a class) than parts.
    """
    if not 0 < share <= 0.5:
        raise ValueError(f"share={share}: expected a number above 0 and at most 0.5")
    labels, patients = np.asarray(labels), np.asarray(patients)
    _check(labels, patients, 2, by)
    if by == "patch":
        rest, held_out = train_test_split(np.arange(len(labels)), test_size=share, stratify=labels, random_state=seed)
        return np.sort(rest), np.sort(held_out)
    return _closest(labels, patients, share, seed)


def folds(labels, patients, count: int, by: str = "patient", seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Stratified k-fold cross-validation.

    Parameters
    ----------
    labels, patients, by, seed
        As in `two_parts`.
    count
        Number of folds, at least 2.

    Yields
    ------
    (train, test)
        Sorted positions, int64. The test parts of all folds together hold every image once.

    Raises
    ------
    ValueError
        Unknown `by`, fewer than two folds, or fewer patients (or images of a class) than folds.
    """
    labels, patients = np.asarray(labels), np.asarray(patients)
    _check(labels, patients, count, by)
    if by == "patient":
        parts = StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(labels, labels, patients)
    else:
        parts = StratifiedKFold(count, shuffle=True, random_state=seed).split(labels, labels)
    return iter([(train.astype(np.int64), test.astype(np.int64)) for train, test in parts])


def _closest(labels: np.ndarray, patients: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of many random divisions of the patients, the one that holds out closest to `share` of every class."""
    classes = labels[:, None] == np.unique(labels)
    wanted = share * classes.sum(0)
    tries = GroupShuffleSplit(_TRIES, test_size=share, random_state=seed).split(labels, labels, patients)
    rest, held_out = min(tries, key=lambda parts: np.abs(classes[parts[1]].sum(0) - wanted).sum())
    return np.sort(rest), np.sort(held_out)


def _check(labels: np.ndarray, patients: np.ndarray, count: int, by: str) -> None:
    if by not in BY:
        raise ValueError(f"by={by!r}: expected one of {', '.join(map(repr, BY))}")
    if len(labels) != len(patients):
        raise ValueError(f"{len(labels)} labels but {len(patients)} patients; expected one of each per image")
    if count < 2:
        raise ValueError(f"count={count}: expected at least 2 folds")
    known = len(np.unique(patients))
    if by == "patient" and known < count:
        raise ValueError(f"{known} patients can't fill {count} folds; use fewer folds or more patients")
    classes, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < count:
        few = classes[sizes.argmin()]
        raise ValueError(f"class {few} has {sizes.min()} images, too few for {count} folds")
