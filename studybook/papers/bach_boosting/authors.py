"""What the authors published beside their paper: the answers for all 400 images, and accuracies by fold and seed.

Both tables are facts gathered from their public repository, https://github.com/alexander-rakhlin/ICIAR2018 (MIT
licence): ``authors_answers.csv`` holds what the fusion says of each image, out of fold, and ``authors_folds.csv`` the
log at the end of their training script, in which Inception at 400 pixels has no entry.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t

from histolib import metrics
from histolib.datasets import Dataset
from histolib.metrics import fusion, predictions
from studybook.papers.bach_boosting.settings import ANSWERS
from studybook.published import beside, reported

NAME = "authors' answers (real tissue)"
PAPER = "bach_boosting"


@cache
def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(__file__).with_name(f"authors_{name}.csv"))


def answers() -> pd.DataFrame:
    """The fused answer for each image as `predictions.table`: certain of one class, since no more was published."""
    found = _read("answers")
    truth, called = (found[name].map(ANSWERS.index).to_numpy() for name in ("truth", "predicted"))
    return predictions.table(fusion.FUSION, _manifest(found, truth), np.eye(len(ANSWERS))[called], found["fold"] + 1)


def carcinoma() -> pd.DataFrame:
    """The fused probability of carcinoma for each image, as `predictions.table` of two classes."""
    found = _read("answers")
    truth = found["truth"].isin(ANSWERS[2:]).astype(int)
    return predictions.table(fusion.FUSION, _manifest(found, truth), found["p_carcinoma"].to_numpy(), found["fold"] + 1)


def folds(dataset: Dataset) -> list[tuple[np.ndarray, np.ndarray]]:
    """The authors' ten folds of the real images, as ``splits.folds`` gives its own: (training, test) positions.

    Raises
    ------
    ValueError
        For drawn images, and for one that the authors' list does not name.
    """
    if dataset.twin:
        raise ValueError("authors_folds: true, but these images are drawn; the authors' folds belong to the real ones")
    listed = _read("answers").set_index("image")["fold"]
    unknown = dataset.table.loc[~dataset.table["image_id"].isin(listed.index), "image_id"]
    if len(unknown):
        raise ValueError(f"authors_folds: image {unknown.iloc[0]} is none of the {len(listed)} that the authors list")
    fold = listed.loc[dataset.table["image_id"]].to_numpy()
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]


def accuracies() -> pd.DataFrame:
    """Per cent of right answers of single models: ``method, seed, fold`` (from 1)``, accuracy``.

    A method is named as in Table 1, by its encoder and the size of its crops. Crops of 800 and 1,300 pixels are those
    at full size, which are not in that table.
    """
    wide = _read("folds")
    keys = pd.DataFrame({"method": wide["encoder"] + "-" + wide["crop"].astype(str), "seed": wide["seed"]})
    cells = wide.filter(like="fold_").rename(columns=lambda name: int(name.removeprefix("fold_")) + 1)
    long = pd.concat([keys, 100 * cells], axis=1).melt([*keys], var_name="fold", value_name="accuracy")
    return long.assign(fold=long["fold"].astype(int), accuracy=long["accuracy"].round(6))


def cells(how: str) -> pd.DataFrame:
    """Accuracy in per cent per method and fold: ``"mean"`` over the seeds, or ``"std"``, divided by their number."""
    grouped = accuracies().groupby(["method", "fold"], sort=False)["accuracy"]
    return (grouped.mean() if how == "mean" else grouped.std(ddof=0)).unstack("fold")


def table_1() -> pd.DataFrame:
    """Accuracy in per cent of each model in each fold, mean over the seeds, and of the fusion, as `metrics.per_fold`.

    Columns: the folds; ``mean`` over them; ``std`` over folds and seeds; ``seeds``, the mean over the folds of the
    deviation between the seeds, NaN of the fusion.
    """
    single = accuracies()
    each, spread = cells("mean"), single.groupby("method")["accuracy"].std(ddof=0)
    table = each.assign(mean=each.mean(axis=1), std=spread, seeds=cells("std").mean(axis=1))
    rows = answers()
    right = predictions.scores_of(rows).argmax(1) == rows["y_true"]
    fused = 100 * right.groupby(rows["fold"]).mean()
    table.loc[fusion.FUSION] = [*fused, fused.mean(), fused.std(ddof=0), np.nan]
    return table


def gains() -> pd.DataFrame:
    """What the fusion's accuracy has over that of each model, in shares of the images: ``value, low, high``.

    The models of Table 1, then, from the log, those at full size, which are no part of the fusion. Paired by fold, as
    `differences` says.
    """
    printed = reported.table(PAPER, 1).set_index("method").filter(regex=r"^f\d+$").drop(index="std")
    printed.columns = range(1, printed.shape[1] + 1)
    log = cells("mean")
    single = pd.concat([printed.drop(index=fusion.FUSION), log.drop(index=log.index.intersection(printed.index))])
    return pd.DataFrame({name: _mean(printed.loc[fusion.FUSION] - row) for name, row in single.iterrows()}).T


def half_less_full() -> pd.DataFrame:
    """Accuracy at half size less that at full size, for crops that show as much; and the mean over these pairs.

    Columns ``value, low, high``, in shares of the images, paired by fold, as `differences` says.
    """
    found = cells("mean")
    pairs = [(f"{name}-{small}", f"{name}-{2 * small}") for name in ("ResNet", "VGG") for small in (400, 650)]
    less = {f"{half} less {full}": found.loc[half] - found.loc[full] for half, full in pairs}
    less["mean of these"] = pd.DataFrame(less).mean(axis=1)
    return pd.DataFrame({name: _mean(row) for name, row in less.items()}).T


def differences() -> dict[str, pd.Series]:
    """What these numbers say about the paper's claims, by id: ``value, low, high``, in shares of the images.

    Paired by fold: the mean over the ten folds with its 95 % interval by Student's t. It holds the choice of images
    and, since a cell averages five seeds, little of the chance in training. Training parts overlap, so that it is
    somewhat too narrow.
    """
    printed = reported.table(PAPER, 1).set_index("method").filter(regex=r"^f\d+$").drop(index="std")
    over_each = gains().loc[printed.index.drop(fusion.FUSION)]
    best = over_each.loc[over_each["value"].idxmin()]
    return {
        "best_part": best,
        "average_part": _mean(printed.loc[fusion.FUSION] - printed.drop(index=fusion.FUSION).mean()),
        "four_points": best - float(reported.value(PAPER, "fusion_gain_low")) / 100,
        "half_size": half_less_full().loc["mean of these"],
    }


def chosen_elsewhere(draws: int = 1000) -> pd.DataFrame:
    """What remains of the point of high sensitivity if each fold's threshold is chosen on the other folds.

    Returns
    -------
    DataFrame of str
        ``threshold`` (lowest to highest, if it differs), ``sensitivity`` and ``specificity`` with 95 % intervals by
        bootstrap over images; rows: as published, and chosen on the other folds.
    """
    rows = carcinoma()
    wanted, printed = (float(reported.value(PAPER, id)) for id in ("high_sensitivity", "high_sensitivity_point"))
    thresholds = pd.Series(printed, rows.index)
    for fold in rows["fold"].unique():
        others = rows[(rows["fold"] != fold) & (rows["y_true"] == 1)]["p_1"]
        # The highest threshold that at least that share of the others' carcinomas reaches.
        thresholds[rows["fold"] == fold] = others.quantile(1 - wanted / 100, interpolation="lower")
    found = {}
    for name, at in {"0.33, as published": printed, "chosen on the other folds": thresholds}.items():
        called = (rows["p_1"] >= at).astype(float)
        rates = metrics.bootstrap(rows.assign(p_0=1 - called, p_1=called), draws=draws)
        shown = dict.fromkeys(f"{value:.2f}" for value in (np.min(at), np.max(at)))
        found[name] = {"threshold": " to ".join(shown)} | {
            rate: beside.interval(rates.loc[rate]) for rate in ("sensitivity", "specificity")
        }
    return pd.DataFrame(found).T


def _mean(percent: pd.Series) -> pd.Series:
    values = percent / 100
    reach = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return pd.Series({"value": values.mean(), "low": values.mean() - reach, "high": values.mean() + reach})


def _manifest(found: pd.DataFrame, truth) -> pd.DataFrame:
    return pd.DataFrame({"image_id": found["image"], "patient": found["image"], "label": np.asarray(truth)})
