"""The checks of the slides behind the chapter `breakhis_patches`."""

from __future__ import annotations

from studybook.papers.breakhis_patches.checks import charts, data, earlier, text
from studybook.published.report import Paper, Row

__all__ = ["checks"]


def checks() -> list[Row]:
    """Return all checks of the slides: the data, the charts, what is concluded from them, earlier work."""
    paper = Paper("breakhis_patches")
    return [*data.checks(paper), *charts.checks(paper), *text.checks(paper), *earlier.checks(paper)]
