"""The matrix at a glance, and what of it can't be told apart."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from studybook.comparison import scoring

MARKS = {(True, True): "●", (True, False): "◐", (False, True): "◑"}
LEGEND = (
    "row less column; ● told apart by AUC and by decisions, ◐ by AUC alone, ◑ by decisions alone, "
    "no mark: not told apart (Holm, all pairs together)"
)


def areas(table: pd.DataFrame, title: str) -> Figure:
    """AUC of every method (row) on every data set (column), as a map of colors with its numbers.

    Parameters
    ----------
    table
        From `scoring.summary`.
    title
        Title of the figure.
    """
    wide = scoring.split(table.xs("auc", level="score"))["value"].unstack("set")
    order = scoring.split(table.xs("auc", level="score")).index
    wide = wide.loc[order.unique("method"), order.unique("set")]
    figure, axis = plt.subplots(figsize=(1.5 * wide.shape[1] + 3.5, 0.42 * len(wide) + 1.6))
    look = {"cmap": "cividis", "vmin": 0.4, "vmax": 1, "annot": True, "fmt": ".2f"}
    sns.heatmap(wide, ax=axis, cbar_kws={"label": "AUC (0.5: guessing, 1: perfect)"}, **look)
    axis.set(title=title, xlabel="data set", ylabel="")
    return figure


def differences(found: pd.DataFrame, title: str) -> Figure:
    """Of one data set the difference of AUC of every two methods, with a mark where it is told from 0.

    Parameters
    ----------
    found
        From `scoring.pairs`, of one set: index ``method, less``.
    title
        Title of the figure.
    """
    names = list(dict.fromkeys([*found.index.get_level_values(0), *found.index.get_level_values(1)]))
    value, mark = np.full((len(names), len(names)), np.nan), np.full((len(names), len(names)), "", object)
    for (one, other), row in found.iterrows():
        first, second = names.index(one), names.index(other)
        sign = MARKS.get((row["AUC"] < scoring.LEVEL, row["decisions"] < scoring.LEVEL), "")
        for a, b, less in ((first, second, row["value"]), (second, first, -row["value"])):
            value[a, b], mark[a, b] = less, f"{less:+.2f}\n{sign}".strip()
    figure, axis = plt.subplots(figsize=(0.72 * len(names) + 3, 0.6 * len(names) + 2.2))
    reach = max(0.05, float(np.nanmax(np.abs(value))))
    sns.heatmap(
        pd.DataFrame(value, names, names), ax=axis, annot=mark, fmt="", cmap="RdBu", vmin=-reach, vmax=reach,
        annot_kws={"size": "x-small"}, cbar_kws={"label": "difference of AUC"}, square=False,
    )  # fmt: skip
    axis.set_title(title)
    axis.grid(False)
    axis.tick_params(axis="x", rotation=40)
    plt.setp(axis.get_xticklabels(), ha="right")
    axis.set_xlabel(LEGEND, fontsize="x-small")
    return figure
