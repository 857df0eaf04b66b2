"""Training with a history, a wall time and one line per epoch; one task or several at once."""

from histolib.training.batches import Batches
from histolib.training.execution import Execution
from histolib.training.fitting import Fit, fit, predict
from histolib.training.restart import forget
from histolib.training.targets import one_hot

__all__ = ["Batches", "Execution", "Fit", "fit", "forget", "one_hot", "predict"]
