"""What an accuracy over equal folds says about single images, and what folds drawn by image leave mixed."""

from __future__ import annotations

import math

from studybook.published.intervals import Range, rounding


def right_answers(accuracy: str | Range, images: int) -> list[int]:
    """Return every number of right answers that is printed as a given accuracy.

    Parameters
    ----------
    accuracy : str or Range
        In percent; text as printed, or a range.
    images : int
        Number of images.

    Returns
    -------
    list of int
        Empty if no whole number of images gives this accuracy.
    """
    printed = accuracy if isinstance(accuracy, Range) else rounding(accuracy)
    slack = 1e-9 * images
    low, high = (side / 100 * images for side in (printed.low, printed.high))
    return list(range(math.ceil(low - slack), math.floor(high + slack) + 1))


def spreads(accuracy: str, images: int, folds: int, limit: float) -> list[float]:
    """Return every standard deviation that the accuracies of equal folds can have.

    In a fold of k images an accuracy is a multiple of 1 / k, so few standard deviations are possible where folds are
    small. All ways to spread the right answers over the folds are tried.

    Parameters
    ----------
    accuracy : str
        Mean over the folds in percent, as printed.
    images : int
        Number of images in all folds together.
    folds : int
        Number of folds.
    limit : float
        Largest standard deviation of interest, percent.

    Returns
    -------
    list of float
        In percent, ascending; both with the number of folds and with one less as divisor.

    Raises
    ------
    ValueError
        If the images cannot be divided into folds of one size.
    """
    size, rest = divmod(images, folds)
    if rest:
        raise ValueError(f"{images} images do not make {folds} equal folds; each must have the same size")
    squares = {square for right in right_answers(accuracy, images) for square in _squares(right, folds, size, limit)}
    found = {100 / size * math.sqrt(s / folds**2 / divisor) for s in squares for divisor in (folds, folds - 1)}
    return sorted(value for value in found if value <= limit)


def _squares(right: int, folds: int, size: int, limit: float) -> set[int]:
    """Sums over the folds of (folds * right answers - all right answers) squared, up to what `limit` allows."""
    most = folds**3 * (limit / 100 * size) ** 2
    reach = math.sqrt(most) / folds
    low, high = max(0, math.ceil(right / folds - reach)), min(size, math.floor(right / folds + reach))
    sums = {(0, 0)}
    for _ in range(folds):
        sums = {
            (total + count, square)
            for total, before in sums
            for count in range(low, high + 1)
            if (square := before + (folds * count - right) ** 2) <= most
        }
    return {square for total, square in sums if total == right}


def kept_apart(images: int, per_case: int, folds: int) -> float:
    """Return the share of test images whose case has no image in the training folds, if folds are drawn by image.

    Each image serves once for testing; the other images of its case must then all have fallen into the same fold.

    Parameters
    ----------
    images : int
        Number of images in all.
    per_case : int
        Images of each case.
    folds : int
        Number of folds, of equal size and drawn at random.
    """
    return math.prod((images / folds - 1 - k) / (images - 1 - k) for k in range(per_case - 1))
