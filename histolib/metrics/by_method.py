"""Scores of several methods as tables."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from histolib.metrics import predictions as predicted
from histolib.metrics.classification import checked, decided


def per_fold(predictions: pd.DataFrame, apart: Collection[str] = (), threshold: float = 0.5) -> pd.DataFrame:
    """Accuracy of each method in each fold, in per cent; mean and deviation as of Rakhlin et al. 2018.

    Where a method has several seeds, a cell is the mean of the accuracies of the seeds. All deviations are those of the
    numbers at hand (divided by their count, not by one less), over folds and seeds.

    Parameters
    ----------
    predictions
        Rows of one or more methods; a column ``seed`` is heeded. Folds may have any numbers or names, and any size.
    apart
        Methods, such as a fusion of the others, that do not count in the row ``std`` and stand below it.
    threshold
        With two classes, as in `scores`.

    Returns
    -------
    DataFrame
        Index ``method``: the methods, ``std`` (over the methods, for each fold), the methods of `apart`. Columns: the
        folds, ``mean`` (over the folds, each counting the same; of the row ``std`` too) and ``std`` (over folds and
        seeds). There is no row ``std`` if all methods are in `apart`.

    Raises
    ------
    ValueError
        As `scores`; if a method is named ``std``, has no images in a fold, or one in `apart` does not exist.
    """
    methods = list(predictions["method"].unique())
    if "std" in methods or set(apart) - set(methods):
        raise ValueError(
            f"methods {', '.join(methods)}: expected {', '.join(apart) or 'any names'} there, and no 'std'"
        )
    y, p, _ = checked(predictions["y_true"], predicted.scores_of(predictions), None)
    keys = predictions.reindex(columns=["method", "fold", "seed"])
    right = keys.assign(right=100.0 * (decided(p, threshold) == y))
    single = right.groupby(["method", "fold", "seed"], dropna=False)["right"].mean()
    cells = single.groupby(["method", "fold"]).mean().unstack("fold").loc[methods]
    if cells.isna().any(axis=None):
        method, fold = cells.isna().stack().idxmax()
        raise ValueError(f"{method} has no image in fold {fold}; expected all methods in all folds")
    table = cells.assign(mean=cells.mean(axis=1), std=single.groupby("method").std(ddof=0))
    inner = [method for method in methods if method not in set(apart)]
    if not inner:
        return table
    spread = cells.loc[inner].std(axis=0, ddof=0)
    row = pd.DataFrame([[*spread, spread.mean(), np.nan]], index=["std"], columns=table.columns)
    return pd.concat([table.loc[inner], row, table.drop(index=inner)]).rename_axis("method")


def one_answer(predictions: pd.DataFrame, threshold: float = 0.5) -> dict[str, int]:
    """Methods that give one answer to everything they are asked, and that class; without those whose answers differ.

    `threshold` is that of class 1 where there are two classes; of more, the most probable one is the answer.
    """
    answers = decided(predicted.scores_of(predictions), threshold)
    by_method = pd.Series(answers).groupby(predictions["method"].to_numpy(), sort=False).agg(["min", "max"])
    return by_method["min"][by_method["min"] == by_method["max"]].to_dict()
