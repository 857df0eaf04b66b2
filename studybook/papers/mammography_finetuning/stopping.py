"""What a training watches, the validation cross-entropy without the penalty, and what its frozen layers do."""

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


def normalize_by_batch(backbone: keras.Model) -> None:
    """Let frozen batch normalization use the batch's own mean and variance in training, and track them.

    So it was in the Keras of 2017, where a frozen layer kept its weights only: the blocks above learned from
    activations that a test image does not have. In place, before the network is compiled.
    """
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and not layer.trainable:
            layer.trainable = True
            for weight in (layer.gamma, layer.beta):
                if weight is not None:
                    weight.trainable = False
