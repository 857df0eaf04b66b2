"""Training throughput of the baseline: augmentation in the graph, by ImageDataGenerator, and none at all."""

import time
from collections.abc import Callable, Sequence

import keras
import numpy as np

from bench import generator
from bench.table import Row
from histolib import models, reproducibility, training
from histolib.training import augmentation

BATCH = 32  # as published
OURS, LIMIT, GENERATOR = "ours", "no augmentation (the limit)", "Keras's ImageDataGenerator on the CPU"


def rows(images: int = 2048, rounds: int = 7, seed: int = 0) -> list[Row]:
    """Compare one epoch over `images` random patches of 50 x 50 pixels.

    The three take turns within each round, so that a busy machine hurts all alike, and the best round of each counts:
    the system runs some epochs from beginning to end with all of the backend's threads on one core, at half the speed,
    whichever of the three it is. Kernels are repeatable, as in the chapters.
    """
    reproducibility.seed(seed)
    epochs = contenders(images, seed)
    for epoch in epochs.values():  # compiles the graph
        epoch()
    speed = dict.fromkeys(epochs, 0.0)
    for _ in range(rounds):
        for name, epoch in epochs.items():
            start = time.perf_counter()
            epoch()
            speed[name] = max(speed[name], images / (time.perf_counter() - start))
    what = f"training the baseline with augmentation, batch {BATCH}, {keras.backend.backend()}"
    aims = {LIMIT: "at least 0.95", GENERATOR: "GPU: at least 20"}
    return [Row(what, speed[OURS], "images/s, more is better", peer, speed[peer], aim) for peer, aim in aims.items()]


def contenders(images: int, seed: int, names: Sequence[str] = (OURS, LIMIT, GENERATOR)) -> dict[str, Callable]:
    """Name to a function that trains one epoch; all see the same patches in batches of 32."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (images, 50, 50, 3), dtype=np.uint8)
    targets = training.one_hot(rng.integers(0, 2, images), 2)
    return {name: _epoch(name, pixels, targets, seed) for name in names}


def _epoch(name: str, pixels: np.ndarray, targets: np.ndarray, seed: int) -> Callable:
    if name == GENERATOR:
        model, batches = generator.network(), generator.flow(pixels, targets, BATCH, seed)
    else:
        ranges = generator.ROTATION, generator.SHIFT, generator.SHEAR, generator.ZOOM
        change = augmentation.RandomAffine(*ranges, seed=seed) if name == OURS else None
        model, batches = models.baseline_cnn(augment=change), training.Batches(pixels, targets, BATCH, seed)
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
    return lambda: model.fit(batches, shuffle=False, verbose=0)
