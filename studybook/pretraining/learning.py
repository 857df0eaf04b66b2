"""Networks that regress the quantities of drawn patches, and their training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import layers, ops

from histolib import models
from studybook.pretraining.source import TARGETS, Source

LAST_BLOCKS = 4
SIZES = {"vgg16": 64, "resnet50": 64, "inceptionv3": 96}  # pixels; Inception v3 needs at least 75


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of every target over the training patches, float32 (len(TARGETS),)."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, targets: np.ndarray) -> Scaling:
        hidden = np.ma.masked_invalid(targets)
        deviation = hidden.std(0).filled(1.0)
        return cls(hidden.mean(0).filled(0.0), np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32))

    def apply(self, targets: np.ndarray) -> np.ndarray:
        return (targets - self.mean) / self.deviation


def block_outputs(model: keras.Model, count: int = 4) -> keras.Model:
    """The same layers, giving the outputs of the last `count` blocks, first to last, instead of the last one's alone.

    Raises ValueError if the model is no backbone, or has fewer blocks.
    """
    groups = {name: layers for name, layers in models.blocks(model).items() if name != "stem"}
    if not 1 <= count <= len(groups):
        raise ValueError(f"count={count}: {model.name} has {len(groups)} blocks; expected 1 to {len(groups)}")
    outputs = [layers[-1].output for layers in list(groups.values())[-count:]]
    return keras.Model(model.input, outputs, name=f"{model.name}_blocks")


def regressor(backbone: keras.Model) -> keras.Model:
    """A backbone with two linear heads: on the pooled outputs of its last four blocks joined, and on those of its
    last block.

    The first makes every quantity a weighted sum of the numbers that a linear probe reads; the second asks it of the
    last block alone, the one that feature extraction and fine-tuning build on.

    Returns
    -------
    keras.Model
        uint8 patches (N, 64, 64, 3) to standardized targets (N, 2 * len(TARGETS)): joined blocks first, last block
        second.
    """
    size = SIZES[backbone.name]
    inputs = keras.Input((64, 64, 3), dtype="uint8", name="patch")
    x = inputs if size == 64 else layers.Resizing(size, size, name="resizing")(inputs)
    outputs = block_outputs(backbone, LAST_BLOCKS)(models.Preprocessing.of(backbone.name)(x))
    pooled = [layers.GlobalAveragePooling2D()(maps) for maps in outputs]
    joined = layers.BatchNormalization(momentum=0.9, name="joined_scale")(layers.Concatenate()(pooled))
    last = layers.BatchNormalization(momentum=0.9, name="last_scale")(pooled[-1])
    heads = [layers.Dense(len(TARGETS), name=name)(x) for name, x in (("joined", joined), ("last", last))]
    return keras.Model(inputs, layers.Concatenate(name="targets")(heads), name=f"{backbone.name}_regressor")


def masked_huber(y_true, y_pred):
    """Huber loss (1964) over the targets that apply; the others are NaN."""
    both = ops.concatenate([y_true, y_true], axis=-1)
    there = ops.logical_not(ops.isnan(both))
    error = ops.abs(ops.where(there, both, ops.zeros_like(both)) - y_pred)
    loss = ops.where(error < 1, 0.5 * error * error, error - 0.5)
    mask = ops.cast(there, loss.dtype)
    return ops.sum(loss * mask, axis=-1) / ops.maximum(ops.sum(mask, axis=-1), 1)


class Patches(keras.utils.PyDataset):
    """Shuffled batches, each turned and mirrored as a whole in one of eight ways: tissue has no upright."""

    def __init__(self, source: Source, scaling: Scaling, batch_size: int, seed: int):
        super().__init__()
        self.images, self.targets = source.images, scaling.apply(source.targets).astype(np.float32)
        self.batch_size, self.generator = batch_size, np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return max(1, len(self.images) // self.batch_size)

    def __getitem__(self, k: int):
        rows = np.sort(self.order[k * self.batch_size : (k + 1) * self.batch_size])
        turns, mirrored = self.ways[k]
        images = np.rot90(self.images[rows], turns, axes=(1, 2))
        return np.ascontiguousarray(images[:, :, ::-1] if mirrored else images), self.targets[rows]

    def on_epoch_end(self) -> None:
        self.order = self.generator.permutation(len(self.images))
        self.ways = np.stack(
            [self.generator.integers(4, size=len(self)), self.generator.integers(2, size=len(self))], 1
        )


@dataclass(frozen=True)
class Fit:
    """A trained backbone, the regressor around it, its loss per epoch, the scaling of the targets, and seconds."""

    backbone: keras.Model
    model: keras.Model
    history: pd.DataFrame
    scaling: Scaling
    seconds: float


def fit(
    backbone: keras.Model, source: Source, epochs: int, batch_size: int = 128, rate: float = 2e-3, seed: int = 0,
    say: Callable[[str], None] = print,
) -> Fit:  # fmt: skip
    """Train a backbone on drawn patches: Adam, warmed up over a twentieth of the steps, then cosine decay to zero.

    Parameters
    ----------
    backbone
        Trained in place.
    source
        Training patches.
    epochs, batch_size
        At least 1.
    rate
        Largest learning rate.
    seed
        Seed of the order and the turning of patches.
    say
        Receives one line per epoch.

    Raises
    ------
    ValueError
        `epochs` or `batch_size` below 1.
    """
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs={epochs}, batch_size={batch_size}: expected at least 1 of each")
    scaling = Scaling.of(source.targets)
    model = regressor(models.unfreeze(backbone, "all"))
    batches = Patches(source, scaling, min(batch_size, len(source.images)), seed)
    steps = len(batches) * epochs
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - steps // 20), warmup_target=rate, warmup_steps=max(1, steps // 20)
    )
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), masked_huber)
    losses = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: say(f"{backbone.name}, epoch {epoch + 1}/{epochs}: loss {logs['loss']:.4f}")
    )
    start = time.perf_counter()
    run = model.fit(batches, epochs=epochs, shuffle=False, verbose=0, callbacks=[losses])
    history = pd.DataFrame({"loss": run.history["loss"]}, pd.RangeIndex(1, epochs + 1, name="epoch"))
    return Fit(backbone, model, history, scaling, time.perf_counter() - start)
