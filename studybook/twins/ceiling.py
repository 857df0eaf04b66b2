"""The ceiling of a twin: what the drawn traits themselves tell of the class, for a row beside what was learned."""

from __future__ import annotations

import numpy as np

from histolib import datasets
from studybook.twins.truth import traits

METHOD = "drawn traits (ceiling)"  # of its rows in tables of predictions


def ceiling(dataset: datasets.Dataset, train: np.ndarray, test: np.ndarray, seed: int = 0) -> np.ndarray:
    """Probabilities of the classes of the rows `test` by a logistic regression on the traits of the rows `train`.

    The traits are known without the error of reading them off a picture. The bound is not proven: a picture may show
    what no trait tells, or what a weighted sum of traits misses.

    Parameters
    ----------
    dataset
        A twin.
    train, test
        Positions in ``dataset.table``.
    seed
        Of the division by patient that chooses the regularization, see `histolib.descriptors.classifiers.fit`.

    Returns
    -------
    ndarray, (len(test), classes)

    Raises
    ------
    ValueError
        If the data set is real or its traits are not known; and as `classifiers.fit`.
    """
    from histolib.descriptors import classifiers

    known = traits(dataset)
    if known is None:
        raise ValueError(f"dataset: {dataset.name} is real, so its traits are not known; a twin is right")
    values, learned = known.to_numpy(np.float64), (dataset.labels[train], dataset.patients[train])
    model = classifiers.fit("logistic", values[train], *learned, seed)
    return model.predict_proba(values[test])
