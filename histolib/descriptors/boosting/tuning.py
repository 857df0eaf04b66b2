"""Choosing parameters: inside the training part of each fold, or, as one should not, by the evaluation folds."""

from collections.abc import Mapping, Sequence

import numpy as np

from histolib import parallel
from histolib.descriptors.boosting.trees import PARAMETERS, Key, binned, check_all, classes_of, complete, predict, train
from histolib.metrics import splits

# Changes to PARAMETERS: none, smaller trees, slower learning, fewer features per tree.
GRID = (
    {},
    {"num_leaves": 15, "max_depth": 4},
    {"num_iterations": 140, "learning_rate": 0.05},
    {"feature_fraction": 0.2},
)
TUNE = ("none", "nested", "evaluation")


def tune(
    descriptors: Mapping[Key, np.ndarray],
    labels,
    patients,
    parts: Sequence[tuple[np.ndarray, np.ndarray]],
    how: str = "none",
    grid: Sequence[Mapping] = GRID,
    inner: int = 3,
    seed: int = 0,
    base: Mapping = PARAMETERS,
    workers: int | None = None,
) -> dict[Key, list[dict]]:
    """Choose parameters for each kind of descriptor and fold, by accuracy per image.

    Parameters
    ----------
    descriptors, labels, parts, workers
        As in `cross_validate`.
    patients
        Patient of each image; inner folds keep patients together.
    how
        ``"none"``: `base`. ``"evaluation"``: one choice for all folds, by the very accuracy that is reported
        afterwards, as comments in the code of Rakhlin et al. 2018 suggest; that accuracy is too good (Cawley and
        Talbot 2010). ``"nested"``: a choice for each fold by `inner` folds of its training part, so that its test part
        has no say.
    grid
        Changes to `base`; of equally good ones the first is taken.
    inner
        Number of inner folds.
    seed
        Seed of the inner folds and of the models that are compared.
    base
        Parameters that `grid` changes.

    Returns
    -------
    dict
        For each kind of descriptor the parameters of each fold; `cross_validate` takes it.

    Raises
    ------
    ValueError
        If `how` is unknown or `grid` is empty; labels, descriptors, patients that do not fit; as `splits.folds`.
    """
    if how not in TUNE or not grid:
        raise ValueError(f"tune={how!r}, {len(grid)} settings: expected one of {', '.join(map(repr, TUNE))}, 1 or more")
    y, patients, parts = classes_of(labels), np.asarray(patients), list(parts)
    check_all(descriptors, len(y))
    if len(patients) != len(y):
        raise ValueError(f"{len(patients)} patients for {len(y)} images; expected one of each per image")
    settings = [dict(base) | dict(change) for change in grid]
    if how == "none":
        return {key: [dict(base)] * len(parts) for key in descriptors}
    # The (train, test) parts that decide: over all folds at once, or over one fold each.
    deciding = [parts]
    if how == "nested":
        deciding = [
            [(rows[a], rows[b]) for a, b in splits.folds(y[rows], patients[rows], inner, seed=seed)]
            for rows, _ in parts
        ]

    complete_settings = [complete(setting, y) for setting in settings]

    def right(job) -> np.ndarray:
        """How many test images each setting gets right."""
        x, rows, test = job
        models = [train(binned(x[rows], y[rows], setting), setting, seed) for setting in complete_settings]
        return np.array([(predict(model, x[test]).mean(1).argmax(1) == y[test]).sum() for model in models])

    chosen = {}
    for key, x in descriptors.items():
        counts = parallel.threads(right, [(x, *part) for asked in deciding for part in asked], workers)
        best = [settings[int(sum(next(counts) for _ in asked).argmax())] for asked in deciding]
        chosen[key] = best if how == "nested" else best * len(parts)
    return chosen
