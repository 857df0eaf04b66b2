"""What the units of the magnification study answered, as the chapter's tables and figures take it."""

from pathlib import Path

import numpy as np
import pandas as pd

from histolib import metrics
from histolib.datasets.breakhis import MAGNIFICATIONS
from studybook.engine.units import Gathered
from studybook.papers.breakhis_magnification.study import FROZEN, MAGNIFICATION_TABLE, MAIN, MODEL
from studybook.published import beside

COLORS = "rgb, svm"  # the plainest method: a color histogram, no shape


def matched(found: Gathered, rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions at the magnification that a method is about: of specific networks at their own, of networks without
    a magnification at that one, of the independent network at all; the methods are then three.

    Parameters
    ----------
    found
        All units.
    rows
        Their predictions with a column ``magnification``.
    """
    about = found.units[found.units["variant"].isin(["specific", "without"])]
    about = about.drop_duplicates("method").set_index("method")
    compared = rows[rows["method"].map(about["magnification"]) == rows["magnification"]]
    compared = compared.assign(method=compared["method"].map(about["variant"]))
    alone = rows[(rows["method"] == "independent") & rows["fold"].isin(compared["fold"])]
    return pd.concat([compared, alone])


def paired(rows: pd.DataFrame) -> pd.DataFrame:
    """Of the rows of `matched` those of specific networks, and of the independent one at the same magnifications."""
    own = rows["magnification"].isin(rows["magnification"][rows["method"] == "specific"])
    return rows[own & rows["method"].isin(["specific", "independent"])]


def constant(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one method as a program would answer them that always says malignant."""
    one = rows[rows["method"] == rows["method"].iloc[0]]
    return one.assign(method="always malignant", p_0=0.0, p_1=1.0)


def beside_frozen(rows: pd.DataFrame) -> pd.DataFrame:
    """The frozen network, the two networks, the color histogram and the constant answer, as far as the run has them.

    Only images that all of them answered: what is fitted by magnification leaves out one with few patients. Empty if
    the run has no frozen network.
    """
    rows = rows[rows["method"].isin([FROZEN, *MAIN, COLORS])]
    tested = rows.groupby(["fold", "image_id"])["method"].transform("nunique")
    shared = rows[tested == rows["method"].nunique()]
    return pd.concat([shared, constant(shared)]) if FROZEN in set(rows["method"]) else shared.iloc[:0]


def less(rows: pd.DataFrame, one: str, draws: int, seed: int) -> pd.DataFrame:
    """One method less each other method, on the same drawn patients.

    Parameters
    ----------
    rows
        Predictions of several methods of the same images, with a column ``magnification``.
    one
        Name of a method.
    draws, seed
        As in `metrics.difference`.

    Returns
    -------
    DataFrame
        Index: the other methods; ``recognition rate`` (a mean over folds and magnifications), ``balanced accuracy``
        and ``AUC`` (of all images): the differences with their intervals, as text.
    """
    # A fold and an image together are one test, since an image is tested in several folds.
    rows = rows.assign(image_id=rows["fold"].astype(str) + "/" + rows["image_id"])
    found = {}
    for other in dict.fromkeys(rows["method"][rows["method"] != one]):
        pair, over = rows[rows["method"].isin([one, other])], ("fold", "magnification")
        rate = metrics.recognition_difference(pair, other, draws=draws, seed=seed, over=over).loc[one]
        scores = metrics.difference(pair, other, draws, seed=seed).loc[one]
        parts = {"recognition rate": rate, "balanced accuracy": scores.loc["balanced_accuracy"],
                 "AUC": scores.loc["auc"]}  # fmt: skip
        found[f"less {other}"] = {name: beside.interval(part, 2, sign="+") for name, part in parts.items()}
    return pd.DataFrame(found).T


def called(rows: pd.DataFrame) -> pd.DataFrame:
    """Share of each method's images that are called malignant, and the mean of sensitivity and specificity."""
    groups = rows.groupby("method", sort=False)
    balanced = {name: metrics.scores(part["y_true"], part["p_1"])["balanced_accuracy"] for name, part in groups}
    share = groups["p_1"].agg(lambda p: (p >= 0.5).mean())
    return pd.DataFrame({"called malignant": share, "balanced accuracy": pd.Series(balanced)})


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
    """True and predicted magnification of each test image, with the name of its class."""
    return _of_variant(found, "regression").merge(table[["image_id", "label_name"]], on="image_id")


def of_kept(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a kept run's two networks and what stands beside them, with the magnification that a name tells."""
    own = rows[rows["method"].isin([*MAIN, FROZEN, COLORS])]
    magnification = own["image_id"].str.extract(r"-(\d+)-\d+$")[0].astype(int)
    return own.assign(magnification=magnification)


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
    return pd.concat(parts, ignore_index=True)
