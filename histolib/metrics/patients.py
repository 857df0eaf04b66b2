"""Scores that count each patient the same, however many images there are of one.

Bayramoglu, Kannala and Heikkilä 2016, equations 3 and 4, after the protocol of the BreaKHis data set.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histolib.metrics import predictions as predicted
from histolib.metrics.classification import checked, decided
from histolib.metrics.resampling import interval, resampled


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
    _check_columns(predictions, "by", by)
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
    over: Sequence[str] = ("fold",),
    reference: str | None = None,
) -> pd.DataFrame:
    """Mean of the recognition rates over the folds with its interval, patients drawn with replacement.

    Parameters
    ----------
    predictions, threshold
        As in `patient_scores`.
    by
        Columns that keep rows of the result apart, none of `over`. A patient in the test part of several folds is drawn
        in all of them or in none.
    draws, level, seed
        As in `bootstrap`, whose errors, and those of `patient_scores`, are raised.
    over
        Columns of which each combination has a rate, and counts the same in the mean: ``("fold", "magnification")`` for
        an average over folds and magnifications.
    reference
        A method whose rate is subtracted from that of every other one, over the same resampled patients.

    Returns
    -------
    DataFrame
        Index `by`; ``value, low, high``, in [0, 1], or of differences in [-1, 1].

    Raises
    ------
    ValueError
        If a column is in `by` and in `over`, `reference` is no method, or another was not tested on the same images.
    """
    scores = _scores_of_parts(predictions, by, over, threshold)[["score"]]
    if reference is not None:
        _check_images(predictions, reference, [*by, *over])
        wide = scores["score"].unstack("method")
        less = wide.drop(columns=reference).sub(wide[reference], axis=0).stack().rename("score").to_frame()
        scores = less.reorder_levels(scores.index.names)
    return _intervals(scores, list(by), draws, level, seed)


def _check_columns(predictions: pd.DataFrame, parameter: str, names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in predictions]
    if unknown:
        raise ValueError(f"{parameter}={list(names)}: no column {', '.join(unknown)}; found {', '.join(predictions)}")
    empty = [name for name in names if predictions[name].isna().any()]
    if empty:
        raise ValueError(f"column {', '.join(empty)}: a value is missing; expected one for every image")


def _scores_of_parts(predictions: pd.DataFrame, by: Sequence[str], over: Sequence[str], threshold: float):
    """`patient_scores` with index `by`, ``part`` and ``patient``; a combination of the columns `over` is a part."""
    both = [name for name in over if name in by]
    if both:
        raise ValueError(f"by={list(by)}: the interval is of the mean over {', '.join(over)}; leave {both[0]} out")
    _check_columns(predictions, "over", over)
    part = predictions.groupby(list(over), sort=False).ngroup()
    return patient_scores(predictions.assign(part=part), [*by, "part"], threshold)


def _check_images(predictions: pd.DataFrame, reference: str, columns: Sequence[str]) -> None:
    """All methods were tested on the same images."""
    keys = [*(name for name in columns if name != "method"), "image_id"]
    tested = {name: rows[keys].sort_values(keys).reset_index(drop=True)
              for name, rows in predictions.groupby("method", sort=False)}  # fmt: skip
    if reference not in tested:
        raise ValueError(f"reference={reference!r}: expected one of {', '.join(tested)}")
    for name, images in tested.items():
        if not images.equals(tested[reference]):
            raise ValueError(f"{name} and {reference} were not tested on the same images")


def _intervals(table: pd.DataFrame, by: list[str], draws: int, level: float, seed: int) -> pd.DataFrame:
    """Intervals of the mean of ``score`` over the parts, one row per combination of `by`."""
    found = {}
    for key, one in table["score"].reset_index().groupby(by, sort=False):
        part, score = one["part"].to_numpy(), one["score"].to_numpy()
        weights = np.stack([np.ones(len(part)), *resampled(one["patient"], draws, seed)])
        member = part[:, None] == np.unique(part)
        # A part of which no patient was drawn is left out.
        means = np.ma.divide((weights * score) @ member, weights @ member).mean(axis=1)
        rates = pd.DataFrame({"rate": np.ma.filled(means, np.nan)})
        found[key] = interval(rates.iloc[0], rates.iloc[1:], level).loc["rate"]
    index = pd.MultiIndex.from_tuples(found, names=by)
    return pd.DataFrame(list(found.values()), index if len(by) > 1 else index.get_level_values(0))
