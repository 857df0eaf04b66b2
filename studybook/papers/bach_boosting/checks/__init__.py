"""The checks of the paper behind the chapter `bach_boosting`."""

from __future__ import annotations

from studybook.papers.bach_boosting.checks import carcinoma, design, folds, fusion
from studybook.published.report import Paper, Row

__all__ = ["checks"]


def checks() -> list[Row]:
    """Return all checks of the paper: what was done, Table 1, what is said of it, carcinoma or not."""
    paper = Paper("bach_boosting")
    return [*design.checks(paper), *folds.checks(paper), *fusion.checks(paper), *carcinoma.checks(paper)]
