"""Many p values looked at together."""

import numpy as np
import pandas as pd
from scipy import stats


def of_interval(differences: pd.DataFrame) -> pd.Series:
    """Two-sided p values of differences (``value, low, high``) whose 95 % interval is 1.96 standard errors wide."""
    error = (differences["high"] - differences["low"]) / (2 * stats.norm.ppf(0.975))
    return pd.Series(2 * stats.norm.sf(differences["value"].abs() / error.clip(lower=1e-9)), differences.index)


def holm(p: pd.Series) -> pd.Series:
    """P values corrected by Holm 1979: the k-th smallest of m times m - k + 1, and never below an earlier one.

    A missing value stays missing and does not count.
    """
    known = p.dropna().sort_values(kind="stable")
    return (known * np.arange(len(known), 0, -1)).cummax().clip(upper=1).reindex(p.index)
