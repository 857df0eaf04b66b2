"""Comparisons of printed values with each other that are data: the entries ``checks`` of a paper's file.

An entry names what is compared in our words (``check``), the printed value (``reported``) and one operation with the
values that the printed one is held against. ``same``, ``rounded`` and ``percent`` compare lists pair by pair; all
others make one number of theirs.

========================================  ======================================================================
``same``                                  printed alike, digit by digit or word by word
``rounded``                               the printed number may be the other one, rounded
``percent``                               the same, of a hundred times the other one
``sum, difference, product, ratio, mean`` the printed number may be that of the others, rounded
``percent_gain``                          by how many per cent of the second number the first one is larger
``at_most, at_least``                     the printed number is not above (below) the product of the others
========================================  ======================================================================

Optional are ``exact: true`` (take the other numbers as if they were not rounded), a ``remark``, and ``otherwise``: the
verdict where they differ, if it isn't the usual one (`row`).
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from statistics import fmean

from studybook.published import report
from studybook.published.intervals import Range, agrees, rounding, worst_case
from studybook.published.report import CONTRADICTS, OUTSIDE, Paper, Row
from studybook.published.schema import OPERATIONS, listed

_EACH: dict[str, Callable[[float], float]] = {"rounded": lambda one: one, "percent": lambda one: 100 * one}
_ALL: dict[str, Callable[..., float]] = {
    "sum": lambda *all: sum(all),
    "difference": lambda first, second: first - second,
    "product": lambda *all: prod(all),
    "ratio": lambda first, second: first / second,
    "mean": lambda *all: fmean(all),
    "percent_gain": lambda new, old: 100 * (new / old - 1),
}


def row(paper: Paper, entry: dict) -> Row:
    """Return the row of one entry.

    Where the values differ, the verdict is that of the entry, or else that the paper differs from an outside fact (if
    one of the values is none of its own), or else that it contradicts itself.
    """
    operation = next(key for key in OPERATIONS if key in entry)
    named, others = listed(entry["reported"]), listed(entry[operation])
    printed = paper.texts(*named)
    if operation == "same":
        found = paper.texts(*others)
        right = ", ".join(printed) == ", ".join(found) or (len(printed) == 1 and {*printed} == {*found})
    else:
        exact = entry.get("exact") == "true"
        ranges = [rounding(float(paper.text(other))) if exact else paper.range(other) for other in others]
        found, right = _numbers(operation, printed, ranges)
    place, remark = paper.place(*named, *others), paper.fill(entry.get("remark", ""))
    otherwise = entry.get("otherwise") or (OUTSIDE if any(map(paper.outside, others)) else CONTRADICTS)
    return report.row(
        entry["id"], entry["check"], place, ", ".join(printed), ", ".join(found), right, remark, otherwise
    )


def _numbers(operation: str, printed: list[str], ranges: list[Range]) -> tuple[list[str], bool]:
    if operation in ("at_most", "at_least"):
        bound, (one,) = worst_case(_ALL["product"], *ranges), rounding(printed[0])[:1]
        right = one <= bound.high if operation == "at_most" else one >= bound.low
        return [f"{operation.replace('_', ' ')} {bound.value:.10g}"], right
    if operation in _EACH:
        numbers = [worst_case(_EACH[operation], one) for one in ranges]
    else:
        numbers = [worst_case(_ALL[operation], *ranges)]
    pairs = list(zip(printed, numbers, strict=True))
    return [report.show(found, text) for text, found in pairs], all(agrees(text, found) for text, found in pairs)
