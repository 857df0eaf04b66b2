"""Figures of the two tasks on images of several magnifications."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from histolib.plots import COLORS, MARKERS


def ablation_maps(
    images: Mapping[str, np.ndarray],
    maps: Mapping[str, np.ndarray],
    title: str,
    answers: Mapping[str, Sequence[str]] | None = None,
) -> Figure:
    """Images beside what each task's answer rests on: a row per image, a column per task.

    Parameters
    ----------
    images
        Label of a row, such as ``40x``, to its image, uint8 (H, W, 3).
    maps
        Name of a task to the maps of the images, (N, H, W) in [0, 1], as `ablation.maps` gives them.
    title
        Title of the figure.
    answers
        Name of a task to what stands above each of its maps, such as ``malignant: 0.93``.
    """
    size = (2.1 * (1 + len(maps)) + 1.4, 2.15 * len(images) + 0.6)
    figure, axes = plt.subplots(len(images), 1 + len(maps), figsize=size, squeeze=False)
    for k, (line, (label, image)) in enumerate(zip(axes, images.items(), strict=True)):
        for axis in line:
            axis.imshow(image)
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(label)
        for axis, (name, found) in zip(line[1:], maps.items(), strict=True):
            shown = axis.imshow(found[k], cmap="cividis", vmin=0, vmax=1, alpha=0.6)
            told = f"{answers[name][k]}" if answers else ""
            axis.set_title(f"{name}\n{told}".strip() if k == 0 else told, fontsize="small")
    axes[0, 0].set_title("image", fontsize="small")
    figure.colorbar(shown, ax=axes[:, -1], label="share of the largest fall of the answer", shrink=0.6)
    figure.suptitle(title)
    return figure


def regressed(table: pd.DataFrame, title: str, hue: str | None = None) -> Figure:
    """Predicted over true magnification, a point per image, both on logarithmic scales.

    Points of one magnification are spread sideways, so that they can be seen; a short line is their median.

    Parameters
    ----------
    table
        ``magnification`` (true) and ``predicted``, both above 0, as `models.magnification_of` gives it.
    title
        Title of the figure.
    hue
        Column whose values have a color and marker of their own and stand side by side, such as ``label_name``.
    """
    groups = [None] if hue is None else list(dict.fromkeys(table[hue]))
    known = np.unique(table["magnification"])
    figure, axis = plt.subplots(figsize=(6.6, 4.6))
    spread, medians = np.random.default_rng(0), []
    for k, group in enumerate(groups):
        part = table if group is None else table[table[hue] == group]
        middle = 0.32 * (k - (len(groups) - 1) / 2)
        place = part["magnification"] * np.exp2(middle + spread.uniform(-0.11, 0.11, len(part)))
        axis.scatter(place, part["predicted"], s=12, marker=MARKERS[k], color=COLORS[k], alpha=0.5, linewidths=0,
                     label=group)  # fmt: skip
        for one, values in part.groupby("magnification")["predicted"]:
            medians.append((one * np.exp2(middle + np.array([-0.14, 0.14])), [values.median()] * 2))
    for k, line in enumerate(medians):
        axis.plot(*line, color="black", lw=2, label=None if k else "median")
    limits = np.array([known[0] / 1.5, known[-1] * 1.5])
    axis.plot(limits, limits, ":", color="gray", label="as it is")
    axis.set(xscale="log", yscale="log", title=title, xlabel="true magnification", ylabel="predicted magnification")
    for one in (axis.xaxis, axis.yaxis):
        one.set_ticks(known, [f"{value:g}×" for value in known])
        one.set_minor_locator(plt.NullLocator())
    figure.legend(loc="outside lower center", ncols=len(groups) + 2, frameon=False)
    return figure
