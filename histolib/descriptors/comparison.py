"""Hand-crafted descriptors with classifiers as methods: predictions and times, as any other method's."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from histolib import descriptors
from histolib.descriptors.classifiers import CLASSIFIERS, fit, title
from histolib.descriptors.running import positions
from histolib.metrics import predictions

METHOD = "{name}, {classifier}"
COLUMNS = ["method", "descriptor", "classifier", "describe", "classify", "fit", "chosen"]


@dataclass(frozen=True)
class Described:
    """Descriptors of images by name, float32 (N, columns), and the seconds of one core that 1,000 images took."""

    features: Mapping[str, np.ndarray]
    seconds: Mapping[str, float]

    def __len__(self) -> int:
        return len(next(iter(self.features.values())))


@dataclass(frozen=True)
class _Joined:
    """Chosen images of one array followed by all images of another, never copied into one."""

    first: np.ndarray
    rows: np.ndarray
    second: np.ndarray

    def __len__(self) -> int:
        return len(self.rows) + len(self.second)


def precompute(
    images: np.ndarray,
    names: Sequence[str] = tuple(descriptors.REGISTRY),
    workers: int | None = None,
    progress: bool = False,
) -> Described:
    """Several descriptors of the same images, for the folds of a cross-validation to share.

    Parameters
    ----------
    images, workers, progress
        As for `descriptors.compute`.
    names
        Of `descriptors.REGISTRY`.

    Raises
    ------
    ValueError
        No name or an unknown one, before anything is computed; and as `descriptors.compute`.
    """
    if not names:
        raise ValueError("names: none; expected at least one descriptor")
    for name in names:
        descriptors.find(name)
    found = {name: _per_thousand(images, name, None, workers, progress) for name in names}
    return Described({k: v for k, (v, _) in found.items()}, {k: seconds for k, (_, seconds) in found.items()})


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
        uint8, (N, H, W, 3), or what `precompute` gave for them.
    table
        Their rows of `Dataset.table`: needs ``image_id, patient, label``.
    train, test
        Positions of the training and of the test images.
    names, classifiers
        Of `descriptors.REGISTRY` and of `classifiers.CLASSIFIERS`.
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
    titles = _titles(names, classifiers, method)
    train, test = _parts(images, table, train, test, names, shared)
    labels, patients = table["label"].to_numpy(), table["patient"].to_numpy()
    train = limited(train, labels, limit, seed)
    rows, times = [], []
    for name, features, seconds in _computed(images, names, train, test, workers, progress):
        for classifier in classifiers:
            words = descriptors.REGISTRY[name].transformer
            own = (features[: len(train)], labels[train], patients[train], seed)
            start = time.perf_counter()
            model = fit(classifier, *own, transformer=words and words(seed), workers=workers)
            fitting = time.perf_counter() - start
            probabilities, classify = _probabilities(model, features[len(train) :])
            called = titles[name, classifier]
            rows.append(predictions.table(called, table.iloc[test], probabilities, fold))
            best = ", ".join(f"{key}={value}" for key, value in model.best_.items())
            times.append((called, name, classifier, seconds, classify, fitting, best))
    return pd.concat(rows, ignore_index=True), pd.DataFrame(times, columns=COLUMNS)


def compare_parts(
    parts, names: Sequence[str], classifiers: Sequence[str] = ("forest",), **options
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`compare` on the training and the test part, `protocols.Parts`, with its `options`.

    Training images that SMOTE made are left out: they are blends of two patients, so that no division by patient could
    keep an inner training and validation part apart. The test part stays as it is.
    """
    rows = np.flatnonzero(~parts.train["synthetic"].to_numpy())
    table = pd.concat([parts.train.iloc[rows], parts.test], ignore_index=True)
    images = _Joined(parts.train_images, rows, parts.test_images)
    train, test = np.split(np.arange(len(table)), [len(rows)])
    return compare(images, table, train, test, names, classifiers, **options)


def limited(train: np.ndarray, labels: np.ndarray, limit: int | None, seed: int) -> np.ndarray:
    """At most `limit` of the training positions, sorted, with the classes' shares.

    Raises ValueError: a limit below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit}: expected at least 1, or None for all")
    if limit is None or len(train) <= limit:
        return train
    order, own = np.random.default_rng(seed).permutation(len(train)), labels[train]
    rank = np.empty(len(train))  # within its class, in a random order, divided by the class's size
    for label in np.unique(own):
        members = order[own[order] == label]
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.sort(train[np.argsort(rank, kind="stable")[:limit]])


def _titles(names: Sequence[str], using: Sequence[str], method: str) -> dict[tuple[str, str], str]:
    """Name of the method for each descriptor and classifier."""
    if not names or not using:
        raise ValueError(f"names={list(names)}, classifiers={list(using)}: expected at least one of each")
    found = {
        (name, one): method.format(name=descriptors.find(name).title, classifier=title(one), descriptor=name)
        for name in names
        for one in using
    }
    if len(set(found.values())) < len(names) * len(using):
        raise ValueError(f"method={method!r} gives two methods one name; it needs {{name}} and {{classifier}}")
    return found


def _parts(images, table: pd.DataFrame, train, test, names: Sequence[str], shared: bool):
    """Positions of training and test images as arrays, once all that is asked of them holds."""
    _check_images(images, len(table), names)
    train, test = positions("train", train, len(table)), positions("test", test, len(table))
    if not len(train) or not len(test):
        raise ValueError(f"{len(train)} training and {len(test)} test positions; expected at least one of each")
    both = np.intersect1d(train, test)
    if len(both):
        raise ValueError(f"{len(both)} images are in the training and the test part, the first at position {both[0]}")
    patients, labels = table["patient"].to_numpy(), table["label"].to_numpy()
    common = sorted(set(patients[train]) & set(patients[test]))
    if common and not shared:
        raise ValueError(
            f"{len(common)} patients are in the training and the test part, such as {common[0]}; divide by patient, or "
            "allow it with shared=True"
        )
    learned = np.unique(labels[train])
    if learned.tolist() != list(range(len(learned))) or labels[test].max() >= len(learned):
        raise ValueError(
            f"training images of class {learned.tolist()}, test images of {np.unique(labels[test]).tolist()}; expected "
            "every class, counted from 0, among the training images"
        )
    return train, test


def _check_images(images, rows: int, names: Sequence[str]) -> None:
    sizes = {"": len(images)}
    if isinstance(images, Described):
        missing = [name for name in names if name not in images.features]
        if missing:
            raise ValueError(f"not described: {', '.join(missing)}; described: {', '.join(images.features)}")
        sizes = {name: len(images.features[name]) for name in names}
    for name, count in sizes.items():
        if count != rows:
            raise ValueError(f"{count} images{name and f' described by {name}'} for {rows} rows of the table")


def _computed(images, names, train, test, workers, progress) -> Iterator[tuple[str, np.ndarray, float]]:
    """Name, descriptors of the training images followed by those of the test images, seconds per 1,000 images."""
    for name in names:
        if isinstance(images, Described):
            features = images.features[name]
            yield name, np.concatenate([features[train], features[test]]), images.seconds[name]
        elif isinstance(images, _Joined):
            one, fast = _per_thousand(images.first, name, images.rows[train], workers, progress)
            other, slow = _per_thousand(images.second, name, test - len(images.rows), workers, progress)
            mean = (fast * len(train) + slow * len(test)) / (len(train) + len(test))
            yield name, np.concatenate([one, other]), mean
        else:
            yield name, *_per_thousand(images, name, np.concatenate([train, test]), workers, progress)


def _per_thousand(images, name: str, rows, workers, progress) -> tuple[np.ndarray, float]:
    found, seconds = descriptors.compute(images, name, workers, progress, rows)
    return found, 1000 * seconds / max(1, len(found))


def _probabilities(model, features: np.ndarray) -> tuple[np.ndarray, float]:
    """Probabilities, and the seconds of one core that 1,000 images took."""
    with threadpool_limits(1):
        start = time.process_time()
        found = model.predict_proba(features)
        return found, 1000 * (time.process_time() - start) / len(features)
