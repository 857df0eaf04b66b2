"""The checks of the slides behind the chapter `breakhis_patches`; every number comes from `histolib.reported`."""

from __future__ import annotations

from histolib.consistency.breakhis_patches import charts, data, earlier, text
from histolib.consistency.report import Paper, Row

__all__ = ["checks"]


def checks() -> list[Row]:
    """Return all checks of the slides: the data, the charts, what is concluded from them, earlier work."""
    paper = Paper("breakhis_patches")
    return [*data.checks(paper), *charts.checks(paper), *text.checks(paper), *earlier.checks(paper)]
