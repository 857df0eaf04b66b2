"""How cost grows with the number of patches: steps of a chapter at four sizes, each in one run with its peer."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from PIL import Image
from sklearn.manifold import TSNE
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from bench import augmentation, memory
from bench import oversampling as given
from bench.table import Row
from histolib import datasets, metrics, models, training
from histolib.descriptors import embeddings
from histolib.models import features
from histolib.training import oversampling
from studybook.engine import needs

DRAWS = 200  # resamples
SIDE = 64  # pixels, of the features
_SEED = 0


class Known(NamedTuple):
    """What a step took at one size: seconds, bytes at the peak, and bytes before it."""

    size: int
    seconds: float
    peak: float
    before: float = 0


def rows(sizes: Sequence[int], limit: float = 60, networks: bool = True) -> list[Row]:
    """Seconds of each step at each size, and peak memory of the process while ours ran.

    What is expected to take more than `limit` seconds, from its growth so far (as the number of patches where one size
    only is known), or more memory than the machine has, is left out: no row, or one without the peer's
    value. Steps with `networks` too.
    """
    known: dict[tuple[str, int], list[Known]] = {}
    found = []
    for patches in sorted(sizes):
        for name, (ours, peer, theirs) in steps(patches, networks).items():
            print(f"  {name}, {patches:,} patches", file=sys.stderr, flush=True)
            one = _timed(ours, known.setdefault((name, 0), []), patches, limit)
            other = _timed(theirs, known.setdefault((name, 1), []), patches, limit)
            if one is not None:
                found.append(Row(f"{name}, {patches:,} patches", one.seconds, "s, less is better", peer,
                                 other and other.seconds, memory=one.peak / 1e9, step=name, size=patches))  # fmt: skip
    return found


def steps(patches: int, networks: bool) -> dict[str, tuple[Callable, str, Callable]]:
    """Of each step: ours, the peer's name, the peer's."""
    folder = given.twin(patches)
    dataset = datasets.load("idc", folder)
    table, pixels = dataset.table.iloc[:patches], dataset.images()[:patches]
    labels, rng = table["label"].to_numpy(), np.random.default_rng(_SEED)
    numbers = rng.normal(size=(patches, 50)) + labels[:, None]
    rows = _predictions(table, rng)
    found = {
        "pack": (
            lambda: _packed(folder),
            "a list of Pillow's arrays",
            lambda: _opened(dataset),
        ),
        "SMOTE": (
            lambda: oversampling.smote(pixels, labels, _SEED),
            "imbalanced-learn's SMOTE on float32",
            lambda: SMOTE(random_state=_SEED).fit_resample(pixels.reshape(patches, -1).astype("float32"), labels),
        ),
        "t-SNE": (
            lambda: embeddings.tsne(numbers, _SEED),
            "scikit-learn's TSNE",
            lambda: TSNE(init="pca", random_state=_SEED).fit_transform(numbers),
        ),
        f"bootstrap, {DRAWS} resamples": (
            lambda: metrics.bootstrap(rows, draws=DRAWS),
            "a loop over scikit-learn's scores",
            lambda: _loop(rows),
        ),
    }
    return found | (_networks(patches, rng) if networks else {})


def _networks(patches: int, rng: np.random.Generator) -> dict[str, tuple[Callable, str, Callable]]:
    shape = (SIDE, SIDE, 3)
    encoder = features.extractor(models.backbone("efficientnet_lite0", 1.0, None), shape, "average")
    peer = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=shape, pooling="avg")
    pixels = np.broadcast_to(rng.integers(0, 256, (1, *shape), dtype=np.uint8), (patches, *shape))
    ours, theirs = augmentation.OURS, augmentation.GENERATOR
    return {
        "one epoch of the baseline, compilation included": (
            lambda: augmentation.contenders(patches, _SEED, [ours])[ours](),
            theirs,
            lambda: augmentation.contenders(patches, _SEED, [theirs])[theirs](),
        ),
        f"features, EfficientNet-Lite0 at {SIDE} × {SIDE}, compilation included": (
            lambda: training.predict(features.folded(encoder), pixels),
            "Keras's EfficientNetB0, random weights",
            lambda: training.predict(peer, pixels),
        ),
    }


def _timed(work: Callable, known: list[Known], patches: int, limit: float) -> Known | None:
    """What it took; None where that is expected to be too much, or was at a smaller size."""
    seconds, peak = _expected(known, patches) if known else (0, 0)
    if seconds > limit or peak > needs.memory() * 1e6:
        known.append(Known(patches, np.inf, np.inf))
        return None
    before, start = memory.reset(), time.perf_counter()
    work()
    known.append(Known(patches, time.perf_counter() - start, memory.peak(), before))
    return known[-1]


def _expected(known: list[Known], patches: int) -> tuple[float, float]:
    """Seconds and bytes at the peak, from what smaller sizes took; memory grows with the number of patches."""
    last, power = known[-1], 1.0
    if len(known) > 1 and np.isfinite(last.seconds):
        power = float(np.clip(np.log(last.seconds / known[-2].seconds) / np.log(last.size / known[-2].size), 0, 2))
    grown = patches / last.size
    return last.seconds * grown**power, last.before + (last.peak - last.before) * grown


@contextmanager
def _empty_cache():
    before = os.environ.get("HISTOLIB_CACHE")
    with tempfile.TemporaryDirectory(prefix="histolib-bench-") as folder:
        os.environ["HISTOLIB_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("HISTOLIB_CACHE")
            if before is not None:
                os.environ["HISTOLIB_CACHE"] = before


def _packed(folder) -> np.ndarray:
    with _empty_cache():
        return datasets.load("idc", folder).images()


def _opened(dataset: datasets.Dataset) -> list[np.ndarray]:
    return [np.asarray(Image.open(dataset.root / path)) for path in dataset.table["path"]]


def _predictions(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    p = np.clip(0.3 * table["label"] + 0.7 * rng.random(len(table)), 0, 1)
    named = table[["image_id", "patient"]].assign(method="m", fold=0, y_true=table["label"])
    return named.assign(p_0=1 - p, p_1=p)


def _loop(rows: pd.DataFrame) -> np.ndarray:
    """Scores of resamples, patient by patient put together, as one writes it down first."""
    members = list(rows.groupby("patient").indices.values())
    y, p = rows["y_true"].to_numpy(), rows["p_1"].to_numpy()
    rng, found = np.random.default_rng(_SEED), []
    shares = [partial(score, zero_division=0) for score in (precision_score, recall_score, f1_score)]
    for _ in range(DRAWS):
        drawn = np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        called, area = p[drawn] >= 0.5, np.nan
        if len(np.unique(y[drawn])) == 2:
            area = roc_auc_score(y[drawn], p[drawn])
        found.append([*(score(y[drawn], called) for score in (accuracy_score, *shares)), area])
    return np.array(found)
