"""How much of what a network gives is about carcinoma: a linear probe, on patients that it was not fitted to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import pandas as pd

from histolib import metrics, models, reproducibility, training
from histolib.descriptors import classifiers
from histolib.models import features
from histolib.models.backbones import PHANTOM_WIDTH, imagenet_at_hand
from studybook.pretraining.learning import SIZES
from studybook.published import beside

__all__ = ["COLORS", "first_filters", "gains", "halves", "imagenet_at_hand", "pooled", "pooled_by_weights", "tested"]
COLORS = "color histogram, random forest"  # the method that a network has to beat


def pooled(backbone: keras.Model, images: np.ndarray, side: int | None = None) -> np.ndarray:
    """Last activations of the last four blocks, each averaged over the image, joined: float32 (N, D).

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    side
        Side in pixels that images are resized to inside the network; None leaves them as they are.
    """
    return training.predict(features.extractor(backbone, images.shape[1:], "blocks", side), images)


def halves(patients) -> np.ndarray:
    """True for the patients of the development half, by the parity of a hash of their name: no seed, no luck, no
    choice.

    The recipe of the pre-training was chosen by probes on the development half of the real patients; results are
    those of the other.
    """
    return np.array([hashlib.sha256(str(name).encode()).digest()[0] % 2 == 0 for name in patients], bool)


def pooled_by_weights(
    images: np.ndarray, networks: Sequence[str], seeds: Sequence[int], side: int
) -> dict[str, np.ndarray]:
    """Pooled outputs of each network by random weights, phantom weights and, where they are at hand, ImageNet's.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    networks
        Names from `models.BACKBONES`. Of `models.APPLICATIONS` random weights are of the width of the phantom weights;
        of EfficientNet-Lite, which has no phantom weights, of the published width.
    seeds
        Seeds of the random weights, one set of features each.
    side
        Side in pixels that EfficientNet-Lite sees images at, whatever its weights.

    Returns
    -------
    dict
        ``"vgg16, random 0"``, ``"vgg16, phantom"``, ``"vgg16, imagenet"`` ... to float32 (N, D).
    """
    found = {}
    for name in networks:
        drawn = name in models.APPLICATIONS
        width, size = (PHANTOM_WIDTH, _side(name, images)) if drawn else (1.0, side)
        for seed in seeds:
            reproducibility.seed(seed)
            found[f"{name}, random {seed}"] = pooled(models.backbone(name, width, None), images, size)
        if drawn:
            found[f"{name}, phantom"] = pooled(models.backbone(name, width, "phantom"), images, size)
        if imagenet_at_hand(name):
            found[f"{name}, imagenet"] = pooled(models.backbone(name), images, size)
    return found


def tested(described: Mapping[str, np.ndarray], labels, patients, development: np.ndarray, seed: int = 0) -> dict:
    """Probability of class 1 of the images outside of `development`, by probes fitted to those inside."""
    labels, patients = np.asarray(labels)[development], np.asarray(patients)[development]
    found = {}
    for name, one in described.items():
        model = classifiers.fit("logistic", one[development], labels, patients, seed)
        found[name] = model.predict_proba(one[~development])[:, 1]
    return found


def gains(predictions: pd.DataFrame, draws: int, seed: int) -> pd.Series:
    """AUC of each method with learned weights less that of every method it has to beat, on the same patients, as text.

    These are the same network with random weights, every seed of them; mere colors; and, for weights learned from
    drawings, those learned from photographs.

    Returns
    -------
    Series of str
        Index ``method, less``.
    """
    methods = list(predictions["method"].unique())
    photographs = [name for name in methods if name.endswith(", imagenet")]
    pairs = []
    for method in (name for name in methods if name != COLORS and ", random " not in name):
        network = method.split(", ")[0]
        weaker = [name for name in methods if name.startswith(f"{network}, random ")]
        others = [name for name in photographs if method not in photographs]
        pairs += [(method, name) for name in (*weaker, COLORS, *others) if name in methods]
    rows = metrics.differences(predictions, pairs, draws, seed=seed)
    return beside.against(rows, "auc").agg(", ".join, axis=1).rename_axis(["method", "less"])


def first_filters(backbone: keras.Model) -> np.ndarray:
    """Kernel of the first convolution, (h, w, 3, filters), channels red, green, blue."""
    layer = next(layer for layer in backbone.layers if isinstance(layer, keras.layers.Conv2D))
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    return kernel if models.Preprocessing.of(backbone.name).mode == "tf" else kernel[:, :, ::-1]


def _side(name: str, images: np.ndarray) -> int | None:
    return SIZES[name] if name == "inceptionv3" and min(images.shape[1:3]) < 75 else None
