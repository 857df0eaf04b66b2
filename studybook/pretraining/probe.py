"""How much of what a network gives is about carcinoma: a linear probe, on patients that it was not fitted to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from histolib import metrics, models, reproducibility, training
from histolib.metrics import splits
from histolib.models.backbones import PHANTOM_WIDTH, imagenet_at_hand
from studybook.pretraining.learning import LAST_BLOCKS, SIZES
from studybook.published import beside

__all__ = [
    "first_filters", "fit", "gains", "halves", "imagenet_at_hand", "pooled", "pooled_by_weights", "tested",
]  # fmt: skip
STRENGTHS = (1e-3, 1e-2, 1e-1)  # C of the logistic regression, weakest first


def pooled(backbone: keras.Model, images: np.ndarray, size: int | None = None) -> np.ndarray:
    """Outputs of the last four blocks, each averaged over the image, joined: float32 (N, D).

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    size
        Side in pixels that images are resized to inside the network; None leaves them as they are.
    """
    inputs = keras.Input(images.shape[1:], dtype="uint8", name="patch")
    x = inputs if size is None else keras.layers.Resizing(size, size)(inputs)
    maps = models.block_outputs(backbone, LAST_BLOCKS)(models.Preprocessing.of(backbone.name)(x), training=False)
    joined = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D()(one) for one in maps])
    return training.predict(keras.Model(inputs, joined), images)


def halves(patients) -> np.ndarray:
    """True for the patients of the development half, by the parity of a hash of their name: no seed, no luck, no
    choice.

    The recipe of the pre-training was chosen by probes on the development half of the real patients; results are
    those of the other.
    """
    return np.array([hashlib.sha256(str(name).encode()).digest()[0] % 2 == 0 for name in patients], bool)


def fit(features: np.ndarray, labels, patients, folds: int = 3, seed: int = 0) -> Pipeline:
    """Logistic regression on standardized features, its strength chosen by cross-validation over patients.

    Parameters
    ----------
    features
        (N, D).
    labels, patients
        (N,); labels are 0 or 1.
    folds
        Folds of the cross-validation, whose mean area under the ROC curve decides among `STRENGTHS`.
    seed
        Seed of the folds.

    Returns
    -------
    sklearn Pipeline
        ``predict_proba(features)`` gives (N, 2).
    """
    labels = np.asarray(labels)
    parts = list(splits.folds(labels, patients, folds, "patient", seed))
    found = [np.mean([_auc(c, features, labels, *part) for part in parts]) for c in STRENGTHS]
    return _model(STRENGTHS[int(np.argmax(found))]).fit(features, labels)


def pooled_by_weights(images: np.ndarray, networks: Sequence[str], seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """Pooled outputs of each network by random weights, phantom weights and, where they are at hand, ImageNet's.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3).
    networks
        Names from `models.APPLICATIONS`.
    seeds
        Seeds of the random weights, one set of features each.

    Returns
    -------
    dict
        ``"vgg16, random 0"``, ``"vgg16, phantom"``, ``"vgg16, imagenet"`` ... to float32 (N, D).
    """
    found = {}
    for name in networks:
        size = SIZES[name] if min(images.shape[1:3]) < 75 and name == "inceptionv3" else None
        for seed in seeds:
            reproducibility.seed(seed)
            found[f"{name}, random {seed}"] = pooled(models.backbone(name, PHANTOM_WIDTH, None), images, size)
        found[f"{name}, phantom"] = pooled(models.backbone(name, PHANTOM_WIDTH, "phantom"), images, size)
        if imagenet_at_hand(name):
            found[f"{name}, imagenet"] = pooled(models.backbone(name), images, size)
    return found


def tested(described: Mapping[str, np.ndarray], labels, patients, development: np.ndarray, seed: int = 0) -> dict:
    """Probability of class 1 of the images outside of `development`, by probes fitted to those inside."""
    labels, patients = np.asarray(labels)[development], np.asarray(patients)[development]
    return {
        name: fit(one[development], labels, patients, seed=seed).predict_proba(one[~development])[:, 1]
        for name, one in described.items()
    }


def gains(predictions: pd.DataFrame, draws: int, seed: int) -> pd.Series:
    """AUC of each method less that of the same network's first random weights, on the same patients, as text."""
    methods = predictions["method"].unique()
    parts = []
    for name in models.APPLICATIONS:
        own = [method for method in methods if method.startswith(f"{name}, ")]
        base = next((method for method in own if "random" in method), None)
        if base and len(own) > 1:
            rows = metrics.difference(predictions[predictions["method"].isin(own)], base, draws, seed=seed)
            parts.append(
                beside.against(rows, "auc").agg(", ".join, axis=1).rename(lambda method: f"{method} less random")
            )
    return pd.concat(parts)


def first_filters(backbone: keras.Model) -> np.ndarray:
    """Kernel of the first convolution, (h, w, 3, filters), channels red, green, blue."""
    layer = next(layer for layer in backbone.layers if isinstance(layer, keras.layers.Conv2D))
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    return kernel if models.Preprocessing.of(backbone.name).mode == "tf" else kernel[:, :, ::-1]


def _model(strength: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=200))


def _auc(strength: float, features, labels, rest, held_out) -> float:
    model = _model(strength).fit(features[rest], labels[rest])
    return metrics.scores(labels[held_out], model.predict_proba(features[held_out])[:, 1])["auc"]
