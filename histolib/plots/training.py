"""What a network is given and how it learns: classes, curves."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from histolib.plots.style import COLORS


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
    """Accuracy and loss per epoch, a row of panels per method (name to `training.Fit.history`)."""
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
