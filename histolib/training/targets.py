"""What a loss compares a network's answers with."""

from collections.abc import Mapping

import keras
import numpy as np


def one_hot(labels, classes: int) -> np.ndarray:
    """Classes as float32 rows with a single 1, (N, classes).

    Raises ValueError if a label is not in 0 ... classes - 1.
    """
    labels = np.asarray(labels)
    if labels.min(initial=0) < 0 or labels.max(initial=0) >= classes:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}; expected 0 to {classes - 1}")
    return np.eye(classes, dtype=np.float32)[labels]


def tasks(model: keras.Model) -> list[str]:
    """Names of the outputs of a model with several, in its order; none if it has one output."""
    output = getattr(model, "output", None)  # a `keras.Sequential` that was not called has none
    return list(output) if isinstance(output, dict) else []


def targets(model: keras.Model, labels, count: int) -> np.ndarray | dict[str, np.ndarray]:
    """Labels as the loss takes them, float32.

    Parameters
    ----------
    model
        With one output, or with a dictionary of outputs.
    labels
        Classes (N,), or one such array per output; floating-point numbers are what a linear output is to give.
    count
        Number of images, N.

    Returns
    -------
    ndarray, (N, classes), or a dictionary of such; numbers stand in one column.

    Raises
    ------
    ValueError
        Labels of other tasks than the model's, or of another number of images; a class that there is not; a number
        that is not finite, or numbers for an output that is no single one.
    """
    names = tasks(model)
    given = list(labels) if isinstance(labels, Mapping) else []
    if set(given) != set(names):
        raise ValueError(f"labels for {_tasks_in_words(given)}, but {model.name} has {_tasks_in_words(names)}")
    if not names:
        return _counted("labels", one_hot(labels, model.output_shape[-1]), count)
    return {name: _counted(name, _target(name, labels[name], model.output[name].shape[-1]), count) for name in names}


def is_number(values) -> bool:
    """Whether labels are numbers to be regressed, not classes."""
    return np.issubdtype(np.asarray(values).dtype, np.floating)


def _target(name: str, values, size: int) -> np.ndarray:
    """One-hot classes or a column of numbers for one output; an error names the task."""
    values = np.asarray(values)
    try:
        if not is_number(values):
            return one_hot(values, size)
        if size != 1 or not np.isfinite(values).all():
            raise ValueError(f"floating-point labels for {size} outputs; expected finite ones for a single output")
    except ValueError as problem:
        raise ValueError(f"{name}: {problem}") from problem
    return values.astype(np.float32)[:, None]


def _counted(name: str, values: np.ndarray, count: int) -> np.ndarray:
    if len(values) != count:
        raise ValueError(f"{name}: {len(values)} for {count} images; expected one per image")
    return values


def _tasks_in_words(names: list[str]) -> str:
    return f"the tasks {', '.join(names)}" if names else "one task without a name"
