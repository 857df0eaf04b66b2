"""Published numbers beside reproduced ones."""

from collections.abc import Mapping, Sequence

import pandas as pd
from IPython.display import Markdown

from histolib import metrics
from histolib.metrics.predictions import STUDY
from studybook.published.arithmetic import at_prevalence


def table(published: pd.DataFrame, runs: Mapping[str, pd.DataFrame], digits: int = 3) -> pd.DataFrame:
    """One row per method and score: what was published, and what each run gives.

    Parameters
    ----------
    published
        Index: method; columns: scores, named as in `metrics.scores`. A number that was not published is NaN.
    runs
        Name of a run to its `metrics.summary`. Methods that were not published are listed too.
    digits
        Decimal places.

    Returns
    -------
    DataFrame of str
        Index ``method, score``. Column ``published``; for each run its value with the interval, and ``difference``
        (run minus published). A dash stands where there is no number.
    """
    methods = list(dict.fromkeys([*published.index, *(m for run in runs.values() for m in run.index.unique("method"))]))
    index = pd.MultiIndex.from_product([methods, published.columns], names=["method", "score"])
    reported = published.stack().reindex(index)
    columns = {("published", ""): reported.map(lambda value: _number(value, digits))}
    for name, summary in runs.items():
        found = summary.reindex(index)
        columns[name, "value [95 % interval]"] = found.apply(lambda row: interval(row, digits), axis=1)
        columns[name, "difference"] = (found["value"] - reported).map(lambda value: _signed(value, digits))
    return pd.DataFrame(columns)


def methods(published: pd.DataFrame, runs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Published methods, then each run's, in one column of rows, for tables that compare many methods.

    Parameters
    ----------
    published
        Index: method; columns: scores.
    runs
        Name of a run to its `metrics.summary`; its balanced accuracy is shown too, often called accuracy elsewhere.

    Returns
    -------
    DataFrame of float
        Index ``source, method``.
    """
    names = [*published.columns, "balanced_accuracy"]
    parts = {"published": published} | {name: rows["value"].unstack()[names] for name, rows in runs.items()}
    return pd.concat(parts, names=["source", "method"])[names]


def against(differences: pd.DataFrame, score: str, digits: int = 3) -> pd.DataFrame:
    """`metrics.difference` of one score as text, with the side on which the whole interval lies.

    Returns
    -------
    DataFrame of str
        Index ``method``; ``difference [95 % interval]``, ``whole interval`` (``above 0``, ``below 0``, ``holds 0``).
    """
    rows = differences.xs(score, level="score")
    verdict = [
        "above 0" if low > 0 else "below 0" if high < 0 else "holds 0" for low, high in rows[["low", "high"]].to_numpy()
    ]
    text = rows.apply(lambda row: interval(row, digits, sign="+"), axis=1)
    return pd.DataFrame({"difference [95 % interval]": text, "whole interval": verdict})


def scores(summary: pd.DataFrame, names: Sequence[str], digits: int = 3) -> pd.DataFrame:
    """`metrics.summary` as text: methods in rows, the named scores with their intervals in columns."""
    text = summary.apply(lambda row: interval(row, digits), axis=1)
    return text.unstack().loc[summary.index.unique("method"), list(names)].rename_axis(columns=None)


def recognized(
    predictions: pd.DataFrame, titles: Mapping[str, str], over: Sequence[str], draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """The recognition rate and some scores of each method, with their intervals as text.

    Parameters
    ----------
    predictions
        Rows of several methods, with the columns of `over`.
    titles
        Names as in `metrics.scores`, and what stands above their columns.
    over, draws, seed
        As in `metrics.recognition_intervals`.
    """
    rate = metrics.recognition_intervals(predictions, draws=draws, seed=seed, over=over)
    table = scores(metrics.summary(predictions, draws, seed), list(titles), 2).rename(columns=titles)
    table.insert(0, "recognition rate", rate.apply(interval, axis=1, digits=2))
    return table


def flagged(frame: pd.DataFrame, predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """A table of methods, in which a method that gives one answer to everything says so beside its name.

    Parameters
    ----------
    frame
        Methods in the index, or in its level ``method``.
    predictions
        What the methods answered; a method without rows here is left as it is.
    classes
        Names of the classes.
    """
    marks = {name: f"{name} ⚑" if f"always {classes[k]}" in name else f"{name} ⚑ always {classes[k]}"
             for name, k in metrics.one_answer(predictions).items()}  # fmt: skip
    return frame.rename(index=marks, level="method" if "method" in frame.index.names else None)


def expectation(predictions: pd.DataFrame, classes: Sequence[str]) -> Markdown:
    """What the test patients of one method let one see, before its scores are shown: a paragraph for the reader.

    Parameters
    ----------
    predictions
        Rows of one method. A patient with images of both classes counts in both.
    classes
        Names of the two classes.
    """
    of_class = predictions.groupby("y_true")["patient"].nunique().reindex([1, 0], fill_value=0)
    width = expected_width(*of_class)
    auc, accuracy = (f"{width[name]:.2f}" for name in ("auc", "accuracy"))
    return Markdown(
        f"**Before looking:** {predictions['patient'].nunique()} test patients, {of_class[1]} with images of class "
        f"*{classes[1]}*, {of_class[0]} with images of class *{classes[0]}*. The 95 % "
        f"interval of an AUC of 0.8 will reach about {auc} to each side, that of an accuracy of 0.8 about {accuracy}. "
        f"Two methods are compared on the same patients; if their scores of a patient go half together (a correlation "
        f"of one half), the interval of the difference is as wide: differences of AUC below about {auc} can't be told "
        f"from chance."
    )


def leak(summary: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """Scores of one method under several protocols, what follows from prevalence alone taken out.

    Parameters
    ----------
    summary
        `metrics.summary` of the protocols.
    digits
        Decimal places.

    Returns
    -------
    DataFrame of str
        Index: protocol. AUC and balanced accuracy with intervals, F1 as tested, and the F1 that the same
        sensitivity and specificity give where half of the images are positive (`arithmetic.at_prevalence`).
    """
    shown = scores(summary, ["auc", "balanced_accuracy", "f1"], digits)
    values = summary["value"].unstack().loc[shown.index]
    rates = values[["sensitivity", "specificity"]].itertuples(index=False)
    shown["F1 at one half"] = [f"{at_prevalence(*pair, 0.5)['f1']:.{digits}f}" for pair in rates]
    return shown.rename(lambda name: name.removeprefix(STUDY))


def interval(row: pd.Series, digits: int = 3, sign: str = "") -> str:
    """``value [low, high]`` as text, a dash if there is no value; `sign` ``"+"`` shows the sign of positive numbers."""
    if pd.isna(row["value"]):
        return "–"
    value, low, high = (f"{row[name]:{sign}.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _number(value: float, digits: int) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def _signed(value: float, digits: int) -> str:
    return "–" if pd.isna(value) else f"{value:+.{digits}f}"


def expected_width(positive: int, negative: int, auc: float = 0.8, accuracy: float = 0.8) -> pd.Series:
    """How far a 95 % interval will reach to each side, told from the number of patients before anything is trained.

    Parameters
    ----------
    positive, negative
        Numbers of test patients of each class, at least 1, one image of each.
    auc, accuracy
        Expected values, above 0 and below 1.

    Returns
    -------
    Series
        ``auc``: 1.96 standard errors by Hanley and McNeil 1982 (Radiology 143:29), equations 1 and 2;
        ``accuracy``: 1.96 standard errors of a share of ``positive + negative`` patients.

    Raises
    ------
    ValueError
        If a class has no patient.
    """
    if min(positive, negative) < 1:
        raise ValueError(f"positive={positive}, negative={negative}: expected at least one test patient of each class")
    both_above, one_above = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (positive - 1) * (both_above - auc**2) + (negative - 1) * (one_above - auc**2)
    share = accuracy * (1 - accuracy) / (positive + negative)
    return pd.Series({"auc": 1.96 * (spread / (positive * negative)) ** 0.5, "accuracy": 1.96 * share**0.5})
