"""Training throughput of the baseline: augmentation in the graph, by ImageDataGenerator, and none at all."""

import time
from collections.abc import Callable

import keras
import numpy as np

from bench import generator
from bench.table import Row
from histolib import models, reproducibility, training
from histolib.training import augmentation

BATCH = 32  # as published


def rows(images: int = 2048, rounds: int = 7, seed: int = 0) -> list[Row]:
    """Compare one epoch over `images` random patches of 50 x 50 pixels.

    The three take turns within each round, so that a busy machine hurts all alike; a ratio is the median of the
    rounds' ratios. Kernels are repeatable, as in the chapters.
    """
    reproducibility.seed(seed)
    epochs = contenders(images, seed)
    for epoch in epochs.values():  # compiles the graph
        epoch()
    rates = {name: [] for name in epochs}
    for _ in range(rounds):
        for name, epoch in epochs.items():
            start = time.perf_counter()
            epoch()
            rates[name].append(images / (time.perf_counter() - start))
    speed = {name: np.array(found) for name, found in rates.items()}
    what = f"training the baseline with augmentation, batch {BATCH}, {keras.backend.backend()}"
    aims = {"no augmentation (the limit)": "at least 0.95", "Keras's ImageDataGenerator on the CPU": "GPU: at least 20"}
    return [
        Row(
            what,
            float(np.median(speed["ours"])),
            "images/s, more is better",
            peer,
            float(np.median(speed[peer])),
            aim,
            float(np.median(speed["ours"] / speed[peer])),
        )
        for peer, aim in aims.items()
    ]


def contenders(images: int, seed: int) -> dict[str, Callable]:
    """Name to a function that trains one epoch; all see the same patches in batches of 32."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (images, 50, 50, 3), dtype=np.uint8)
    targets = training.one_hot(rng.integers(0, 2, images), 2)
    change = augmentation.RandomAffine(generator.ROTATION, generator.SHIFT, generator.SHEAR, generator.ZOOM, seed=seed)
    ours, limit, old = models.baseline_cnn(augment=change), models.baseline_cnn(), generator.network()
    for model in (ours, limit, old):
        model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
    batches = training.Batches(pixels, targets, BATCH, seed)
    flow = generator.flow(pixels, targets, BATCH, seed)
    return {
        "ours": lambda: ours.fit(batches, shuffle=False, verbose=0),
        "no augmentation (the limit)": lambda: limit.fit(batches, shuffle=False, verbose=0),
        "Keras's ImageDataGenerator on the CPU": lambda: old.fit(flow, verbose=0),
    }
