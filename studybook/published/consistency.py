"""Does a published paper agree with itself?

`arithmetic` recomputes scores from others, `intervals` carries the rounding of the printed digits along, and
`check_paper` runs the list of checks of a paper, which stands in a module of the paper's name.
"""

from __future__ import annotations

import importlib

import pandas as pd

from studybook.published import reported
from studybook.published.arithmetic import at_prevalence, from_confusion, implied_prevalence, recall_from_f1
from studybook.published.intervals import Range, agrees, decimals, rounding, worst_case
from studybook.published.report import COLUMNS

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


def check_paper(paper: str) -> pd.DataFrame:
    """Compare a paper's published numbers with each other.

    Parameters
    ----------
    paper : str
        Name of the paper, as in `studybook.published.reported`.

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
    if paper not in reported.papers():
        raise LookupError(f"no checks for paper {paper!r}; papers with checks: {', '.join(reported.papers())}")
    rows = importlib.import_module(f"studybook.papers.{paper}.checks").checks()
    return pd.DataFrame(rows, columns=COLUMNS).astype({"agrees": bool})


def for_readers(checks: pd.DataFrame) -> pd.DataFrame:
    """Rows of `check_paper` in fewer columns: the place behind the check, ``yes`` or ``no`` for `agrees`."""
    named = checks["check"] + " (" + checks["place"] + ")"
    verdict = checks["agrees"].map({True: "yes", False: "no"})
    return checks.assign(check=named, agrees=verdict)[["check", "reported", "recomputed", "agrees", "remark"]]
