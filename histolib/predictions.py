"""The table that everything shown is computed from: one row per image and method."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from histolib import cache

KEYS = ["method", "fold", "image_id", "patient", "y_true"]
STUDY = "study: "  # begins the name of a method that was tested in another way than the chapter's own


def table(method: str, manifest: pd.DataFrame, probabilities: np.ndarray, fold: int = 0) -> pd.DataFrame:
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
        Number of the fold whose test part this is.

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


def without_studies(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the chapter's own methods, all tested on the same images."""
    return rows[~rows["method"].str.startswith(STUDY)]


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


def save(predictions: pd.DataFrame, path: Path | str) -> str:
    """Write a table as gzipped CSV, whole or not at all, the same bytes for the same table; returns its SHA-256."""
    text = predictions.to_csv(index=False, float_format="%.6f", lineterminator="\n").encode()
    content = gzip.compress(text, mtime=0)
    with cache.atomic_file(path) as part:
        part.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def load(path: Path | str) -> pd.DataFrame:
    """Read a saved table; patients and image names stay text.

    Raises
    ------
    ValueError
        If columns are missing; names the file.
    """
    found = pd.read_csv(path, dtype={"patient": str, "image_id": str, "method": str})
    missing = [name for name in [*KEYS, "p_0", "p_1"] if name not in found]
    if missing:
        raise ValueError(f"{path}: column {', '.join(missing)} is missing; found {', '.join(found)}")
    return found


def scores_of(predictions: pd.DataFrame) -> np.ndarray:
    """The probabilities, float64 (N, classes)."""
    return predictions.filter(regex=r"^p_\d+$").to_numpy()
