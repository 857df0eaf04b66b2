"""What the checks of all papers share: one row of the report, and access to the numbers of one paper."""

from __future__ import annotations

from typing import NamedTuple

from studybook.published import reported
from studybook.published.arithmetic import from_confusion
from studybook.published.intervals import Range, agrees, decimals, worst_case

COLUMNS = ["check", "place", "reported", "recomputed", "agrees", "remark"]


class Row(NamedTuple):
    """One row of the report; the fields are described at `studybook.published.consistency.check_paper`."""

    check: str
    place: str
    reported: str
    recomputed: str
    agrees: bool
    remark: str = ""


def number(check: str, place: str, printed: str, recomputed: Range, remark: str = "") -> Row:
    """Return the row that compares one printed number with one recomputed from others.

    The recomputed number is shown with up to three digits more than the printed one has.
    """
    shown = recomputed.show(min(decimals(printed) + 3, 5))
    return Row(check, place, printed, shown, agrees(printed, recomputed), remark)


class Paper:
    """Numbers of one paper as printed, by table or by id.

    Parameters
    ----------
    name : str
        Name of the paper, as in `studybook.published.reported`.
    """

    def __init__(self, name: str):
        self.name = name

    def cell(self, table: int, method: str, column: str) -> str:
        """Return one cell of a table, found by its row's method.

        Raises
        ------
        LookupError
            If the paper, the table, the row or the column does not exist.
        """
        return reported.printed(self.name, table).set_index("method").at[method, column]

    def heading(self, table: int, column: str) -> str:
        """Return the heading that the paper prints above a column."""
        return reported.printed(self.name, table).attrs["headings"][column]

    def methods(self, table: int) -> list[str]:
        """Return the methods of a table, in its order."""
        return list(reported.printed(self.name, table)["method"])

    def text(self, id: str) -> str:
        """Return a claim, a setting or an outside fact as printed."""
        return reported.value(self.name, id)

    def place(self, id: str) -> str:
        """Return the section in which a claim stands."""
        return reported.claims(self.name).set_index("id").at[id, "place"]

    def confusion(self, table: int, method: str) -> list[str]:
        """Return tp, fp, tn, fn of a row as printed."""
        return [self.cell(table, method, column) for column in ("tp", "fp", "tn", "fn")]

    def score(self, table: int, method: str, score: str) -> Range:
        """Return a score of `from_confusion`, recomputed from a row of a table of confusion figures."""
        return worst_case(lambda *entries: from_confusion(*entries)[score], *self.confusion(table, method))
