"""The checks of the paper behind the chapter `mammography_finetuning`."""

from __future__ import annotations

from studybook.papers.mammography_finetuning.checks import data, networks, scores, spread, text
from studybook.published.report import Paper, Row

__all__ = ["checks"]


def checks() -> list[Row]:
    """Return all checks of the paper, in the order of the paper's own argument."""
    paper = Paper("mammography_finetuning")
    return [
        *data.checks(paper),
        *networks.checks(paper),
        *spread.checks(paper),
        *scores.checks(paper),
        *text.checks(paper),
    ]
