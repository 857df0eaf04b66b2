"""Features in two dimensions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from histolib.plots.style import COLORS, MARKERS


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
