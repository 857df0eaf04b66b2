"""Figures of the chapter on invasive ductal carcinoma: classes before and after oversampling, one slide's patches."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure


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


def slide_map(rows: pd.DataFrame, title: str, patch: int = 50) -> Figure:
    """Patches of one slide in their places: true class beside the probability of class 1.

    `rows` has one row per patch, `patch` pixels wide: ``x, y`` (pixels of the slide), ``y_true``, ``p_1``.
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
