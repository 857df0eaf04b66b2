"""How the paper counts the layers of its networks."""

import keras
import pandas as pd

from histolib import models


def counted(backbone: keras.Model, activations: bool = False, dense: int = 5, last: int = 3) -> pd.Series:
    """Layers of a backbone with a head, as the paper counts them (Table 1).

    Every layer of the graph counts, except the input. The paper's total for ResNet-50 needs `activations`, those of
    VGG-16 (which has no activation layers) and Inception v3 need none: in the Keras of the time the activations of
    Inception v3 belonged to its convolutions. Its counts of blocks are two higher for ResNet-50, whose average pooling
    then belonged to the graph while a padding layer of today did not, and its count of the last block of Inception v3
    is three higher.

    Parameters
    ----------
    backbone
        From `models.backbone`, of any width.
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
        name: sum(not isinstance(layer, skipped) for layer in block) for name, block in models.blocks(backbone).items()
    }
    ends = [count for name, count in counts.items() if name != "stem"]
    if not 0 <= last <= len(ends):
        raise ValueError(f"last={last}: {backbone.name} has {len(ends)} blocks; expected 0 to {len(ends)}")
    named = {f"last_{k}": sum(ends[len(ends) - k :]) for k in range(1, last + 1)}
    return pd.Series({"total": sum(counts.values()) + dense} | named, name=backbone.name)
