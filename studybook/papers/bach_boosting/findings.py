"""What one run's predictions say about the paper's claims, and which of its methods is the fusion's best part."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from histolib import metrics
from histolib.metrics import fusion, predictions, resampling
from studybook.published import reported

PAPER = "bach_boosting"
PLAIN = f"{predictions.STUDY}without recoloring"
# How the chapter calls `extraction.encode` where the library's own way is another.
OWN = {"normalize": "published"}
# What is done otherwise in one kind of model, and the parameters of `extraction.encode` that do so. A study's name is
# this, a colon, and the model.
OTHERWISE = {
    PLAIN: {"low": 1.0, "high": 1.0},
    f"{predictions.STUDY}without augmentation": {"jitters": 0},
    f"{predictions.STUDY}without normalization": {"normalize": False},
    f"{predictions.STUDY}robust normalization": {"normalize": True},
    f"{predictions.STUDY}red and green varied": {"channels": True},
    f"{predictions.STUDY}one crop": {"crops": 1},
    f"{predictions.STUDY}mean over crops": {"p": 1.0},
    f"{predictions.STUDY}maximum over crops": {"p": float("inf")},
}
LEARNED, RANDOM, COLOR = "logistic regression", "random weights", "color histogram"


def of_seeds(
    method: str, manifest: pd.DataFrame, probabilities: np.ndarray, fold: np.ndarray, seeds: Sequence[int]
) -> pd.DataFrame:
    """Predictions of one kind of descriptor, one row per seed and image.

    Parameters
    ----------
    method
        ``<encoder>-<crop size>``, from `boosting.name`.
    manifest, fold
        Rows of `Dataset.table`, and the fold of each.
    probabilities
        (seeds, images, augmentations, classes); augmentations are averaged.
    seeds
        Seeds of the models; a ValueError if there are not as many as `probabilities` has.

    Returns
    -------
    DataFrame
        As `predictions.table`, with a column ``seed`` (Int64) after ``fold``.
    """
    if np.ndim(probabilities) != 4 or len(probabilities) != len(seeds):
        shape = np.shape(probabilities)
        raise ValueError(f"{method}: shape {shape}; expected ({len(seeds)} seeds, images, augmentations, classes)")
    parts = [predictions.table(method, manifest, p.mean(1), fold) for p in np.asarray(probabilities)]
    for part, seed in zip(parts, seeds, strict=True):
        part.insert(2, "seed", pd.array([seed] * len(part), dtype="Int64"))
    return pd.concat(parts, ignore_index=True)


def parts(rows: pd.DataFrame) -> pd.DataFrame:
    """Of a run's predictions those of the single models, one row per seed and image: they alone have a seed."""
    return rows[rows["seed"].notna()] if "seed" in rows else rows.iloc[:0]


def best_part(rows: pd.DataFrame) -> str:
    """The single model that is right most often, its seeds averaged; of equally good ones the one with most AUC."""
    scores = metrics.summary(fusion.fuse(parts(rows), None), draws=1)["value"].unstack()
    return scores.sort_values(["accuracy", "auc"]).index[-1]


def alike(rows: pd.DataFrame) -> float:
    """How alike the mistakes of the single models are: mean correlation of right and wrong of two, seeds averaged.

    1: all are wrong in the same images, and averaging changes nothing. NaN if there is one model, or one without
    mistakes.
    """
    pairs = _right(fusion.fuse(parts(rows), None)).corr().to_numpy()
    return float(pairs[np.triu_indices(len(pairs), 1)].mean()) if len(pairs) > 1 else float("nan")


def differences(rows: pd.DataFrame, draws: int = 1000, seed: int = 0) -> dict[str, pd.Series]:
    """What a run says about the claims in ``published.yaml``, part ``verdicts``, by id.

    Parameters
    ----------
    rows
        Predictions of one run, studies among them: `parts`, the fusion, and other methods.
    draws, seed
        Of the bootstrap over patients; an image whose patient is not known counts as one of its own.

    Returns
    -------
    dict
        ``value, low, high`` in shares of the images, paired by image. Parts count with their seeds averaged. The
        interval holds the choice of images, and no chance in training.
    """
    single = parts(rows)
    others = rows[~rows["method"].isin(single["method"])]
    averaged = fusion.fuse(single, None)
    right = _right(pd.concat([averaged, others[~others["image_id"].str.contains("#")]]))
    best, models = best_part(rows), list(single["method"].unique())
    each = pd.concat([_right(one)[models] for _, one in single.groupby("seed")]).groupby(level=0).mean()
    least = float(reported.value(PAPER, "fusion_gain_low")) / 100
    found = {
        "best_part": right[fusion.FUSION] - right[best],
        "average_part": right[fusion.FUSION] - right[models].mean(axis=1),
        "four_points": right[fusion.FUSION] - right[best] - least,
        "color": right[fusion.FUSION] - right[COLOR],
        "photographs": right[LEARNED] - right[RANDOM],
    }
    if single["seed"].nunique() > 1:
        found["seeds"] = (right[models] - each).mean(axis=1)
    for name in right.columns[right.columns.str.startswith(PLAIN)]:
        found["augmentation"] = right[name.removeprefix(f"{PLAIN}: ")] - right[name]
    patients = averaged.drop_duplicates("image_id").set_index("image_id")["patient"]
    return {name: _mean(values, patients, draws, seed) for name, values in found.items()}


def _right(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether each image (index) is classified rightly by each method (column), 1.0 or 0.0."""
    right = predictions.scores_of(rows).argmax(1) == rows["y_true"].to_numpy()
    return rows.assign(right=right.astype(float)).pivot(index="image_id", columns="method", values="right")


def _mean(values: pd.Series, patients: pd.Series, draws: int, seed: int) -> pd.Series:
    value, drawn = values.to_numpy(), resampling.resampled(patients.loc[values.index], draws, seed)
    samples = [np.average(value, weights=weight) for weight in drawn]
    low, high = np.quantile(samples, [0.025, 0.975])
    return pd.Series({"value": value.mean(), "low": low, "high": high})
