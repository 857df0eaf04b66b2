"""Training, validation and test parts. A patient is on one side only, unless the patch split is asked for by name."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

BY = ("patient", "patch")
CHOICES = ("official", "drawn")  # of `of_fold`
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
        from sklearn.model_selection import train_test_split  # here, since it takes a second

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
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    labels, patients = np.asarray(labels), np.asarray(patients)
    _check(labels, patients, count, by)
    kind, groups = (StratifiedGroupKFold, patients) if by == "patient" else (StratifiedKFold, None)
    parts = kind(count, shuffle=True, random_state=seed).split(labels, labels, groups)
    return iter([(train.astype(np.int64), test.astype(np.int64)) for train, test in parts])


def of_fold(table: pd.DataFrame, fold: int, by: str = "official") -> tuple[np.ndarray, np.ndarray]:
    """Training and test rows of one of the folds that a data set publishes.

    A part of a data set keeps each patient on the side where the publication has the patient, so that a side may be
    left with too little. ``"drawn"`` divides the patients that are there by the rule of `drawn_folds` instead. Divide
    all rows of a study first and choose among them afterwards (one magnification, say): the choice then moves nobody.

    Parameters
    ----------
    table
        Manifest with ``label, patient`` and, for ``"official"``, a column ``fold_<fold>`` of "train" and "test".
    fold
        Number of the fold, from 1.
    by
        ``"official"``: as the column says. ``"drawn"``: as `drawn_folds` has it.

    Returns
    -------
    (train, test)
        Sorted positions, int64.

    Raises
    ------
    ValueError
        Unknown `by` or `fold`; training or test rows without a class that `table` has; a patient on both sides.
    """
    if by not in CHOICES:
        raise ValueError(f"by={by!r}: expected one of {', '.join(map(repr, CHOICES))}")
    known = sorted(int(name[5:]) for name in table.columns if name.startswith("fold_"))
    if by == "official" and fold not in known:
        raise ValueError(f"fold={fold}: the table has the folds {', '.join(map(str, known)) or '(none)'}")
    if by == "drawn" and fold < 1:
        raise ValueError(f"fold={fold}: folds are numbered from 1")
    labels, patients = table["label"].to_numpy(), table["patient"].to_numpy(object)
    if by == "drawn":
        sides = drawn_folds(labels, patients, fold)[:, fold - 1]
    else:
        sides = table[f"fold_{fold}"].to_numpy(object)
    rows = {side: np.flatnonzero(sides == side) for side in ("train", "test")}
    for side, there in rows.items():
        missing = np.setdiff1d(labels, labels[there]).tolist()
        if missing:
            few = f"{len(there)} images of {len(np.unique(patients[there]))} patients and none of class {missing}"
            advice = "more patients are needed" + ("" if by == "drawn" else ", or by='drawn'")
            raise ValueError(f"fold {fold} ({by}): its {side} side has {few}; {advice}")
    both = np.intersect1d(patients[rows["train"]], patients[rows["test"]]).tolist()
    if both:
        raise ValueError(f"fold {fold}: on both sides is patient {', '.join(both)}")
    return rows["train"], rows["test"]


def drawn_folds(labels, patients, count: int = 5, share: float = 1 / 3) -> np.ndarray:
    """Folds for patients whom no publication divides, repeated random hold-out as in the BreaKHis protocol.

    For each fold by itself the patients of each class, sorted by name, are shuffled with the fold's number as the seed;
    the first of them, `share` of them rounded, are tested. At least one is, and one is left to train with, where a
    class has two patients. A patient with images of several classes counts as of the first of them. The same patients
    always give the same folds.

    Parameters
    ----------
    labels, patients
        Class and patient of each image, (N,).
    count
        Number of folds.
    share
        Share of each class's patients to be tested.

    Returns
    -------
    ndarray of object, (N, count)
        "train" or "test".
    """
    first = pd.Series(np.asarray(labels), index=np.asarray(patients, object)).groupby(level=0).first()
    codes = np.searchsorted(first.index, np.asarray(patients, object))
    sides = np.full((len(first), count), "train", object)
    for label in np.unique(first):
        members = np.flatnonzero(first == label)
        held_out = min(max(round(share * len(members)), 1), len(members) - 1)
        for fold in range(count):
            sides[np.random.default_rng(fold + 1).permutation(members)[:held_out], fold] = "test"
    return sides[codes]


def _closest(labels: np.ndarray, patients: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of many random divisions of the patients, the one that holds out closest to `share` of every class."""
    from sklearn.model_selection import GroupShuffleSplit

    classes = labels[:, None] == np.unique(labels)
    wanted = share * classes.sum(0)
    tries = GroupShuffleSplit(_TRIES, test_size=share, random_state=seed).split(labels, labels, patients)
    return min(tries, key=lambda parts: np.abs(classes[parts[1]].sum(0) - wanted).sum())


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
