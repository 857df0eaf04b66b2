"""What the checks of all papers share: one row of the report, and access to the numbers of one paper."""

from __future__ import annotations

import re
from typing import NamedTuple

from studybook.published import reported
from studybook.published.arithmetic import from_confusion
from studybook.published.folds import right_answers
from studybook.published.intervals import Range, agrees, decimals, rounding, worst_case
from studybook.published.schema import AGREES, CONTRADICTS, NOT_STATED, OUTSIDE

__all__ = ["CONTRADICTS", "NOT_STATED", "OUTSIDE", "Paper", "Row", "number", "row", "whole"]

# A number in one of these units is rounded, also where it is printed without a point; of all else, wholes are counts.
_ROUNDED = ("%", "1", "min", "points", "times", "x")


class Row(NamedTuple):
    """One row of the report; the fields are described at `studybook.published.consistency.report`."""

    id: str
    check: str
    place: str
    reported: str
    recomputed: str
    verdict: str
    remark: str


def row(id, check, place, reported, recomputed, right: bool, remark: str = "", otherwise: str = CONTRADICTS) -> Row:
    """Return a row: it agrees if `right`, and has the verdict `otherwise` if not."""
    return Row(id, check, place, reported, recomputed, AGREES if right else otherwise, remark)


def number(id, check, place, printed: str, recomputed: float | Range, remark: str = "", otherwise=CONTRADICTS) -> Row:
    """Return the row that compares one printed number with one recomputed from others."""
    shown = show(recomputed, printed)
    return row(id, check, place, printed, shown, agrees(printed, recomputed), remark, otherwise)


def show(recomputed: float | Range, printed: str) -> str:
    """Return a recomputed number as text: whole, or with up to three digits more than the printed one has."""
    value, low, high = found = recomputed if isinstance(recomputed, Range) else Range(*[recomputed] * 3)
    return f"{value:.0f}" if low == high == round(value) else found.show(min(decimals(printed) + 3, 5))


def whole(id, check, place, printed: list[str], total: int, remark: str = "") -> Row:
    """Return the row that asks of which whole numbers out of a total some printed percentages are shares."""
    counts = [right_answers(share, total) for share in printed]
    found = ", ".join("/".join(map(str, count)) or "none" for count in counts)
    return row(id, check, place, ", ".join(printed), f"{found} of {total}", all(counts), remark)


class Paper:
    """Printed values of one paper, by reference (`studybook.published.schema.find`).

    Parameters
    ----------
    name : str
        Name of the paper, as in `studybook.published.reported`.
    """

    def __init__(self, name: str):
        self.name = name

    def text(self, reference: str) -> str:
        """Return a value as printed."""
        return reported.value(self.name, reference)

    def texts(self, *references: str) -> list[str]:
        """Return values as printed."""
        return [self.text(reference) for reference in references]

    def values(self, *references: str) -> list[float]:
        """Return values as numbers, taken as exact."""
        return [float(text) for text in self.texts(*references)]

    def series(self, reference: str) -> list[float]:
        """Return the numbers of a value that lists several."""
        return [float(text) for text in self.text(reference).split(",")]

    def range(self, reference: str) -> Range:
        """Return what a value may have been before it was rounded; a count or a setting was not."""
        found = reported.find(self.name, reference)
        exact = found.part == "settings" or (found.text.isdigit() and found.unit not in _ROUNDED)
        return rounding(float(found.text) if exact else found.text)

    def place(self, *references: str) -> str:
        """Return where values stand, each place once."""
        return "; ".join(dict.fromkeys(reported.find(self.name, reference).place for reference in references))

    def outside(self, reference: str) -> bool:
        """Say whether a value is not the paper's own."""
        return reported.find(self.name, reference).part == "outside"

    def methods(self, table: int) -> list[str]:
        """Return the methods of a table, in its order."""
        return list(reported.printed(self.name, table)["method"])

    def score(self, table: int, method: str, score: str) -> Range:
        """Return a score of `from_confusion`, recomputed from a row of a table of confusion figures."""
        entries = self.texts(*(f"{table}/{method}/{column}" for column in ("tp", "fp", "tn", "fn")))
        return worst_case(lambda *counts: from_confusion(*counts)[score], *entries)

    def fill(self, text: str) -> str:
        """Return a text with what is printed in place of each reference in braces."""
        return re.sub(r"{(.+?)}", lambda found: self.text(found[1]), text)
