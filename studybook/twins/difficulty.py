"""What becomes of methods where a twin's classes overlap more, and where fewer patients are there to learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from histolib import datasets, metrics
from histolib.datasets import mammograms
from histolib.descriptors import classifiers
from histolib.metrics import predictions
from studybook import twins
from studybook.twins.ceiling import METHOD
from studybook.twins.truth import traits

FROZEN, PLAINEST = "frozen EfficientNet-Lite0", "plainest measurement"
_DARK = 128  # gray value below which a pixel is dark
_SIDE = 224  # pixels; larger images are cut to a square and rescaled
_DRAWS = 500  # bootstrap resamples of the test patients


def curve(
    name: str,
    difficulties: Sequence[float],
    patients: Sequence[int],
    tested: int = 40,
    seed: int = datasets.SEED,
    described: Mapping[str, Callable[[datasets.Dataset], np.ndarray]] | None = None,
) -> pd.DataFrame:
    """Area under the ROC curve of logistic regressions, by difficulty and by number of training patients.

    Patients are the same at every difficulty, those of a smaller training part are in every larger one, and all are
    tested on the same `tested` patients: rows may be compared in pairs. The interval holds the chance of these alone.

    Parameters
    ----------
    name
        A data set; its twin is drawn once per difficulty, with the largest number of patients and those tested.
    difficulties
        See :mod:`studybook.twins.overlap`.
    patients
        Numbers of training patients; at least 2 of each class must be among the fewest.
    tested
        Number of other patients.
    seed
        Of drawing, division and regression.
    described
        By method, what gives the numbers (N, D) that a regression learns from; `DESCRIBED` if left out.

    Returns
    -------
    DataFrame
        A row per ``difficulty, patients, method``: ``auc`` (of several classes, the mean of each against the rest) and
        ``low, high``, its interval of 95 %.
    """
    rows, total, parts = [], max(patients) + tested, None
    for difficulty in difficulties:
        dataset = datasets.load(name, twins.folder(name, total, seed, difficulty))
        parts = parts or division(dataset, patients, tested, seed)
        test = _rows(dataset, parts[0])
        for method, describe in (DESCRIBED if described is None else described).items():
            values = np.asarray(describe(dataset), np.float64)
            for count in patients:
                train = _rows(dataset, parts[count])
                learned = dataset.labels[train], dataset.patients[train]
                model = classifiers.fit("logistic", values[train], *learned, seed)
                given = predictions.table(method, dataset.table.iloc[test], model.predict_proba(values[test]))
                rows.append((difficulty, count, method, *metrics.summary(given, _DRAWS, seed).loc[(method, "auc")]))
    return pd.DataFrame(rows, columns=["difficulty", "patients", "method", "auc", "low", "high"])


def division(dataset: datasets.Dataset, counts: Sequence[int], tested: int, seed: int) -> dict[int, np.ndarray]:
    """Patients to learn from, by number, each part within the next larger one; key 0 has those to test on.

    The classes of patients, each that of the highest label, have about the same shares in every part.

    Raises
    ------
    ValueError
        If there are too few patients.
    """
    known = dataset.table.groupby("patient")["label"].max()
    if max(counts) + tested > len(known):
        raise ValueError(f"patients: {max(counts)} and tested: {tested} found, of {len(known)} in all; fewer are right")
    known = known.sample(frac=1, random_state=seed)
    groups = known.groupby(known)
    place = (groups.cumcount() + 0.5) / groups.transform("size")
    order = known.index[np.argsort(place, kind="stable")].to_numpy()
    return {count: order[:count] for count in counts} | {0: order[-tested:]}


def plainest(dataset: datasets.Dataset) -> np.ndarray:
    """What needs no method: logarithms of height and width of a lesion's box, else the share of dark pixels."""
    if "bottom" in dataset.table:
        return mammograms.log_sides(dataset.table)
    return np.array([[(image.mean(-1) < _DARK).mean()] for image in _images(dataset)])


def frozen(dataset: datasets.Dataset) -> np.ndarray:
    """Means of the last maps of four stages of a network that learned from ImageNet and nothing here."""
    from histolib import models, training
    from histolib.models import features

    images = _images(dataset)
    shape = images.shape[1:]
    backbone = models.backbone("efficientnet_lite0", 1.0, "imagenet", shape)
    return training.predict(features.extractor(backbone, shape, "blocks"), images)


DESCRIBED = {METHOD: traits, FROZEN: frozen, PLAINEST: plainest}


def _images(dataset: datasets.Dataset) -> np.ndarray:
    return dataset.images(_SIDE, crop="center") if max(dataset.shape) > _SIDE else dataset.images()


def _rows(dataset: datasets.Dataset, patients: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.isin(dataset.patients, patients))
