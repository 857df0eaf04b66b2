"""Scores that count each patient the same, however many images there are of one.

Bayramoglu, Kannala and Heikkilä 2016, equations 3 and 4, after the protocol of the BreaKHis data set.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histolib.metrics import predictions as predicted
from histolib.metrics.classification import checked, decided
from histolib.metrics.resampling import bootstrap


def patient_scores(
    predictions: pd.DataFrame, by: Sequence[str] = ("method", "fold"), threshold: float = 0.5
) -> pd.DataFrame:
    """Share of each patient's images that are classified rightly (equation 4).

    Parameters
    ----------
    predictions
        Rows of one or more methods, of any number of classes.
    by
        Columns that keep things apart, such as ``magnification`` where that was merged to the predictions: a patient
        gets a score for each combination. Images of different folds belong together only if ``fold`` is left out.
    threshold
        With two classes, as in `scores`; of more the most probable class is chosen.

    Returns
    -------
    DataFrame
        Index `by` and ``patient``; ``images`` (N_P), ``recognized`` (N_rec) and ``score``, their quotient.

    Raises
    ------
    ValueError
        As `scores`; if a column of `by` is missing, or a value in it.
    """
    by = list(by)
    unknown = [name for name in by if name not in predictions]
    if unknown:
        raise ValueError(f"by={by}: no column {', '.join(unknown)}; found {', '.join(predictions)}")
    empty = [name for name in by if predictions[name].isna().any()]
    if empty:
        raise ValueError(f"column {', '.join(empty)}: a value is missing; expected one for every image")
    y, p, _ = checked(predictions["y_true"], predicted.scores_of(predictions), None)
    right = predictions[[*by, "patient"]].assign(right=decided(p, threshold) == y)
    groups = right.groupby([*by, "patient"], sort=False, observed=True)["right"]
    table = groups.agg(images="size", recognized="sum").astype(int)
    return table.assign(score=table["recognized"] / table["images"])


def recognition_rate(
    predictions: pd.DataFrame, by: Sequence[str] = ("method", "fold"), threshold: float = 0.5
) -> pd.Series:
    """Mean of the patient scores, each patient counting the same (equation 3); parameters as of `patient_scores`.

    Returns
    -------
    Series of float
        Index `by`, in the order in which the groups come; in [0, 1].

    Raises
    ------
    ValueError
        As `patient_scores`; if `by` is empty.
    """
    if not by:
        raise ValueError("by is empty: expected at least one column, such as method")
    table = patient_scores(predictions, by, threshold)
    return table.groupby(level=list(by), sort=False)["score"].mean().rename("recognition_rate")


def recognition_intervals(
    predictions: pd.DataFrame,
    by: Sequence[str] = ("method",),
    threshold: float = 0.5,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean of the recognition rates over the folds with its interval, patients drawn with replacement.

    Parameters
    ----------
    predictions, threshold
        As in `patient_scores`.
    by
        Columns that keep rows of the result apart; ``fold`` is not among them. A patient in the test part of several
        folds is drawn in all of them or in none.
    draws, level, seed
        As in `bootstrap`, whose errors, and those of `patient_scores`, are raised.

    Returns
    -------
    DataFrame
        Index `by`; ``value, low, high``, in [0, 1].
    """
    table = _by_fold(predictions, by, threshold)
    return _intervals(table, list(by), draws, level, seed)


def recognition_difference(
    predictions: pd.DataFrame,
    reference: str,
    by: Sequence[str] = (),
    threshold: float = 0.5,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Every other method's recognition rate less that of `reference`, over the same resampled patients.

    Parameters
    ----------
    predictions, threshold
        As in `patient_scores`; several methods on the same images.
    reference
        Name of the method that is subtracted.
    by
        Columns that keep rows of the result apart, beside the method, such as ``magnification``.
    draws, level, seed
        As in `bootstrap`.

    Returns
    -------
    DataFrame
        Index ``method`` and `by`; ``value, low, high``, a mean over the folds.

    Raises
    ------
    ValueError
        As `recognition_intervals`; if `reference` is no method, or a method was not tested on the same images.
    """
    names = list(dict.fromkeys(predictions["method"]))
    if reference not in names:
        raise ValueError(f"reference={reference!r}: expected one of {', '.join(names)}")
    keys = [*by, "fold", "image_id"]
    tested = {name: _images(predictions[predictions["method"] == name], keys) for name in names}
    for name in names:
        if not tested[name].equals(tested[reference]):
            raise ValueError(f"{name} and {reference} were not tested on the same images")
    wide = _by_fold(predictions, ["method", *by], threshold)["score"].unstack("method")
    others = [name for name in names if name != reference]
    less = wide[others].sub(wide[reference], axis=0).stack().rename("score").to_frame()
    less = less.reorder_levels(["method", *by, "fold", "patient"])
    return pd.concat([_intervals(less.loc[[name]], ["method", *by], draws, level, seed) for name in others])


def _by_fold(predictions: pd.DataFrame, by: Sequence[str], threshold: float) -> pd.DataFrame:
    if "fold" in by:
        raise ValueError(f"by={list(by)}: the interval is of the mean over the folds; leave fold out")
    return patient_scores(predictions, [*by, "fold"], threshold)


def _images(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return rows[keys].sort_values(keys).reset_index(drop=True)


def _intervals(table: pd.DataFrame, by: list[str], draws: int, level: float, seed: int) -> pd.DataFrame:
    """Intervals of the mean over folds of ``score``, one row per combination of `by`."""
    rows = table["score"].reset_index()
    # `bootstrap` hands its statistic classes and probabilities: here the fold and the patient's score stand for them.
    rows = rows.assign(y_true=pd.factorize(rows["fold"])[0], p_0=rows["score"])
    parts = {
        key: bootstrap(part, _mean_over_folds, draws=draws, level=level, seed=seed).iloc[0]
        for key, part in rows.groupby(by, sort=False)
    }
    index = pd.MultiIndex.from_tuples(parts, names=by)
    return pd.DataFrame(list(parts.values()), index if len(by) > 1 else index.get_level_values(0))


def _mean_over_folds(fold: np.ndarray, score: np.ndarray, weight: np.ndarray | None = None) -> pd.Series:
    """Mean of the folds' weighted means; a fold of which no patient was drawn is left out."""
    weight = np.ones(len(fold)) if weight is None else weight
    count = np.bincount(fold, weight)
    total = np.bincount(fold, weight * score[:, 0])
    return pd.Series({"recognition_rate": (total[count > 0] / count[count > 0]).mean()})
