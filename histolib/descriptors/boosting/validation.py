"""Models of all kinds of descriptor, folds and seeds, and what each image gets from those that never saw it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import lightgbm
import numpy as np
from tqdm.auto import tqdm

from histolib import parallel
from histolib.descriptors.boosting import kept
from histolib.descriptors.boosting.trees import (
    PARAMETERS,
    Key,
    binned,
    check_all,
    classes_of,
    complete,
    name,
    predict,
    train,
)


@dataclass(frozen=True)
class CrossValidation:
    """What `cross_validate` gives.

    `probabilities` has, for each kind of descriptor, float64 (seeds, images, augmentations, classes): each image
    predicted by the models that were not trained on it. `fold` is the number, from 1, of the fold that an image was
    tested in. `unlabeled` is (images, classes), the mean over all models and augmentations, or None. `reused` of the
    `models` were read from files.
    """

    probabilities: dict[Key, np.ndarray]
    fold: np.ndarray
    seeds: tuple[int, ...]
    unlabeled: np.ndarray | None
    models: int
    reused: int


def cross_validate(
    descriptors: Mapping[Key, np.ndarray],
    labels,
    parts: Sequence[tuple[np.ndarray, np.ndarray]],
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    parameters: Mapping = PARAMETERS,
    unlabeled: Mapping[Key, np.ndarray] | None = None,
    folder: Path | str | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> CrossValidation:
    """Train one model per kind of descriptor, fold and seed (Rakhlin et al. 2018, Section 2.5).

    Parameters
    ----------
    descriptors
        For each kind, (encoder, crop size), float32 (images, augmentations, D), images in the order of `labels`.
    labels
        Classes 0 to k - 1 of the images.
    parts
        (train, test) positions of the images, a list made from `splits.folds`; the tests together hold each image once.
    seeds
        One model for each.
    parameters
        LightGBM's, or what `tune` returns.
    unlabeled
        Descriptors of images without labels, for the same kinds, to be predicted by all models.
    folder
        Where models are kept as LightGBM text, each with a JSON file of the same name. A model that was made with
        the same parameters from the same data is read, not trained again, so that a stopped run can be resumed.
    workers
        Models that are trained at the same time, as many as there are cores if None; does not change them. Each takes
        about 1.5 GB of memory for 18,000 rows of 2,048 numbers.
    progress
        Show a bar.

    Returns
    -------
    CrossValidation

    Raises
    ------
    ValueError
        Labels, descriptors, parts, seeds or unlabeled descriptors that do not fit.
    """
    y, parts = classes_of(labels), list(parts)
    check_all(descriptors, len(y))
    others = _same_kinds(unlabeled, descriptors)
    fold, seeds = _fold_numbers(parts, len(y)), _distinct(seeds)
    tuned = set(parameters) == set(descriptors) and all(len(chosen) == len(parts) for chosen in parameters.values())
    if not tuned and "num_iterations" not in parameters:
        raise ValueError(
            f"parameters for {[*parameters]}: expected LightGBM's, or tuned ones for these parts and kinds"
        )
    found = {key: np.empty((len(seeds), *x.shape[:2], int(y.max()) + 1)) for key, x in descriptors.items()}

    def one_fold(job: tuple[Key, int]) -> tuple[list[np.ndarray], int]:
        """Answers for the unlabeled images, one per seed, and the number of models that were read."""
        key, k = job
        x, (rows, test) = descriptors[key], parts[k]
        part = _TrainingPart(x, y, rows, parameters[key][k] if tuned else parameters)
        answers, reused = [], 0
        for s, seed in enumerate(seeds):
            booster, read = part.model(seed, Path(folder) / f"{name(key)}-fold{k + 1}-seed{seed}" if folder else None)
            found[key][s, test] = predict(booster, x[test])
            answers += [predict(booster, others[key]).mean(1)] if others else []
            reused += read
        return answers, reused

    new, reused = [], 0
    jobs = [(key, k) for key in descriptors for k in range(len(parts))]
    with tqdm(total=len(jobs) * len(seeds), disable=not progress, unit="model") as bar:
        for answers, read in parallel.threads(one_fold, jobs, workers):
            new, reused = new + answers, reused + read
            bar.update(len(seeds))
    return CrossValidation(found, fold, seeds, np.mean(new, 0) if new else None, bar.total, reused)


class _TrainingPart:
    """Training rows of one fold, put into bins once for the models of all seeds, and not at all if those are kept."""

    def __init__(self, x: np.ndarray, y: np.ndarray, rows: np.ndarray, parameters: Mapping):
        self.x, self.y, self.rows, self.settings = x, y, rows, complete(parameters, y)

    def model(self, seed: int, stem: Path | None) -> tuple[lightgbm.Booster, bool]:
        """The model of a seed, and whether it was read from a file."""
        if stem is None:
            return self._new(seed), False
        source = {"parameters": self.settings, "seed": seed, "data": self.fingerprint}
        return kept.model(stem, source, lambda: self._new(seed))

    def _new(self, seed: int) -> lightgbm.Booster:
        return train(self.data, self.settings, seed)

    @cached_property
    def data(self) -> lightgbm.Dataset:
        return binned(self.x[self.rows], self.y[self.rows], self.settings)

    @cached_property
    def fingerprint(self) -> str:
        content = hashlib.sha256(f"LightGBM {lightgbm.__version__}, {self.x.shape[1:]}".encode())
        content.update(np.ascontiguousarray(self.x[self.rows], np.float32))
        content.update(self.y[self.rows])
        return content.hexdigest()


def _same_kinds(unlabeled: Mapping | None, descriptors: Mapping) -> Mapping:
    if unlabeled is None:
        return {}
    if set(unlabeled) != set(descriptors):
        raise ValueError(f"unlabeled images have {[*map(name, unlabeled)]}, labeled ones {[*map(name, descriptors)]}")
    check_all(unlabeled, len(next(iter(unlabeled.values()))))
    for key, x in descriptors.items():
        if unlabeled[key].shape[2] != x.shape[2]:
            raise ValueError(f"{name(key)}: {unlabeled[key].shape[2]} numbers per unlabeled image, {x.shape[2]} else")
    return unlabeled


def _distinct(seeds: Sequence[int]) -> tuple[int, ...]:
    found = tuple(int(seed) for seed in seeds)
    if not found or len(set(found)) < len(found):
        raise ValueError(f"seeds={found}: expected at least one, each once")
    return found


def _fold_numbers(parts: Sequence, images: int) -> np.ndarray:
    """Number of the fold, from 1, in which each image is tested."""
    fold = np.zeros(images, np.int64)
    for k, (train_rows, test) in enumerate(parts, start=1):
        if np.intersect1d(train_rows, test).size or fold[test].any():
            raise ValueError(f"fold {k}: an image is both trained and tested on, or tested twice")
        fold[test] = k
    if not fold.all():
        raise ValueError(f"{(fold == 0).sum()} of {images} images are in no test part")
    return fold
