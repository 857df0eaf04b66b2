"""Figures of regions of films: where they come from, how they were answered, what an answer rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from histolib.datasets import Dataset, mammograms
from histolib.plots import COLORS, MARKERS

if TYPE_CHECKING:
    from studybook.screening import Prediction

RIGHT, WRONG = COLORS[2], COLORS[3]


def stages(dataset: Dataset, rows: Mapping[str, int], title: str) -> Figure:
    """From film to region, a row per lesion (Chougrad et al. 2018, Fig. 2): film, outline with window, region,
    region less its mean.

    Parameters
    ----------
    dataset
        A mammography data set.
    rows
        Label to position in its table.
    title
        Title of the figure.
    """
    figure, axes = plt.subplots(len(rows), 4, figsize=(10.5, 2.9 * len(rows) + 0.4), squeeze=False)
    for line, (label, row) in zip(axes, rows.items(), strict=True):
        film, contour, (top, left, bottom, right) = mammograms.show(dataset, row)
        region = dataset.images(rows=[row])
        centered = region[0, ..., 0] - region.mean()
        limit = np.abs(centered).max() or 1
        for axis in line[:2]:
            axis.imshow(film, cmap="gray", interpolation="antialiased")
        line[1].plot(*contour.T, color=COLORS[1], lw=1.5)
        window = Rectangle((left, top), right - left, bottom - top, fill=False, ec=COLORS[8], lw=2)
        line[1].add_patch(window)
        line[2].imshow(region[0])
        shown = line[3].imshow(centered, cmap="gray", vmin=-limit, vmax=limit)
        figure.colorbar(shown, ax=line[3], shrink=0.8, label="gray level less mean")
        for axis, name in zip(line, ("film", "outline and window", "region", "normalized region"), strict=True):
            axis.set(xticks=[], yticks=[], title=name)
        line[0].set_ylabel(label)
    figure.suptitle(title)
    return figure


def ladder(steps: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """How many points of accuracy each step adds, with its 95 % interval, a panel per set.

    Parameters
    ----------
    steps
        By name of the set, from `findings.ladder`.
    title
        Title of the figure.
    """
    names = list(dict.fromkeys(name for one in steps.values() for name in one.index[one["less"] != "–"]))[::-1]
    size = (3.2 + 2.6 * len(steps), 0.32 * len(names) + 1.6)
    figure, axes = plt.subplots(1, len(steps), figsize=size, squeeze=False, sharey=True, sharex=True)
    for axis, (name, one) in zip(axes[0], steps.items(), strict=True):
        part = 100 * one[one["less"] != "–"].filter(regex="^accuracy ").astype(float)
        value, low, high = (part[f"accuracy {side}"] for side in ("value", "low", "high"))
        at = [names.index(step) for step in part.index]
        axis.errorbar(value, at, xerr=[value - low, high - value], fmt=MARKERS[0], color=COLORS[0], capsize=3)
        axis.axvline(0, color="0.6", lw=1)
        axis.set(
            title=name.replace(", ", ",\n"), yticks=range(len(names)), yticklabels=names, xlabel="points of accuracy"
        )
    figure.suptitle(title)
    return figure


def answers(images: Sequence[np.ndarray], predictions: pd.DataFrame, classes: Sequence[str], title: str) -> Figure:
    """Regions in frames, green where the answer is right and red where it is wrong (Fig. 9), a row per true class.

    Parameters
    ----------
    images
        uint8, (H, W, 3), one per row of `predictions`.
    predictions
        One method's rows, two classes.
    classes
        Names of the classes.
    title
        Title of the figure.
    """
    columns = 8
    y, p = predictions["y_true"].to_numpy(), predictions["p_1"].to_numpy()
    figure, axes = plt.subplots(len(classes), columns, figsize=(11, 1.75 * len(classes) + 0.4), squeeze=False)
    for k, line in enumerate(axes):
        right = (p >= 0.5) == (y == k) if k else (p < 0.5)
        mistakes, hits = (np.flatnonzero((y == k) & mask) for mask in (~right, right))
        # Up to half of a row are mistakes, however rare they are.
        chosen = [*mistakes[: columns // 2], *hits][:columns]
        for axis in line:
            axis.set(xticks=[], yticks=[])
            axis.set_frame_on(False)
        for axis, row in zip(line, chosen):
            good = bool(right[row])
            axis.imshow(images[row])
            axis.set_frame_on(True)
            axis.set_title(f"{'right' if good else 'wrong'}, {p[row]:.2f}", fontsize="small")
            plt.setp(axis.spines.values(), color=RIGHT if good else WRONG, linewidth=4, linestyle="-" if good else "--")
        line[0].set_ylabel(f"is {classes[k]}")
    figure.suptitle(title)
    return figure


def heat_maps(answered: Sequence[tuple[str, Prediction]], title: str) -> Figure:
    """Regions above what the answers about them rest on.

    Parameters
    ----------
    answered
        Label of each region, and its answer from `screening.predict`.
    title
        Title of the figure.
    """
    figure, axes = plt.subplots(2, len(answered), figsize=(2 * len(answered) + 1.2, 4.8), squeeze=False)
    for column, (label, one) in zip(axes.T, answered, strict=True):
        top, left, bottom, right = one.region
        for axis in column:
            axis.imshow(one.shown, extent=(left, right, bottom, top))
            axis.set(xticks=[], yticks=[])
        shown = column[1].imshow(one.heat_map, cmap="cividis", vmin=0, vmax=1, alpha=0.6,
                                 extent=(left, right, bottom, top))  # fmt: skip
        column[0].set_title(f"{label}\n{one.label}: {max(one.probabilities.values()):.2f}", fontsize="small")
    figure.colorbar(shown, ax=axes[1], label="share of the largest fall", shrink=0.9)
    axes[0, 0].set_ylabel("region")
    axes[1, 0].set_ylabel("heat map over it")
    figure.suptitle(title)
    return figure


def training(histories: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Accuracy and loss per epoch, a row per method; a line stands where the first stage ends.

    Parameters
    ----------
    histories
        Method to the history of its unit: as `training.Fit.history`, with ``stage`` and ``val_cross_entropy``.
    title
        Title of the figure.
    """
    figure, axes = plt.subplots(len(histories), 2, figsize=(8, 2.6 * len(histories) + 0.5), squeeze=False)
    shown = [
        {"accuracy": "training", "val_accuracy": "validation"},
        {"loss": "training, with the penalty", "val_cross_entropy": "validation, without"},
    ]
    for line, (name, history) in zip(axes, histories.items(), strict=True):
        change = (history["stage"] == "head").sum() + 0.5
        for axis, columns, quantity in zip(line, shown, ("accuracy", "loss"), strict=True):
            for column, style, color in zip(columns, ("-o", "--s"), COLORS):
                axis.plot(history.index, history[column], style, ms=3, color=color, label=columns[column])
            if change < len(history):
                axis.axvline(change, color="0.5", lw=1)
                axis.annotate("head | blocks", (change, 1), xycoords=("data", "axes fraction"), ha="center",
                              va="bottom", fontsize="x-small", color="0.35")  # fmt: skip
            axis.set(xlabel="epoch", ylabel=quantity)
            axis.set_title(f"{name}: {quantity}", pad=16)
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.legend(frameon=False, fontsize="x-small")
    figure.suptitle(title)
    return figure


def curves(table: pd.DataFrame, title: str) -> Figure:
    """AUC against the number of women that was learned from, and against the difficulty of the twin.

    Parameters
    ----------
    table
        From `findings.curve`.
    title
        Title of the figure.
    """
    usual, most, names = table["difficulty"].mode().iloc[0], table["women"].max(), table["kind"].unique()
    panels = {"women": table[table["difficulty"] == usual], "difficulty": table[table["women"] == most]}
    panels = {axis: part for axis, part in panels.items() if part[axis].nunique() > 1}
    figure, axes = plt.subplots(
        1, max(len(panels), 1), figsize=(4.3 * max(len(panels), 1), 3.7), squeeze=False, sharey=True
    )
    labels = {"women": "women to learn from", "difficulty": "difficulty of the twin"}
    for axis, (column, part) in zip(axes[0], panels.items()):
        for k, name in enumerate(names):
            line = part[part["kind"] == name].sort_values(column)
            axis.plot(line[column], line["value"], marker=MARKERS[k], color=COLORS[k], label=name)
            axis.fill_between(line[column], line["low"], line["high"], color=COLORS[k], alpha=0.15, lw=0)
        axis.axhline(0.5, color="0.5", lw=1, ls=":")
        axis.set(xlabel=labels[column], xscale="log", xticks=sorted(part[column].unique()))
        axis.set_xticklabels([f"{value:g}" for value in sorted(part[column].unique())])
        axis.minorticks_off()
    axes[0, 0].set_ylabel("AUC on the same test women")
    handles, texts = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=len(names), frameon=False)
    figure.suptitle(title)
    return figure
