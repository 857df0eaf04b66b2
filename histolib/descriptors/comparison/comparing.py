"""Every classifier on every descriptor."""

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from histolib import descriptors
from histolib.descriptors.classifiers import CLASSIFIERS, fit
from histolib.descriptors.comparison import checks
from histolib.descriptors.comparison.describing import Described, Joined, chosen
from histolib.metrics import predictions

METHOD = "{name}, {classifier}"
COLUMNS = ["method", "descriptor", "classifier", "describe", "classify", "fit", "chosen"]


def compare(
    images: np.ndarray | Described,
    table: pd.DataFrame,
    train,
    test,
    names: Sequence[str] = tuple(descriptors.REGISTRY),
    classifiers: Sequence[str] = tuple(CLASSIFIERS),
    seed: int = 0,
    fold: int = 0,
    method: str = METHOD,
    limit: int | None = None,
    shared: bool = False,
    workers: int | None = None,
    progress: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every classifier on every descriptor, fitted on the training images and tried on the test images.

    Parameters
    ----------
    images
        uint8, (N, H, W, 3), or what `describe` gave for them.
    table
        Their rows of `Dataset.table`: needs ``image_id, patient, label``.
    train, test
        Positions of the training and of the test images.
    names
        Of `descriptors.REGISTRY`.
    classifiers
        Of `classifiers.CLASSIFIERS`.
    seed
        Of the classifiers, of the words of ORB, and of the choice of training images.
    fold
        Number of the fold that the test images are.
    method
        Name of a method in the predictions; ``{name}`` and ``{classifier}`` stand for the titles, ``{descriptor}`` for
        the name in the registry.
    limit
        At most so many training images are fitted on, drawn with the classes' shares: the time of the support vector
        machine grows with the square of their number. None means all.
    shared
        Whether patients may be in both parts, for studying that leak only.
    workers, progress
        Processes (None: one per core for much data), and whether there is a progress bar.

    Returns
    -------
    predictions : DataFrame
        As `predictions.table` gives it, one method below the other.
    times : DataFrame
        ``method, descriptor, classifier``; ``describe`` and ``classify``, seconds of one core per 1,000 images;
        ``fit``, seconds by the clock, the search for hyperparameters included; ``chosen``, the hyperparameters.

    Raises
    ------
    ValueError
        Before any work: an unknown name, lengths that differ, images or patients in both parts, a class of the test
        images that no training image has, two methods of one name. And as `classifiers.fit`.
    """
    titles = checks.titles(names, classifiers, method)
    train, test = checks.parts(images, table, train, test, names, shared)
    labels, patients = table["label"].to_numpy(), table["patient"].to_numpy()
    train = checks.limited(train, labels, limit, seed)
    rows, times = [], []
    for name, features, seconds in chosen(images, names, train, test, workers, progress):
        for classifier in classifiers:
            words = descriptors.REGISTRY[name].transformer
            own = (features[: len(train)], labels[train], patients[train], seed)
            start = time.perf_counter()
            model = fit(classifier, *own, transformer=words and words(seed), workers=workers)
            fitting = time.perf_counter() - start
            probabilities, classify = _probabilities(model, features[len(train) :])
            title = titles[name, classifier]
            rows.append(predictions.table(title, table.iloc[test], probabilities, fold))
            best = ", ".join(f"{key}={value}" for key, value in model.best_.items())
            times.append((title, name, classifier, seconds, classify, fitting, best))
    return pd.concat(rows, ignore_index=True), pd.DataFrame(times, columns=COLUMNS)


def _probabilities(model, features: np.ndarray) -> tuple[np.ndarray, float]:
    """Probabilities, and the seconds of one core that 1,000 images took."""
    with threadpool_limits(1):
        start = time.process_time()
        found = model.predict_proba(features)
        return found, 1000 * (time.process_time() - start) / len(features)


def compare_parts(
    parts, names: Sequence[str], classifiers: Sequence[str] = ("forest",), **options
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`compare` on the training and the test part of `protocols.prepare`.

    Training images that SMOTE made are left out: they are blends of two patients, so that no division by patient could
    keep an inner training and validation part apart. The test part stays as it is.

    Parameters
    ----------
    parts
        `protocols.Parts`.
    names, classifiers
        As for `compare`.
    options
        ``seed``, ``fold``, ``method`` ... of `compare`.

    Returns
    -------
    predictions, times : DataFrame
        As `compare`.

    Raises
    ------
    ValueError
        As `compare`.
    """
    rows = np.flatnonzero(~parts.train["synthetic"].to_numpy())
    table = pd.concat([parts.train.iloc[rows], parts.test], ignore_index=True)
    images = Joined(parts.train_images, rows, parts.test_images)
    train, test = np.split(np.arange(len(table)), [len(rows)])
    return compare(images, table, train, test, names, classifiers, **options)
