"""One boosted model: its parameters, its training, its predictions."""

from collections.abc import Mapping

import lightgbm
import numpy as np

# The setting of Rakhlin et al. 2018, whose text names none of it; rounds, rate, leaves, depth and fractions are those
# of their code. There rows are drawn anew every 0 rounds, which switches the drawing off, so that the fraction of 0.69
# does nothing. Here they are drawn in every round; AS_RUN is the code's setting to the letter.
PARAMETERS = {
    "objective": "multiclass",
    "num_iterations": 70,
    "learning_rate": 0.1,
    "num_leaves": 191,
    "max_depth": 7,
    "feature_fraction": 0.46,
    "bagging_fraction": 0.69,
    "bagging_freq": 1,
}
AS_RUN = PARAMETERS | {"bagging_freq": 0}

# By column was faster than by row for descriptors of 128 to 2,048 numbers. Several models in one thread each are faster
# than one model in several where descriptors are few, the trees can't depend on their number, and a busy machine does
# not come to a standstill, where LightGBM's own threads wait for one another.
FIXED = {"deterministic": True, "force_col_wise": True, "num_threads": 1, "verbosity": -1}

Key = tuple  # which descriptors: (encoder, crop size), or (encoder, scale, crop size)


def predict(booster: lightgbm.Booster, descriptors: np.ndarray) -> np.ndarray:
    """Probabilities, float64 (images, augmentations, classes), for descriptors (images, augmentations, D)."""
    rows = np.asarray(descriptors).reshape(-1, descriptors.shape[-1])
    return booster.predict(rows, num_threads=1).reshape(*descriptors.shape[:2], -1)


def name(key: Key) -> str:
    """``<encoder>-<crop size>``, the name of a kind of descriptor."""
    return f"{key[0]}-{key[-1]}"


def complete(parameters: Mapping, labels: np.ndarray) -> dict:
    """All of LightGBM's parameters but the seed."""
    return dict(parameters) | FIXED | {"num_class": int(labels.max()) + 1}


def binned(descriptors: np.ndarray, labels: np.ndarray, settings: Mapping) -> lightgbm.Dataset:
    """Rows in bins, which models that differ in nothing but the seed can share; the longest step after the training."""
    rows = np.asarray(descriptors, np.float32).reshape(-1, descriptors.shape[-1])
    _check_rows(len(rows), settings)
    return lightgbm.Dataset(rows, np.repeat(labels, descriptors.shape[1]), params=_without_rounds(settings)).construct()


def train(data: lightgbm.Dataset, settings: Mapping, seed: int) -> lightgbm.Booster:
    """Trees for rows that are in bins; `settings` as `complete` gives them."""
    return lightgbm.train(_without_rounds(settings) | {"seed": int(seed)}, data, settings["num_iterations"])


def _check_rows(rows: int, settings: Mapping) -> None:
    """Refuse rows that no tree can split: LightGBM would answer alike to everything, and only warn."""
    leaf, share = settings.get("min_data_in_leaf", 20), settings.get("bagging_fraction", 1.0)
    seen = int(rows * share) if settings.get("bagging_freq", 0) else rows
    if seen < 2 * leaf:
        raise ValueError(
            f"no split possible: a tree sees {seen} of {rows} rows, and both sides of a split need {leaf} "
            "(min_data_in_leaf); more images or augmentations, or fewer folds, would do"
        )


def _without_rounds(settings: Mapping) -> dict:
    """LightGBM warns of rounds among the parameters; they are passed apart."""
    return {key: value for key, value in settings.items() if key != "num_iterations"}


def classes_of(labels) -> np.ndarray:
    """Labels as int64, once they are known to be 0 to k - 1."""
    y = np.asarray(labels)
    classes = np.unique(y)
    if y.ndim != 1 or len(classes) < 2 or not np.array_equal(classes, np.arange(len(classes))):
        raise ValueError(f"labels hold {classes.tolist()}; expected 0 to k - 1, each at least once, k at least 2")
    return y.astype(np.int64)


def check(what: str, descriptors: np.ndarray, images: int) -> None:
    """Refuse descriptors of another shape than (images, augmentations, D), or that are not finite."""
    if np.ndim(descriptors) != 3 or len(descriptors) != images or 0 in descriptors.shape:
        raise ValueError(f"{what}: shape {np.shape(descriptors)}; expected ({images} images, augmentations, D)")
    if not all(np.isfinite(image).all() for image in descriptors):
        raise ValueError(f"{what}: descriptors must be finite numbers")


def check_all(descriptors: Mapping[Key, np.ndarray], images: int) -> None:
    """As `check`, for every kind of descriptor; their names must differ."""
    names = [name(key) for key in descriptors]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"descriptors of {names}: expected at least one pair of encoder and crop size, each once")
    for key, x in descriptors.items():
        check(name(key), x, images)
