"""Rows of the table of measurements, and the table as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One thing that was measured.

    Attributes
    ----------
    what
        What was measured, with its size.
    ours, theirs
        Value of this library and of the peer, in `unit`; `theirs` is None where there is no peer.
    peer
        Name of what this library is compared with.
    unit
        Unit of both values, with the direction that is better.
    aim
        What was aimed for, in words.
    ratio
        Ours divided by theirs, where it is not simply the quotient of the two values (paired repetitions).
    memory
        Largest resident memory while it was measured, in GB, imports and the peer's included where both take turns.
    step, size
        Where one thing is measured at several sizes: its name, and the number of images.
    """

    what: str
    ours: float
    unit: str
    peer: str = "–"
    theirs: float | None = None
    aim: str = "–"
    ratio: float | None = None
    memory: float | None = None
    step: str | None = None
    size: int | None = None

    def __post_init__(self):
        if self.ratio is None and self.theirs:
            object.__setattr__(self, "ratio", self.ours / self.theirs)


def markdown(rows: Sequence[Row], machine: str) -> str:
    """Rows as a Markdown table, padded so that it reads well in a terminal too."""
    head = ("what", "ours", "peer's", "ratio", "unit", "aim", "peer", "peak GB", "machine")
    cells = [head, *((*_cells(row), machine) for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(head))]
    right = {1, 2, 3, 7}
    lines = [_line(line, widths, right) for line in cells]
    rule = ["-" * (width - 1) + (":" if k in right else "-") for k, width in enumerate(widths)]
    return "\n".join([lines[0], "| " + " | ".join(rule) + " |", *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
    return row.what, _number(row.ours), _number(row.theirs), ratio, row.unit, row.aim, row.peer, _number(row.memory)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int], right: set[int]) -> str:
    padded = [cell.rjust(w) if k in right else cell.ljust(w) for k, (cell, w) in enumerate(zip(cells, widths))]
    return "| " + " | ".join(padded) + " |"
