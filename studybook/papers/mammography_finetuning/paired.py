"""Scores of methods that were trained several times, in several folds, and their differences on the same women.

Probabilities of two networks do not compare: the AUC of pooled answers would count pairs of regions that no network
was asked about together. So a score is computed in each fold and of each training, and the mean is told.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from histolib.metrics import resampling
from studybook.papers.mammography_finetuning import study

SCORES = ("auc", "accuracy", "balanced")  # the last: mean of the two rates at 0.5


def named(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions on one set with short names of the methods, their trainings told apart in a column ``training``.

    ``official``: whether the set's own parts were tested, which the short name does not say.
    """
    official = predictions["method"].str.contains("official parts")
    names = predictions["method"].map(study.short(predictions["method"].unique()))
    training = names.str.extract(r"(?:^|, )training (\d+)", expand=False).fillna("1")
    # Kept runs of earlier versions say "1 blocks".
    names = names.str.replace(r", training \d+", "", regex=True).str.replace("1 blocks", "1 block")
    return predictions.assign(method=names, training=training, official=official)


def summary(predictions: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """The `SCORES` of each method, the mean over folds and trainings, with 95 % intervals over women.

    Parameters
    ----------
    predictions
        From `named`.
    draws, seed
        Bootstrap resamples of the women and their seed; the same women for every method.

    Returns
    -------
    DataFrame
        Index ``method, score``; ``value, low, high``, and ``trainings``, the value of each training as text.
    """
    scored = _resampled(predictions, draws, seed)
    rows = {}
    for (name, score), samples in scored.items():
        whole = samples.mean(axis=0)
        low, high = np.nanquantile(whole[1:], [0.025, 0.975])
        each = ", ".join(f"{value:.3f}" for value in samples[:, 0])
        rows[name, score] = {"value": whole[0], "low": low, "high": high, "trainings": each}
    return pd.DataFrame(rows).T.rename_axis(["method", "score"]).astype({"value": float, "low": float, "high": float})


def differences(predictions: pd.DataFrame, pairs: Iterable[tuple[str, str]], draws: int, seed: int) -> pd.DataFrame:
    """The first method's scores of each pair less the second's, on the same resampled women.

    Where two methods were not tested on the same regions, as with folds that were not all run, the regions that both
    were tested on are compared.

    Returns
    -------
    DataFrame
        Index ``method, reference, score``; ``value, low, high``. The interval holds the choice of the women, not the
        chance of training.
    """
    rows = {}
    for pair in pairs:
        both = [predictions[predictions["method"] == name] for name in pair]
        shared = set(both[0]["image_id"]) & set(both[1]["image_id"])
        if not shared:
            raise ValueError(f"{pair[0]} and {pair[1]} were tested on no region in common")
        scored = _resampled(pd.concat([one[one["image_id"].isin(shared)] for one in both]), draws, seed)
        for score in SCORES:
            first, second = (scored[name, score].mean(axis=0) for name in pair)
            low, high = np.nanquantile((first - second)[1:], [0.025, 0.975])
            rows[(*pair, score)] = {"value": first[0] - second[0], "low": low, "high": high}
    index = pd.MultiIndex.from_tuples(rows, names=["method", "reference", "score"])
    return pd.DataFrame(list(rows.values()), index=index, columns=["value", "low", "high"])


def auc(y_true, y_score, weights) -> np.ndarray:
    """Area under the ROC curve for many weightings of the same answers.

    Parameters
    ----------
    y_true, y_score
        0 or 1, and the probability of 1, (N,).
    weights
        (D, N).

    Returns
    -------
    ndarray, (D,)
        The share of pairs of a positive and a negative in which the positive has the higher score, ties counting half
        (Hanley and McNeil 1982); NaN where a class has no weight.
    """
    y, weights = np.asarray(y_true) == 1, np.asarray(weights, float)
    _, at = np.unique(np.asarray(y_score), return_inverse=True)
    levels = np.eye(at.max() + 1)[at]
    positive, negative = (weights * y) @ levels, (weights * ~y) @ levels
    below = np.cumsum(negative, axis=1) - negative / 2
    with np.errstate(invalid="ignore"):
        return (positive * below).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1))


def _resampled(predictions: pd.DataFrame, draws: int, seed: int) -> dict[tuple[str, str], np.ndarray]:
    """Of each method and score one row per training; the first column is the value, the others are resamples."""
    women = np.unique(predictions["patient"].to_numpy(str))
    drawn = np.stack([np.ones(len(women)), *resampling.resampled(women, draws, seed)])
    found: dict[tuple[str, str], list] = {}
    for (name, _), rows in predictions.groupby(["method", "training"], sort=False):
        folds = [_fold(part, drawn[:, np.searchsorted(women, part["patient"].to_numpy(str))])
                 for _, part in rows.groupby("fold")]  # fmt: skip
        for score, values in zip(SCORES, zip(*folds)):
            with np.errstate(all="ignore"):
                found.setdefault((name, score), []).append(_mean(np.stack(values)))
    return {key: np.stack(values) for key, values in found.items()}


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the rows, without those that are not defined."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    return np.where(count > 0, np.where(there, values, 0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _fold(part: pd.DataFrame, weights: np.ndarray) -> tuple[np.ndarray, ...]:
    y, p = part["y_true"].to_numpy(), part["p_1"].to_numpy()
    with np.errstate(invalid="ignore"):
        right = (p >= 0.5) == y
        accuracy = weights @ right / weights.sum(axis=1)
        rates = [weights @ (right & (y == k)) / (weights @ (y == k)) for k in (0, 1)]
    return auc(y, p, weights), accuracy, np.mean(rates, axis=0)
