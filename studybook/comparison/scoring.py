"""Scores of the matrix, and which of its methods can be told apart.

Predictions are those of `study.compute`: ``method`` is ``<set>: <name>``, ``seed`` tells trainings apart, ``threshold``
was chosen on the validation part of the same fold and training.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy import stats

from histolib import metrics
from studybook.comparison import names
from studybook.published import beside, multiple

SCORES = {"auc": "AUC", "balanced_accuracy": "balanced accuracy", "f1": "F1", "brier": "Brier score"}
LEVEL = 0.05  # a corrected p value below it tells two methods apart
SHOWN = ("AUC", "decisions")


def marked(rows: pd.DataFrame, drawn: Collection[str]) -> pd.DataFrame:
    """The rows, or units, with the sets' names saying which of them are drawn: ``idc (drawn)`` or ``idc (real)``."""
    told = {name: f"{name} ({'drawn' if name in drawn else 'real'})" for name in rows["set"].unique()}
    methods = {one: one.replace(name, told[name], 1) for name, one in rows[["set", "method"]].drop_duplicates().values}
    return rows.assign(set=rows["set"].map(told), method=rows["method"].map(methods))


def at_half(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with scores stretched on both sides of their threshold, so that it comes to lie at one half.

    The order within a fold and training stays, so that its AUC does; and `metrics.scores` decides at the threshold that
    was chosen.
    """
    p, at = rows["p_1"].to_numpy(), rows["threshold"].clip(1e-6, 1 - 1e-6).to_numpy()
    score = np.where(p < at, p / (2 * at), 1 - (1 - p) / (2 * (1 - at)))
    # A rounding error must not bring the threshold itself below one half.
    score = np.where(p >= rows["threshold"], np.maximum(score, 0.5), np.minimum(score, 0.5 - 1e-9))
    return rows.assign(p_0=1 - score, p_1=score)


def means(columns: pd.DataFrame, weight) -> pd.Series | pd.DataFrame:
    """Weighted means of columns; `weight`, and what is returned, as of `metrics.scores`."""
    w = np.atleast_2d(np.ones(len(columns)) if weight is None else weight)
    with np.errstate(invalid="ignore"):
        table = pd.DataFrame(w @ columns.to_numpy(float) / w.sum(axis=1, keepdims=True), columns=columns.columns)
    return table if np.ndim(weight) == 2 else table.iloc[0]


def brier(y_true, y_score, weight=None) -> pd.Series | pd.DataFrame:
    """Mean squared difference between the probability of class 1 and the truth (Brier 1950); always 0.5 has 0.25."""
    return means(pd.DataFrame({"brier": (y_score[:, 1] - y_true) ** 2}), weight)


def summary(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """The scores of every method on every set, with 95 % intervals over patients and trainings.

    Returns
    -------
    DataFrame
        Index ``method, score``, the scores of `SCORES`; ``value, low, high``.
    """
    decided = metrics.summary(at_half(rows), draws, seed)
    squared = {
        name: metrics.bootstrap(one, brier, draws=draws, seed=seed) for name, one in rows.groupby("method", sort=False)
    }
    both = pd.concat([decided, pd.concat(squared, names=["method", "score"])])
    order = pd.MultiIndex.from_product([list(squared), list(SCORES)], names=["method", "score"])
    return both.loc[order]


def matrix(scores: pd.DataFrame) -> pd.DataFrame:
    """`summary` as text: one row per set and method."""
    return split(beside.scores(scores, list(SCORES)).rename(columns=SCORES))


def costs(units: pd.DataFrame) -> pd.DataFrame:
    """What each method costs, as text: from `units.Gathered.units`, means over its trainings and folds.

    Returns
    -------
    DataFrame of str
        Index ``set, method``: ``training``, seconds; ``answers``, images per second; ``weights``, learned or borrowed,
        a dash where a count would mean little, as of trees.
    """
    cost = units.groupby("method", sort=False)[["fit seconds", "images per second", "weights"]].mean()
    shown = {"training": "{:.1f} s", "answers": "{:,.0f} images/s", "weights": "{:,.0f}"}
    columns = [cost[name].map(form.format).where(cost[name].notna(), "–") for name, form in zip(cost, shown.values())]
    return split(pd.concat(columns, axis=1).set_axis(list(shown), axis=1))


def split(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose index ``method`` begins with the set, with an index ``set, method``."""
    parts = table.index.get_level_values("method").str.split(": ", n=1)
    index = pd.MultiIndex.from_arrays([parts.str[0], parts.str[1]], names=["set", "method"])
    return table.set_axis(index)


def pairs(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Every two methods of every set on the same patients.

    Parameters
    ----------
    rows
        Predictions.
    draws, seed
        As in `metrics.bootstrap`.

    Returns
    -------
    DataFrame
        Index ``set, method, less``. ``value, low, high``: AUC of the first less the second, over the same resampled
        patients and, where there are several, trainings; ``p``, from that interval; ``delong``, of the same difference
        by DeLong's test (`delong`); ``mcnemar``, of the decisions (`mcnemar`); ``AUC`` and ``decisions``: the p values
        ``p`` and ``mcnemar``, all of both corrected together by Holm 1979.
    """
    decided = at_half(rows)
    known = {name: list(one["method"].unique()) for name, one in rows.groupby("set", sort=False)}
    asked = [pair for methods in known.values() for pair in combinations(methods, 2)]
    found = metrics.differences(decided, asked, draws, seed=seed).xs("auc", level="score")
    parts = {name: one for name, one in decided.groupby("method", sort=False)}
    tests = [(delong(parts[one], parts[other]), mcnemar(parts[one], parts[other])) for one, other in asked]
    found = found.assign(p=multiple.of_interval(found), delong=[t[0] for t in tests], mcnemar=[t[1] for t in tests])
    # The same answers to everything: nothing to test.
    found.loc[found["value"].eq(0) & found["low"].eq(0) & found["high"].eq(0), "p"] = 1.0
    corrected = multiple.holm(pd.concat({"AUC": found["p"], "decisions": found["mcnemar"]}))
    found = found.assign(**{name: corrected.loc[name] for name in SHOWN})
    sets, first = zip(*(one.split(": ", 1) for one, _ in found.index))
    other = [two.split(": ", 1)[1] for _, two in found.index]
    return found.set_axis(pd.MultiIndex.from_arrays([sets, first, other], names=["set", "method", "less"]))


def delong(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """P value of the difference of two AUCs on the same images, those of one patient taken as one cluster.

    DeLong et al. 1988 (Biometrics 44:837), in the form of Obuchowski 1997 (Biometrics 53:567, equations 3 to 6) for
    several images of a patient; where each patient has one image they are the same. Trainings count by their mean:
    their chance is not in it. NaN if a class has fewer than two patients.
    """
    y, patients, first = _components(one)
    _, _, second = _components(other)
    each, theta = first - second, (first - second)[y == 1].mean()
    people, codes = np.unique(patients, return_inverse=True)
    sums, images, count = np.zeros((2, len(people))), np.zeros((2, len(people))), np.zeros(2)
    for k in (0, 1):
        own = y == k
        images[k] = np.bincount(codes[own], minlength=len(people))
        sums[k] = np.bincount(codes[own], each[own], len(people)) - images[k] * theta
        count[k] = (images[k] > 0).sum()
    if count.min() < 2:
        return np.nan
    total = images.sum(axis=1)
    variance = ((count / (count - 1)) * np.square(sums).sum(axis=1) / total**2).sum()
    variance += 2 * len(people) / (len(people) - 1) * (sums[0] * sums[1]).sum() / total.prod()
    return float(2 * stats.norm.sf(abs(theta) / np.sqrt(variance))) if variance > 1e-18 else 1.0


def mcnemar(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """P value of McNemar's test of two methods' decisions at one half on the same images, by patient.

    A patient counts with the number of images that only the first method has right, less the number that only the
    second has right (Durkalski et al. 2003, Stat Med 22:2417, each patient weighted by the images): the square of the
    sum over the sum of the squares, one degree of freedom. Where each patient has one image, this is McNemar's test
    without correction for continuity. Trainings count by their mean. 1 if no decision differs.
    """
    less = (_right(one) - _right(other)).groupby(level="patient").sum()
    squares = float((less**2).sum())
    return float(stats.chi2.sf(less.sum() ** 2 / squares, 1)) if squares > 1e-12 else 1.0


def _right(rows: pd.DataFrame) -> pd.Series:
    """Whether each image is decided rightly at one half, the share of the trainings."""
    right = rows["p_1"].ge(0.5) == rows["y_true"].eq(1)
    return right.astype(float).groupby([rows["patient"], rows["image_id"]]).mean()


def _components(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, patient and structural component of each image, the mean over trainings, in the order of the images.

    The component of a positive image is the share of negative ones that score below it, ties counting one half; of a
    negative one, the share of positive ones above it. The mean over either class is the AUC.
    """
    found = []
    for _, part in rows.groupby("seed"):
        part = part.sort_values("image_id")
        y, p = part["y_true"].to_numpy(), part["p_1"].to_numpy()
        up, down = np.sort(p[y == 1]), np.sort(p[y == 0])
        below = (np.searchsorted(down, p, "left") + np.searchsorted(down, p, "right")) / (2 * len(down))
        above = 1 - (np.searchsorted(up, p, "left") + np.searchsorted(up, p, "right")) / (2 * len(up))
        found.append(np.where(y == 1, below, above))
    return y, part["patient"].to_numpy(str), np.mean(found, axis=0)


def told_apart(found: pd.DataFrame) -> pd.DataFrame:
    """How many pairs of each set are told apart after correction, by AUC and by decisions: from `pairs`."""
    groups = found.groupby(level="set", sort=False)
    table = pd.DataFrame({"pairs": groups.size()})
    for name in SHOWN:
        table[f"told apart by {name}"] = (found[name] < LEVEL).groupby(level="set", sort=False).sum()
    table["told apart by AUC, uncorrected"] = (found["p"] < LEVEL).groupby(level="set", sort=False).sum()
    table["by DeLong, uncorrected"] = (found["delong"] < LEVEL).groupby(level="set", sort=False).sum()
    return table


def agreement(found: pd.DataFrame) -> float:
    """Share of the pairs, from `pairs`, that bootstrap and DeLong's test tell apart alike, without correction."""
    known = found[found["delong"].notna()]
    return float(((known["p"] < LEVEL) == (known["delong"] < LEVEL)).mean())


def opening(summaries: Mapping[str, pd.DataFrame], told: Mapping[str, pd.DataFrame]) -> Markdown:
    """`unresolved` of the first run, or that there is none; arguments as of `sentences`."""
    for name, scores in summaries.items():
        return unresolved(scores, told[name], name)
    return Markdown("No run on real images is kept with this copy of the book.")


def sentences(summaries: Mapping[str, pd.DataFrame], told: Mapping[str, pd.DataFrame]) -> Markdown:
    """What was found, of each run, in sentences.

    Parameters
    ----------
    summaries, told
        Name of a run, kept ones first, to its `summary` and its `pairs`.
    """
    parts = []
    for name, scores in summaries.items():
        counted = told_apart(told[name])
        pairs, apart = counted["pairs"].sum(), counted[f"told apart by {SHOWN[0]}"].sum()
        parts.append(unresolved(scores, told[name], name).data)
        parts.append(f"- Of {pairs} pairs of methods in {name}, {apart} are told apart by AUC after correction.")
        parts.append(below_plain(scores, told[name], (names.COLORS,), name).data)
    return Markdown("\n\n".join(parts))


def unresolved(scores: pd.DataFrame, found: pd.DataFrame, where: str) -> Markdown:
    """Of each set the method with the largest AUC, and those that can't be told from it, in a sentence each."""
    lines = []
    areas = split(scores.xs("auc", level="score"))
    for name, one in areas.groupby(level="set", sort=False):
        one = one.droplevel("set")
        best, apart = one["value"].idxmax(), found.loc[name]["AUC"]
        alike = [
            other for other in one.index if other != best
            and not apart.get((best, other), apart.get((other, best))) < LEVEL
        ]  # fmt: skip
        said = f"not told apart from it: {', '.join(alike)}" if alike else "every other one is told apart from it"
        lines.append(f"- *{name}*: the largest AUC has {best}, {beside.interval(one.loc[best])}; {said}.")
    return Markdown(f"**What to see ({where}):**\n\n" + "\n".join(lines))


def below_plain(scores: pd.DataFrame, found: pd.DataFrame, plain: Sequence[str], where: str) -> Markdown:
    """Which methods beat each of the plain ones with a corrected p value, set by set, in a sentence each."""
    areas, lines = split(scores.xs("auc", level="score"))["value"], []
    for name, one in areas.groupby(level="set", sort=False):
        one, apart = one.droplevel("set"), found.loc[name]["AUC"]
        for weak in (known for known in plain if known in one.index):
            better = [
                other for other in one.index if other not in plain and one[other] > one[weak]
                and apart.get((weak, other), apart.get((other, weak))) < LEVEL
            ]  # fmt: skip
            lines.append(f"- *{name}*, better than *{weak}*: {', '.join(better) or 'none'}.")
    return Markdown(f"**What to see ({where}):**\n\n" + "\n".join(lines))


def check_same(rows: pd.DataFrame) -> None:
    """Make sure that of each set all methods and trainings were tested on the same images, whose patients none of
    them has learned from: the units' division does not depend on them.

    Raises
    ------
    ValueError
        Names the set and the method.
    """
    for name, one in rows.groupby("set"):
        tested = {key: frozenset(part["image_id"]) for key, part in one.groupby(["method", "seed"])}
        for (method, seed), images in tested.items():
            if images != next(iter(tested.values())):
                raise ValueError(f"{name}: {method}, seed {seed}, was tested on other images than the others")
