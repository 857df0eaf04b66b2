"""A network as a table that a reader can take in."""

import math
import re

import keras
import pandas as pd

from histolib.models.backbones import blocks

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


def counted_layers(backbone: keras.Model, activations: bool = False, dense: int = 5, last: int = 3) -> pd.Series:
    """Layers of a backbone with a head, as the mammography paper counts them (Chougrad et al. 2018, Table 1).

    Every layer of the graph counts, except the input. The paper's total for ResNet-50 needs `activations`, those of
    VGG-16 (which has no activation layers) and Inception v3 need none: in the Keras of the time the activations of
    Inception v3 belonged to its convolutions. Its counts of blocks are two higher for ResNet-50, whose average pooling
    then belonged to the graph while a padding layer of today did not, and its count of the last block of Inception v3
    is three higher.

    Parameters
    ----------
    backbone
        From `backbone`, of any width.
    activations
        Whether activations that are layers of their own count; the paper's note says that they do not.
    dense
        Dense layers of the head, which count in the total.
    last
        How many of the last blocks are counted.

    Returns
    -------
    Series of int
        ``total``, and ``last_1``, ``last_2`` ... for the last blocks together.

    Raises
    ------
    ValueError
        If the model is no backbone, or has fewer blocks.
    """
    skipped = (keras.layers.InputLayer,) if activations else (keras.layers.InputLayer, keras.layers.Activation)
    counts = {
        name: sum(not isinstance(layer, skipped) for layer in layers) for name, layers in blocks(backbone).items()
    }
    ends = [count for name, count in counts.items() if name != "stem"]
    if not 0 <= last <= len(ends):
        raise ValueError(f"last={last}: {backbone.name} has {len(ends)} blocks; expected 0 to {len(ends)}")
    named = {f"last_{k}": sum(ends[len(ends) - k :]) for k in range(1, last + 1)}
    return pd.Series({"total": sum(counts.values()) + dense} | named, name=backbone.name)


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
