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
from histolib.models.classifiers import baseline_cnn, deep_head, head, standardization, transfer
from histolib.models.normalization import GlobalContrast
from histolib.models.tables import counted_layers, layer_table, longest_path

__all__ = [
    "BACKBONES",
    "GlobalContrast",
    "Preprocessing",
    "backbone",
    "baseline_cnn",
    "block_outputs",
    "blocks",
    "copy",
    "counted_layers",
    "deep_head",
    "head",
    "layer_table",
    "longest_path",
    "standardization",
    "trainable_layers",
    "transfer",
    "unfreeze",
]
