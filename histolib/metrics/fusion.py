"""Averaging the answers of many models: over seeds, crop sizes and encoders, and what each of these brings.

Everything here works on tables of predictions, so that a fusion can be computed again from what was saved.
"""

import pandas as pd

from histolib.metrics import predictions

FUSION = "fusion"


def fuse(rows: pd.DataFrame, method: str | None = FUSION) -> pd.DataFrame:
    """Average the probabilities that an image gets (Rakhlin et al. 2018, Section 2.5).

    Parameters
    ----------
    rows
        Predictions, each image equally often.
    method
        Name of the average over all rows of an image; or None, to average each method's rows by themselves, which
        leaves out only the seeds.

    Returns
    -------
    DataFrame
        As `predictions.table`, images in the order in which they come first in `rows`.

    Raises
    ------
    ValueError
        If images do not all have the same number of rows, or differ in fold or class from row to row.
    """
    if method is not None:
        rows = rows.assign(method=method)
    columns = list(rows.filter(regex=r"^p_\d+$"))
    grouped = rows.groupby(predictions.KEYS, sort=False, dropna=False)
    fused, counts = grouped[columns].mean().reset_index(), grouped.size()
    twice = fused.duplicated(["method", "image_id"])
    if twice.any():
        raise ValueError(f"image {fused.loc[twice, 'image_id'].iloc[0]}: fold, patient or class differ from row to row")
    if counts.nunique() > 1:
        few, many = counts.idxmin()[2], counts.idxmax()[2]
        raise ValueError(f"image {few} has {counts.min()} rows, image {many} {counts.max()}; expected equally many")
    return fused.round(dict.fromkeys(columns, 6))  # as `predictions.table` does
