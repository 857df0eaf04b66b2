"""Images per second of each encoder as the demo uses it, beside Keras's own EfficientNetB0 at the same size."""

import time
from collections.abc import Sequence

import keras
import numpy as np

from bench.table import Row
from histolib import models, reproducibility
from histolib.models import features

PEER = "Keras's EfficientNetB0, random weights"
SIDE = 160  # pixels, as in the demo's chapters
NARROW = 0.125  # width of the shipped weights


def rows(names: Sequence[str] = models.BACKBONES, side: int = SIDE, images: int = 32, rounds: int = 7) -> list[Row]:
    """Descriptors of images that lie in memory, batch normalizations folded, as `training.extraction` computes them.

    EfficientNet-Lite at full width, the others at the width of the shipped weights; all with random weights, which do
    not change the time. Ours and the peer take turns, so that a busy machine hurts both alike.
    """
    reproducibility.seed(0)
    pixels = np.random.default_rng(0).integers(0, 256, (images, side, side, 3), dtype=np.uint8)
    peer = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=pixels.shape[1:], pooling="avg"
    )
    found = []
    for name in names:
        width = NARROW if name in models.APPLICATIONS else 1.0
        network = features.extractor(models.backbone(name, width, None), pixels.shape[1:], "blocks")
        contenders = (features.folded(network), peer)
        for one in contenders:
            one.predict_on_batch(pixels)  # compiles
        speed = np.array([[images / _seconds(one, pixels) for one in contenders] for _ in range(rounds)])
        ours, theirs = np.median(speed, axis=0).tolist()
        what = f"encoding, {name} of width {width:g}, {side} × {side}, {keras.backend.backend()}"
        ratio = float(np.median(speed[:, 0] / speed[:, 1]))
        found.append(Row(what, ours, "images/s, more is better", PEER, theirs, "at least 1", ratio))
    return found


def _seconds(network: keras.Model, pixels: np.ndarray) -> float:
    start = time.perf_counter()
    network.predict_on_batch(pixels)
    return time.perf_counter() - start
