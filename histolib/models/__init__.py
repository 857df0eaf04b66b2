"""Networks of the chapters, in Keras 3 without any backend's own calls."""

from histolib.models.backbones import (
    BACKBONES,
    Preprocessing,
    backbone,
    block_outputs,
    blocks,
    copy,
    trainable_layers,
    unfreeze,
)
from histolib.models.classifiers import baseline_cnn, head, standardization, transfer
from histolib.models.tables import layer_table

__all__ = [
    "BACKBONES",
    "Preprocessing",
    "backbone",
    "baseline_cnn",
    "block_outputs",
    "blocks",
    "copy",
    "head",
    "layer_table",
    "standardization",
    "trainable_layers",
    "transfer",
    "unfreeze",
]
