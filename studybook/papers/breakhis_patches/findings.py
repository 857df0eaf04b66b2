"""What the patch chapter's run says about the statements of the slides: differences, certainty, overfitting."""

from __future__ import annotations

import pandas as pd

from histolib import metrics
from studybook.engine.units import Gathered
from studybook.papers.breakhis_patches.scoring import RAW, varied
from studybook.published import beside, reported

ALL, HERE = "all others", "not in this run"
CONSTANT, PLAINEST = "always malignant", "color histogram"
ADDED = (PLAINEST, "Lite0 fine-tuned")  # methods that the slides do not compare with
TRAINED = "training, last epoch (augmentation and dropout on)"
CHECKED = "validation, last epoch"
TESTED = "test, epoch kept"
# Claims of the slides about differences of image accuracy: the setting, what is praised, against what, at which
# magnification (all if None).
CLAIMED = (
    ("clahe_best", "contrast", "CLAHE", ALL, None),
    ("clahe_fails", "contrast", "CLAHE", "raw", 40),
    ("whiten_helps", "contrast", "CLAHE + whitening", "CLAHE", 40),
    ("stride_best", "structure", "stride 2", ALL, None),
    ("complexity_helps", "structure", "feature maps doubled", "normal", None),
    ("sliding_best", "cropping", "sliding 128", ALL, None),
    ("random_better", "cropping", "random 64", "sliding 64", None),
    ("better_than_others", "network", "ResNet", ALL, None),
    ("overfitting_tried", "regularization", "early stopping", "none", None),
    ("overfitting_tried", "regularization", "L2", "none", None),
    ("overfitting_tried", "regularization", "dropout", "none", None),
)


def certainty(found: Gathered, units: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """AUC of patches beside how far their probabilities lie from one half, by magnification.

    Returns
    -------
    DataFrame
        Index magnification; ``patch AUC`` (text, with its interval) and ``mean distance from 0.5``, from 0 to 0.5.
    """
    rows = {}
    for _, unit in units.iterrows():
        p = found.predictions.loc[found.predictions["method"] == unit["method"], "p_1"]
        auc = beside.interval(table.loc[(unit["method"], "patch", "auc")])
        rows[unit["at"]] = {"patch AUC": auc, "mean distance from 0.5": (p - 0.5).abs().mean()}
    return pd.DataFrame(rows).T.infer_objects()


def gaps(found: Gathered, table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of patches: of training and validation patients at the end of training, and of test patients.

    Returns
    -------
    DataFrame
        Index magnification and regularization; epochs of each fold as text, means of the accuracies over the folds.
        Training and validation are those of the last epoch, the test is that of the epoch whose weights were kept;
        only with early stopping these two epochs differ. The training accuracy is Keras's own: of augmented patches,
        with dropout, while the weights changed.
    """
    rows = []
    for _, unit in varied(found, "regularization").iterrows():
        folds = found.units[found.units["method"] == unit["method"]]
        last = [found.tables["history"][name].iloc[-1] for name in folds.index]
        means = pd.DataFrame(last)[["accuracy", "val_accuracy"]].mean()
        rows.append({"magnification": unit["at"], "against overfitting": unit["variant"],
                     "last epoch": _listed(folds["epochs run"]), "epoch kept": _listed(folds["epoch kept"]),
                     TRAINED: means["accuracy"], CHECKED: means["val_accuracy"],
                     "training less validation": means["accuracy"] - means["val_accuracy"],
                     TESTED: table.loc[(unit["method"], "patch", "accuracy"), "value"]})  # fmt: skip
    return pd.DataFrame(rows).set_index(["magnification", "against overfitting"])


def _listed(values: pd.Series) -> str:
    return ", ".join(f"{value:.0f}" for value in values)


def difference(
    found: Gathered, images: pd.DataFrame, name: str, one: str, other: str, magnification: int | None = None,
    score: str = "accuracy", draws: int = 1000, seed: int = 0,
) -> pd.Series | None:  # fmt: skip
    """A score with one value of a setting less that with another, over all magnifications or at one, patients drawn.

    Parameters
    ----------
    found, images
        All units and their predictions of images, from `levels`.
    name, one, other
        A setting, and two of its values; all else is at the base.
    magnification
        Only this one.
    score, draws, seed
        As in `metrics.difference`.

    Returns
    -------
    Series or None
        ``value, low, high``; None if the run has not both.
    """
    units = varied(found, name)
    if magnification is not None:
        units = units[units["magnification"] == magnification]
    rows = _together(units[units["variant"].isin([one, other])], images)
    if rows["method"].nunique() < 2:
        return None
    return metrics.difference(rows, other, draws, seed=seed).loc[(one, score)]


def _together(units: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Predictions of the units' images, all magnifications of a variant as one method.

    A fold and an image together are one test, since an image is tested in several folds.
    """
    variants = units.set_index("method")["variant"]
    rows = images[images["method"].isin(variants.index)]
    return rows.assign(method=rows["method"].map(variants), image_id=rows["fold"].astype(str) + "/" + rows["image_id"])


def of_methods(found: Gathered, images: pd.DataFrame) -> pd.DataFrame:
    """The base setting and the other methods, each over all magnifications, for `beaten`.

    ``found, images``: all units and their predictions of images, from `scoring.levels`.
    """
    return _together(varied(found, "network"), images)


def of_kept(images: pd.DataFrame) -> pd.DataFrame:
    """The settings of a kept run, each over all magnifications, for `beaten`."""
    names = pd.Series(images["method"].unique(), name="method")
    return _together(names.to_frame().assign(variant=names.str.rpartition(", ")[0]), images)


def beaten(rows: pd.DataFrame, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Every method less the constant answer and less the plainest method, on the same drawn patients.

    Parameters
    ----------
    rows
        Predictions of images by several methods, from `of_methods` or `of_kept`.
    draws, seed
        As in `metrics.difference`.

    Returns
    -------
    DataFrame
        Index: the methods; columns: a reference, then ``balanced accuracy`` and ``AUC`` of images, the difference with
        its interval as text. The references: always malignant, and the color histogram if the run has it.
    """
    names = list(dict.fromkeys(rows["method"]))
    rows = pd.concat([rows, rows[rows["method"] == names[0]].assign(method=CONSTANT, p_0=0.0, p_1=1.0)])
    columns = {}
    for reference in [CONSTANT, *(name for name in names if name.startswith(PLAINEST))]:
        less = metrics.difference(rows, reference, draws, seed=seed)
        for score, title in (("balanced_accuracy", "balanced accuracy"), ("auc", "AUC")):
            text = less.xs(score, level="score").apply(beside.interval, axis=1, digits=2, sign="+")
            columns[f"less {reference.partition(',')[0]}", title] = text
    return pd.DataFrame(columns).reindex(names).fillna("–")


def statements(found: Gathered, images: pd.DataFrame, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """What the slides say about differences, and the differences of image accuracy of this run.

    Returns
    -------
    DataFrame
        Index: the statement, as `published.claims` has it; ``compared``, and ``this run``: the difference with its
        interval, or that it is not in the run.
    """
    claims = reported.claims("breakhis_patches").set_index("id")
    rows = []
    for claim, name, one, other, magnification in CLAIMED:
        there = list(dict.fromkeys(varied(found, name)["variant"]))
        others = (
            [value for value in there if value not in (one, RAW, *ADDED) and one in there] if other == ALL else [other]
        )
        said = f"“{claims.loc[claim, 'printed']}”: {claims.loc[claim, 'meaning']}"
        at = "" if magnification is None else f" at {magnification}×"
        for value in others or [ALL]:
            less = difference(found, images, name, one, value, magnification, draws=draws, seed=seed)
            told = HERE if less is None else beside.interval(less, sign="+")
            rows.append({"the slides": said, "compared": f"{one} less {value}{at}", "this run": told})
    return pd.DataFrame(rows).set_index(["the slides", "compared"])


def typical(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each class the image with the median of its probabilities of class 1: neither the best nor the worst."""
    parts = [part.sort_values(["p_1", "image_id"]).iloc[[(len(part) - 1) // 2]] for _, part in rows.groupby("y_true")]
    return pd.concat(parts)
