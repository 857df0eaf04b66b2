"""Figures: titled, with labeled axes, in colors that color-blind readers can tell apart (Okabe and Ito)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

COLORS = sns.color_palette("colorblind")
MARKERS = "osD^vP*X"


def style() -> None:
    """Defaults of every figure of the book."""
    sns.set_theme(context="notebook", style="whitegrid", palette=COLORS)
    plt.rcParams.update(
        {"figure.dpi": 110, "figure.constrained_layout.use": True, "savefig.dpi": 110, "axes.titlesize": "medium"}
    )


def image_grid(rows: Mapping[str, Sequence[np.ndarray]], title: str, scale: float = 0.95) -> Figure:
    """Images in labeled rows.

    Parameters
    ----------
    rows
        Label of a row to its images, uint8 (H, W, 3).
    title
        Title of the figure.
    scale
        Width of an image in inches.
    """
    columns = max(len(images) for images in rows.values())
    height, width = next(iter(rows.values()))[0].shape[:2]
    size = (columns * scale + 1.2, len(rows) * scale * height / width + 0.5)
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    for line, (label, images) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.set(xticks=[], yticks=[])
            sns.despine(ax=axis, left=True, bottom=True)
        for axis, image in zip(line, images, strict=False):
            axis.imshow(image)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
    figure.suptitle(title)
    return figure


def class_counts(counts: pd.DataFrame, title: str, unit: str = "patches") -> Figure:
    """Bars of images per class (rows of `counts`), one group per column."""
    tidy = counts.rename_axis("class").melt(ignore_index=False, var_name="part", value_name=unit).reset_index()
    figure, axis = plt.subplots(figsize=(7, 3.6))
    sns.barplot(tidy, x="part", y=unit, hue="class", ax=axis, edgecolor="black")
    for bars in axis.containers:
        axis.bar_label(bars, fmt="{:,.0f}", padding=2, fontsize="small")
    axis.set(title=title, xlabel="", ylabel=f"number of {unit}")
    axis.set_xticks(range(counts.shape[1]), [name.replace(", ", ",\n") for name in counts])
    axis.margins(y=0.12)
    sns.move_legend(axis, "upper left", bbox_to_anchor=(1, 1), title="class", frameon=False)
    return figure


def curves(histories: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """Accuracy and loss per epoch, a row of panels per method.

    Parameters
    ----------
    histories
        Name of a method to `training.Fit.history`.
    """
    figure, axes = plt.subplots(len(histories), 2, figsize=(8, 2.5 * len(histories) + 0.4), squeeze=False)
    for line, (name, history) in zip(axes, histories.items(), strict=True):
        for axis, quantity in zip(line, ("accuracy", "loss"), strict=True):
            axis.plot(history.index, history[quantity], "-o", ms=3, color=COLORS[0], label="training")
            axis.plot(history.index, history[f"val_{quantity}"], "--s", ms=3, color=COLORS[1], label="validation")
            axis.set(title=f"{name}: {quantity}", xlabel="epoch", ylabel=quantity)
            axis.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title)
    return figure


def confusion(
    matrices: Mapping[str, pd.DataFrame], classes: Sequence[str], title: str, digits: int = 1, top: float = 80
) -> Figure:
    """Confusion matrices side by side, in per cent of all images; in images with no `digits`.

    `top` is the value of the lightest color.
    """
    figure, axes = plt.subplots(1, len(matrices), figsize=(2.9 * len(matrices) + 0.8, 3.3), squeeze=False, sharey=True)
    # A word that all names begin with says nothing here.
    alike = len({name.split()[0] for name in classes}) == 1
    short = [name.split()[-1] if alike else name for name in classes]
    look = {"cmap": "cividis", "vmin": 0, "vmax": top, "cbar": False, "square": True}
    for axis, (name, matrix) in zip(axes[0], matrices.items(), strict=True):
        sns.heatmap(matrix, annot=True, fmt=f".{digits}f", ax=axis, **look)
        axis.set(title=name, xlabel="predicted class", ylabel="")
        if len(short) == 2:
            axis.set_xticklabels(short)
            axis.set_yticklabels(short, rotation=90, va="center")
        else:
            axis.set_xticklabels(short, rotation=30, ha="right")
            axis.set_yticklabels(short, rotation=0)
    axes[0, 0].set_ylabel("true class")
    figure.suptitle(title)
    return figure


def embedding(panels: Mapping[str, np.ndarray], labels, classes: Sequence[str], title: str) -> Figure:
    """Points of a two-dimensional embedding, a panel per kind of feature, colored and shaped by class."""
    lines = -(-len(panels) // 3)
    columns = -(-len(panels) // lines)
    figure, axes = plt.subplots(lines, columns, figsize=(3.6 * columns, 3.7 * lines + 0.6), squeeze=False)
    labels = np.asarray(labels)
    for axis in axes.ravel()[len(panels) :]:
        axis.remove()
    for axis, (name, points) in zip(axes.ravel(), panels.items(), strict=False):
        for k, label in enumerate(classes):
            chosen = points[labels == k]
            axis.scatter(*chosen.T, s=12, color=COLORS[k], marker=MARKERS[k], alpha=0.6, linewidths=0, label=label)
        axis.set(title=name, xlabel="t-SNE 1 (no unit)", ylabel="t-SNE 2 (no unit)", xticks=[], yticks=[])
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(classes), frameon=False
    )
    figure.suptitle(title)
    return figure


def intervals(summaries: Mapping[str, pd.DataFrame], score: str, title: str, label: str) -> Figure:
    """A score with its interval per method; one color and marker per run.

    Parameters
    ----------
    summaries
        Name of a run to `metrics.summary`.
    score
        Which score.
    title, label
        Title of the figure and label of the score's axis.
    """
    methods = list(dict.fromkeys(m for table in summaries.values() for m in table.index.unique("method")))
    figure, axis = plt.subplots(figsize=(8, 0.55 * len(methods) + 1.6))
    for k, (run, table) in enumerate(summaries.items()):
        part = table.xs(score, level="score").reindex(methods)
        height = np.arange(len(methods)) + 0.16 * (k - (len(summaries) - 1) / 2)
        errors = np.abs(part[["low", "high"]].sub(part["value"], axis=0).to_numpy().T)
        axis.errorbar(part["value"], height, xerr=errors, fmt=MARKERS[k], color=COLORS[k], capsize=3, label=run)
    axis.set(title=title, xlabel=label, yticks=range(len(methods)), yticklabels=methods)
    axis.set_ylim(len(methods) - 0.5, -0.5)
    figure.legend(loc="outside lower center", ncols=len(summaries), frameon=False)
    return figure


def roc(curves: Mapping[str, pd.DataFrame], points: Mapping[str, pd.DataFrame], title: str) -> Figure:
    """ROC curves with their bands, and set points.

    Parameters
    ----------
    curves
        Name of a run to its curve: index one minus specificity, ``value`` and, where there is a band, ``low, high``;
        ``metrics.bootstrap(rows, metrics.roc)`` gives it.
    points
        Name to points: index their labels, ``sensitivity`` and ``specificity``. Points of the name of a curve have its
        color; others, such as published ones, stand in black.
    title
        Title of the figure.
    """
    figure, axis = plt.subplots(figsize=(5.6, 5.8))
    axis.plot([0, 1], [0, 1], ":", color="gray", label="guessing")
    colors = dict(zip(curves, COLORS, strict=False))
    for name, curve in curves.items():
        axis.plot(curve.index, curve["value"], drawstyle="steps-post", color=colors[name], label=name)
        if "low" in curve:
            axis.fill_between(curve.index, curve["low"], curve["high"], step="post", color=colors[name], alpha=0.2)
    for k, (name, table) in enumerate(points.items()):
        look = {"marker": MARKERS[k], "ls": "", "ms": 8, "mfc": "white", "mew": 2, "color": colors.get(name, "black")}
        axis.plot(1 - table["specificity"], table["sensitivity"], label=f"{name}: set points", **look)
        for label, row in table.iterrows():
            place = (1 - row["specificity"], row["sensitivity"])
            beside = (9, -12) if name in colors else (-6, 9)
            axis.annotate(str(label), place, xytext=beside, textcoords="offset points", fontsize="small")
    axis.set(title=title, xlabel="1 − specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axis.set_aspect("equal")
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def slide_map(rows: pd.DataFrame, title: str, patch: int = 50) -> Figure:
    """Patches of one slide in their places: true class beside the probability of class 1.

    Parameters
    ----------
    rows
        One row per patch: ``x, y`` (pixels of the slide), ``y_true``, ``p_1``.
    title
        Title of the figure.
    patch
        Side of a patch in pixels.
    """
    column, line = ((rows[name] - rows[name].min()) // patch for name in ("x", "y"))
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 4.2), sharex=True, sharey=True)
    for axis, value, name in zip(axes, ("y_true", "p_1"), ("true class", "probability given"), strict=True):
        grid = np.full((int(line.max()) + 1, int(column.max()) + 1), np.nan)
        grid[line, column] = rows[value]
        picture = axis.imshow(grid, cmap="cividis", vmin=0, vmax=1, interpolation="nearest")
        axis.set(title=name, xlabel=f"column ({patch} pixels each)", ylabel=f"row ({patch} pixels each)")
        axis.grid(False)
    figure.colorbar(picture, ax=axes, label="IDC positive (white: no patch)", shrink=0.8)
    figure.suptitle(title)
    return figure


def points(table: pd.DataFrame, x: str, hue: str, panel: str, title: str, label: str) -> Figure:
    """Values with their intervals over a category, a color and marker per `hue`, a panel per `panel`.

    Parameters
    ----------
    table
        Columns `x`, `hue`, `panel`, ``value, low, high``; categories stand in the order in which they come.
    title, label
        Title of the figure and label of the values' axis.
    """
    panels, places, hues = (list(dict.fromkeys(table[name])) for name in (panel, x, hue))
    size = (max(5.5, 0.62 * len(places) * len(panels) + 2), 3.6)
    figure, axes = plt.subplots(1, len(panels), figsize=size, squeeze=False, sharey=True)
    for axis, name in zip(axes[0], panels, strict=True):
        for k, group in enumerate(hues):
            part = table[(table[panel] == name) & (table[hue] == group)]
            at = part[x].map(places.index) + 0.14 * (k - (len(hues) - 1) / 2)
            errors = np.abs(part[["low", "high"]].sub(part["value"], axis=0).to_numpy().T)
            axis.errorbar(at, part["value"], errors, fmt=MARKERS[k], color=COLORS[k], capsize=3, label=group)
        axis.set(title=name, xlabel=x, xticks=range(len(places)), xticklabels=places)
    axes[0, 0].set_ylabel(label)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(hues), frameon=False)
    figure.suptitle(title)
    return figure
