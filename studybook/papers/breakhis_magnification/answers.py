"""What the units of the magnification study answered, as the chapter's tables and figures take it."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from histolib import metrics
from histolib.datasets import breakhis
from histolib.datasets.breakhis import MAGNIFICATIONS
from histolib.metrics.resampling import interval, resampled
from studybook.engine.units import Gathered
from studybook.papers.breakhis_magnification.study import (
    BY_NUMBER,
    BY_SLIDE,
    DRAWN,
    FROZEN,
    FROZEN_ALL,
    HALVED,
    MAGNIFICATION_TABLE,
    MAIN,
    MODEL,
    TESTED,
    TESTED_LESS,
)
from studybook.published import beside
from studybook.twins.ceiling import METHOD as CEILING

COLORS, PAPERS_BEST = "rgb, svm", "pftas, svm"  # the plainest method, colors and no shape; the feature that is quoted
CONSTANT = "always malignant"
STOPPED, LONGER = f"independent, {TESTED_LESS}", f"independent, {TESTED}"
CELLS = ("training", "fold", "magnification")  # of which an average is a mean
SHOWN = (CONSTANT, CEILING, COLORS, PAPERS_BEST, FROZEN, FROZEN_ALL, *MAIN)
OPENING = ("learned", "one_for_all", "state_of_the_art")  # the claims with which the chapter opens
_RATE = ["value", "low", "high"]


def fold_sizes() -> pd.DataFrame:
    """What the official folds hold, one row each: images and patients of the test and the training side.

    And how many slide numbers without their letters (`breakhis.slide_numbers`) are on both sides.
    """
    table = breakhis.official_folds()
    case = breakhis.slide_numbers(table["patient"])
    rows = {}
    for fold in breakhis.FOLD_COLUMNS:
        sides = table.groupby(fold, sort=True)
        both = int((table.groupby(case)[fold].nunique() > 1).sum())
        counts = {("images", side): len(part) for side, part in sides}
        counts |= {("patients", side): part["patient"].nunique() for side, part in sides}
        rows[fold.replace("_", " ")] = counts | {("slide numbers", "on both sides"): both}
    return pd.DataFrame(rows).T


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions of images, of this run or of a kept one, with what the names of their methods and images tell.

    Returns
    -------
    DataFrame
        The rows with ``method`` less the number of a training, ``training`` (1 the first), ``magnification`` of the
        image, and ``about``: the magnification in a method's name, 0 if there is none.
    """
    parts = rows["method"].str.extract(r"^(?P<method>.*?)(?:, training (?P<training>\d+))?$")
    return rows.assign(
        method=parts["method"],
        training=parts["training"].fillna("1").astype(int),
        magnification=rows["image_id"].str.extract(r"-(\d+)-\d+$")[0].astype(int),
        about=parts["method"].str.extract(r"^(?:specific|without) (\d+)x$")[0].fillna("0").astype(int),
    )


def matched(rows: pd.DataFrame, kind: str, other: str = "independent") -> pd.DataFrame:
    """Two kinds of network where both were trained and asked about the same images.

    Parameters
    ----------
    rows
        From `named`.
    kind
        ``specific``: networks of one magnification, at that one; ``without``: those trained without a magnification,
        at that one. Or a method that is asked about all.
    other
        The method that they are compared with.

    Returns
    -------
    DataFrame
        Rows of two methods, `kind` and `other`; empty if one of them is not there.
    """
    if kind in ("specific", "without"):
        own = rows[rows["method"].str.startswith(kind) & (rows["about"] == rows["magnification"])]
    else:
        own = rows[rows["method"] == kind]
    keys = [*CELLS, "image_id"]
    beside_it = rows[rows["method"] == other].merge(own[keys])
    own = own.merge(beside_it[keys])
    return pd.concat([own.assign(method=kind), beside_it], ignore_index=True)


def gain(pair: pd.DataFrame, one: str, by: Iterable[str] = (), draws: int = 500, seed: int = 0) -> pd.DataFrame:
    """Recognition rate of a method less that of the other one, on the same drawn patients.

    Parameters
    ----------
    pair
        From `matched`.
    one
        The first method.
    by
        Columns of `CELLS` whose values are kept apart; over the others is the mean.
    draws, seed
        As in `metrics.recognition_intervals`.

    Returns
    -------
    DataFrame
        Index `by`, or one row; ``value, low, high``. No rows if there is nothing to compare.
    """
    by = list(by)
    if pair.empty:
        return pd.DataFrame(columns=_RATE, dtype=float)
    other = next(name for name in pair["method"].unique() if name != one)
    over = [name for name in CELLS if name not in by]
    less = metrics.recognition_intervals(pair, ["method", *by], draws=draws, seed=seed, over=over, reference=other)
    return less.droplevel("method") if by else less


def rates(pairs: Mapping[str, pd.DataFrame], draws: int, seed: int) -> pd.DataFrame:
    """Rates of the specific and the independent network by magnification, and what the second gains, as text.

    Parameters
    ----------
    pairs
        Of each run what `matched` gives for two methods, the first one asked about single magnifications.
    draws, seed
        As in `gain`.

    Returns
    -------
    DataFrame
        Index ``run``, then the magnification; ``one for each, one for all`` and ``gain``.
    """
    found = {}
    for run, pair in pairs.items():
        one, other = pair["method"].unique()
        over = [name for name in CELLS if name != "magnification"]
        each = metrics.recognition_intervals(pair, ("method", "magnification"), draws=draws, seed=seed, over=over)
        less = gain(pair, other, ["magnification"], draws, seed)
        for k in sorted(pair["magnification"].unique()):
            found[run, f"{k}×"] = {
                "one for each": beside.interval(each.loc[(one, k)]),
                "one for all": beside.interval(each.loc[(other, k)]),
                "gain": beside.interval(less.loc[k], sign="+"),
            }
        total = gain(pair, other, draws=draws, seed=seed)
        found[run, "mean"] = {"gain": beside.interval(total.iloc[0], sign="+")}
    return pd.DataFrame(found).T.reindex(columns=["one for each", "one for all", "gain"]).fillna("")


def gains(pair: pd.DataFrame, one: str, draws: int, seed: int) -> pd.DataFrame:
    """`gain` of each training and fold by itself: how much of it is the chance of training.

    Returns
    -------
    DataFrame
        Index training, columns folds: the difference with its interval, as text.
    """
    each = gain(pair, one, ["training", "fold"], draws, seed).apply(beside.interval, axis=1, sign="+")
    return each.unstack("fold").rename(index="training {}".format, columns="fold {}".format)


def constant(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one method as a program would answer them that always says malignant."""
    one = rows[rows["method"] == rows["method"].iloc[0]]
    return one.assign(method=CONSTANT, p_0=0.0, p_1=1.0)


def shared(rows: pd.DataFrame, names: Iterable[str] = SHOWN) -> pd.DataFrame:
    """The first training of the methods that are to be compared, and the constant answer.

    Only images that all of them answered: what is fitted by magnification leaves out one with few patients.
    """
    rows = rows[rows["method"].isin(list(names)) & (rows["training"] == 1)]
    tested = rows.groupby(["fold", "image_id"])["method"].transform("nunique")
    rows = rows[tested == rows["method"].nunique()]
    together = pd.concat([constant(rows), rows]) if len(rows) else rows
    order = {name: k for k, name in enumerate([CONSTANT, *names])}
    return together.sort_values("method", key=lambda column: column.map(order), kind="stable", ignore_index=True)


def less(rows: pd.DataFrame, one: str, draws: int, seed: int) -> pd.DataFrame:
    """One method less each other method, on the same drawn patients.

    Parameters
    ----------
    rows
        From `shared`.
    one
        Name of a method.
    draws, seed
        As in `metrics.difference`.

    Returns
    -------
    DataFrame
        Index: the other methods and a score, ``recognition rate`` (a mean over folds and magnifications), ``balanced
        accuracy`` or ``AUC`` (of all images); ``value, low, high``.
    """
    rows = single_tests(rows)
    found = {}
    for other in dict.fromkeys(rows["method"][rows["method"] != one]):
        pair = rows[rows["method"].isin([one, other])]
        rate = metrics.recognition_intervals(pair, draws=draws, seed=seed, over=CELLS, reference=other).loc[one]
        scores = metrics.difference(pair, other, draws, seed=seed).loc[one]
        parts = {"recognition rate": rate, "balanced accuracy": scores.loc["balanced_accuracy"],
                 "AUC": scores.loc["auc"]}  # fmt: skip
        found |= {(f"less {other}", name): part[_RATE] for name, part in parts.items()}
    return pd.DataFrame(found).T


def standing(less_others: pd.DataFrame) -> str:
    """Which of the others a method is ahead of by balanced accuracy with its whole interval, and which behind.

    ``less_others``: from `less`.
    """
    score = less_others.xs("balanced accuracy", level=1).rename(index=lambda name: name.removeprefix("less "))
    sides = {"ahead of": score.index[score["low"] > 0], "behind": score.index[score["high"] < 0]}
    return ", ".join(f"{side} {' and '.join(names) or 'none'}" for side, names in sides.items())


def single_tests(rows: pd.DataFrame) -> pd.DataFrame:
    """An image with its fold and training as one test, since an image is tested in several folds."""
    place = rows["training"].astype(str) + "/" + rows["fold"].astype(str) + "/"
    return rows.assign(image_id=place + rows["image_id"])


def scores(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Recognition rate, balanced accuracy and AUC with their intervals as text, and the share called malignant.

    Parameters
    ----------
    rows
        From `shared`.
    draws, seed
        As in `metrics.summary`.
    """
    found = beside.recognized(rows, {"balanced_accuracy": "balanced accuracy", "auc": "AUC"}, CELLS, draws, seed)
    called = rows.groupby("method", sort=False)["p_1"].agg(lambda p: (p >= 0.5).mean())
    return found.assign(**{"called malignant": called.map("{:.2f}".format)})


def differences(rows: pd.DataFrame, draws: int, seed: int, told: pd.DataFrame | None = None) -> dict[str, pd.Series]:
    """Of a run, the differences that answer the paper's claims (``verdicts`` of its file).

    Parameters
    ----------
    rows
        From `named`.
    draws, seed
        As in `gain`.
    told
        From `magnification_task`; kept runs have none.

    Returns
    -------
    dict
        Id of a claim to ``value, low, high``; without those that the run does not answer, for want of a method or
        because both methods give one answer to everything.
    """
    found = {}
    pairs = {
        "one_for_all": (matched(rows, "specific"), "independent"),
        "one_for_all_frozen": (matched(rows, FROZEN, FROZEN_ALL), FROZEN_ALL),
        "second_task": (matched(rows, "two tasks"), "two tasks"),
        "unseen": (matched(rows, "without"), "without"),
        "as_good_as_features": (matched(rows, PAPERS_BEST), "independent"),
        "stopping": (matched(rows, STOPPED), STOPPED),
        "other_features": (_beside_features(rows), "independent"),
    }
    for claim, (pair, one) in pairs.items():
        if len(pair) and len(metrics.one_answer(pair)) < 2:
            found[claim] = gain(pair, one, draws=draws, seed=seed).iloc[0]
    for claim, other in {"learned": CONSTANT, "state_of_the_art": FROZEN}.items():
        own = shared(rows, ["independent", other])
        if {"independent", other} <= {*own["method"]}:
            found[claim] = less(own, "independent", draws, seed).loc[(f"less {other}", "balanced accuracy")]
    if told is not None:
        rate = metrics.recognition_intervals(told, draws=draws, seed=seed, over=("fold", "magnification")).iloc[0]
        found["told"] = rate - 1 / len(MAGNIFICATIONS)
    return found


def stopped(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """What stopping on test images is worth, by magnification, and what more training data adds, as text.

    The magnification on which was stopped is named; the others show what is left of the gain where no image was looked
    at, though the patients are the same.
    """
    found = {}
    for one, name in {STOPPED: "stopped on test images", LONGER: "and trained on the validation patients too"}.items():
        each = (
            gain(matched(rows, one), one, ["magnification"], draws, seed)
            .sort_index()
            .apply(beside.interval, axis=1, sign="+")
        )
        found |= {
            (name, f"{k}×" + (" (looked at)" if k == MAGNIFICATIONS[0] else "")): text for k, text in each.items()
        }
    return pd.Series(found, dtype=object).rename("less stopped on validation patients").to_frame()


def second_task(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Malignancy by the network with two tasks less that with one, at the usual weight and at the same as among two."""
    others = {"independent": "one task", f"independent, {HALVED}": "one task at the weight that it has among two"}
    found = {}
    for other, name in others.items():
        for _, row in gain(matched(rows, "two tasks", other), "two tasks", draws=draws, seed=seed).iterrows():
            found[f"two tasks less {name}"] = beside.interval(row, sign="+")
    return pd.Series(found, dtype=object).rename("recognition rate for malignancy").to_frame()


def _beside_features(rows: pd.DataFrame) -> pd.DataFrame:
    """Each feature that is neither PFTAS nor color, and the independent network as often, for `gain`."""
    own = rows[rows["method"].str.contains(r"^(?:lbp|clbp|lpq|glcm|orb), ")]
    own = own.assign(training=1 + own["method"].astype("category").cat.codes, method="features")
    alone = rows[(rows["method"] == "independent") & (rows["training"] == 1)].drop(columns="training")
    keys = [name for name in CELLS if name != "training"] + ["image_id"]
    alone = alone.merge(own[["training", *keys]])
    return pd.concat([own.merge(alone[["training", *keys]]), alone], ignore_index=True)


def picked(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """What it is worth to pick, of several classifiers, the best one of each magnification by its test patients.

    Parameters
    ----------
    rows
        From `named`; features with one classifier only are left out.
    draws, seed
        How often patients are halved at random, and by which draws.

    Returns
    -------
    DataFrame
        Index: the features. ``picked by the tested patients``: mean over magnifications of the best recognition rate,
        as published. ``picked by others``: the rate of half of the patients with the classifier that was the best for
        the other half. ``flattery``: the first less the second.
    """
    both = rows["method"].str.extract(r"^(?P<feature>\w+), (?P<classifier>\w+)$")
    own = rows.assign(**both).dropna(subset="feature")
    table = metrics.patient_scores(own, ["feature", "classifier", "fold", "magnification"])["score"]
    generator, found = np.random.default_rng(seed), {}
    for feature, scores_ in table.groupby("feature"):
        wide = scores_.droplevel("feature").unstack("classifier")
        if wide.shape[1] < 2:
            continue
        rates, patients = _rates_of(wide), wide.index.get_level_values("patient")
        best, halves = rates(np.full(len(wide), True)).max(axis=1).mean(), []
        for _ in range(draws):
            names = generator.permutation(patients.unique())
            first = patients.isin(names[: len(names) // 2])
            chosen, tested = rates(first), rates(~first)
            there = ~np.isnan(chosen[:, 0] + tested[:, 0])
            halves.append(tested[there, chosen[there].argmax(axis=1)].mean())
        columns = {"picked by the tested patients": best, "picked by others": np.mean(halves)}
        found[feature] = columns | {"flattery": best - np.mean(halves)}
    return pd.DataFrame(found).T


def _rates_of(wide: pd.DataFrame) -> Callable[[np.ndarray], np.ndarray]:
    """From a choice of rows to recognition rates, (magnifications, classifiers), means over the folds; NaN of none."""
    at, fold = (wide.index.get_level_values(name).to_numpy() for name in ("magnification", "fold"))
    cells = (at == np.unique(at)[:, None, None]) & (fold == np.unique(fold)[:, None])

    def rates(rows: np.ndarray) -> np.ndarray:
        there = cells & rows
        count = there.sum(axis=-1, keepdims=True)
        with np.errstate(invalid="ignore"):
            return (there @ wide.to_numpy() / np.maximum(count, 1)).sum(axis=1) / (count > 0).sum(axis=1)

    return rates


def sisters(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Patient scores of test patients with and without a slide of their number, but for its letters, in training.

    Parameters
    ----------
    rows
        From `named`.
    draws, seed
        As in `gain`.

    Returns
    -------
    DataFrame
        Index: the methods. Test patients with such a sister, fold by fold together, and without; their mean patient
        scores, and the difference with its interval, patients drawn.
    """
    found = {}
    for method, part in rows[rows["method"].isin(SHOWN)].groupby("method", sort=False):
        each = metrics.patient_scores(part, [*CELLS, "sister"])["score"].reset_index()
        has, score = each["sister"].to_numpy() == 1, each["score"].to_numpy()
        pairs = [{"with": np.average(score[has], weights=w[has]), "without": np.average(score[~has], weights=w[~has])}
                 for w in [np.ones(len(each)), *resampled(each["patient"], draws, seed)]
                 if w[has].any() and w[~has].any()]  # fmt: skip
        counts = {"patients with": each["patient"][has].nunique(), "without": each["patient"][~has].nunique()}
        if pairs:
            values = pd.DataFrame(pairs).assign(less=lambda t: t["with"] - t["without"])
            whole = interval(values.iloc[0], values.iloc[1:], 0.95)
            counts |= {"score with": whole.value["with"], "score without": whole.value["without"]}
            counts["difference"] = beside.interval(whole.loc["less"], sign="+")
        found[method] = counts
    return pd.DataFrame(found).T


def by_number(rows: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """What it is worth to have sisters in training: the frozen network in folds by slide and by slide number.

    Parameters
    ----------
    rows, draws, seed
        As in `sisters`.

    Returns
    -------
    DataFrame
        Index: patients who are tested in folds of both kinds, all of them, and those who had a sister in training where
        the slides were drawn; how many they are, their mean patient scores, and the difference, patients drawn.
    """
    own = rows[rows["method"].isin(DRAWN)]
    if own.empty:
        return pd.DataFrame()
    each = metrics.patient_scores(own, ["method", *CELLS])["score"]
    both = each.groupby(["method", "patient"]).mean().unstack("method").dropna()[list(DRAWN)]
    known = own["patient"][own["sister"] == 1]
    found = {}
    for name, part in {"all": both, "with a sister": both[both.index.isin(known)]}.items():
        if len(part):
            less = (part[BY_SLIDE] - part[BY_NUMBER]).to_numpy()
            samples = [np.average(less, weights=weight) for weight in resampled(part.index, draws, seed)]
            row = interval(pd.Series({"rate": less.mean()}), pd.DataFrame({"rate": samples}), 0.95).loc["rate"]
            scores_ = part.mean().map("{:.3f}".format)
            found[name] = {"patients": len(part), "by slide": scores_[BY_SLIDE], "by number": scores_[BY_NUMBER],
                           "difference": beside.interval(row, sign="+")}  # fmt: skip
    return pd.DataFrame(found).T


def magnification_task(found: Gathered) -> pd.DataFrame:
    """Answers of the networks with two tasks about the magnification, as a table of predictions.

    Returns
    -------
    DataFrame
        ``method, fold, image_id, patient, y_true`` (place in the four magnifications)``, p_0 .. p_3, magnification``.
    """
    table = _of_variant(found, "two tasks")
    return table.assign(y_true=np.searchsorted(MAGNIFICATIONS, table["magnification"]))


def regression(found: Gathered, table: pd.DataFrame) -> pd.DataFrame:
    """True and predicted magnification of each test image, with the name of its class; empty if not in the run."""
    told = _of_variant(found, "regression")
    return told.merge(table[["image_id", "label_name"]], on="image_id") if len(told) else told


def median_factors(numbers: pd.DataFrame) -> pd.Series:
    """How far predicted magnifications are off, as a factor of at least 1: ``network``, the median over images;
    ``constant``, the median of the true ones; ``of_constant``, the median if always that were said."""
    true, constant = numbers["magnification"], numbers["magnification"].median()
    off = {"network": numbers["predicted"] / true, "of_constant": constant / true}
    found = {name: 2 ** np.abs(np.log2(ratio)).median() for name, ratio in off.items()}
    return pd.Series(found | {"constant": constant})


def network(found: Gathered, fold: int):
    """The trained network with two tasks of a fold."""
    import keras

    from histolib.training import augmentation  # noqa: F401 - their layers are registered on import

    chosen = (found.units["variant"] == "two tasks") & (found.units["fold"] == fold)
    return keras.saving.load_model(Path(found.units["folder"][chosen].iloc[0]) / MODEL)


def one_of_each_magnification(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each magnification that there is, in order, the image whose true class got the highest probability: what is
    shown of it is not typical."""
    sure = rows["p_1"].where(rows["y_true"] == 1, rows["p_0"])
    return rows.loc[sure.groupby(rows["magnification"]).idxmax()]


def _of_variant(found: Gathered, variant: str) -> pd.DataFrame:
    chosen = found.units[found.units["variant"] == variant]
    parts = [found.tables[MAGNIFICATION_TABLE][unit].assign(method=row["method"], fold=row["fold"])
             for unit, row in chosen.iterrows()]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
