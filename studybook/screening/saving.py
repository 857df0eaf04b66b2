"""A model saved with its card, and loaded again in Keras's safe mode."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from histolib import cache
from studybook.screening import cards
from studybook.screening.cards import Card

if TYPE_CHECKING:
    import keras

    from histolib.datasets import Dataset


@dataclass(frozen=True)
class Screener:
    """A loaded model and its card."""

    model: keras.Model
    card: Card


def save(
    model: keras.Model,
    path: Path | str,
    classes: tuple[str, ...],
    *,
    data: dict,
    metrics: dict | None = None,
    preprocessing: dict | None = None,
    revision: str | None = None,
) -> Path:
    """Save a trained classifier and its card, each whole or not at all, the card last.

    The optimizer is left out. Between the two writes an older card may lie beside the new model; `load` notices.

    Parameters
    ----------
    model
        Images (N, S, S, 3) with pixels in [0, 255] to class probabilities (N, classes): rescaling, contrast
        normalization and the backbone's own preprocessing are layers of it.
    path
        The file, to which ``.keras`` is added if it lacks it, or a folder that is there, which gets
        ``<name of the model>.keras``.
    classes
        Names of the classes in the order of the outputs.
    data, metrics, preprocessing
        See `Card`; ``data["twin"]`` must be there.
    revision
        Commit that the model was trained with; that of the current folder if None.

    Returns
    -------
    Path
        The model's file.

    Raises
    ------
    ValueError
        If the model isn't of that kind, the number of classes is not that of its outputs, or the card lacks
        something. Nothing is written then.
    """
    import keras

    from studybook.engine import records

    path = Path(path)
    file = path / f"{model.name}.keras" if path.is_dir() else path
    file = file if file.suffix == ".keras" else file.with_name(f"{file.name}.keras")
    cards.check(data, preprocessing or {})
    _check(model, tuple(classes), "save")
    bare = type(model).from_config(model.get_config())  # the same network, not compiled: it has no optimizer
    bare.set_weights(model.get_weights())
    with cache.atomic_file(file) as part:
        bare.save(part)
    card = Card(
        model=file.name,
        sha256=cards.digest(file),
        classes=tuple(classes),
        input_shape=tuple(model.input_shape[1:]),
        data=data,
        metrics=metrics or {},
        preprocessing=preprocessing or {},
        revision=revision or records.revision(),
        histolib=metadata.version("histolib"),
        keras=keras.__version__,
    )
    cards.write(card, cards.path_of(file))
    return file


def describe(dataset: Dataset) -> dict:
    """What a card says of the data set that a model learned from, as arguments of `save`.

    Returns
    -------
    dict
        ``classes, data`` and ``preprocessing``: the window of its regions, if they have one in common.
    """
    from studybook.engine import records

    table, preprocessing = dataset.table, {}
    if {"window", "edge"} <= set(table) and len(table[["window", "edge"]].drop_duplicates()) == 1:
        first = table.iloc[0]
        preprocessing = {"window": int(first["window"]), "edge": str(first["edge"]), "out": int(dataset.shape[0])}
    return {"classes": dataset.classes, "data": records.data_facts(dataset), "preprocessing": preprocessing}


def load(path: Path | str) -> Screener:
    """Load a model that `save` wrote.

    Keras's safe mode refuses a file that brings its own code (lambda layers); the library's own layers are known by
    their registered names.

    Raises
    ------
    FileNotFoundError
        If the model or its card is not there.
    ValueError
        If model and card do not belong together, or Keras can't load the model in safe mode.
    """
    path = Path(path)
    card = cards.read(path)  # before Keras starts: a wrong path should not cost seconds

    import keras

    from histolib.training import augmentation  # noqa: F401 - they register their layers

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as problem:  # zip, h5py, JSON and Keras's own errors differ by what is wrong
        reason = str(problem).strip().split("\n")[0][:300]
        raise ValueError(f"{path}: Keras can't load this model in safe mode ({reason})") from problem
    if tuple(model.input_shape[1:]) != card.input_shape:
        raise ValueError(f"{path}: images of shape {model.input_shape[1:]}, but its card says {card.input_shape}")
    _check(model, card.classes, str(path))
    return Screener(model, card)


def _check(model: keras.Model, classes: tuple[str, ...], where: str) -> None:
    """Raise ValueError if `model` is no classifier of square color images into `classes`."""
    shape, output = tuple(model.input_shape or ()), tuple(model.output_shape or ())
    if len(shape) != 4 or shape[1] is None or shape[1] != shape[2] or shape[3] != 3:
        raise ValueError(
            f"{where}: the model takes inputs of shape {shape}; expected (None, S, S, 3) with a fixed side"
        )
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise ValueError(f"{where}: classes={classes}; expected at least two different names")
    if output != (None, len(classes)):
        raise ValueError(f"{where}: outputs of shape {output} for {len(classes)} classes {classes}")
    total = float(np.sum(model.predict_on_batch(np.full((1, *shape[1:]), 128, np.uint8))))
    if abs(total - 1) > 1e-3:
        raise ValueError(f"{where}: the outputs sum to {total:.3g}; expected probabilities (softmax), which sum to 1")
