"""Figures of the chapter on pre-training."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

from histolib.plots import COLORS, MARKERS
from studybook.pretraining.source import TARGETS, Source


def examples(patches: Source, rows, quantities, title: str) -> Figure:
    """Drawn patches, each above its quantities.

    Parameters
    ----------
    patches
        Drawn patches.
    rows
        Positions of those to show.
    quantities
        Names of the quantities to print; one that a patch does not have is left out.
    title
        Title of the figure.
    """
    columns = 6
    lines = -(-len(rows) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(11, 2.75 * lines), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, row in zip(axes.flat, rows):
        values = {name: patches.targets[row, TARGETS.index(name)] for name in quantities}
        axis.imshow(patches.images[row])
        text = "\n".join(f"{name} {value:.2f}" for name, value in values.items() if np.isfinite(value))
        axis.set_title(text, fontsize=7, loc="left", linespacing=1.1)
    figure.suptitle(title)
    return figure


def errors(table: pd.DataFrame, title: str, count: int) -> Figure:
    """Error of the quantities that are measured best and worst, one marker per network.

    Parameters
    ----------
    table
        Index: quantity; columns: networks; 1 is what predicting the mean gives.
    title
        Title of the figure.
    count
        How many of the best and of the worst, by the mean over the networks. An error beyond 1.5 stands at 1.5 with
        its number beside it.
    """
    ordered = table.loc[table.mean(axis=1).sort_values().index]
    ordered = pd.concat([ordered.iloc[:count], ordered.iloc[max(count, len(ordered) - count) :]])
    figure, axis = plt.subplots(figsize=(8, 0.24 * len(ordered) + 1.4))
    for k, network in enumerate(ordered):
        axis.plot(ordered[network].clip(upper=1.5), range(len(ordered)), MARKERS[k], color=COLORS[k], label=network)
        for line in np.flatnonzero(ordered[network] > 1.5):
            axis.annotate(f"{ordered[network].iloc[line]:.1f} →", (1.47, line), ha="right", va="center", fontsize=7)
    axis.axvline(1, color="black", lw=1, ls="--")
    axis.axhline(count - 0.5, color="0.6", lw=1)
    axis.set(
        title=title, xlabel="root mean squared error, share of that of predicting the mean (dashed line)", ylabel="",
        yticks=range(len(ordered)), yticklabels=ordered.index, xlim=(0, 1.55),
    )  # fmt: skip
    axis.tick_params(axis="y", labelsize=8)
    axis.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=len(ordered.columns), frameon=False)
    return figure


def measured(table: pd.DataFrame) -> Markdown:
    """Which quantities are measured best, and which not at all, in a sentence; `table` as in `errors`."""
    least = table.min(axis=1).sort_values()  # of the best network
    best = ", ".join(f"{name} ({value:.2f})" for name, value in least.iloc[:3].items())
    lost = least.index[least >= 0.95]
    names = f": {', '.join(lost)}" if len(lost) else ""
    return Markdown(
        f"**What to see:** the errors of the best network are smallest for {best}. No network measures {len(lost)} of "
        f"the {len(least)} quantities (an error of 0.95 or more){names}."
    )


def learning_curve(history: pd.DataFrame, title: str) -> Figure:
    """Training loss per epoch."""
    figure, axis = plt.subplots(figsize=(6, 2.8))
    axis.plot(history.index, history["loss"], "-o", ms=4, color=COLORS[0])
    axis.set(title=title, xlabel="epoch", ylabel="Huber loss (targets in SD)")
    axis.xaxis.get_major_locator().set_params(integer=True)
    return figure
