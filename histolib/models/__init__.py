"""Networks, in Keras 3 without any backend's own calls."""

from histolib.models.backbones import (
    APPLICATIONS,
    BACKBONES,
    Preprocessing,
    backbone,
    blocks,
    copy,
    trainable_layers,
    unfreeze,
)
from histolib.models.heads import baseline_cnn, deep_head, head, standardization, transfer
from histolib.models.magnification import log_magnification, magnification_cnn, magnification_of
from histolib.models.normalization import GlobalContrast
from histolib.models.patch_resnet import first_maps, patch_resnet
from histolib.models.responses import LocalResponseNormalization
from histolib.models.summary import layer_table

__all__ = [
    "APPLICATIONS",
    "BACKBONES",
    "GlobalContrast",
    "LocalResponseNormalization",
    "Preprocessing",
    "backbone",
    "baseline_cnn",
    "blocks",
    "copy",
    "deep_head",
    "first_maps",
    "head",
    "layer_table",
    "log_magnification",
    "magnification_cnn",
    "magnification_of",
    "patch_resnet",
    "standardization",
    "trainable_layers",
    "transfer",
    "unfreeze",
]
