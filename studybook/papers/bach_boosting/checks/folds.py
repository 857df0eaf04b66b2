"""Table 1: do its means and standard deviations follow from its cells, and what can its cells be?"""

from __future__ import annotations

from statistics import fmean, pstdev, stdev

from studybook.papers.bach_boosting.checks.design import constituents
from studybook.published.intervals import Range, agrees
from studybook.published.report import Paper, Row, number

_SLACK = 1e-9


def cells(paper: Paper, method: str) -> list[float]:
    """Return the accuracies of a row in the ten folds, percent.

    They are exact as printed: with folds of 40 images and five seeds the steps between them are 0.5.
    """
    return [float(paper.cell(1, method, f"f{k}")) for k in range(1, int(paper.text("folds")) + 1)]


def fold_size(paper: Paper) -> float:
    """Return the number of images in a fold."""
    return float(paper.text("images")) / float(paper.text("folds"))


def checks(paper: Paper) -> list[Row]:
    """Return the checks of Table 1."""
    return [*_steps(paper), *_means(paper), *_row_spreads(paper), *_column_spreads(paper)]


def _exact(value: float) -> Range:
    return Range(value, value, value)


def _whole(values: list[float], step: float) -> bool:
    return all(abs(value / step - round(value / step)) < _SLACK for value in values)


def _steps(paper: Paper) -> list[Row]:
    one_image, seeds = 100 / fold_size(paper), float(paper.text("seeds"))
    single = [value for method in constituents(paper) for value in cells(paper, method)]
    off = sum(not _whole([value], one_image) for value in single)
    return [
        Row(
            "cells of the fusion are whole numbers of images in a fold",
            "Table 1",
            "all",
            f"steps of {one_image:g}",
            _whole(cells(paper, "fusion"), one_image),
        ),
        Row(
            "cells of the constituents are means over five seeds",
            "Table 1",
            "all",
            f"steps of {one_image / seeds:g}",
            _whole(single, one_image / seeds),
        ),
        Row(
            "cells of the constituents are accuracies of models averaged over their seeds",
            "Results; Table 1",
            paper.text("seeds_help"),
            f"{off} of {len(single)} cells are no whole number of images",
            off == 0,
            "Those cells can only be means of five accuracies. So the rows show what a single seed reaches on average, "
            "and do not hold the gain that is said to come from averaging the seeds.",
        ),
    ]


def _means(paper: Paper) -> list[Row]:
    rows = []
    for method in [*constituents(paper), "fusion"]:
        value = fmean(cells(paper, method))
        tie = abs(value * 20 - round(value * 20)) < _SLACK and not _whole([value], 0.1)
        rows.append(
            number(
                f"mean over the folds, {method}",
                "Table 1",
                paper.cell(1, method, "mean"),
                _exact(value),
                "Half way between two printed numbers." if tie else "",
            )
        )
    right = fmean(cells(paper, "fusion")) / 100 * float(paper.text("images"))
    rows.append(
        Row(
            "accuracy of the fusion is a whole number of images",
            "Table 1; Results",
            f"{paper.text('accuracy')} %",
            f"{right:g} of {paper.text('images')}",
            _whole([right], 1),
        )
    )
    return rows


def _row_spreads(paper: Paper) -> list[Row]:
    rows = [
        number(
            "standard deviation over the folds, fusion",
            "Table 1",
            paper.cell(1, "fusion", "std"),
            _exact(pstdev(cells(paper, "fusion"))),
            f"Divided by the number of folds; divided by one less it is {stdev(cells(paper, 'fusion')):.2f}.",
        )
    ]
    for method in constituents(paper):
        printed, values = paper.cell(1, method, "std"), cells(paper, method)
        fits = [f"{spread(values):.2f}" for spread in (pstdev, stdev) if agrees(printed, spread(values))]
        rows.append(
            number(
                f"standard deviation over the folds, {method}",
                "Table 1",
                printed,
                _exact(pstdev(values)),
                f"Divided by one less than the number of folds it is {stdev(values):.2f}. The printed number is larger "
                "than the cells allow: as if the seeds were counted too."
                if not fits
                else "Agrees only if divided by one less than the number of folds, unlike the row of the fusion.",
            )
        )
        least = _least_spread(paper, method)
        rows.append(
            Row(
                f"standard deviation over folds and seeds, {method}",
                "Table 1",
                printed,
                f"at least {least:.2f}",
                float(printed) + 0.05 >= least,
                "",
            )
        )
    return rows


def _least_spread(paper: Paper, method: str) -> float:
    """Return the least deviation of all accuracies of folds and seeds whose means over the seeds are the row's cells.

    Seeds differ by whole images, so a cell between two whole numbers of images needs seeds on both sides of it.
    """
    one_image, values = 100 / fold_size(paper), cells(paper, method)
    between = [value / one_image % 1 for value in values]
    within = fmean(one_image**2 * share * (1 - share) for share in between)
    return (pstdev(values) ** 2 + within) ** 0.5


def _column_spreads(paper: Paper) -> list[Row]:
    columns = list(zip(*(cells(paper, method) for method in constituents(paper)), strict=True))
    rows = [
        number(
            f"standard deviation over the six constituents, fold {k}",
            "Table 1",
            paper.cell(1, "std", f"f{k}"),
            _exact(pstdev(column)),
        )
        for k, column in enumerate(columns, start=1)
    ]
    means = [fmean(cells(paper, method)) for method in constituents(paper)]
    rows.append(
        number(
            "mean of the row std",
            "Table 1",
            paper.cell(1, "std", "mean"),
            _exact(fmean(pstdev(column) for column in columns)),
            f"The mean of the ten deviations; the six means themselves deviate by {pstdev(means):.1f}.",
        )
    )
    return rows
