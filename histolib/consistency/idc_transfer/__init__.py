"""The checks of the paper behind the chapter `idc_transfer`; every number comes from `histolib.reported`."""

from __future__ import annotations

from histolib.consistency.idc_transfer import comparison, data, scores, text
from histolib.consistency.report import Paper, Row

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
