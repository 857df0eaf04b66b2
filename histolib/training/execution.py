"""How the steps of a training are run: several at once, compiled, with images on the device, in mixed precision."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from histolib import reproducibility

_STEPS = 16  # in one call: the host's work between two steps of a small network takes as long as the step
_HELD = 4e9  # bytes of images that are put on the device: all 397,476 patches of an oversampled training set


@dataclass(frozen=True)
class Execution:
    """What decides about time and memory; the result is the same but for rounding.

    Attributes
    ----------
    precision
        ``"float32"``, or ``"bfloat16"``: a training step multiplies in 16 bits, which the matrix units of a GPU need
        to be fast. Weights, the last layer and predictions stay float32.
    steps
        Steps in one call of the backend; None: 16 on an accelerator, where the backend can, otherwise 1.
    held
        Whether images lie on the device throughout a training, so that a step sends row numbers alone; None: on an
        accelerator, if they take at most 4 GB.
    jit
        Whether steps are compiled by XLA; None leaves it to Keras, which does where layers and backend can.

    Raises
    ------
    ValueError
        Another precision, or fewer than 1 step.
    """

    precision: str = "float32"
    steps: int | None = None
    held: bool | None = None
    jit: bool | None = None

    def __post_init__(self):
        if self.precision not in reproducibility.PRECISIONS or (self.steps is not None and self.steps < 1):
            raise ValueError(f"precision={self.precision!r}, steps={self.steps}: expected 'float32' or 'bfloat16', and "
                             "at least 1 step")  # fmt: skip

    def steps_of(self, batches: int) -> int:
        """Steps in one call when an epoch has so many; at least two calls remain."""
        able = reproducibility.backend() != "torch" and (self.steps or reproducibility.accelerators())
        return max(1, min(self.steps or _STEPS, batches // 2)) if able else 1

    def holds(self, *parts: np.ndarray) -> bool:
        """Whether these images are put on the device."""
        if self.held is None:
            return bool(reproducibility.accelerators()) and sum(part.nbytes for part in parts) <= _HELD
        return self.held

    @contextmanager
    def applied(self, model: keras.Model) -> Iterator[None]:
        """Meanwhile all layers of `model` but the last ones compute in this precision."""
        inner = _inner(model) if self.precision == "bfloat16" else []
        before = [layer.dtype_policy for layer in inner]
        try:
            for layer in inner:
                layer.dtype_policy = "mixed_bfloat16"
            yield
        finally:
            for layer, policy in zip(inner, before, strict=True):
                layer.dtype_policy = policy


class Resident(keras.layers.Layer):
    """Arrays (N, ...) of one kind, joined and put on the device once; maps row numbers (N,) to their rows."""

    def __init__(self, *parts: np.ndarray):
        super().__init__(trainable=False)
        images = np.concatenate(parts)
        self.images = self.add_weight(images.shape, "zeros", images.dtype.name, trainable=False, autocast=False)
        self.images.assign(images)

    def call(self, rows):
        return ops.take(self.images, rows, axis=0)


class Indexed(keras.Model):
    """`model` on row numbers of `resident`; its weights, for callbacks, are those of `model` alone."""

    def __init__(self, model: keras.Model, resident: Resident):
        super().__init__(name=model.name)
        self.model, self.resident = model, resident

    def call(self, rows, training=None):
        return self.model(self.resident(rows), training=training)

    def get_weights(self):
        return self.model.get_weights()

    def set_weights(self, weights):
        self.model.set_weights(weights)


def _inner(model: keras.Model, ends: bool = True) -> list[keras.layers.Layer]:
    """All layers but those that give the outputs of the whole, if this model `ends` it."""
    given = [output._keras_history.operation for output in keras.tree.flatten(model.output)]
    if isinstance(model, keras.Sequential):  # its output is said to be its own
        given = model.layers[-1:]
    last = {id(layer) for layer in given if ends}
    parts = [_inner(layer, id(layer) in last) if isinstance(layer, keras.Model) else [layer] * (id(layer) not in last)
             for layer in model.layers]  # fmt: skip
    return [layer for part in parts for layer in part]
