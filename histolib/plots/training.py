"""What a network is given and how it learns: classes, curves."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from histolib.plots.style import COLORS


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
