"""Scores of arms, and differences of arms, over resampled patients and repetitions, all resamples at once.

The probabilities of an arm have three digits, so that all it says of a patient's images is how often each of 1,001
values comes for each class. A resample of the patients is then a product of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

VALUES = 1001  # probabilities of three digits
BINS = 10  # of the expected calibration error
COUNTED = ("accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1")
SCORES = ("auc", *COUNTED, "ece")


@dataclass(frozen=True)
class Resamples:
    """How often each patient and each repetition counts in each resample; the first resample is all, once each.

    Attributes
    ----------
    patients
        Their names, sorted.
    weights
        (1 + draws, patients).
    repetitions
        (1 + draws, repetitions), rows summing to 1.
    """

    patients: pd.Index
    weights: np.ndarray
    repetitions: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, draws: int, seed: int) -> Resamples:
        """Draw the patients of `rows` and, each time, its repetitions (column ``seed``), with replacement."""
        if draws < 1:
            raise ValueError(f"draws={draws}: expected at least 1")
        patients, count = pd.Index(np.unique(rows["patient"].astype(str))), rows["seed"].nunique()
        generator = np.random.default_rng(seed)
        shares = np.full((len(patients),), 1 / len(patients))
        weights = np.vstack([np.ones(len(patients)), generator.multinomial(len(patients), shares, draws)])
        drawn = generator.multinomial(count, np.full(count, 1 / count), draws) / count
        return cls(patients, weights, np.vstack([np.full(count, 1 / count), drawn]))


def scored(rows: pd.DataFrame, score: str, drawn: Resamples, threshold: str | float = 0.5) -> np.ndarray:
    """A score of one arm in each resample, (1 + draws,), the mean over the repetitions drawn; the first is of all.

    Parameters
    ----------
    rows
        Predictions of the arm; a repetition is what has one value in ``seed``.
    score
        One of `SCORES`, or ``net benefit``: true positives less false ones, these times the odds of the threshold, per
        image (Vickers and Elkin 2006); ``ece``: mean gap between probability and share of class 1 over ten bins.
    drawn
        From all arms that are compared.
    threshold
        A number, or the column that holds each row's.

    Returns
    -------
    ndarray
        NaN where the score is undefined, as where a resample has one class.
    """
    parts = [_of_one(part, score, drawn, threshold) for _, part in rows.groupby("seed")]
    if len(parts) != drawn.repetitions.shape[1]:
        raise ValueError(f"{rows['method'].iloc[0]}: {len(parts)} repetitions; expected {drawn.repetitions.shape[1]}")
    return (drawn.repetitions * np.stack(parts, axis=1)).sum(1)


def interval(samples: np.ndarray) -> pd.Series:
    """``value, low, high``: of all, and between which the middle 95 % of the resamples lie."""
    low, high = np.nanpercentile(samples[1:], [2.5, 97.5])
    return pd.Series({"value": samples[0], "low": low, "high": high})


def reliability(rows: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Mean probability, share of class 1 and number of answers in each bin of the probability, all repetitions.

    Returns
    -------
    DataFrame
        Columns ``predicted, observed, answers``; bins without answers are left out.
    """
    place = np.minimum((rows["p_1"] * bins).astype(int), bins - 1)
    table = rows.groupby(place).agg(predicted=("p_1", "mean"), observed=("y_true", "mean"), answers=("p_1", "size"))
    return table.rename_axis("bin").reset_index(drop=True)


def net_benefits(rows: pd.DataFrame, thresholds: Sequence[float], drawn: Resamples) -> pd.DataFrame:
    """Net benefit of an arm at several thresholds: index the threshold; ``value, low, high``."""
    found = {at: interval(scored(rows, "net benefit", drawn, at)) for at in thresholds}
    return pd.DataFrame(found).T.rename_axis("threshold")


def _of_one(rows: pd.DataFrame, score: str, drawn: Resamples, threshold: str | float) -> np.ndarray:
    """The score of one repetition in each resample."""
    who = drawn.patients.get_indexer(rows["patient"].astype(str))
    y, p = rows["y_true"].to_numpy(), rows["p_1"].to_numpy()
    at = rows[threshold].to_numpy() if isinstance(threshold, str) else threshold
    if score == "auc":
        down, up = (_summed(drawn, who[y == k], np.rint(p[y == k] * (VALUES - 1)).astype(int), VALUES) for k in (0, 1))
        below = np.cumsum(down, 1) - down / 2
        with np.errstate(invalid="ignore"):
            return (up * below).sum(1) / (up.sum(1) * down.sum(1))
    if score == "ece":
        place = np.minimum((p * BINS).astype(int), BINS - 1)
        gap = np.abs(_summed(drawn, who, place, BINS, p - y)).sum(1)
        return gap / _summed(drawn, who, place, BINS).sum(1)
    tn, fp, fn, tp = _summed(drawn, who, 2 * y + (p >= at), 4).T
    with np.errstate(invalid="ignore"):
        rates = {"sensitivity": tp / (tp + fn), "specificity": tn / (tn + fp), "f1": 2 * tp / (2 * tp + fp + fn)}
        rates["balanced_accuracy"] = (rates["sensitivity"] + rates["specificity"]) / 2
        rates["accuracy"] = (tp + tn) / (tn + fp + fn + tp)
        if score == "net benefit":
            return (tp - fp * at / (1 - at)) / (tn + fp + fn + tp)
    if score not in rates:
        raise ValueError(f"score={score!r}: expected one of {', '.join(SCORES)}, net benefit")
    return rates[score]


def _summed(drawn: Resamples, who: np.ndarray, place: np.ndarray, places: int, values=None) -> np.ndarray:
    """Sums of `values` (or counts) by place in each resample, (1 + draws, places)."""
    flat = np.bincount(who * places + place, values, len(drawn.patients) * places)
    return drawn.weights @ flat.reshape(-1, places)
