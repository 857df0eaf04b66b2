"""Figures of the chapter on pre-training."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
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


def errors(table: pd.DataFrame, title: str) -> Figure:
    """Error of every quantity, one marker per network; 1 is what predicting the mean gives, 1.5 stands for more."""
    table = table.clip(upper=1.5)
    ordered = table.loc[table.mean(axis=1).sort_values().index]
    figure, axis = plt.subplots(figsize=(8, 0.2 * len(ordered) + 1.4))
    for k, network in enumerate(ordered):
        axis.plot(ordered[network], range(len(ordered)), MARKERS[k], color=COLORS[k], ms=5, label=network)
    axis.axvline(1, color="black", lw=1, ls="--")
    axis.set(
        title=title, xlabel="root mean squared error, share of that of predicting the mean (dashed line)", ylabel="",
        yticks=range(len(ordered)), yticklabels=ordered.index, xlim=(0, 1.5),
    )  # fmt: skip
    axis.tick_params(axis="y", labelsize=7)
    axis.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=len(ordered.columns), frameon=False)
    return figure


def filters(kernels: dict[str, np.ndarray], title: str) -> Figure:
    """First-layer filters, a row per network, each stretched to its own range.

    Parameters
    ----------
    kernels
        Label of a row to a kernel, (h, w, 3, filters), channels red, green, blue.
    title
        Title of the figure.
    """
    columns = max(kernel.shape[-1] for kernel in kernels.values())
    figure, axes = plt.subplots(
        len(kernels), columns, figsize=(columns + 1.6, 1.05 * len(kernels) + 0.5), squeeze=False
    )
    for line, (label, kernel) in zip(axes, kernels.items(), strict=True):
        for axis in line:
            axis.axis("off")
        for axis, image in zip(line, np.moveaxis(kernel, -1, 0)):
            axis.imshow((image - image.min()) / max(np.ptp(image), 1e-9), interpolation="nearest")
        line[0].text(-0.15, 0.5, label, transform=line[0].transAxes, ha="right", va="center", fontsize="small")
    figure.suptitle(title)
    return figure


def learning_curve(history: pd.DataFrame, title: str) -> Figure:
    """Training loss per epoch."""
    figure, axis = plt.subplots(figsize=(6, 2.8))
    axis.plot(history.index, history["loss"], "-o", ms=4, color=COLORS[0])
    axis.set(title=title, xlabel="epoch", ylabel="Huber loss (targets in SD)")
    axis.xaxis.get_major_locator().set_params(integer=True)
    return figure
