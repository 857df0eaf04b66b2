"""The ceiling of a twin in the folds that a data set publishes, or that are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from histolib import datasets
from histolib.metrics import predictions, splits
from studybook.twins.ceiling import METHOD, ceiling


def table(dataset: datasets.Dataset, folds: Sequence[int], split: str = "official", seed: int = 0) -> pd.DataFrame:
    """Predictions of `ceiling` in several folds, as `predictions.table` has them; no rows of a real data set.

    Parameters
    ----------
    dataset, seed
        As in `ceiling`; a data set may be real here.
    folds, split
        As in `splits.of_fold`.
    """
    parts = []
    for fold in folds if dataset.twin else []:
        train, test = splits.of_fold(dataset.table, fold, split)
        given = ceiling(dataset, train, test, seed)
        parts.append(predictions.table(METHOD, dataset.table.iloc[test], given, fold))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*predictions.KEYS, "p_0", "p_1"])
