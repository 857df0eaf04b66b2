"""What the rounding of printed numbers leaves open, carried through a computation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

# Slack against binary rounding when two intervals touch; far below any digit that papers print.
_SLACK = 1e-9


class Range(NamedTuple):
    """A recomputed number with the lowest and highest value that rounded inputs allow."""

    value: float
    low: float
    high: float

    def show(self, digits: int = 4) -> str:
        """Return the value with `digits` decimals, and the range in parentheses where it shows at all."""
        value, low, high = (f"{number:.{digits}f}" for number in self)
        return value if low == high else f"{value} ({low} to {high})"


def decimals(printed: str) -> int:
    """Return how many digits stand behind the point of a printed number; `decimals("0.8350") == 4`."""
    number = printed.strip()
    float(number)
    return len(number.partition(".")[2])


def rounding(printed: str | float) -> Range:
    """Return the values that a printed number may have had before it was rounded.

    Parameters
    ----------
    printed : str or float
        Text as printed ("0.8350", half a unit of the last digit is open on either side), or a float, taken as
        exact.

    Returns
    -------
    Range
        The number, and half a unit of its last printed digit below and above it.

    Raises
    ------
    ValueError
        If the text is not a number.
    """
    value = float(printed)
    half = 0.5 * 10.0 ** -decimals(printed) if isinstance(printed, str) else 0.0
    return Range(value, value - half, value + half)


def worst_case(function: Callable[..., float], *printed: str | float | Range) -> Range:
    """Evaluate a function of rounded numbers, with the extremes that their rounding allows.

    The extremes are sought at the corners of the box of inputs. That is exact for a function that rises or
    falls throughout in each input, as the scores here do within half a printed digit.

    Parameters
    ----------
    function : callable
        Takes as many floats as there are inputs, returns a float.
    *printed : str, float or Range
        Inputs: text as printed, an exact number, or a range already computed.

    Returns
    -------
    Range
    """
    inputs = [number if isinstance(number, Range) else rounding(number) for number in printed]
    # Never below zero: a share or a count that is printed as 0.0 cannot have been negative.
    sides = [(max(r.low, 0.0) if r.value >= 0 else r.low, r.high) for r in inputs]
    corners = [function(*corner) for corner in product(*sides)]
    return Range(function(*(r.value for r in inputs)), min(corners), max(corners))


def agrees(reported: str, recomputed: float | Range) -> bool:
    """Say whether a printed number can be the rounded form of a recomputed one, or of a value inside a `Range`."""
    printed = rounding(reported)
    if not isinstance(recomputed, Range):
        recomputed = Range(recomputed, recomputed, recomputed)
    return printed.low <= recomputed.high + _SLACK and recomputed.low <= printed.high + _SLACK
