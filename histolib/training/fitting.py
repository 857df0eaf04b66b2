"""Training and prediction."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd

from histolib.training.batches import Batches
from histolib.training.execution import Execution, Indexed, Resident
from histolib.training.restart import compiled, keep, restarted
from histolib.training.targets import is_number, targets, tasks


@dataclass(frozen=True)
class Fit:
    """What a training leaves behind.

    Attributes
    ----------
    model
        The trained network.
    history
        One row per epoch (index ``epoch``, from 1): ``loss, accuracy, val_loss, val_accuracy``. Of several tasks
        ``loss`` and ``val_loss`` are their weighted sum, and each task has columns of its own, with its name before
        the quantity: ``malignancy_loss, malignancy_accuracy, val_malignancy_loss, val_malignancy_accuracy``; in the
        place of the accuracy a regression has ``mean_absolute_error``.
    seconds
        Wall time of all epochs, the first one's graph compilation included.
    """

    model: keras.Model
    history: pd.DataFrame
    seconds: float

    def of_task(self, name: str) -> pd.DataFrame:
        """The history of one of several tasks, its columns named as those of a single one."""
        columns = [column for column in self.history if column.removeprefix("val_").startswith(f"{name}_")]
        if not columns:
            raise ValueError(f"name={name!r}: no such task in the history, {', '.join(self.history)}")
        return self.history[columns].rename(columns=lambda column: column.replace(f"{name}_", "", 1))


def fit(
    model: keras.Model,
    images: np.ndarray,
    labels,
    validation: tuple,
    epochs: int,
    batch_size: int,
    loss: str = "categorical_crossentropy",
    optimizer: keras.optimizers.Optimizer | None = None,
    seed: int = 0,
    say: Callable[[str], None] | None = print,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    loss_weights: Mapping[str, float] | float | None = None,
    reuse: Hashable | None = None,
    execution: Execution | None = None,
) -> Fit:
    """Train a classifier, or a network for several tasks at once.

    Parameters
    ----------
    model
        Network that ends in class probabilities, or in a dictionary of them; of several outputs some may be linear.
    images
        Training images or features, (N, ...); a memory-mapped array is read batch by batch.
    labels
        Classes, (N,); for several tasks one such array per output. Floating-point labels are regressed by the mean
        squared error.
    validation
        Images and labels that are looked at after every epoch; only `callbacks` may act on what they show.
    epochs, batch_size
        At least 1.
    loss
        Keras loss on one-hot labels.
    optimizer
        Adam with learning rate 0.001 and its standard moments if None.
    seed
        Seed of the order of the images.
    say
        Receives one line per epoch; None says nothing.
    callbacks
        Further Keras callbacks, such as early stopping.
    loss_weights
        Weight of each task's loss in the sum that is minimized (Bayramoglu et al. 2016, equation 2, where both are
        0.5), or one number for all; all 1 if None.
    reuse
        A name for this architecture with this kind of labels, `loss`, `optimizer` and `loss_weights`. A network that
        an earlier call in this process compiled under the name takes over the state of `model` and is trained in its
        place, which gives the same result without compiling the training step once more; the earlier call's
        `Fit.model` is then this one's.
    execution
        How steps are run (`Execution`); its defaults if None.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        If `epochs` or `batch_size` is below 1, there is no image, the numbers of images and labels differ, labels or
        weights are not those of the model's tasks, or the loss is no longer a finite number.
    """
    if epochs < 1 or batch_size < 1 or not len(images):
        raise ValueError(f"epochs={epochs}, batch_size={batch_size}, {len(images)} images: expected at least 1 of each")
    wanted, expected = targets(model, labels, len(images)), targets(model, validation[1], len(validation[0]))
    optimizer, execution = optimizer or keras.optimizers.Adam(1e-3), execution or Execution()
    shown, held = (images, validation[0]), execution.holds(images, validation[0])
    runner, shapes = model, [None]
    if held:
        runner, shapes = Indexed(model, Resident(*shown)), [np.shape(part) for part in shown]
        shown = np.split(np.arange(sum(map(len, shown)), dtype=np.int32), [len(images)])
    batches = Batches(shown[0], wanted, batch_size, seed)
    check = Batches(shown[1], expected, max(batch_size, 256))
    name = None if reuse is None else (reuse, execution, *shapes)
    known = compiled(name)
    if known is None:
        _compile(runner, model, labels, loss, optimizer, loss_weights, execution, len(batches))
    else:
        runner = restarted(known, runner, float(optimizer.learning_rate))
        model = runner.model if held else runner
    if name is not None:
        keep(name, runner)
    start = time.perf_counter()
    told = [_Report(epochs, say or (lambda line: None)), *callbacks]
    with execution.applied(model):
        run = runner.fit(batches, validation_data=check, epochs=epochs, shuffle=False, verbose=0, callbacks=told)
    seconds = time.perf_counter() - start
    history = pd.DataFrame(run.history)[_columns(model, labels)]
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    return Fit(model, history, seconds)


def predict(model: keras.Model, images: np.ndarray, batch_size: int = 256) -> np.ndarray | dict[str, np.ndarray]:
    """Outputs of a model for images or features, float32 (N, ...), in order; of several tasks a dictionary."""
    batches = Batches(images, None, batch_size)
    before, model.steps_per_execution = model.steps_per_execution, Execution().steps_of(len(batches))
    try:
        return model.predict(batches, verbose=0)
    finally:
        model.steps_per_execution = before


def _compile(runner, model, labels, loss: str, optimizer, loss_weights, execution: Execution, batches: int) -> None:
    names = tasks(model)
    if isinstance(loss_weights, int | float):
        loss_weights = dict.fromkeys(names, loss_weights) or [loss_weights]
    elif loss_weights is not None and set(loss_weights) != set(names):
        raise ValueError(f"loss_weights={dict(loss_weights)}: expected one per task, {', '.join(names) or 'but none'}")
    losses, metrics = loss, ["accuracy"]
    if names:
        losses = {name: "mean_squared_error" if is_number(labels[name]) else loss for name in names}
        metrics = {name: [_quantity(labels[name])] for name in names}
    jit = "auto" if execution.jit is None else execution.jit
    steps = execution.steps_of(batches)
    runner.compile(optimizer, losses, loss_weights, metrics, jit_compile=jit, steps_per_execution=steps)


def _quantity(labels) -> str:
    return "mean_absolute_error" if is_number(labels) else "accuracy"


def _columns(model: keras.Model, labels) -> list[str]:
    """Columns of the history: those of the training, then those of the validation."""
    parts = [f"{name}_{part}" for name in tasks(model) for part in ("loss", _quantity(labels[name]))]
    training = ["loss", *(parts or ["accuracy"])]
    return [*training, *(f"val_{name}" for name in training)]


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
