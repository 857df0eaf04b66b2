"""Figures of the patch chapter: treatments of contrast, places of patches, scores by magnification, localized maps."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from histolib import plots
from histolib.plots import COLORS

RED_IS_LIKELY = "RdBu_r"  # red likely, blue unlikely, as in the slides; told apart by color-blind readers


def treatments(images: Mapping[str, np.ndarray], title: str) -> Figure:
    """One image in several treatments, above the share of its pixels with each gray level.

    Parameters
    ----------
    images
        Name of a treatment to the image, uint8 (H, W, 3), as `contrast.versions` gives them.
    title
        Title of the figure.
    """
    columns = -(-len(images) // 2)
    figure = plt.figure(figsize=(2.3 * columns, 7.2))
    grid = figure.subplots(4, columns, squeeze=False, height_ratios=[3, 1.2, 3, 1.2])
    pairs = [(grid[row, k], grid[row + 1, k]) for row in (0, 2) for k in range(columns)]
    for above, below in pairs[len(images) :]:
        above.remove()
        below.remove()
    for (above, below), (name, image) in zip(pairs, images.items(), strict=False):
        above.imshow(image)
        above.set(title=name, xticks=[], yticks=[])
        levels = np.bincount(np.rint(image.mean(axis=-1)).astype(int).ravel(), minlength=256) / image[..., 0].size
        below.fill_between(range(256), 100 * levels, step="mid", color=COLORS[0])
        below.set(xlim=(0, 255), xticks=[0, 128, 255], xlabel="gray level")
        below.set_ylim(bottom=0)
    for row in (1, 3):
        grid[row, 0].set_ylabel("pixels (%)")
    figure.suptitle(title)
    return figure


def windows(image: np.ndarray, places: Mapping[str, tuple[np.ndarray, int]], title: str) -> Figure:
    """One image for each way to cut, the outlines of its patches on it; the first patch is drawn bold.

    Parameters
    ----------
    image
        uint8, (H, W, 3).
    places
        Name of a way to cut to the upper rows and left columns, (N, 2), and the side in pixels of its patches.
    title
        Title of the figure.
    """
    lines = -(-len(places) // 2)
    high = 4.2 * image.shape[0] / image.shape[1]
    figure, axes = plt.subplots(lines, 2, figsize=(9, (high + 0.4) * lines + 0.5), squeeze=False)
    for axis in axes.ravel()[len(places) :]:
        axis.remove()
    for axis, (name, (corners, side)) in zip(axes.ravel(), places.items(), strict=False):
        axis.imshow(image)
        for k, (row, column) in reversed(list(enumerate(corners))):
            look = {"ec": COLORS[1], "lw": 3} if k == 0 else {"ec": "black", "lw": 0.8}
            axis.add_patch(plt.Rectangle((column - 0.5, row - 0.5), side, side, fill=False, **look))
        axis.set(title=f"{name}: {len(corners)} patches of {side} pixels", xticks=[], yticks=[])
    figure.suptitle(title)
    return figure


def localized(
    images: Mapping[str, tuple[np.ndarray, np.ndarray]], title: str, label: str = "probability of malignant"
) -> Figure:
    """Images beside themselves under a map of what was predicted where: red likely, blue unlikely.

    Parameters
    ----------
    images
        Name of a row to its image, uint8 (H, W, 3), and its map, float (H, W) in [0, 1], NaN where nothing was
        predicted; `images.patches.assemble` makes it.
    title
        Title of the figure.
    label
        What the map shows.
    """
    first = next(iter(images.values()))[0]
    high = 4.2 * first.shape[0] / first.shape[1]
    figure, axes = plt.subplots(len(images), 2, figsize=(9.6, high * len(images) + 0.7), squeeze=False)
    for line, (name, (image, values)) in zip(axes, images.items(), strict=True):
        line[0].imshow(image)
        # Gray below the map: a stain's own red and blue would read as a prediction.
        line[1].imshow(image.mean(axis=-1), cmap="gray", vmin=0, vmax=255)
        shown = line[1].imshow(values, cmap=RED_IS_LIKELY, vmin=0, vmax=1, alpha=0.55, interpolation="nearest")
        for axis in line:
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
    axes[0, 0].set_title("image")
    axes[0, 1].set_title("map over the image in gray")
    figure.colorbar(shown, ax=axes, label=label, shrink=0.9, ticks=[0, 0.25, 0.5, 0.75, 1])
    figure.suptitle(title)
    return figure


def feature_maps(patch: np.ndarray, maps: np.ndarray, title: str, columns: int = 6) -> Figure:
    """A patch and the feature maps that a layer makes of it, all on one scale.

    Parameters
    ----------
    patch
        uint8, (H, W, 3), as the network was given it.
    maps
        Float, (h, w, maps), from `models.first_maps`.
    title
        Title of the figure.
    columns
        Panels in a row.
    """
    lines = -(-(maps.shape[-1] + 1) // columns)
    size = (1.45 * columns + 1, 1.6 * lines + 0.6)
    figure, axes = plt.subplots(lines, columns, figsize=size, squeeze=False)
    for axis in axes.ravel():
        axis.set(xticks=[], yticks=[], frame_on=False)
    axes[0, 0].imshow(patch)
    axes[0, 0].set_title("patch", fontsize="small")
    for k, axis in enumerate(axes.ravel()[1 : maps.shape[-1] + 1]):
        shown = axis.imshow(maps[..., k], cmap="cividis", vmin=0, vmax=maps.max() or 1)
        axis.set_title(f"map {k + 1}", fontsize="small")
    figure.colorbar(shown, ax=axes, label="activation (no unit)", shrink=0.9)
    figure.suptitle(title)
    return figure


def variants(tidy: pd.DataFrame, title: str) -> Figure | None:
    """Image accuracy and patch AUC of the values of one setting, from `scoring.of_variants`; None if it has but one."""
    if tidy["variant"].nunique() < 2:
        return None
    return plots.grouped(tidy[tidy["score"].isin(["image accuracy", "patch AUC"])], title, panel="score")
