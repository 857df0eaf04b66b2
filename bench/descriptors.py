"""Descriptors of images: our graph, and the order of work of Rakhlin et al. 2018, with the same encoder and crops."""

import time

import keras
import numpy as np

from bench import stain as plain
from bench.table import Row
from histolib import models, reproducibility
from histolib.images import crops as cropping
from histolib.images import stain
from histolib.models import features
from histolib.training import extraction

PEER = "jitter the image in NumPy, cut crops, one `predict` per jitter"


def rows(
    shape: tuple[int, int] = (384, 512), size: int = 200, crops: int = 20, jitters: int = 5, rounds: int = 5
) -> list[Row]:
    """Compare on one drawn image, normalization included, by a ResNet-50 of width 1/8.

    The two take turns within each round, so that a busy machine hurts both alike; the ratio is the median of the
    rounds' ratios. Reading the image and writing the result are left out.
    """
    reproducibility.seed(0)
    encoder = features.extractor(models.backbone("resnet50", 0.125, "phantom"), (size, size, 3), "average")
    image = plain.drawn(shape)
    factors, places = extraction.draw("bench", shape, size, crops, jitters)
    describer = extraction.Describer({"resnet50": encoder}, shape, size)

    def ours() -> np.ndarray:
        return describer(stain.normalize(image), factors, places)["resnet50"]

    def theirs() -> np.ndarray:
        return authors_order(encoder, image, factors, places, size)

    first, second = ours(), theirs()  # compiles both
    speed = np.array([[jitters / _seconds(work) for work in (ours, theirs)] for _ in range(rounds)])
    what = f"{shape[1]} × {shape[0]}, {crops} crops of {size}, ResNet-50 of width 1/8, {keras.backend.backend()}"
    middle, aim = np.median(speed, axis=0).tolist(), "at least 1.2; GPU: at least 10"
    ratio = float(np.median(speed[:, 0] / speed[:, 1]))
    difference = float(np.abs(first - second).max() / np.abs(second).max() * 1e6)
    return [
        Row(f"descriptors, {what}", middle[0], "descriptors/s, more is better", PEER, middle[1], aim, ratio),
        Row("largest difference of these descriptors", difference, "millionths of the largest", aim="at most 100"),
    ]


def authors_order(encoder: keras.Model, image: np.ndarray, factors, places, size: int) -> np.ndarray:
    """Descriptors, float32 (jitters, D), one jitter after the other; random draws are given."""
    image, found = plain.normalize(image), []
    for pair, place in zip(factors, places, strict=True):
        crops = cropping.cut(plain.jitter(image, pair), place, size)
        encoded = encoder.predict(crops, verbose=0)
        found.append(np.power(np.power(encoded, 3).mean(axis=0), 1 / 3))
    return np.stack(found)


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
