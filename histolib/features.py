"""Numbers that describe an image: pooled or flattened outputs of a network, and color histograms."""

import keras
import numpy as np

from histolib.models import Preprocessing


def extractor(backbone: keras.Model, input_shape, pooling: str | None = None) -> keras.Model:
    """A network that gives the outputs of a backbone for images.

    Parameters
    ----------
    backbone
        From `histolib.models.backbone`.
    input_shape
        Height, width and channels of an image.
    pooling
        ``None``: the feature maps (N, h, w, C), what a head on top of the backbone sees. ``"average"``: their mean
        over the image (N, C).

    Returns
    -------
    keras.Model
        uint8 images (N, H, W, 3) to float32; `training.predict` runs it.

    Raises
    ------
    ValueError
        Unknown `pooling`.
    """
    if pooling not in (None, "average"):
        raise ValueError(f"pooling={pooling!r}: expected None or 'average'")
    inputs = keras.Input(input_shape, dtype="uint8", name="patch")
    outputs = backbone(Preprocessing.of(backbone.name)(inputs), training=False)
    if pooling == "average":
        outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    return keras.Model(inputs, outputs, name=f"{backbone.name}_features")


def color_histogram(images: np.ndarray, bins: int = 8, block: int = 4096) -> np.ndarray:
    """Joint histogram of red, green and blue.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    bins
        Bins per channel, a divisor of 256.
    block
        Images at a time.

    Returns
    -------
    ndarray of float32, (N, bins ** 3)
        Shares of an image's pixels; each row sums to 1.

    Raises
    ------
    ValueError
        If `bins` does not divide 256.
    """
    if bins < 1 or 256 % bins:
        raise ValueError(f"bins={bins}: expected a divisor of 256")
    counts = np.empty((len(images), bins**3), np.float32)
    for start in range(0, len(images), block):
        levels = (images[start : start + block] // (256 // bins)).reshape(-1, images.shape[1] * images.shape[2], 3)
        codes = levels.astype(np.int64) @ np.array([bins**2, bins, 1])
        codes += np.arange(len(codes))[:, None] * bins**3
        counts[start : start + len(codes)] = np.bincount(codes.ravel(), minlength=len(codes) * bins**3).reshape(
            len(codes), -1
        )
    return counts / (images.shape[1] * images.shape[2])
