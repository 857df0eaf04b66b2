"""How good predictions are, and how sure one can be of it."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from histolib import predictions as predicted


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
    y, p, w = _checked(y_true, y_score, weight)
    chosen = _decided(p, threshold)
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
    y, p, w = _checked(y_true, y_score, None)
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
    y, p, _ = _checked(y_true, y_score, None)
    counts = np.zeros((p.shape[1], p.shape[1]), int)
    np.add.at(counts, (y, _decided(p, threshold)), 1)
    table = pd.DataFrame(100 * counts / len(y) if percent else counts)
    return table.rename_axis(index="true", columns="predicted")


def per_fold(predictions: pd.DataFrame, apart: Collection[str] = (), threshold: float = 0.5) -> pd.DataFrame:
    """Accuracy of each method in each fold, in per cent, as Rakhlin et al. 2018 have it in Table 1.

    Where a method has several seeds, a cell is the mean of the accuracies of the seeds.

    All deviations are those of the numbers at hand (divided by their count, not by one less): so the paper's row
    ``std`` and its row of the fusion follow from its cells; dividing by one less gives other digits. Its deviations
    of single methods are larger than those of their ten cells, and are near to those of the fifty accuracies of folds
    and seeds (in the log that the paper's published code holds as a comment). So it is done here.

    Parameters
    ----------
    predictions
        Rows of one or more methods; a column ``seed`` is heeded. Folds may have any numbers or names, and any size.
    apart
        Methods, such as a fusion of the others, that do not count in the row ``std`` and stand below it.
    threshold
        With two classes, as in `scores`.

    Returns
    -------
    DataFrame
        Index ``method``: the methods, ``std`` (over the methods, for each fold), the methods of `apart`. Columns: the
        folds, ``mean`` (over the folds, each counting the same; of the row ``std`` too) and ``std`` (over folds and
        seeds). There is no row ``std`` if all methods are in `apart`.

    Raises
    ------
    ValueError
        As `scores`; if a method is named ``std``, has no images in a fold, or one in `apart` does not exist.
    """
    methods = list(predictions["method"].unique())
    if "std" in methods or set(apart) - set(methods):
        raise ValueError(
            f"methods {', '.join(methods)}: expected {', '.join(apart) or 'any names'} there, and no 'std'"
        )
    y, p, _ = _checked(predictions["y_true"], predicted.scores_of(predictions), None)
    keys = predictions.reindex(columns=["method", "fold", "seed"])
    right = keys.assign(right=100.0 * (_decided(p, threshold) == y))
    single = right.groupby(["method", "fold", "seed"], dropna=False)["right"].mean()
    cells = single.groupby(["method", "fold"]).mean().unstack("fold").loc[methods]
    if cells.isna().any(axis=None):
        method, fold = cells.isna().stack().idxmax()
        raise ValueError(f"{method} has no image in fold {fold}; expected all methods in all folds")
    table = cells.assign(mean=cells.mean(axis=1), std=single.groupby("method").std(ddof=0))
    inner = [method for method in methods if method not in set(apart)]
    if not inner:
        return table
    spread = cells.loc[inner].std(axis=0, ddof=0)
    row = pd.DataFrame([[*spread, spread.mean(), np.nan]], index=["std"], columns=table.columns)
    return pd.concat([table.loc[inner], row, table.drop(index=inner)]).rename_axis("method")


def missed(
    predictions: pd.DataFrame,
    classes: Sequence[str],
    positive: Collection[int] = (2, 3),
    threshold: float = 0.5,
    rule: str = "max",
) -> pd.DataFrame:
    """Images of each positive class that a decision between two groups of classes does not find.

    Parameters
    ----------
    predictions
        Rows of one or more methods, with the probabilities of all classes.
    classes
        Names of the classes.
    positive, rule
        As in `predictions.two_classes`; for BACH the carcinomas.
    threshold
        An image is found if the probability of its group is at least this.

    Returns
    -------
    DataFrame
        Index ``method, class``; ``images``, ``missed`` (numbers) and ``share`` (missed of images).
    """
    known = predicted.scores_of(predictions).shape[1]
    if len(classes) != known:
        raise ValueError(f"classes={list(classes)}: {len(classes)} names for the probabilities of {known} classes")
    below = predicted.two_classes(predictions, positive, rule)["p_1"] < threshold
    counts = {}
    for method in predictions["method"].unique():
        for k in sorted(set(positive)):
            chosen = (predictions["method"] == method) & (predictions["y_true"] == k)
            counts[method, classes[k]] = {"images": chosen.sum(), "missed": (chosen & below).sum()}
    table = pd.DataFrame(counts, dtype=int).T.rename_axis(["method", "class"])
    return table.assign(share=table["missed"] / table["images"])


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
    y, p, w = _checked(y_true, y_score, weight)
    if p.shape[1] != 2:
        raise ValueError(f"an ROC curve needs two classes, not {p.shape[1]}")
    alarms = pd.Index(np.arange(201) / 200, name="false alarms")
    if y.min() == y.max():
        return pd.Series(np.nan, alarms)
    x, height, _ = roc_curve(y, p[:, 1], sample_weight=w, drop_intermediate=False)
    # A rate that should be on the grid may lie a rounding error beyond it.
    return pd.Series(height[np.searchsorted(x, alarms + 1e-12, side="right") - 1], alarms)


def confusion_shares(predictions: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """True and false positives and negatives of each method, per cent of all its images.

    Returns
    -------
    DataFrame
        Index ``method``; ``tp, fp, tn, fn``.
    """
    parts = {
        method: operating_point(rows["y_true"], rows["p_1"], threshold)[["tp", "fp", "tn", "fn"]] / len(rows) * 100
        for method, rows in predictions.groupby("method", sort=False)
    }
    return pd.DataFrame(parts).T.astype(float).rename_axis("method")


def bootstrap(
    predictions: pd.DataFrame,
    statistic: Callable[..., pd.Series] = scores,
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
        Rows of one method.
    statistic
        ``statistic(y_true, y_score, weight=...)`` returning a Series.
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
    samples = _resample(predictions, statistic, by, draws, level, seed)
    value = statistic(predictions["y_true"].to_numpy(), predicted.scores_of(predictions))
    return _interval(value, samples, level)


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
        Index ``method, score``; ``value, low, high``. The interval covers the choice of test patients, not the
        chance in training.

    Raises
    ------
    ValueError
        If `reference` is no method, or a method was not tested on the same images.
    """
    groups = {name: rows.sort_values("image_id") for name, rows in predictions.groupby("method", sort=False)}
    if reference not in groups:
        raise ValueError(f"reference={reference!r}: expected one of {', '.join(groups)}")
    images = groups[reference]["image_id"].tolist()
    for name, rows in groups.items():
        if rows["image_id"].tolist() != images:
            raise ValueError(f"{name} and {reference} were not tested on the same images")
    # One seed draws the same patients for every method.
    drawn = {name: _resample(rows, scores, "patient", draws, level, seed) for name, rows in groups.items()}
    whole = {name: scores(rows["y_true"], predicted.scores_of(rows)) for name, rows in groups.items()}
    parts = {
        name: _interval(whole[name] - whole[reference], drawn[name] - drawn[reference], level)
        for name in groups
        if name != reference
    }
    return pd.concat(parts, names=["method", "score"])


def _interval(value: pd.Series, samples: pd.DataFrame, level: float) -> pd.DataFrame:
    bounds = samples.quantile([(1 - level) / 2, (1 + level) / 2])
    return pd.DataFrame({"value": value, "low": bounds.iloc[0], "high": bounds.iloc[1]})


def _resample(predictions: pd.DataFrame, statistic, by: str, draws: int, level: float, seed: int) -> pd.DataFrame:
    """The statistic on each resample, one row per draw."""
    if by not in predictions or draws < 1 or not 0 < level < 1:
        raise ValueError(
            f"by={by!r}, draws={draws}, level={level}: expected a column, at least 1, and a share between 0 and 1"
        )
    y, p = predictions["y_true"].to_numpy(), predicted.scores_of(predictions)
    units, codes = np.unique(predictions[by].to_numpy(), return_inverse=True)
    generator = np.random.default_rng(seed)
    samples = []
    for _ in range(draws):
        weight = np.bincount(generator.integers(len(units), size=len(units)), minlength=len(units))[codes]
        drawn = weight > 0
        samples.append(statistic(y[drawn], p[drawn], weight=weight[drawn]))
    return pd.DataFrame(np.array(samples), columns=samples[0].index)


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


def _decided(p: np.ndarray, threshold: float) -> np.ndarray:
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


def _checked(y_true, y_score, weight) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
