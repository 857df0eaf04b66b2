"""What decides when a training ends: the cross-entropy of the validation part, without the penalty on weights."""

import keras
import numpy as np

from histolib.training import Fit


class CrossEntropy(keras.callbacks.Callback):
    """After each epoch, the validation loss less the penalty, under a name of its own that later callbacks may watch.

    The penalty depends on the weights alone. Where it is large, as with the paper's factor of 0.1, it falls whatever
    the images say, and the smallest loss is that of the last epoch.
    """

    NAME = "val_cross_entropy"

    def __init__(self):
        super().__init__()
        self.values: list[float] = []

    def on_epoch_end(self, epoch, logs=None):
        penalty = sum(float(np.asarray(keras.ops.convert_to_numpy(one))) for one in self.model.losses)
        logs[self.NAME] = logs["val_loss"] - penalty
        self.values.append(logs[self.NAME])

    def joined(self, fit: Fit) -> Fit:
        """The training with these values in its history."""
        fit.history[self.NAME] = self.values
        return fit
