"""What a layer does to images."""

import keras
import numpy as np
from keras import ops


def versions(layer: keras.layers.Layer, images, count: int) -> dict[str, list[np.ndarray]]:
    """Images, uint8 (N, H, W, 3), with `count` random versions of each by a layer that changes training images.

    ``"patch 1"`` ... to the image followed by its versions, all uint8.
    """
    shown = {}
    for k, image in enumerate(images, start=1):
        changed = ops.convert_to_numpy(layer(np.stack([image] * count), training=True))
        shown[f"patch {k}"] = [image, *np.clip(np.rint(changed), 0, 255).astype(np.uint8)]
    return shown
