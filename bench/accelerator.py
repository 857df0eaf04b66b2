"""Parts of the accelerator's measurement: a stopwatch, operations counted from layer shapes."""

import math
import time
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from histolib import reproducibility
from studybook.twins import idc

_SIZES = (1024, 2048, 4096, 8192, 16384)  # sides of the matrices whose product gives the chip's rate


class Stopwatch(keras.callbacks.Callback):
    """Times a training and ends it `limit` seconds after its first step, which holds the compilation.

    Attributes
    ----------
    first, last : (int, float)
        Steps done and seconds since the start, at the end of the first step and of the last epoch.
    """

    def __init__(self, limit: float):
        super().__init__()
        self.limit = limit

    def on_train_begin(self, logs=None):
        self.start, self.before, self.done, self.first = time.perf_counter(), 0, 0, None

    def on_train_batch_end(self, batch, logs=None):
        self.done, now = self.before + batch + 1, time.perf_counter() - self.start
        self.first = self.first or (self.done, now)
        if now - self.first[1] > self.limit and self.done > self.first[0]:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        # The epoch's mean loss has been read by now, so the device has done what was asked of it.
        self.before, self.last = self.done, (self.done, time.perf_counter() - self.start)


@dataclass(frozen=True)
class Timing:
    """How long a training takes. `seconds` is for all `epochs`, compilation included, of which `measured` were run."""

    seconds: float
    epochs: int
    measured: float
    compilation: float
    images_per_second: float
    batch_size: int


def timed(model: keras.Model, batches, batch_size: int, epochs: int, limit: float, loss: str) -> Timing:
    """Train for `epochs`, or for `limit` seconds and extrapolate by steps.

    Parameters
    ----------
    batches
        A `keras.utils.PyDataset` of at least two steps.
    """
    # Several steps per call spare the host's work between them; PyTorch takes one only.
    several = 1 if keras.backend.backend() == "torch" else min(16, max(1, len(batches) // 2))
    adam = keras.optimizers.Adam(1e-3)
    model.compile(adam, loss, metrics=["accuracy"], steps_per_execution=several)
    watch = Stopwatch(limit)
    model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=[watch])
    total, (first, begun), (done, end) = len(batches) * epochs, watch.first, watch.last
    rate = (done - first) / (end - begun)
    seconds = end if done >= total else begun + (total - first) / rate
    return Timing(seconds, epochs, done / len(batches), begun, rate * batch_size, batch_size)


def patches(count: int, patients: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Twin patches drawn in memory: a few hundred distinct ones, repeated in random order.

    Returns
    -------
    images : ndarray of uint8, (count, 50, 50, 3)
    labels : ndarray of int64, (count,)
    """
    cut = [found for k in range(patients) for found in idc.patches(*idc.draw_patient(k, seed, 8, 8)[:2])]
    whole = [(label, patch) for _, _, label, patch in cut if patch.shape == (50, 50, 3)]
    chosen = np.random.default_rng(seed).permutation(count) % len(whole)
    return np.stack([patch for _, patch in whole])[chosen], np.array([label for label, _ in whole])[chosen]


def operations(model: keras.Model) -> tuple[int, int]:
    """Floating-point operations per image, forward and in a training step, of convolutions and dense layers.

    A multiplication and an addition are two operations. In training, a layer costs once more for the gradient of its
    weights (if they are trained) and once more for that of its input (if a layer before it is trained).
    """
    forward = training = 0
    below = False
    for layer in _leaves(model):
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            cost = 2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
            learns = bool(layer.trainable_weights)
            forward += cost
            training += cost * (1 + learns + below)
            below = below or learns
    return forward, training


def _leaves(model: keras.Model):
    for layer in model.layers:
        yield from _leaves(layer) if isinstance(layer, keras.Model) else [layer]


def matrix_rate(dtype: str, repeats: int = 10, rounds: int = 5) -> float:
    """Operations per second of the fastest square matrix product, at Keras's and the backend's default settings."""
    best = 0.0
    for size in _SIZES:
        a = ops.cast(keras.random.normal((size, size), stddev=size**-0.5, seed=0), dtype)
        _chain(a, 2)
        seconds = min(_chain(a, repeats) for _ in range(rounds))
        best = max(best, 2 * size**3 * repeats / seconds)
        if seconds > 0.5:
            break
    return best


def peak_memory() -> float | None:
    """Largest memory of the first accelerator so far, in GB; None where there is none or the backend does not say."""
    name = keras.backend.backend()
    if not reproducibility.accelerators():
        return None
    if name == "tensorflow":
        import tensorflow

        return tensorflow.config.experimental.get_memory_info("GPU:0")["peak"] / 1e9
    if name == "jax":
        import jax

        return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0) / 1e9 or None
    import torch

    return torch.cuda.max_memory_allocated() / 1e9


def _chain(a, count: int) -> float:
    """Seconds of `count` products, each waiting for the one before; one number is read, so that all are done."""
    start, b = time.perf_counter(), a
    for _ in range(count):
        b = ops.matmul(a, b)
    ops.convert_to_numpy(ops.cast(b[0, 0], "float32"))
    return time.perf_counter() - start
