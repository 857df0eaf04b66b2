"""Arrays in batches."""

from collections.abc import Mapping

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Batches cut from arrays, in a new seeded order each epoch if a seed is given.

    Keras would copy a whole array to the backend; this reads one batch at a time, so that a memory-mapped data set
    larger than the memory can be trained on, and every backend sees the same order.
    """

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray | Mapping[str, np.ndarray] | None,
        batch_size: int,
        seed: int | None = None,
    ):
        super().__init__()
        self.images, self.targets, self.batch_size = images, targets, batch_size
        self.generator = None if seed is None else np.random.default_rng(seed)
        self._order = np.arange(len(images))
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, k: int):
        rows = slice(k * self.batch_size, (k + 1) * self.batch_size)
        if self.generator is not None:
            rows = np.sort(self._order[rows])
        images = np.ascontiguousarray(self.images[rows])
        if self.targets is None:
            return (images,)
        if isinstance(self.targets, Mapping):
            return images, {name: values[rows] for name, values in self.targets.items()}
        return images, self.targets[rows]

    def on_epoch_end(self) -> None:
        if self.generator is not None:
            self._order = self.generator.permutation(len(self.images))
