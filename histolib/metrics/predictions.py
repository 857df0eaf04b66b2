"""The table that everything shown is computed from: one row per image and method."""

import gzip
import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from histolib import cache

KEYS = ["method", "fold", "image_id", "patient", "y_true"]
STUDY = "study: "  # begins the name of a method that was tested in another way than the others
CRAFTED = "descriptor: "  # begins the name of a hand-crafted descriptor, one of many rows of a table of its own


def table(method: str, manifest: pd.DataFrame, probabilities: np.ndarray, fold: int | np.ndarray = 0) -> pd.DataFrame:
    """Predictions of one method as a tidy table.

    Parameters
    ----------
    method
        Name of the method.
    manifest
        Rows of `Dataset.table` that were predicted; needs ``image_id, patient, label``.
    probabilities
        (N, classes) in [0, 1], rows summing to 1; or (N,), the probability of class 1 of two.
    fold
        Number of the fold whose test part this is; of several, one number per row.

    Returns
    -------
    DataFrame
        ``method, fold, image_id, patient, y_true, p_0 .. p_k``.

    Raises
    ------
    ValueError
        If the lengths differ, or probabilities are not finite, out of range, or do not sum to 1.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    p = np.column_stack([1 - p, p]) if p.ndim == 1 else p
    if len(p) != len(manifest):
        raise ValueError(f"{method}: {len(p)} probabilities for {len(manifest)} images")
    if not np.isfinite(p).all() or p.min(initial=0) < 0 or np.abs(p.sum(1) - 1).max(initial=0) > 1e-3:
        raise ValueError(f"{method}: probabilities must be finite, at least 0 and sum to 1 in each row")
    keys = {
        "method": method,
        "fold": fold,
        "image_id": manifest["image_id"].to_numpy(),
        "patient": manifest["patient"].to_numpy(),
        "y_true": manifest["label"].to_numpy(np.int64),
    }
    # Six digits are what is saved: rounding here keeps a reader's recomputation equal to what the run showed.
    return pd.DataFrame(keys | {f"p_{k}": np.round(column, 6) for k, column in enumerate(p.T)})


def of_methods(manifest: pd.DataFrame, probabilities: Mapping[str, np.ndarray], fold: int = 0) -> pd.DataFrame:
    """Predictions of several methods on the same images, one below the other; see `table`."""
    return pd.concat([table(name, manifest, p, fold) for name, p in probabilities.items()], ignore_index=True)


def studies(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the methods whose names begin with `STUDY`, each tested on images of its own."""
    return rows[rows["method"].str.startswith(STUDY)]


def crafted(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the methods whose names begin with `CRAFTED`, without that beginning."""
    chosen = rows[rows["method"].str.startswith(CRAFTED)]
    return chosen.assign(method=chosen["method"].str.removeprefix(CRAFTED))


def own(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the other methods, all tested on the same images: neither `studies` nor `crafted`."""
    return rows[~rows["method"].str.startswith((STUDY, CRAFTED))]


def worst(rows: pd.DataFrame, count: int) -> dict[int, np.ndarray]:
    """Positions, in one method's rows, of the images that are given the least probability of their true class.

    Parameters
    ----------
    rows
        Predictions of one method.
    count
        At most so many per class; images that were classified rightly are never listed.

    Returns
    -------
    dict
        Class to positions, the most confident mistake first. A class without mistakes is left out.
    """
    p = scores_of(rows)
    y = rows["y_true"].to_numpy()
    own = p[np.arange(len(y)), y]
    # The decision of `metrics.scores`: with two classes a tie counts as positive.
    predicted = (p[:, 1] >= 0.5).astype(int) if p.shape[1] == 2 else p.argmax(1)
    mistaken = predicted != y
    found = {k: np.flatnonzero(mistaken & (y == k)) for k in range(p.shape[1])}
    return {k: at[np.argsort(own[at], kind="stable")[:count]] for k, at in found.items() if len(at)}


def two_classes(rows: pd.DataFrame, positive: Collection[int] = (2, 3), rule: str = "max") -> pd.DataFrame:
    """Predictions of several classes as predictions of two groups of classes.

    Parameters
    ----------
    rows
        Predictions with columns ``p_0 .. p_k``, in any order among other columns.
    positive
        Classes that become class 1; the others become class 0. Of the BACH classes 2 and 3 are carcinomas.
    rule
        What a group gets before the two are divided by their sum: ``"max"``, the largest probability in it, as the
        published code of Rakhlin et al. 2018 has it (their text does not say); ``"sum"``, the probability of the
        group. With ``"max"`` a probability of 0.5 lies where the single most probable class changes its group.

    Returns
    -------
    DataFrame
        Same rows and index; ``y_true`` 0 or 1, ``p_0`` and ``p_1`` in the place of the first of the columns that they
        replace. Nothing is rounded.

    Raises
    ------
    ValueError
        An unknown rule; columns that are not ``p_0 .. p_k``; `positive` that is empty, all classes, or holds one that
        there is not; a class in ``y_true`` that there is not; a probability that is negative or not finite, or a row
        without any.
    """
    if rule not in ("max", "sum"):
        raise ValueError(f"rule={rule!r}: expected 'max' or 'sum'")
    names = _score_columns(rows)
    classes, positive = range(len(names)), sorted(set(positive))
    if names != [f"p_{k}" for k in classes]:
        raise ValueError(f"columns {', '.join(names)}: expected p_0 to p_{len(names) - 1}")
    if not positive or not set(positive) < set(classes):
        raise ValueError(f"positive={positive}: expected some but not all of the classes 0 to {len(names) - 1}")
    if not rows["y_true"].isin(classes).all():
        raise ValueError(f"y_true holds {rows['y_true'].unique().tolist()}; expected 0 to {len(names) - 1}")
    p = scores_of(rows)
    if not np.isfinite(p).all() or (p < 0).any() or (p.sum(1) == 0).any():
        raise ValueError("probabilities must be finite and at least 0, and not all 0 in a row")
    inside = np.isin(classes, positive)
    groups = np.column_stack([getattr(p[:, part], rule)(axis=1) for part in (~inside, inside)])
    groups /= groups.sum(1, keepdims=True)
    place = min(rows.columns.get_loc(name) for name in names)
    reduced = rows.drop(columns=names).assign(y_true=rows["y_true"].isin(positive).astype(np.int64))
    for k in (0, 1):
        reduced.insert(place + k, f"p_{k}", groups[:, k])
    return reduced


def save(predictions: pd.DataFrame, path: Path | str) -> str:
    """Write a table as gzipped CSV, whole or not at all, the same bytes for the same table; returns its SHA-256."""
    text = predictions.to_csv(index=False, float_format="%.6f", lineterminator="\n").encode()
    content = gzip.compress(text, mtime=0)
    with cache.atomic_file(path) as part:
        part.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def load(path: Path | str) -> pd.DataFrame:
    """Read a saved table; patients and image names stay text.

    Raises ValueError if columns are missing; names the file.
    """
    found = pd.read_csv(path, dtype={"patient": str, "image_id": str, "method": str}, low_memory=False)
    missing = [name for name in [*KEYS, "p_0", "p_1"] if name not in found]
    if missing:
        raise ValueError(f"{path}: column {', '.join(missing)} is missing; found {', '.join(found)}")
    return found


def scores_of(predictions: pd.DataFrame) -> np.ndarray:
    """The probabilities, float64 (N, classes), in the order of the classes, whatever the order of the columns."""
    return predictions[_score_columns(predictions)].to_numpy(np.float64)


def _score_columns(predictions: pd.DataFrame) -> list[str]:
    return sorted(predictions.filter(regex=r"^p_\d+$"), key=lambda name: int(name[2:]))
