"""Does a published paper agree with itself?

`arithmetic` recomputes scores from others, `intervals` carries the rounding of the printed digits along, and
`check_paper` runs the list of checks of a paper, which stands in a module of the paper's name.
"""

from __future__ import annotations

import pandas as pd

from histolib.consistency import (
    bach_boosting,
    breakhis_magnification,
    breakhis_patches,
    idc_transfer,
    mammography_finetuning,
)
from histolib.consistency.arithmetic import at_prevalence, from_confusion, implied_prevalence, recall_from_f1
from histolib.consistency.intervals import Range, agrees, decimals, rounding, worst_case
from histolib.consistency.report import COLUMNS

__all__ = [
    "Range",
    "agrees",
    "at_prevalence",
    "check_paper",
    "decimals",
    "for_readers",
    "from_confusion",
    "implied_prevalence",
    "recall_from_f1",
    "rounding",
    "worst_case",
]


# A paper joins by a module with a function `checks`, which returns the rows.
_CHECKS = {
    "bach_boosting": bach_boosting.checks,
    "breakhis_magnification": breakhis_magnification.checks,
    "breakhis_patches": breakhis_patches.checks,
    "idc_transfer": idc_transfer.checks,
    "mammography_finetuning": mammography_finetuning.checks,
}


def check_paper(paper: str) -> pd.DataFrame:
    """Compare a paper's published numbers with each other.

    Parameters
    ----------
    paper : str
        Name of the paper, as in `histolib.reported`.

    Returns
    -------
    pandas.DataFrame
        One row per check: ``check`` (what is compared), ``place`` (in the paper), ``reported`` (text, as
        printed), ``recomputed`` (text; in parentheses the range that the rounding of the printed numbers
        allows), ``agrees`` (bool) and ``remark`` (what a disagreement may mean).

    Raises
    ------
    LookupError
        If no list of checks exists for the paper.
    """
    if paper not in _CHECKS:
        raise LookupError(f"no checks for paper {paper!r}; papers with checks: {', '.join(sorted(_CHECKS))}")
    return pd.DataFrame(_CHECKS[paper](), columns=COLUMNS).astype({"agrees": bool})


def for_readers(checks: pd.DataFrame) -> pd.DataFrame:
    """Rows of `check_paper` in fewer columns: the place behind the check, ``yes`` or ``no`` for `agrees`."""
    named = checks["check"] + " (" + checks["place"] + ")"
    verdict = checks["agrees"].map({True: "yes", False: "no"})
    return checks.assign(check=named, agrees=verdict)[["check", "reported", "recomputed", "agrees", "remark"]]
