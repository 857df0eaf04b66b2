"""Images in rows, and images put together from what was said of their parts."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure


def image_grid(rows: Mapping[str, Sequence[np.ndarray]], title: str, scale: float = 0.95) -> Figure:
    """Images, uint8 (H, W, 3), in rows by label, each `scale` inches wide."""
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
