"""How sure one can be of a score: patients drawn anew."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice

import numpy as np
import pandas as pd

from histolib.metrics import predictions as predicted
from histolib.metrics.classification import scores

_AT_ONCE = 2**18  # weights of images


def bootstrap(
    predictions: pd.DataFrame,
    statistic: Callable[..., pd.Series | pd.DataFrame] = scores,
    by: str = "patient",
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Percentile bootstrap interval (Efron 1979) of scores, patients drawn with replacement.

    Images of one patient resemble one another; drawing images would treat them as independent and give intervals
    that are too narrow. Drawing a patient several times is done by weighting that patient's images.

    Parameters
    ----------
    predictions
        Rows of one method. Where a column ``seed`` tells several trainings apart, the score is the mean over them, and
        each resample draws trainings too, with replacement: the interval holds both chances. Two or three trainings
        show less than the whole chance of training.
    statistic
        ``statistic(y_true, y_score, weight=None)`` returning a Series, and for weights (M, N) a DataFrame of M rows.
    by
        Column whose values are drawn: ``"patient"`` or ``"image_id"``.
    draws
        Number of resamples.
    level
        Share of the resamples inside the interval.
    seed
        Seed of the resampling.

    Returns
    -------
    DataFrame
        Index: name of the score. ``value``, ``low``, ``high``. Resamples in which a score is undefined (only one
        class drawn) are left out of its interval.

    Raises
    ------
    ValueError
        If `by` is no column, `draws` is below 1, or `level` is not between 0 and 1.
    """
    samples = _resample(predictions, statistic, by, draws, seed)
    return interval(samples.iloc[0], samples.iloc[1:], level)


def difference(
    predictions: pd.DataFrame, reference: str, draws: int = 1000, level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Every other method's scores less those of `reference`, both on the same resampled patients.

    Sharper than comparing two intervals: what makes a patient easy or hard for both methods cancels.

    Parameters
    ----------
    predictions
        Rows of several methods on the same images.
    reference
        Name of the method that is subtracted.
    draws, level, seed
        As in `bootstrap`.

    Returns
    -------
    DataFrame
        Index ``method, score``; ``value, low, high``. The interval covers the choice of test patients, and the chance
        in training where a method has several (`bootstrap`).

    Raises
    ------
    ValueError
        If `reference` is no method, or a method was not tested on the same images.
    """
    pairs = [(name, reference) for name in predictions["method"].unique() if name != reference]
    return differences(predictions, pairs, draws, level, seed).droplevel("reference")


def differences(
    predictions: pd.DataFrame,
    pairs: Iterable[tuple[str, str]],
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """`difference` of chosen pairs: the first method's scores less the second's, on the same resampled patients.

    A method is resampled once, in however many pairs it stands.

    Returns
    -------
    DataFrame
        Index ``method, reference, score``; ``value, low, high``.

    Raises
    ------
    ValueError
        If a method of a pair is unknown, or the two were not tested on the same images.
    """
    groups = {name: rows.sort_values("image_id") for name, rows in predictions.groupby("method", sort=False)}
    drawn, parts = {}, {}
    for pair in pairs:
        for name in pair:
            if name not in groups:
                place = "reference" if name == pair[1] else "method"
                raise ValueError(f"{place}={name!r}: expected one of {', '.join(groups)}")
            if name not in drawn:
                # One seed draws the same patients for every method.
                drawn[name] = _resample(groups[name], scores, "patient", draws, seed)
        own, other = pair
        if not np.array_equal(*(_trainings(groups[name])[0]["image_id"] for name in pair)):
            raise ValueError(f"{own} and {other} were not tested on the same images")
        less = drawn[own] - drawn[other]
        parts[pair] = interval(less.iloc[0], less.iloc[1:], level)
    return pd.concat(parts, names=["method", "reference", "score"])


def summary(predictions: pd.DataFrame, draws: int = 1000, seed: int = 0, threshold: float = 0.5) -> pd.DataFrame:
    """Scores with their intervals for every method; with two classes `threshold` decides.

    Returns
    -------
    DataFrame
        Index ``method, score``; ``value, low, high``.
    """
    statistic = partial(scores, threshold=threshold)
    parts = {
        method: bootstrap(rows, statistic, draws=draws, seed=seed)
        for method, rows in predictions.groupby("method", sort=False)
    }
    return pd.concat(parts, names=["method", "score"])


def interval(value: pd.Series, samples: pd.DataFrame, level: float) -> pd.DataFrame:
    """``value, low, high`` of scores, from their values in all resamples, one row each."""
    if not 0 < level < 1:
        raise ValueError(f"level={level}: expected a share between 0 and 1")
    bounds = samples.quantile([(1 - level) / 2, (1 + level) / 2])
    return pd.DataFrame({"value": value, "low": bounds.iloc[0], "high": bounds.iloc[1]})


def resampled(units: Sequence, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Weights of the rows, int (N,), in each of `draws` resamples: how often a row's unit, such as a patient, comes."""
    if draws < 1:
        raise ValueError(f"draws={draws}: expected at least 1")
    known, codes = np.unique(np.asarray(units), return_inverse=True)
    generator = np.random.default_rng(seed)
    for _ in range(draws):
        yield np.bincount(generator.integers(len(known), size=len(known)), minlength=len(known))[codes]


def _resample(predictions: pd.DataFrame, statistic, by: str, draws: int, seed: int) -> pd.DataFrame:
    """The statistic, its mean where there are several trainings, and below it that of each resample, a row per draw."""
    if by not in predictions:
        raise ValueError(f"by={by!r}: no such column; found {', '.join(predictions)}")
    parts = _trainings(predictions)
    known = [(part["y_true"].to_numpy(), predicted.scores_of(part)) for part in parts]
    # A method's trainings are drawn by a stream of its own: those of two methods have nothing in common.
    name = str(predictions["method"].iloc[0]) if "method" in predictions else ""
    generator = np.random.default_rng([seed, *name.encode()])
    count = len(parts)
    weights = chain([np.ones(len(parts[0]))], resampled(parts[0][by], draws, seed))
    drawn = (np.bincount(generator.integers(count, size=count), minlength=count) for _ in range(draws))
    pairs, samples = zip(weights, chain([np.ones(count)], drawn)), []
    while block := list(islice(pairs, max(1, _AT_ONCE // len(predictions)))):
        weight, share = map(np.array, zip(*block))
        tables = [statistic(y, p, weight=weight) for y, p in known]
        # What is not drawn may be undefined.
        each = [np.where(part > 0, part / count * table, 0) for part, table in zip(share.T[..., None], tables)]
        samples.append(pd.DataFrame(sum(each), columns=tables[0].columns))
    return pd.concat(samples, ignore_index=True)


def _trainings(predictions: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows of one method by its trainings, all on the same images in one order."""
    if "seed" not in predictions or predictions["seed"].nunique(dropna=False) < 2:
        return [predictions]
    parts = [part.sort_values("image_id") for _, part in predictions.groupby("seed", dropna=False)]
    if any(part["image_id"].tolist() != parts[0]["image_id"].tolist() for part in parts):
        raise ValueError("the trainings of a method (column seed) were not tested on the same images")
    return parts
