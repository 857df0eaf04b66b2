"""A network as a table that a reader can take in."""

import math
import re

import keras
import pandas as pd

_NAMES = {
    "Conv2D": "convolution",
    "MaxPooling2D": "max pooling",
    "BatchNormalization": "batch normalization",
    "ReLU": "ReLU",
}


def layer_table(model: keras.Model) -> pd.DataFrame:
    """Layers of a model, nested models unfolded.

    Returns
    -------
    DataFrame
        Index ``layer``; columns ``kind`` (with kernel size, units or rate), ``output`` (shape without the batch),
        ``parameters``, ``state`` (``trainable``, ``frozen``, or empty for a layer without weights).
    """
    rows = [_row(layer) for layer in _leaves(model)]
    return pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters", "state"]).set_index("layer")


def _leaves(model: keras.Model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _row(layer: keras.layers.Layer) -> tuple:
    weights = [w for w in layer.weights if "seed_generator" not in w.path]
    state = ("trainable" if layer.trainable_weights else "frozen") if weights else ""
    shape = " × ".join("any" if size is None else str(size) for size in layer.output.shape[1:])
    return layer.name, _kind(layer), shape, sum(math.prod(w.shape) for w in weights), state


def _kind(layer: keras.layers.Layer) -> str:
    kind = type(layer).__name__
    name = _NAMES.get(kind, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower())
    if isinstance(layer, keras.layers.Conv2D):
        return f"{name} {layer.kernel_size[0]}×{layer.kernel_size[1]}, {layer.filters} filters{_activation(layer)}"
    if isinstance(layer, keras.layers.Dense):
        return f"{name}, {layer.units} units{_activation(layer)}"
    if isinstance(layer, keras.layers.Dropout):
        return f"{name} {layer.rate:g}"
    return name


def _activation(layer: keras.layers.Layer) -> str:
    name = layer.activation.__name__
    return "" if name == "linear" else f", {name}"
