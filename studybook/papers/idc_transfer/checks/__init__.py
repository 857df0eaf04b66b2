"""The checks of the paper behind the chapter `idc_transfer`."""

from __future__ import annotations

from studybook.papers.idc_transfer.checks import comparison, data, scores, text
from studybook.published.report import Paper, Row

__all__ = ["checks"]


def checks() -> list[Row]:
    """Return all checks of the paper, in the order of the paper's own argument."""
    paper = Paper("idc_transfer")
    return [
        *data.checks(paper),
        *scores.checks(paper),
        *comparison.checks(paper),
        *text.checks(paper),
    ]
