"""Scores of one classifier's answers, from classes and probabilities."""

import numpy as np
import pandas as pd

SCORES = ["accuracy", "balanced_accuracy", "precision", "sensitivity", "specificity", "f1", "macro_f1", "auc"]


def scores(y_true, y_score, threshold: float = 0.5, weight=None) -> pd.Series | pd.DataFrame:
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
        Weight of each image, (N,), all 1 if None; or several weightings at once, (M, N), for `bootstrap`.

    Returns
    -------
    Series of float, or DataFrame with one row per weighting
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
    called = decided(p, threshold)
    each = [_against_rest(y == k, called == k, w) for k in range(p.shape[1])]
    means = {name: _mean([rates[name] for rates in each]) for name in each[0]}
    classes, result = ([1], each[1]) if p.shape[1] == 2 else (range(p.shape[1]), means)
    found = result | {
        "accuracy": w @ (called == y) / w.sum(axis=1),
        "balanced_accuracy": means["sensitivity"],
        "macro_f1": means["f1"],
        "auc": _mean([_auc(y == k, p[:, k], w) for k in classes]),
    }
    table = pd.DataFrame(found, columns=SCORES)
    return table if np.ndim(weight) == 2 else table.iloc[0].rename(None)


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
    counts = dict(zip(("tp", "fp", "tn", "fn"), _counts(y == 1, p[:, 1] >= threshold, w)[0]))
    rates = {name: rate[0] for name, rate in _against_rest(y == 1, p[:, 1] >= threshold, w).items() if name != "f1"}
    order = ["threshold", *counts, "sensitivity", "specificity", "precision", "accuracy"]
    return pd.Series(counts | rates | {"threshold": threshold, "accuracy": (y == (p[:, 1] >= threshold)).mean()})[order]


def confusion(y_true, y_score, threshold: float = 0.5, percent: bool = True) -> pd.DataFrame:
    """Confusion matrix, true classes in rows, in per cent of all images or in images.

    The class with the largest probability is predicted; with two classes `threshold` decides.
    """
    y, p, _ = checked(y_true, y_score, None)
    counts = np.zeros((p.shape[1], p.shape[1]), int)
    np.add.at(counts, (y, decided(p, threshold)), 1)
    table = pd.DataFrame(100 * counts / len(y) if percent else counts)
    return table.rename_axis(index="true", columns="predicted")


def roc(y_true, y_score, weight=None) -> pd.Series | pd.DataFrame:
    """Sensitivity at given rates of false alarms, from 0 to 1 in steps of 0.005.

    Fit for `bootstrap`, which gives the curve with its band: ``bootstrap(rows, roc)``.

    Parameters
    ----------
    y_true
        0 or 1, (N,).
    y_score
        Probability of class 1, (N,), or of both, (N, 2).
    weight
        As in `scores`.

    Returns
    -------
    Series, or DataFrame with one row per weighting
        Index ``false alarms``: one minus specificity. The highest sensitivity that a threshold reaches without more
        false alarms than that; NaN if a class is missing.
    """
    y, p, w = checked(y_true, y_score, weight)
    if p.shape[1] != 2:
        raise ValueError(f"an ROC curve needs two classes, not {p.shape[1]}")
    alarms = pd.Index(np.arange(201) / 200, name="false alarms")
    up, down = (np.cumsum(part, axis=1) for part in _at_each(-p[:, 1], y == 1, w))
    curves = np.full((len(w), len(alarms)), np.nan)
    for k in np.flatnonzero((up[:, -1] > 0) & (down[:, -1] > 0)):
        # A rate that should be on the grid may lie a rounding error beyond it.
        at = np.searchsorted(down[k] / down[k, -1], alarms + 1e-12, side="right")
        curves[k] = np.r_[0, up[k] / up[k, -1]][at]
    table = pd.DataFrame(curves, columns=alarms)
    return table if np.ndim(weight) == 2 else table.iloc[0].rename(None)


def decided(p: np.ndarray, threshold: float) -> np.ndarray:
    """The class that is chosen: of two by `threshold`, of more by the largest probability."""
    return (p[:, 1] >= threshold).astype(int) if p.shape[1] == 2 else p.argmax(1)


def _against_rest(positive: np.ndarray, called: np.ndarray, w: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of one class against the others, one per weighting."""
    tp, fp, tn, fn = _counts(positive, called, w).T
    with np.errstate(invalid="ignore"):
        return {
            "precision": np.where(tp + fp > 0, tp / (tp + fp), 0),
            "sensitivity": tp / (tp + fn),
            "specificity": tn / (tn + fp),
            "f1": np.where(tp + fp + fn > 0, 2 * tp / (2 * tp + fp + fn), 0),
        }


def _counts(positive: np.ndarray, called: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted true positives, false positives, true negatives, false negatives, (M, 4)."""
    return w @ np.column_stack([positive & called, ~positive & called, ~positive & ~called, positive & ~called])


def _auc(positive: np.ndarray, score: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Area under the ROC curve (Hanley and McNeil 1982), one per weighting; NaN where a class has no weight.

    The probability that a positive image scores higher than a negative one, ties counting one half.
    """
    up, down = _at_each(score, positive, w)
    with np.errstate(invalid="ignore"):
        return (up * (np.cumsum(down, axis=1) - down / 2)).sum(axis=1) / (up.sum(axis=1) * down.sum(axis=1))


def _at_each(score: np.ndarray, positive: np.ndarray, w: np.ndarray) -> list[np.ndarray]:
    """Weight of the positive and of the negative images at each value of the score, in order: two of (M, values)."""
    order = np.argsort(score, kind="stable")
    starts, w = np.r_[0, np.flatnonzero(np.diff(score[order])) + 1], w[:, order]
    return [np.add.reduceat(w * chosen[order], starts, axis=1) for chosen in (positive, ~positive)]


def _mean(values: list[np.ndarray]) -> np.ndarray:
    """Mean over the classes, without those of which a score is not defined."""
    return np.ma.masked_invalid(values).mean(axis=0).filled(np.nan)


def checked(y_true, y_score, weight) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, p = np.asarray(y_true), np.asarray(y_score, dtype=np.float64)
    p = np.column_stack([1 - p, p]) if p.ndim == 1 else p
    w = np.atleast_2d(np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64))
    if not len(y) == len(p) == w.shape[1] or not len(y):
        raise ValueError(f"{len(y)} classes, {len(p)} scores, {w.shape[1]} weights; expected as many, at least 1")
    if not np.isfinite(p).all():
        raise ValueError("y_score holds values that are not finite")
    if not np.isin(y, np.arange(p.shape[1])).all():
        raise ValueError(f"y_true holds classes {np.unique(y).tolist()}; expected 0 to {p.shape[1] - 1}")
    return y.astype(np.int64), p, w
