"""Scores with their intervals, curves and confusion matrices."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from histolib.plots.style import COLORS, MARKERS


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


def intervals(summaries: Mapping[str, pd.DataFrame], score: str, title: str, label: str) -> Figure:
    """A score with its interval per method; one color and marker per run (name to `metrics.summary`).

    `label` is that of the score's axis.
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
    down, across = (len(panels), 1) if len(panels) > 2 else (1, len(panels))  # three side by side could not be read
    size = (max(5.5, 0.62 * len(places) * across + 2), 2.6 * down + 1)
    figure, axes = plt.subplots(down, across, figsize=size, squeeze=False, sharey=True)
    for axis, name in zip(axes.flat, panels, strict=True):
        for k, group in enumerate(hues):
            part = table[(table[panel] == name) & (table[hue] == group)]
            at = part[x].map(places.index) + 0.14 * (k - (len(hues) - 1) / 2)
            errors = np.abs(part[["low", "high"]].sub(part["value"], axis=0).to_numpy().T)
            axis.errorbar(at, part["value"], errors, fmt=MARKERS[k], color=COLORS[k], capsize=3, label=group)
        axis.set(title=name, xlabel=x, xticks=range(len(places)), xticklabels=places)
    for axis in axes[:, 0]:
        axis.set_ylabel(label)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(hues), frameon=False)
    figure.suptitle(title)
    return figure


def grouped(
    table: pd.DataFrame,
    title: str,
    x: str = "magnification",
    hue: str = "variant",
    panel: str | None = None,
    label: str = "score",
    reported: pd.DataFrame | None = None,
) -> Figure:
    """Scores with their intervals in groups: side by side in each group a variant's color and marker.

    Parameters
    ----------
    table
        Columns `x`, `hue`, ``value, low, high`` and `panel`, if it is named; categories stand in the order in which
        they come. A row whose ``low`` and ``high`` are NaN has no bar.
    title, label
        Title of the figure and label of the values' axis.
    x, hue, panel
        Columns: groups along the axis, variants, panels one below the other.
    reported
        Published values, drawn hollow: the same columns; ``low, high`` may be missing.

    Raises
    ------
    ValueError
        More variants than markers.
    """
    table = table if panel else table.assign(panel=label)
    panel = panel or "panel"
    places, hues, panels = (list(dict.fromkeys(table[name])) for name in (x, hue, panel))
    if len(hues) > len(MARKERS):
        raise ValueError(f"{len(hues)} variants; expected at most {len(MARKERS)}")
    size = (9, 2.6 * len(panels) + 1.2)
    figure, axes = plt.subplots(len(panels), 1, figsize=size, squeeze=False, sharex=True)
    step = 0.8 / max(len(hues), 4)
    at = {value: k for k, value in enumerate(places)}
    beside = {value: (k - (len(hues) - 1) / 2) * step for k, value in enumerate(hues)}
    layers = [(table, {})]
    if reported is not None:
        reported = reported.reindex(columns=[*reported.columns.union(["low", "high"], sort=False)])
        layers.append((reported if panel in reported else reported.assign(panel=label), {"mfc": "white", "alpha": 0.8}))
    for axis, name in zip(axes[:, 0], panels, strict=True):
        for k, group in enumerate(hues):
            for rows, look in layers:
                part = rows[(rows[panel] == name) & (rows[hue] == group) & rows[x].isin(places)]
                where = part[x].map(at) + beside[group] + (0.3 * step if look else 0)
                errors = np.abs(part[["low", "high"]].sub(part["value"], axis=0).to_numpy(float).T)
                told = None if look else str(group)
                axis.errorbar(where, part["value"], errors, fmt=MARKERS[k], color=COLORS[k], capsize=2, ms=6,
                              label=told, **look)  # fmt: skip
        for edge in range(1, len(places)):
            axis.axvline(edge - 0.5, color="0.8", lw=1)
        axis.grid(False, axis="x")
        axis.set(ylabel=name, xticks=range(len(places)), xticklabels=places, xlim=(-0.5, len(places) - 0.5))
    axes[-1, 0].set_xlabel(x)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if reported is not None:
        handles.append(plt.Line2D([], [], marker="o", ls="", mfc="white", color="0.3"))
        labels.append("hollow: reported")
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False)
    figure.suptitle(title)
    return figure
