"""Keras's ImageDataGenerator with the settings that the IDC paper publishes (Table 1), as the papers ran it."""

import keras
import numpy as np
import scipy.ndimage
from keras.src.legacy.preprocessing.image import ImageDataGenerator

from histolib import models

ROTATION, SHIFT, SHEAR, ZOOM = 40, 0.2, 0.2, 0.2


def flow(images: np.ndarray, targets: np.ndarray, batch_size: int, seed: int):
    """Shuffled batches of float32 images in [0, 1], each changed by NumPy and SciPy on one CPU core.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    targets
        float32, (N, classes).
    """
    # Keras calls SciPy's old namespace, which warns at every call and is to go; its function is the same.
    scipy.ndimage.interpolation = scipy.ndimage
    generator = ImageDataGenerator(
        rotation_range=ROTATION,
        width_shift_range=SHIFT,
        height_shift_range=SHIFT,
        shear_range=SHEAR,
        zoom_range=ZOOM,
        rescale=1 / 255,
    )
    return generator.flow(images, targets, batch_size, seed=seed)


def network(input_shape=(50, 50, 3)) -> keras.Model:
    """The baseline for images that the generator has already scaled: without its rescaling layer, float32 in."""
    layers = models.baseline_cnn(input_shape).layers
    first = next(k for k, layer in enumerate(layers) if isinstance(layer, keras.layers.Conv2D))
    return keras.Sequential([keras.Input(input_shape), *layers[first:]], name="baseline_without_rescaling")
