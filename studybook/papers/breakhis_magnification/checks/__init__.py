"""The checks of the paper behind the chapter `breakhis_magnification`."""

from __future__ import annotations

from studybook.papers.breakhis_magnification.checks import data, network, scores, text
from studybook.published.report import Paper, Row

__all__ = ["checks"]


def checks() -> list[Row]:
    """Return all checks of the paper: the data and its split, the network, the scores, the running text."""
    paper = Paper("breakhis_magnification")
    return [*data.checks(paper), *network.checks(paper), *scores.checks(paper), *text.checks(paper)]
