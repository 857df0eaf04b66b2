"""Scores of one classifier's answers, from classes and probabilities."""

import numpy as np
import pandas as pd


def scores(y_true, y_score, threshold: float = 0.5, weight=None) -> pd.Series:
    """Scores of a classifier.

    Parameters
    ----------
    y_true
        Classes, integers (N,).
    y_score
        Probability of class 1 (N,), or of every class (N, k).
    threshold
        With two classes: an image counts as positive if its probability of class 1 is at least this.
    weight
        Weight of each image, (N,); all 1 if None.

    Returns
    -------
    Series of float
        ``accuracy, balanced_accuracy, precision, sensitivity, specificity, f1, macro_f1, auc``. With more than two
        classes precision, sensitivity, specificity and F1 are means over the classes, each against the rest, and so
        is the AUC. A score whose denominator is 0 is NaN (AUC, sensitivity, specificity) or 0 (precision and F1
        where nothing is predicted positive), as scikit-learn has it.

    Raises
    ------
    ValueError
        Lengths that differ, no image, a class out of range, scores that are not finite.
    """
    y, p, w = checked(y_true, y_score, weight)
    chosen = decided(p, threshold)
    each = [_against_rest(y == k, chosen == k, p[:, k], w) for k in range(p.shape[1])]
    # Plain numbers until the end: a bootstrap calls this thousands of times.
    mean = {name: float(np.mean([rates[name] for rates in each if not np.isnan(rates[name])] or [np.nan]))
            for name in each[0]}  # fmt: skip
    result = each[1] if p.shape[1] == 2 else mean
    means = {"accuracy": np.average(chosen == y, weights=w), "balanced_accuracy": mean["sensitivity"],
             "macro_f1": mean["f1"]}  # fmt: skip
    order = ["accuracy", "balanced_accuracy", "precision", "sensitivity", "specificity", "f1", "macro_f1", "auc"]
    return pd.Series({name: (result | means)[name] for name in order}, dtype=float)


def operating_point(y_true, y_score, threshold: float) -> pd.Series:
    """Counts and rates of a two-class decision at a threshold.

    Parameters
    ----------
    y_true
        0 or 1, (N,).
    y_score
        Probability of class 1, (N,); at least `threshold` counts as positive.

    Returns
    -------
    Series
        ``threshold, tp, fp, tn, fn, sensitivity, specificity, precision, accuracy``.
    """
    y, p, w = checked(y_true, y_score, None)
    if p.shape[1] != 2:
        raise ValueError(f"an operating point needs two classes, not {p.shape[1]}")
    tp, fp, tn, fn = _counts(y == 1, p[:, 1] >= threshold, w)
    rates = _against_rest(y == 1, p[:, 1] >= threshold, p[:, 1], w)
    kept = {name: rates[name] for name in ("sensitivity", "specificity", "precision")}
    return pd.Series(
        {"threshold": threshold, "tp": tp, "fp": fp, "tn": tn, "fn": fn, **kept, "accuracy": (tp + tn) / len(y)}
    )


def confusion(y_true, y_score, threshold: float = 0.5, percent: bool = True) -> pd.DataFrame:
    """Confusion matrix, true classes in rows, in per cent of all images or in images.

    The class with the largest probability is predicted; with two classes `threshold` decides.
    """
    y, p, _ = checked(y_true, y_score, None)
    counts = np.zeros((p.shape[1], p.shape[1]), int)
    np.add.at(counts, (y, decided(p, threshold)), 1)
    table = pd.DataFrame(100 * counts / len(y) if percent else counts)
    return table.rename_axis(index="true", columns="predicted")


def roc(y_true, y_score, weight=None) -> pd.Series:
    """Sensitivity at given rates of false alarms, from 0 to 1 in steps of 0.005.

    Fit for `bootstrap`, which gives the curve with its band: ``bootstrap(rows, roc)``.

    Parameters
    ----------
    y_true
        0 or 1, (N,).
    y_score
        Probability of class 1, (N,), or of both, (N, 2).
    weight
        Weight of each image, (N,).

    Returns
    -------
    Series
        Index ``false alarms``: one minus specificity. The highest sensitivity that a threshold reaches without more
        false alarms than that; NaN if a class is missing.
    """
    from sklearn.metrics import roc_curve  # here, since it takes a second

    y, p, w = checked(y_true, y_score, weight)
    if p.shape[1] != 2:
        raise ValueError(f"an ROC curve needs two classes, not {p.shape[1]}")
    alarms = pd.Index(np.arange(201) / 200, name="false alarms")
    if y.min() == y.max():
        return pd.Series(np.nan, alarms)
    x, height, _ = roc_curve(y, p[:, 1], sample_weight=w, drop_intermediate=False)
    # A rate that should be on the grid may lie a rounding error beyond it.
    return pd.Series(height[np.searchsorted(x, alarms + 1e-12, side="right") - 1], alarms)


def decided(p: np.ndarray, threshold: float) -> np.ndarray:
    """The class that is chosen: of two by `threshold`, of more by the largest probability."""
    return (p[:, 1] >= threshold).astype(int) if p.shape[1] == 2 else p.argmax(1)


def _against_rest(positive: np.ndarray, called: np.ndarray, score: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """Scores of one class against the others."""
    tp, fp, tn, fn = _counts(positive, called, w)
    return {
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "sensitivity": tp / (tp + fn) if tp + fn else np.nan,
        "specificity": tn / (tn + fp) if tn + fp else np.nan,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0,
        "auc": _auc(positive, score, w),
    }


def _counts(positive: np.ndarray, called: np.ndarray, w: np.ndarray) -> tuple[float, float, float, float]:
    """Weighted true positives, false positives, true negatives, false negatives."""
    return (
        w[positive & called].sum(),
        w[~positive & called].sum(),
        w[~positive & ~called].sum(),
        w[positive & ~called].sum(),
    )


def _auc(positive: np.ndarray, score: np.ndarray, w: np.ndarray) -> float:
    """Area under the ROC curve (Hanley and McNeil 1982).

    The probability that a positive image scores higher than a negative one, ties counting one half.
    """
    values, codes = np.unique(score, return_inverse=True)
    up = np.bincount(codes, w * positive, len(values))
    down = np.bincount(codes, w * ~positive, len(values))
    pairs = up.sum() * down.sum()
    return float((up * (np.cumsum(down) - down / 2)).sum() / pairs) if pairs else np.nan


def checked(y_true, y_score, weight) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, p = np.asarray(y_true), np.asarray(y_score, dtype=np.float64)
    p = np.column_stack([1 - p, p]) if p.ndim == 1 else p
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    if not len(y) == len(p) == len(w) or not len(y):
        raise ValueError(f"{len(y)} classes, {len(p)} scores, {len(w)} weights; expected the same number, at least 1")
    if not np.isfinite(p).all():
        raise ValueError("y_score holds values that are not finite")
    if not np.isin(y, np.arange(p.shape[1])).all():
        raise ValueError(f"y_true holds classes {np.unique(y).tolist()}; expected 0 to {p.shape[1] - 1}")
    return y.astype(np.int64), p, w
