"""The checks of the paper behind the chapter `bach_boosting`; every number comes from `histolib.reported`."""

from __future__ import annotations

from histolib.consistency.bach_boosting import carcinoma, design, folds, fusion
from histolib.consistency.report import Paper, Row

__all__ = ["checks"]


def checks() -> list[Row]:
    """Return all checks of the paper: what was done, Table 1, what is said of it, carcinoma or not."""
    paper = Paper("bach_boosting")
    return [*design.checks(paper), *folds.checks(paper), *fusion.checks(paper), *carcinoma.checks(paper)]
