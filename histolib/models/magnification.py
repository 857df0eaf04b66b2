"""The network that classifies images of any magnification, and tells the magnification if it is asked to."""

import keras
import numpy as np
from keras import layers

from histolib.models.responses import LocalResponseNormalization

FILTERS = {"conv1": (96, 7), "conv2": (256, 5), "conv3": (384, 3)}  # number and side
UNITS = 512
CENTER = (40 * 100 * 200 * 400) ** 0.25
"""Magnification whose logarithm is 0 for the regression: the geometric mean of the four, about 134."""


def magnification_cnn(
    tasks: int = 1,
    input_shape=(100, 100, 3),
    classes: int = 2,
    magnifications: int = 4,
    width: float = 1.0,
    dropout: float = 0.5,
    augment=None,
    standardize=None,
    regression: bool = False,
    stride: int = 4,
    scale: float = 1.0,
) -> keras.Model:
    """The network of Bayramoglu, Kannala and Heikkilä 2016 (section II).

    Published: convolutions of 96 filters 7x7, 256 of 5x5 and 384 of 3x3, each with ReLU and max pooling over 3x3 with
    stride 2; local response normalization after the first two; two dense layers of 512 with ReLU and dropout of 0.5;
    two softmax outputs on the same layers for two tasks.

    Not published: strides and padding of the convolutions, scale of the pixels, initial weights. The network is said to
    be the one of Levi and Hassner 2015, so the first two are taken from its published definition: the first convolution
    has stride 4 and no padding, the others keep the size; a pooling window that reaches beyond the edge counts, as in
    Caffe. Images of 100x100 become maps of 24x24, and of 12x12, 6x6 and 3x3 after the three poolings. Pixels keep the
    range of 255 gray levels, as there, where the mean image was subtracted: between 0 and 1 the sum in the response
    normalization would be so small that the layer divides by little else than a constant. The initial weights are
    Keras's own (Glorot and Bengio 2010), which fit any `width`.

    Parameters
    ----------
    tasks
        1: malignancy; 2: malignancy and magnification.
    input_shape
        Height, width and channels; pixels in [0, 255].
    classes, magnifications
        Numbers of classes of the two tasks.
    width, dropout
        Factor on the number of filters and dense units; share of activations dropped after each dense layer.
    augment
        Layer applied to training images (`histolib.training.augmentation`), or None.
    standardize
        Layer that standardizes pixels (`standardization`); None subtracts 127.5 and keeps the scale.
    regression
        With two tasks: one linear output in the place of the magnification's softmax, `log_magnification`.
    stride
        Of the first convolution.
    scale
        Gray levels that one unit of a standardized pixel stands for, 64 after ``layers.Rescaling(1 / 64, -2)``. The
        response normalization takes it into account, so that it acts as on gray levels.

    Returns
    -------
    keras.Model
        uint8 images (N, H, W, C) to probabilities (N, classes); with two tasks to a dictionary of ``malignancy``
        (N, classes) and ``magnification``, (N, magnifications) or (N, 1).

    Raises
    ------
    ValueError
        Other numbers of tasks; `regression` with one; a width that is not above 0; an image that is too small.
    """
    if tasks not in (1, 2) or (regression and tasks == 1) or width <= 0 or stride < 1:
        raise ValueError(f"tasks={tasks}, regression={regression}, width={width}, stride={stride}: expected 1 or 2 "
                         "tasks, a regression only with 2, a width above 0, a stride of at least 1")  # fmt: skip
    if min(input_shape[:2]) < FILTERS["conv1"][1]:
        raise ValueError(f"input_shape={input_shape}: expected at least 7x7 pixels, the first convolution's filter")
    inputs = keras.Input(input_shape, dtype="uint8", name="image")
    x = inputs if augment is None else augment(inputs)
    x = (standardize or layers.Rescaling(1.0, -127.5, name="centering"))(x)
    x = _convolutions(x, width, stride, 1e-4 * scale**2)
    x = layers.Flatten(name="flatten")(x)
    for k in (1, 2):
        x = layers.Dense(_scaled(UNITS, width), activation="relu", name=f"dense{k}")(x)
        x = layers.Dropout(dropout, name=f"dropout{k}")(x)
    outputs = layers.Dense(classes, activation="softmax", name="malignancy")(x)
    if tasks == 1:
        return keras.Model(inputs, outputs, name="single_task_cnn")
    told = layers.Dense(*((1, "linear") if regression else (magnifications, "softmax")), name="magnification")(x)
    return keras.Model(inputs, {"malignancy": outputs, "magnification": told}, name="multi_task_cnn")


def log_magnification(magnification) -> np.ndarray:
    """Target of the regression: the magnification in powers of 2 above or below `CENTER`, float32.

    40, 100, 200 and 400 become about -1.74, -0.42, 0.58 and 1.58, whose mean is 0: twice as large is always one more.

    Raises ValueError if a magnification is not above 0.
    """
    magnification = np.asarray(magnification, np.float64)
    if not (magnification > 0).all():
        raise ValueError(f"a magnification of {magnification.min()}; expected numbers above 0")
    return np.log2(magnification / CENTER).astype(np.float32)


def magnification_of(value) -> np.ndarray:
    """The magnification that an output of the regression stands for: the inverse of `log_magnification`, float64."""
    return CENTER * np.exp2(np.asarray(value, np.float64))


def _convolutions(x, width: float, stride: int, alpha: float):
    for name, (count, side) in FILTERS.items():
        steps, padding = (stride, "valid") if name == "conv1" else (1, "same")
        x = layers.Conv2D(_scaled(count, width), side, steps, padding, activation="relu", name=name)(x)
        # "same" adds a last window at the lower and right edge, which is Caffe's rounding up.
        x = layers.MaxPooling2D(3, 2, padding="same", name=name.replace("conv", "pool"))(x)
        if name != "conv3":
            x = LocalResponseNormalization(alpha=alpha, name=name.replace("conv", "normalization"))(x)
    return x


def _scaled(count: int, width: float) -> int:
    return max(1, round(count * width))
