"""Images in rows, and images put together from what was said of their parts."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
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
