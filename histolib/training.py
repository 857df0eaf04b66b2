"""Training with a history, a wall time and one line per epoch."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Fit:
    """What a training leaves behind.

    Attributes
    ----------
    model
        The trained network.
    history
        One row per epoch (index ``epoch``, from 1): ``loss, accuracy, val_loss, val_accuracy``.
    seconds
        Wall time of all epochs, the first one's graph compilation included.
    """

    model: keras.Model
    history: pd.DataFrame
    seconds: float


def one_hot(labels, classes: int) -> np.ndarray:
    """Classes as float32 rows with a single 1, (N, classes).

    Raises
    ------
    ValueError
        If a label is not in 0 ... classes - 1.
    """
    labels = np.asarray(labels)
    if labels.min(initial=0) < 0 or labels.max(initial=0) >= classes:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}; expected 0 to {classes - 1}")
    return np.eye(classes, dtype=np.float32)[labels]


def fit(
    model: keras.Model,
    images: np.ndarray,
    labels,
    validation: tuple[np.ndarray, np.ndarray],
    epochs: int,
    batch_size: int,
    loss: str = "categorical_crossentropy",
    optimizer: keras.optimizers.Optimizer | None = None,
    seed: int = 0,
    say: Callable[[str], None] = print,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    whole_batches: bool = False,
) -> Fit:
    """Train a classifier.

    Parameters
    ----------
    model
        Network that ends in class probabilities.
    images
        Training images or features, (N, ...); a memory-mapped array is read batch by batch.
    labels
        Classes, (N,).
    validation
        Images and labels that are looked at after every epoch; only `callbacks` may act on what they show.
    epochs, batch_size
        At least 1.
    loss
        Keras loss on one-hot labels.
    optimizer
        Adam with learning rate 0.001 and its standard moments if None, as the IDC paper uses.
    seed
        Seed of the order of the images.
    say
        Receives one line per epoch.
    callbacks
        Further Keras callbacks, such as early stopping.
    whole_batches
        Leave out each epoch's last batch if it is smaller than the others; with a new order each epoch, other images
        are left out each time. Short trainings save the compilation for a second batch size.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        If `epochs` or `batch_size` is below 1, there is no image, or the loss is no longer a finite number.
    """
    if epochs < 1 or batch_size < 1 or not len(images):
        raise ValueError(f"epochs={epochs}, batch_size={batch_size}, {len(images)} images: expected at least 1 of each")
    classes = model.output_shape[-1]
    model.compile(optimizer or keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    batches = Batches(images, one_hot(labels, classes), batch_size, seed, whole_batches)
    check = Batches(validation[0], one_hot(validation[1], classes), max(batch_size, 256))
    start = time.perf_counter()
    told = [_Report(epochs, say), *callbacks]
    run = model.fit(batches, validation_data=check, epochs=epochs, shuffle=False, verbose=0, callbacks=told)
    seconds = time.perf_counter() - start
    history = pd.DataFrame(run.history)[["loss", "accuracy", "val_loss", "val_accuracy"]]
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    return Fit(model, history, seconds)


def predict(model: keras.Model, images: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Outputs of a model for images or features, float32 (N, ...), in order."""
    return model.predict(Batches(images, None, batch_size), verbose=0)


class Batches(keras.utils.PyDataset):
    """Batches cut from arrays, in a new seeded order each epoch if a seed is given.

    Keras would copy a whole array to the backend; this reads one batch at a time, so that a memory-mapped data set
    larger than the memory can be trained on, and every backend sees the same order.
    """

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray | None,
        batch_size: int,
        seed: int | None = None,
        whole: bool = False,
    ):
        super().__init__()
        self.images, self.targets, self.batch_size, self.whole = images, targets, batch_size, whole
        self.generator = None if seed is None else np.random.default_rng(seed)
        self._order = np.arange(len(images))
        self.on_epoch_end()

    def __len__(self) -> int:
        if self.whole:
            return max(1, len(self.images) // self.batch_size)
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, k: int):
        rows = slice(k * self.batch_size, (k + 1) * self.batch_size)
        if self.generator is not None:
            rows = np.sort(self._order[rows])
        images = np.ascontiguousarray(self.images[rows])
        return (images,) if self.targets is None else (images, self.targets[rows])

    def on_epoch_end(self) -> None:
        if self.generator is not None:
            self._order = self.generator.permutation(len(self.images))


class _Report(keras.callbacks.Callback):
    """One line per epoch, without times, so that two runs can be compared; stops at a loss that is not finite."""

    def __init__(self, epochs: int, say: Callable[[str], None]):
        super().__init__()
        self.epochs, self.say = epochs, say

    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite(logs["loss"]):
            raise ValueError(f"epoch {epoch + 1}: the loss is {logs['loss']}; a smaller learning rate may help")
        values = ", ".join(f"{name.replace('val_', 'validation ')} {logs[name]:.3f}" for name in sorted(logs, key=len))
        self.say(f"{self.model.name}, epoch {epoch + 1}/{self.epochs}: {values}")
