"""Networks that end in class probabilities."""

import keras
import numpy as np
from keras import layers

from histolib.models.backbones import Preprocessing


def baseline_cnn(
    input_shape=(50, 50, 3), classes: int = 2, augment=None, standardize=None, filters=(32, 64, 128, 128), dropout=0.25
):
    """A small network trained from scratch (Abdolahi et al. 2020, section "Training from scratch").

    Published: four convolutions, the first with 32 filters of 3x3 on 50x50x3, "with ReLU except for the last"; max
    pooling; dropout; a flatten layer and a dense layer of two neurons with softmax. Not published, chosen here: the
    other filters and kernels (3x3 too), padding that keeps the size, pooling and dropout after every convolution, the
    dropout rate. The exception is read as the softmax: the fourth convolution has a ReLU.

    Parameters
    ----------
    input_shape
        Height, width and channels; pixels in [0, 255].
    classes
        Number of classes.
    augment
        Layer applied to training images (`histolib.training.augmentation`), or None.
    standardize
        Layer that standardizes pixels (`standardization`); None divides by 255.
    filters, dropout
        Filters of each convolution; share of activations dropped.

    Returns
    -------
    keras.Model
        uint8 images (N, H, W, C) to probabilities (N, classes).
    """
    inputs = keras.Input(input_shape, dtype="uint8", name="patch")
    x = inputs if augment is None else augment(inputs)
    x = (standardize or layers.Rescaling(1 / 255, name="rescaling"))(x)
    for k, count in enumerate(filters, start=1):
        x = layers.Conv2D(count, 3, padding="same", activation="relu", name=f"conv{k}")(x)
        x = layers.MaxPooling2D(name=f"pool{k}")(x)
        x = layers.Dropout(dropout, name=f"dropout{k}")(x)
    x = layers.Flatten(name="flatten")(x)
    outputs = layers.Dense(classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="baseline_cnn")


def standardization(images: np.ndarray, block: int = 4096) -> layers.Normalization:
    """A layer that gives each color channel mean 0 and standard deviation 1 over the given images.

    `images` are training images only, uint8 (N, H, W, C), read in blocks of `block`, so that a memory-mapped array is
    never loaded whole.
    """
    sums = np.zeros((2, images.shape[-1]))
    for start in range(0, len(images), block):
        pixels = images[start : start + block].reshape(-1, images.shape[-1]).astype(np.float64)
        sums += pixels.sum(0), np.square(pixels).sum(0)
    mean, square = sums / np.prod(images.shape[:-1])
    return layers.Normalization(mean=mean, variance=np.maximum(square - mean**2, 1e-6), name="standardization")


def head(features: int | tuple[int, ...], classes: int = 2, units: int = 512, dropout: float = 0.5) -> keras.Model:
    """Layers to put on top of a backbone: dense (ReLU), dropout, dense (softmax) (Abdolahi et al. 2020).

    Parameters
    ----------
    features
        Length or shape of one image's features.
    classes, units
        Neurons of the last and of the first dense layer.
    dropout
        Share of activations dropped; its rate is not published.
    """
    shape = (features,) if isinstance(features, int) else tuple(features)
    return keras.Sequential(
        [
            keras.Input(shape, name="features"),
            layers.Flatten(name="flatten"),
            layers.Dense(units, activation="relu", name="dense"),
            layers.Dropout(dropout, name="dropout"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ],
        name="head",
    )


def deep_head(features, classes: int = 2, units=(256, 128, 64, 32), dropout: float = 0.5, l2: float = 0.1):
    """Five dense layers to put on a backbone (Chougrad et al. 2018, section 2.2.4).

    Published: five dense layers, batch normalization, a dropout layer of 0.5, an L2 penalty of 0.1 times the sum of
    squared weights, softmax. Not published, chosen here: averaging each feature map first, the neurons per layer, batch
    normalization after each hidden layer, dropout before the last.

    Parameters
    ----------
    features
        Shape of one image's feature maps, (h, w, C).
    classes, units
        Number of classes; neurons of the hidden layers.
    dropout, l2
        Share of activations dropped; factor of the penalty.
    """
    penalty = keras.regularizers.L2(l2)
    stack = [keras.Input(features, name="features"), layers.GlobalAveragePooling2D(name="pooling")]
    for k, count in enumerate(units, start=1):
        stack += [
            layers.Dense(count, kernel_regularizer=penalty, name=f"dense{k}"),
            layers.BatchNormalization(momentum=0.9, name=f"scale{k}"),
            layers.ReLU(name=f"relu{k}"),
        ]
    stack += [
        layers.Dropout(dropout, name="dropout"),
        layers.Dense(classes, activation="softmax", kernel_regularizer=penalty, name="probabilities"),
    ]
    return keras.Sequential(stack, name="deep_head")


def transfer(
    backbone: keras.Model, top: keras.Model, input_shape, augment=None, normalize=None, side: int | None = None
) -> keras.Model:
    """Backbone and head as one network on uint8 images of `input_shape` (height, width, channels).

    Parameters
    ----------
    backbone
        From `histolib.models.backbone`, frozen as wanted (`unfreeze`).
    top
        From `head` or `deep_head`.
    augment, normalize
        Layers or None: one applied to training images, one that gives every image the same mean, such as
        `GlobalContrast`.
    side
        Side in pixels of the square that images are rescaled to before the backbone; None leaves them as they are.
    """
    inputs = keras.Input(input_shape, dtype="uint8", name="patch")
    x = inputs if augment is None else augment(inputs)
    if side is not None:
        x = layers.Resizing(side, side, name="resizing")(x)
    if normalize is not None:
        # Back around the middle of the gray levels, where the backbone's own preprocessing expects an image.
        x = layers.Rescaling(1.0, 127.5, name="middle")(normalize(x))
    x = Preprocessing.of(backbone.name)(x)
    return keras.Model(inputs, top(backbone(x)), name=f"{backbone.name}_{top.name}")
